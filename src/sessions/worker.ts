/**
 * Thread entry of the session layers: their indexes live here, off the main thread's heap and event loop. One question at
 * a time comes in (session-thread.ts sees to it), one answer goes out.
 */
import { parentPort } from 'node:worker_threads';
import { problem, toPlainProblem } from '../errors.ts';
import type { Painted } from '../plan.ts';
import { encodeSessionTile } from '../render/session-tile.ts';
import { compress } from '../render/transcode.ts';
import { ESCAPED, sessionInput } from './geojson.ts';
import type { Answer, PutAnswer, PutQuestion, Question, TileAnswer, TileQuestion } from './thread.ts';
import { createSessionIndex, type SessionIndex } from './tile-index.ts';

const MVT = 'application/vnd.mapbox-vector-tile';
const NONE: ReadonlyMap<string, string> = new Map();

interface Held {
  readonly index: SessionIndex;
  readonly extent: number;
}

function answerQuestions(port: NonNullable<typeof parentPort>): void {
  const layers = new Map<string, Held>();
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

function handle(layers: Map<string, Held>, question: Question): PutAnswer | TileAnswer | null {
  if (question.op === 'drop') {
    for (const key of question.layers) layers.delete(key);
    return null;
  }
  return question.op === 'put' ? put(layers, question) : tile(layers, question);
}

/** The old index of that name stays until the new one stands: a failed upload changes nothing. */
function put(layers: Map<string, Held>, { layer, body, limits, options }: PutQuestion): PutAnswer {
  const index = createSessionIndex(sessionInput(body, limits), options);
  if (index.bytes > limits.bytesMax) {
    throw problem('quota-exceeded', `the layer takes ${index.bytes} bytes once indexed; ${limits.bytesMax} are left`, {
      bytes: index.bytes,
      quotaBytes: limits.bytesMax,
    });
  }
  layers.set(layer, { index, extent: options.extent });
  return { bytes: index.bytes, summary: index.summary };
}

function tile(layers: Map<string, Held>, { layer, z, x, y, encoding }: TileQuestion): TileAnswer {
  const started = performance.now();
  const held = layers.get(layer);
  if (!held) throw problem('session-gone', `${layer} has ended`);
  const before = held.index.bytes;
  const raw = held.index.tile(z, x, y);
  const { extent, index } = held;
  const plain = raw && encodeSessionTile(raw, { layer, extent, escaped: index.summary.escaped ? ESCAPED : NONE });
  const body = plain && exact(compress(plain, encoding));
  const painted: Painted = {
    body,
    contentType: MVT,
    encoding,
    headers: {},
    peakBytes: Math.max(0, index.bytes - before) + (plain ? plain.length * OBJECTS_PER_BYTE + body!.length : 0),
    ms: performance.now() - started,
  };
  return { painted, bytes: index.bytes };
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
