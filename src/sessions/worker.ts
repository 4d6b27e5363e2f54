/**
 * Thread entry of the session layers: their indexes live here, off the main thread's heap and event loop. One question at
 * a time comes in (thread.ts sees to it), one answer goes out.
 */
import { parentPort } from 'node:worker_threads';
import { problem, toPlainProblem } from '../errors.ts';
import type { Painted } from '../plan.ts';
import { encodeSessionTile } from '../render/session-tile.ts';
import { compress } from '../render/transcode.ts';
import { ESCAPED, scanInput, sessionInput } from './geojson.ts';
import { createHeldLayers, type HeldLayers } from './held.ts';
import type { GeoJsonScan } from './scan.ts';
import type {
  Answer,
  PutAnswer,
  PutQuestion,
  Question,
  ScanAnswer,
  ScanQuestion,
  TileAnswer,
  TileQuestion,
  Value,
} from './thread.ts';
import { createSessionIndex } from './tile-index.ts';

const MVT = 'application/vnd.mapbox-vector-tile';
const NONE: ReadonlyMap<string, string> = new Map();

interface Body {
  readonly body: Uint8Array;
  readonly scan: GeoJsonScan;
}

interface Holdings {
  readonly layers: HeldLayers;
  /** Scanned and waiting for the permit to index them. */
  readonly bodies: Map<string, Body>;
}

function answerQuestions(port: NonNullable<typeof parentPort>): void {
  const holdings: Holdings = { layers: createHeldLayers(), bodies: new Map() };
  port.on('message', ({ id, question }: { id: number; question: Question }) => {
    let answer: Answer;
    try {
      answer = { id, ok: true, value: handle(holdings, question) };
    } catch (error) {
      answer = { id, ok: false, problem: toPlainProblem(error) };
    }
    port.postMessage(answer, transferOf(answer));
  });
}

function handle({ layers, bodies }: Holdings, question: Question): Value {
  switch (question.op) {
    case 'scan':
      return scan(bodies, question);
    case 'put':
      return put(layers, bodies, question);
    case 'tile':
      return tile(layers, question);
    case 'drop':
      for (const key of question.keys) {
        layers.drop(key);
        bodies.delete(key);
      }
      return null;
  }
}

/** A body that is refused is not kept. */
function scan(bodies: Map<string, Body>, { key, body }: ScanQuestion): ScanAnswer {
  const found = scanInput(body);
  bodies.set(key, { body, scan: found });
  const { spans } = found;
  let largestBytes = 0;
  for (let i = 0; i < spans.length; i += 2) largestBytes = Math.max(largestBytes, spans[i + 1] - spans[i]);
  return { features: spans.length / 2, largestBytes };
}

/** Under a key of its own: what it replaces stays until the keeper has swapped, and a failed upload changes nothing. */
function put(layers: HeldLayers, bodies: Map<string, Body>, question: PutQuestion): PutAnswer {
  const { key, name, limits, options } = question;
  const uploaded = bodies.get(key);
  if (!uploaded) throw problem('internal', `${key}: its body has not been scanned`);
  bodies.delete(key);
  const index = createSessionIndex(sessionInput(uploaded.body, uploaded.scan, limits), options);
  const { baseBytes, splitBytes, summary } = index;
  if (baseBytes > limits.bytesMax) {
    throw problem('quota-exceeded', `the layer takes ${baseBytes} bytes once indexed; ${limits.bytesMax} are left`, {
      bytes: baseBytes,
      quotaBytes: limits.bytesMax,
    });
  }
  if (splitBytes > limits.splitBytesMax) {
    const detail = `to cut its tiles takes ${splitBytes} bytes, since its features lie in so many; ${limits.splitBytesMax} are allowed`;
    throw problem('quota-exceeded', detail, { bytes: splitBytes, quotaBytes: limits.splitBytesMax });
  }
  layers.add(key, { index, name, extent: options.extent });
  return { baseBytes, splitBytes, summary };
}

function tile(layers: HeldLayers, { key, z, x, y, encoding, drilledBytesMax }: TileQuestion): TileAnswer {
  const started = performance.now();
  const { index, name, extent } = layers.get(key);
  const before = index.drilledBytes;
  const { raw, peakBytes: cut } = index.tile(z, x, y, drilledBytesMax);
  const drilled = layers.drilled(key, drilledBytesMax);
  const escaped = index.summary.escaped ? ESCAPED : NONE;
  const plain = raw && encodeSessionTile(raw, { layer: name, extent, escaped });
  const body = plain && exact(compress(plain, encoding));
  const peakBytes = cut - before + (plain && body ? plain.length * OBJECTS_PER_BYTE + body.length : 0);
  const ms = performance.now() - started;
  const painted: Painted = { body, contentType: MVT, encoding, headers: {}, peakBytes, ms };
  return { painted, drilled };
}

/** vt-pbf makes a point object of every vertex: about this many bytes for one byte of tile, measured on polygons. */
const OBJECTS_PER_BYTE = 24;

/** A body that owns its buffer, as the transfer needs. */
function exact(body: Uint8Array): Uint8Array {
  return body.buffer.byteLength === body.byteLength ? body : new Uint8Array(body);
}

function transferOf(answer: Answer): ArrayBuffer[] {
  if (!answer.ok || answer.value === null || !('painted' in answer.value)) return [];
  const { body } = answer.value.painted;
  return body ? [body.buffer as ArrayBuffer] : [];
}

if (parentPort) answerQuestions(parentPort);
