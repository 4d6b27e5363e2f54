/**
 * The packed Hilbert R-tree of a FlatGeobuf file (flatbush in a file): level by level from the root, 40 bytes a node.
 *
 *   file:   root │ … │ level 1 │ leaves (level 0), one a feature, in the order of the features
 *   node:   minx miny maxx maxy (f64) │ u64: index of the first child, or for a leaf the offset of its feature
 *
 * A node's children follow from its place alone, so the stored child indices are only checked, never followed. The levels
 * above the leaves stay resident (1/15 of the index); leaves come in pages through a bounded cache.
 */
import { problem } from '../../errors.ts';
import type { BBox } from '../../tile.ts';
import type { PageCache } from './rtree-pages.ts';

export const NODE_BYTES = 40;
/** Doubles from one node to the next. */
export const STRIDE = NODE_BYTES / 8;

/** Where each level lies, in nodes from the root; levels[0] are the leaves, the last is the root. */
export interface TreeShape {
  readonly nodeSize: number;
  readonly count: number;
  readonly nodes: number;
  readonly levels: readonly { readonly start: number; readonly end: number }[];
}

export function treeShape(count: number, nodeSize: number): TreeShape {
  const sizes = [count];
  do sizes.push(Math.ceil(sizes[sizes.length - 1] / nodeSize));
  while (sizes[sizes.length - 1] > 1);
  const nodes = sizes.reduce((a, b) => a + b, 0);
  let end = nodes;
  const levels = sizes.map(size => {
    const start = end - size;
    const level = { start, end };
    end = start;
    return level;
  });
  return { nodeSize, count, nodes, levels };
}

/** Leaves first … first + count − 1, as they lie in the file, and the offset at which the last one's feature ends. */
export interface LeafPage {
  readonly first: number;
  readonly count: number;
  readonly boxes: Float64Array;
  readonly words: Uint32Array;
  readonly endOffset: number;
}

/** Offset of the page's i-th feature, from the start of the features. */
export function leafOffset(page: LeafPage, i: number): number {
  return page.words[i * 10 + 8] + page.words[i * 10 + 9] * 4294967296;
}

/** Offset at which the page's i-th feature ends: where the next begins. */
export function leafEnd(page: LeafPage, i: number): number {
  return i + 1 < page.count ? leafOffset(page, i + 1) : page.endOffset;
}

export interface PackedTree {
  readonly shape: TreeShape;
  /** Boxes of all nodes above the leaves, STRIDE doubles a node, indexed by node. */
  readonly upper: Float64Array;
  /** Leaves a page holds; a multiple of the node size, so no group of siblings is split. */
  readonly pageLeaves: number;
  readonly pages: PageCache;
  readonly residentBytes: number;
}

/** The union of everything, or null where there is no finite box. */
export function rootBox(tree: PackedTree): BBox | null {
  const [a, b, c, d] = tree.upper;
  return Number.isFinite(a) && Number.isFinite(b) && Number.isFinite(c) && Number.isFinite(d) && a <= c && b <= d
    ? [a, b, c, d]
    : null;
}

/** Checks what the resident levels say about their children against where these must be. */
export function checkUpper(shape: TreeShape, upper: Float64Array, name: string): void {
  const words = new Uint32Array(upper.buffer, upper.byteOffset, upper.length * 2);
  for (let l = shape.levels.length - 1; l > 0; l--) {
    const { start, end } = shape.levels[l];
    const below = shape.levels[l - 1].start;
    for (let node = start; node < end; node++) {
      const child = words[node * 10 + 8] + words[node * 10 + 9] * 4294967296;
      // What lies below a box that is no box would never be found.
      const box = node * STRIDE;
      if (Number.isNaN(upper[box] + upper[box + 1]) || Number.isNaN(upper[box + 2] + upper[box + 3])) {
        const detail = `${name}: index node ${node} has no numbers for a box (NaN)`;
        throw problem('corrupt-data', detail, { reason: 'fgb-index-corrupt' });
      }
      if (child === below + (node - start) * shape.nodeSize) continue;
      throw problem(
        'corrupt-data',
        `${name}: index node ${node} names child ${child}, not ${below + (node - start) * shape.nodeSize}`,
        {
          reason: 'fgb-index-corrupt',
        },
      );
    }
  }
}

/** True where node's box meets one of the boxes (flat, 4 a box). A box with NaN meets nothing. */
export function meets(nodes: Float64Array, at: number, boxes: Float64Array): boolean {
  const minx = nodes[at];
  const miny = nodes[at + 1];
  const maxx = nodes[at + 2];
  const maxy = nodes[at + 3];
  for (let b = 0; b < boxes.length; b += 4) {
    if (minx <= boxes[b + 2] && maxx >= boxes[b] && miny <= boxes[b + 3] && maxy >= boxes[b + 1]) return true;
  }
  return false;
}

/** True where node's box lies inside one of the boxes. */
export function within(nodes: Float64Array, at: number, boxes: Float64Array): boolean {
  const minx = nodes[at];
  const miny = nodes[at + 1];
  const maxx = nodes[at + 2];
  const maxy = nodes[at + 3];
  for (let b = 0; b < boxes.length; b += 4) {
    if (minx >= boxes[b] && maxx <= boxes[b + 2] && miny >= boxes[b + 1] && maxy <= boxes[b + 3]) return true;
  }
  return false;
}

/**
 * The nodes of level 1 that meet the boxes, in tree order, as indices from the start of that level. Level by level from
 * the root; the children of nodes in order are in order.
 */
export function groupsMeeting(tree: PackedTree, boxes: Float64Array): Int32Array {
  const { levels, nodeSize } = tree.shape;
  let level = levels.length - 1;
  let found: Int32Array = meets(tree.upper, 0, boxes) ? Int32Array.of(0) : new Int32Array(0);
  while (level > 1 && found.length > 0) {
    const below = levels[level - 1];
    const size = below.end - below.start;
    const next = new Int32Array(Math.min(size, found.length * nodeSize));
    let n = 0;
    for (let i = 0; i < found.length; i++) {
      const first = found[i] * nodeSize;
      const last = Math.min(size, first + nodeSize);
      for (let child = first; child < last; child++) {
        if (meets(tree.upper, (below.start + child) * STRIDE, boxes)) next[n++] = child;
      }
    }
    found = next.subarray(0, n);
    level--;
  }
  return found;
}

/** Whether more than `most` nodes of level 1 meet the boxes; ends as soon as it knows. */
export function moreGroupsMeet(tree: PackedTree, boxes: Float64Array, most: number): boolean {
  const { levels, nodeSize } = tree.shape;
  // Levels and places of nodes still to look at.
  const stack = [0, levels.length - 1];
  let groups = 0;
  while (stack.length > 0) {
    const level = stack.pop() as number;
    const place = stack.pop() as number;
    if (!meets(tree.upper, (levels[level].start + place) * STRIDE, boxes)) continue;
    if (level <= 1) {
      if (++groups > most) return true;
      continue;
    }
    const size = levels[level - 1].end - levels[level - 1].start;
    const first = place * nodeSize;
    for (let child = Math.min(size, first + nodeSize) - 1; child >= first; child--) stack.push(child, level - 1);
  }
  return false;
}
