/**
 * Leaf pages of an index on another server. A page alone is one request; where a walk goes on to the next it asks for twice as many
 * together, and for what follows before it gets there, so that a walk from end to end takes a few large requests, two at a time.
 */
import { problem } from '../../errors.ts';
import type { Bytes } from '../../io/bytes.ts';
import { freeArray } from '../../memory/segments.ts';
import { overviewRemedy } from './overview-format.ts';
import { groupsMeeting, type LeafPage, NODE_BYTES, type PackedTree } from './rtree.ts';
import { type FilePagesOptions, type PageCache, pageName, pageOf, placeOf } from './rtree-pages.ts';

/** Walks of one file that are told apart. */
const STREAMS = 8;
/** Of the budget that one request's pages may fill: two requests of a few walks must not push each other out. */
const BUDGET_SHARE = 1 / 8;
/** Of the budget that the pages of one walk may fill at once. */
const KEPT_SHARE = 1 / 2;

export interface FarPagesOptions extends FilePagesOptions {
  /** Bytes of one request at most, but for a page that is larger. */
  readonly requestBytes: number;
  /** Most bytes that one walk may ask for. */
  readonly bytesMax: number;
  /** Told of bytes that are on their way, until what it answers with is called. */
  readonly hold?: (bytes: number) => () => void;
}

/** A walk from page to page. */
interface Stream {
  /** The first page that it has not asked for. */
  next: number;
  /** Pages of its last request. */
  pages: number;
}

/** What one request asks for at most, where so many bytes of pages are kept. */
export function requestBytesFor(requestBytes: number, keptBytes: number): number {
  return Math.min(requestBytes, keptBytes * BUDGET_SHARE);
}

export function farPages(options: FarPagesOptions): PageCache {
  return new FarPages(options);
}

class FarPages implements PageCache {
  readonly #options: FarPagesOptions;
  readonly #name: string;
  /** Pages of a request at most, and of the file. */
  readonly #most: number;
  readonly #total: number;
  readonly #held = new Map<number, LeafPage>();
  readonly #coming = new Map<number, Promise<LeafPage>>();
  /** The one that asked last comes last. */
  readonly #streams: Stream[] = [];
  readonly #stop = new AbortController();

  constructor(options: FarPagesOptions) {
    const { bytes, shape, pageLeaves, budget, requestBytes } = options;
    this.#options = options;
    this.#name = pageName(bytes);
    const most = requestBytesFor(requestBytes, budget.bytesMax);
    this.#most = Math.max(1, Math.floor(most / (pageLeaves * NODE_BYTES)));
    this.#total = Math.ceil(shape.count / pageLeaves);
  }

  at(index: number): LeafPage | undefined {
    const known = this.#held.get(index);
    if (!known) return undefined;
    this.#options.budget.touch(this.#name + index);
    this.#goOn(index);
    return known;
  }

  /** Whoever leaves does not end what others may wait for too. */
  load(index: number, signal?: AbortSignal): Promise<LeafPage> {
    const known = this.at(index);
    if (known) return Promise.resolve(known);
    if (!this.#coming.has(index)) this.#miss(index);
    else this.#goOn(index);
    const page = this.#coming.get(index) as Promise<LeafPage>;
    return signal ? untilAborted(page, signal) : page;
  }

  async expect(indices: readonly number[], signal?: AbortSignal): Promise<void> {
    const { bytes, budget, bytesMax, pageLeaves } = this.#options;
    const pageBytes = pageLeaves * NODE_BYTES;
    const missing = indices.filter(index => !this.#held.has(index));
    if (missing.length * pageBytes > bytesMax) throw tooFar(bytes, missing.length * pageBytes, bytesMax);
    // More than are kept come one after the other, as the walk wants them.
    if (indices.length * pageBytes > budget.bytesMax * KEPT_SHARE) return;
    for (let i = 0; i < missing.length; i++) {
      if (this.#has(missing[i])) continue;
      let most = 1;
      while (most < this.#most && missing[i + most] === missing[i] + most) most++;
      this.#ask(missing[i], most);
    }
    const coming = Promise.all(missing.map(index => this.#coming.get(index)));
    await (signal ? untilAborted(coming, signal) : coming);
  }

  close(): void {
    this.#stop.abort();
    for (const index of [...this.#held.keys()]) this.#options.budget.drop(this.#name + index);
  }

  /** A walk that is where it was going, a few pages skipped or none, takes twice as many; any other begins with one. */
  #miss(index: number): void {
    const at = this.#streams.findIndex(({ next, pages }) => index >= next && index <= next + pages);
    const [known] = at < 0 ? [] : this.#streams.splice(at, 1);
    const stream = known ?? { next: index, pages: 0 };
    stream.pages = Math.min(this.#most, Math.max(1, stream.pages * 2));
    stream.next = index + this.#ask(index, stream.pages);
    this.#streams.push(stream);
    if (this.#streams.length > STREAMS) this.#streams.shift();
  }

  /** In what a walk was given last: what follows is asked for now. */
  #goOn(index: number): void {
    const stream = this.#streams.find(({ next, pages }) => pages > 1 && index < next && index >= next - pages);
    if (!stream || stream.next >= this.#total) return;
    if (this.#held.has(stream.next) || this.#coming.has(stream.next)) return;
    stream.pages = Math.min(this.#most, stream.pages * 2);
    stream.next += this.#ask(stream.next, stream.pages);
  }

  /** One request for pages that are neither here nor coming; answers with how many. */
  #ask(first: number, most: number): number {
    let count = 1;
    while (count < most && first + count < this.#total && !this.#has(first + count)) count++;
    const { at } = placeOf(this.#options, first);
    const last = placeOf(this.#options, first + count - 1);
    const came = this.#read(at, last.at + last.length - at);
    for (let i = 0; i < count; i++) {
      const index = first + i;
      const page = came.then(raw => this.#cut(index, raw, at));
      this.#coming.set(index, page);
      // Nobody may be waiting for it yet; who comes later asks anew.
      page.then(
        () => this.#coming.delete(index),
        () => this.#coming.delete(index),
      );
    }
    // After the pages, which were to be told first.
    came.then(freeArray, () => {});
    return count;
  }

  #has(index: number): boolean {
    return this.#held.has(index) || this.#coming.has(index);
  }

  async #read(at: number, length: number): Promise<Uint8Array> {
    const release = this.#options.hold?.(length);
    try {
      return await this.#options.bytes.read(at, length, this.#stop.signal);
    } finally {
      release?.();
    }
  }

  /** Its own copy, so that it can be let go of alone. */
  #cut(index: number, raw: Uint8Array, from: number): LeafPage {
    const { at, length } = placeOf(this.#options, index);
    const page = pageOf(this.#options, index, raw.slice(at - from, at - from + length));
    if (!this.#stop.signal.aborted)
      this.#options.budget.keep(this.#name + index, { page, owner: this.#held, index, reusable: false });
    return page;
  }
}

function tooFar({ ref }: Bytes, neededBytes: number, limitBytes: number): Error {
  const detail = `${ref.href}: ${neededBytes} bytes of its index would have to be read; at most ${limitBytes} (remote.tileBytes)`;
  return problem('too-large', detail, { limitBytes, neededBytes, remedy: overviewRemedy(ref.href) });
}

/** The pages of those groups of leaves, each once. */
function pagesOfGroups({ shape, pageLeaves }: PackedTree, groups: Int32Array): number[] {
  const pages: number[] = [];
  for (const group of groups) {
    const page = Math.floor((group * shape.nodeSize) / pageLeaves);
    if (pages.at(-1) !== page) pages.push(page);
  }
  return pages;
}

/**
 * Asks ahead for the leaves of those groups where each page costs a request; does nothing elsewhere. `but`: groups whose leaves
 * need no look. Errors: those of PageCache.expect().
 */
export async function expectGroups(
  tree: PackedTree,
  groups: Int32Array,
  signal?: AbortSignal,
  but?: (group: number) => boolean,
): Promise<void> {
  if (!tree.pages.expect) return;
  const wanted = but ? groups.filter(group => !but(group)) : groups;
  await tree.pages.expect(pagesOfGroups(tree, wanted), signal);
}

/** The same for all leaves that meet the boxes. */
export async function expectLeaves(tree: PackedTree, boxes: Float64Array, signal?: AbortSignal): Promise<void> {
  if (tree.pages.expect) await expectGroups(tree, groupsMeeting(tree, boxes), signal);
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    // For who has left too: a failure that nobody hears of would end the process.
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
