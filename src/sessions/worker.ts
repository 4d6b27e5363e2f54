/**
 * Thread entry of the session layers: their indexes live here, off the main thread's heap and event loop. One question at
 * a time comes in (thread.ts sees to it), one answer goes out.
 */
import { parentPort } from 'node:worker_threads';
import { problem, toPlainProblem } from '../errors.ts';
import type { Painted } from '../plan.ts';
import { encodeSessionTile } from '../render/session-tile.ts';
import { compress } from '../render/transcode.ts';
import { ESCAPED, sessionInput } from './geojson.ts';
import { createHeldLayers, type HeldLayers } from './held.ts';
import type { Answer, PutAnswer, PutQuestion, Question, TileAnswer, TileQuestion } from './thread.ts';
import { createSessionIndex } from './tile-index.ts';

const MVT = 'application/vnd.mapbox-vector-tile';
const NONE: ReadonlyMap<string, string> = new Map();

function answerQuestions(port: NonNullable<typeof parentPort>): void {
  const layers = createHeldLayers();
  port.on('message', ({ id, question }: { id: number; question: Question }) => {
    let answer: Answer;
    try {
      answer = { id, ok: true, value: handle(layers, question) };
    } catch (error) {
      answer = { id, ok: false, problem: toPlainProblem(error) };
    }
    port.postMessage(answer, transferOf(answer));
  });
}

function handle(layers: HeldLayers, question: Question): PutAnswer | TileAnswer | null {
  if (question.op === 'drop') {
    for (const key of question.keys) layers.drop(key);
    return null;
  }
  return question.op === 'put' ? put(layers, question) : tile(layers, question);
}

/** Under a key of its own: what it replaces stays until the keeper has swapped, and a failed upload changes nothing. */
function put(layers: HeldLayers, { key, name, body, limits, options }: PutQuestion): PutAnswer {
  const index = createSessionIndex(sessionInput(body, limits), options);
  const { baseBytes, summary } = index;
  if (baseBytes > limits.bytesMax) {
    throw problem('quota-exceeded', `the layer takes ${baseBytes} bytes once indexed; ${limits.bytesMax} are left`, {
      bytes: baseBytes,
      quotaBytes: limits.bytesMax,
    });
  }
  layers.add(key, { index, name, extent: options.extent });
  return { baseBytes, summary };
}

function tile(layers: HeldLayers, { key, z, x, y, encoding, drilledBytesMax }: TileQuestion): TileAnswer {
  const started = performance.now();
  const { index, name, extent } = layers.get(key);
  const before = index.drilledBytes;
  const raw = index.tile(z, x, y);
  const added = Math.max(0, index.drilledBytes - before);
  const drilled = layers.drilled(key, drilledBytesMax);
  const escaped = index.summary.escaped ? ESCAPED : NONE;
  const plain = raw && encodeSessionTile(raw, { layer: name, extent, escaped });
  const body = plain && exact(compress(plain, encoding));
  const peakBytes = added + (plain && body ? plain.length * OBJECTS_PER_BYTE + body.length : 0);
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
