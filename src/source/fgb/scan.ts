/** Files without an index: one pass over the features makes one in memory, in file order, which stays resident. */
import { problem } from '../../errors.ts';
import type { Bytes } from '../../io/bytes.ts';
import {
  DEPTH_MAX,
  FEATURE_GEOMETRY,
  featureEnd,
  field,
  follow,
  GEOMETRY_PARTS,
  GEOMETRY_XY,
  spend,
  vector,
  type Walked,
} from './layout.ts';
import { refusal } from './reasons.ts';
import { type LeafPage, NODE_BYTES, type PackedTree, STRIDE, treeShape } from './rtree.ts';
import { residentPages, views } from './rtree-pages.ts';

const CHUNK_BYTES = 1024 * 1024;
const NODE_SIZE = 16;

/** Leaves as they will lie in the tree; grows by doubling. */
interface Leaves {
  raw: Uint8Array;
  count: number;
}

/** The tree over the features from `featuresStart` to the end of the file; `expected` 0: as many as there are. */
export async function scanTree(
  bytes: Bytes,
  featuresStart: number,
  expected: number,
  signal?: AbortSignal,
): Promise<PackedTree | null> {
  const leaves: Leaves = { raw: new Uint8Array(1024 * NODE_BYTES), count: 0 };
  const { href, size } = bytes.ref;
  let at = featuresStart;
  let chunk = new Uint8Array(0);
  let chunkAt = at;
  const need = async (length: number): Promise<void> => {
    if (at + length <= chunkAt + chunk.length) return;
    if (at + length > size) throw refusal('fgb-truncated', `${href} ends within the feature at byte ${at}`);
    chunk = (await bytes.read(
      at,
      Math.min(size - at, Math.max(length, CHUNK_BYTES)),
      signal,
    )) as Uint8Array<ArrayBuffer>;
    chunkAt = at;
  };
  while (at < size) {
    await need(4);
    const length = 4 + new DataView(chunk.buffer, chunk.byteOffset + at - chunkAt, 4).getUint32(0, true);
    await need(length);
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    try {
      addLeaf(leaves, view, at - chunkAt, at - featuresStart);
    } catch (error) {
      throw refusal('fgb-feature-corrupt', `${href}, feature at byte ${at}: ${(error as Error).message}`);
    }
    at += length;
  }
  if (expected > 0 && leaves.count !== expected) {
    throw refusal('fgb-truncated', `${href} has ${leaves.count} features where its header says ${expected}`);
  }
  return leaves.count > 0 ? buildTree(leaves, size - featuresStart) : null;
}

function addLeaf(leaves: Leaves, view: DataView, at: number, offset: number): void {
  const box = featureBox(view, at);
  if ((leaves.count + 1) * NODE_BYTES > leaves.raw.length) {
    const grown = new Uint8Array(leaves.raw.length * 2);
    grown.set(leaves.raw);
    leaves.raw = grown;
  }
  const node = new DataView(leaves.raw.buffer, leaves.count * NODE_BYTES, NODE_BYTES);
  for (let i = 0; i < 4; i++) node.setFloat64(i * 8, box[i], true);
  node.setBigUint64(32, BigInt(offset), true);
  leaves.count++;
}

/** The box of the feature's coordinates; inverted and infinite where it has none, so that it meets nothing. */
export function featureBox(view: DataView, at: number): [number, number, number, number] {
  const end = featureEnd(view, at, view.byteLength);
  const root = follow(view, at + 4, at, end);
  const geometry = field(view, root, FEATURE_GEOMETRY, at, end);
  const box: [number, number, number, number] = [Infinity, Infinity, -Infinity, -Infinity];
  if (geometry) growBox({ view, start: at, end, walked: { left: end - at } }, follow(view, geometry, at, end), box, 0);
  return box;
}

interface Frame {
  readonly view: DataView;
  readonly start: number;
  readonly end: number;
  readonly walked: Walked;
}

function growBox(frame: Frame, table: number, box: number[], depth: number): void {
  const { view, start, end, walked } = frame;
  if (depth > DEPTH_MAX) throw problem('corrupt-data', `a geometry is nested deeper than ${DEPTH_MAX}`);
  const xy = vector(view, table, GEOMETRY_XY, 8, start, end);
  const n = xy ? view.getUint32(xy, true) >> 1 : 0;
  spend(walked, n * 16);
  for (let i = 0; i < n; i++) {
    const x = view.getFloat64(xy + 4 + i * 16, true);
    const y = view.getFloat64(xy + 12 + i * 16, true);
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
    if (x < box[0]) box[0] = x;
    if (y < box[1]) box[1] = y;
    if (x > box[2]) box[2] = x;
    if (y > box[3]) box[3] = y;
  }
  const parts = vector(view, table, GEOMETRY_PARTS, 4, start, end);
  const count = parts ? view.getUint32(parts, true) : 0;
  spend(walked, count * 8);
  for (let i = 0; i < count; i++) growBox(frame, follow(view, parts + 4 + i * 4, start, end), box, depth + 1);
}

function buildTree(leaves: Leaves, endOffset: number): PackedTree {
  const shape = treeShape(leaves.count, NODE_SIZE);
  const leafViews = views(leaves.raw.slice(0, leaves.count * NODE_BYTES));
  const page: LeafPage = { first: 0, count: leaves.count, endOffset, ...leafViews };
  const upper = new Float64Array(shape.levels[0].start * STRIDE);
  for (let l = 1; l < shape.levels.length; l++) {
    const below = l === 1 ? leafViews.boxes : upper.subarray(shape.levels[l - 1].start * STRIDE);
    const size = shape.levels[l - 1].end - shape.levels[l - 1].start;
    for (let node = shape.levels[l].start; node < shape.levels[l].end; node++) {
      const first = (node - shape.levels[l].start) * NODE_SIZE;
      unite(upper, node * STRIDE, below, first, Math.min(size, first + NODE_SIZE));
    }
  }
  const pages = residentPages([page]);
  return { shape, upper, pageLeaves: leaves.count, pages, residentBytes: upper.byteLength + page.boxes.byteLength };
}

function unite(out: Float64Array, at: number, boxes: Float64Array, first: number, last: number): void {
  out[at] = out[at + 1] = Infinity;
  out[at + 2] = out[at + 3] = -Infinity;
  for (let i = first; i < last; i++) {
    const b = i * STRIDE;
    if (boxes[b] < out[at]) out[at] = boxes[b];
    if (boxes[b + 1] < out[at + 1]) out[at + 1] = boxes[b + 1];
    if (boxes[b + 2] > out[at + 2]) out[at + 2] = boxes[b + 2];
    if (boxes[b + 3] > out[at + 3]) out[at + 3] = boxes[b + 3];
  }
}
