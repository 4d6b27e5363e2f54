/**
 * A walk over the whole index, depth first in tree order, that may take subtrees whole by their box and their place alone. Leaves
 * come in pages; the walk waits for those that are not at hand, and gives other requests their turn.
 */
import { expectLeaves } from './far-pages.ts';
import type { FgbSource } from './open.ts';
import { type LeafPage, meets, STRIDE } from './rtree.ts';

/** Nodes between two turns of the event loop: 5 to 10 ms. */
const NODES_A_TURN = 16_000;
/** Pages between two turns of the event loop, where every leaf is looked at. */
const PAGES_A_TURN = 32;

const END = -1;
const PAUSE = -2;

/** What a walk does with what it meets; `wide`: boxes, 4 numbers each, that nodes must meet to be looked at. */
export abstract class TreeWalk {
  visited = 0;
  protected readonly source: FgbSource;
  readonly wide: Float64Array;
  /** Levels and places of nodes still to look at, the next on top. */
  readonly #stack: number[] = [];

  constructor(source: FgbSource, wide: Float64Array) {
    this.source = source;
    this.wide = wide;
    this.#stack.push(0, source.tree!.shape.levels.length - 1);
  }

  /** True where the node, which stands for so many leaves, needs no look at what is below it. */
  protected abstract whole(nodes: Float64Array, at: number, count: number): boolean;

  /** Leaf i of the page, whose box meets the boxes. */
  protected abstract leaf(page: LeafPage, i: number): void;

  /** The next level-1 node whose leaves must be looked at; END; PAUSE once so many nodes have been looked at. */
  nextGroup(most: number): number {
    const { shape, upper } = this.source.tree!;
    const { levels, nodeSize, count } = shape;
    const stack = this.#stack;
    while (stack.length > 0) {
      if (this.visited >= most) return PAUSE;
      const level = stack.pop() as number;
      const place = stack.pop() as number;
      const at = (levels[level].start + place) * STRIDE;
      this.visited++;
      if (!meets(upper, at, this.wide)) continue;
      // A whole node of level l stands for nodeSize^l leaves, the last of a level for the rest.
      const span = nodeSize ** level;
      const first = place * span;
      if (this.whole(upper, at, Math.min(count, first + span) - first)) continue;
      if (level === 1) return place;
      const size = levels[level - 1].end - levels[level - 1].start;
      const child = place * nodeSize;
      for (let i = Math.min(size, child + nodeSize) - 1; i >= child; i--) stack.push(i, level - 1);
    }
    return END;
  }

  leaves(page: LeafPage, group: number): void {
    const { nodeSize, count } = this.source.tree!.shape;
    const last = Math.min(count, (group + 1) * nodeSize) - page.first;
    for (let i = group * nodeSize - page.first; i < last; i++) {
      this.visited++;
      if (meets(page.boxes, i * STRIDE, this.wide)) this.leaf(page, i);
    }
  }
}

export async function walkTree(walk: TreeWalk, source: FgbSource, signal?: AbortSignal): Promise<void> {
  const { shape, pages, pageLeaves } = source.tree!;
  await expectLeaves(source.tree!, walk.wide, signal);
  let page: LeafPage | undefined;
  let turn = NODES_A_TURN;
  for (;;) {
    const group = walk.nextGroup(turn);
    if (group === END) return;
    if (group === PAUSE) {
      turn = walk.visited + NODES_A_TURN;
      signal?.throwIfAborted();
      await new Promise(resolve => setImmediate(resolve));
      // Good only until the wait.
      page = undefined;
      continue;
    }
    const first = group * shape.nodeSize;
    if (!page || first < page.first || first >= page.first + page.count) {
      const index = Math.floor(first / pageLeaves);
      page = pages.at(index) ?? (await pages.load(index, signal));
    }
    walk.leaves(page, group);
  }
}

/**
 * Whether every leaf has a place: then a node stands for as many places as it has leaves. A feature without geometry has no box, and
 * would be counted with the node that it is in. One pass over the leaves, once for a source.
 */
export function allPlaced(source: FgbSource): Promise<boolean> {
  const { placed } = source;
  if (placed.all === null) {
    const looked = lookAtAll(source);
    placed.all = looked;
    // A read that failed is tried again by the next who asks.
    looked.catch(() => {
      placed.all = null;
    });
  }
  return placed.all;
}

async function lookAtAll({ tree }: FgbSource): Promise<boolean> {
  if (!tree) return true;
  const { shape, pages, pageLeaves } = tree;
  if (pages.expect) await pages.expect(Array.from({ length: Math.ceil(shape.count / pageLeaves) }, (_, i) => i));
  for (let index = 0; index * pageLeaves < shape.count; index++) {
    if (index % PAGES_A_TURN === PAGES_A_TURN - 1) await new Promise(resolve => setImmediate(resolve));
    const { boxes, count } = pages.at(index) ?? (await pages.load(index));
    for (let at = 0; at < count * STRIDE; at += STRIDE)
      // Numbers, and not inside out.
      if (!(boxes[at + 2] - boxes[at] >= 0 && boxes[at + 3] - boxes[at + 1] >= 0)) return false;
  }
  return true;
}
