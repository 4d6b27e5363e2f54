/** Leaf pages of an index: read when needed, kept under a byte budget, least recently used first out. */
import { problem } from '../../errors.ts';
import type { Bytes } from '../../io/bytes.ts';
import { type LeafPage, leafOffset, NODE_BYTES, type TreeShape } from './rtree.ts';

interface Kept {
  readonly page: LeafPage;
  readonly owner: Map<number, LeafPage>;
  readonly index: number;
  /** Whether its bytes may be written over once the budget drops it. */
  readonly reusable: boolean;
}

/** Budget of one or many files' pages. Weighs whole pages; the newest page is kept even where it alone exceeds it. */
export class PageBudget {
  readonly bytesMax: number;
  #bytes = 0;
  readonly #pages = new Map<string, Kept>();

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  touch(key: string): void {
    const held = this.#pages.get(key);
    if (!held) return;
    this.#pages.delete(key);
    this.#pages.set(key, held);
  }

  keep(key: string, kept: Kept): void {
    this.drop(key);
    this.#pages.set(key, kept);
    kept.owner.set(kept.index, kept.page);
    this.#bytes += kept.page.boxes.byteLength;
    for (const [oldest] of this.#pages) {
      if (this.#bytes <= this.bytesMax || oldest === key) break;
      this.drop(oldest);
    }
  }

  /**
   * Room for a page to be read into: that of the oldest one where the budget is used up, which is dropped for it. A fresh array
   * a page would have the garbage collector mark the whole heap every few dozen tiles, to find 80 KiB here and there.
   */
  room(bytes: number): Uint8Array<ArrayBuffer> {
    const oldest = this.#bytes + bytes > this.bytesMax ? this.#pages.entries().next().value : undefined;
    if (!oldest) return new Uint8Array(bytes);
    const [key, { page, reusable }] = oldest;
    const { buffer, byteLength } = page.boxes;
    if (!reusable || byteLength !== bytes || !(buffer instanceof ArrayBuffer)) return new Uint8Array(bytes);
    this.drop(key);
    return new Uint8Array(buffer);
  }

  drop(key: string): void {
    const held = this.#pages.get(key);
    if (!held) return;
    this.#pages.delete(key);
    held.owner.delete(held.index);
    this.#bytes -= held.page.boxes.byteLength;
  }
}

export interface PageCache {
  /**
   * The page where it is had without waiting, else undefined: then `load` it. It is good until the caller waits for anything
   * or asks for the next: its bytes may then be another page's.
   */
  at(index: number): LeafPage | undefined;
  load(index: number, signal?: AbortSignal): Promise<LeafPage>;
  /**
   * Pages that a walk will want, in their order: asked for together where they are few enough to be kept. Present where each costs
   * a request. Errors: too-large where they are more than a tile may read; those of reading.
   */
  expect?(indices: readonly number[], signal?: AbortSignal): Promise<void>;
  close(): void;
}

export interface FilePagesOptions {
  readonly bytes: Bytes;
  readonly shape: TreeShape;
  readonly pageLeaves: number;
  /** Where the index and the features begin, and where the file ends. */
  readonly indexStart: number;
  readonly featuresStart: number;
  readonly budget: PageBudget;
}

/** Pages out of the file. Offsets are checked once, when the page comes in: strictly rising and inside the file. */
export function filePages(options: FilePagesOptions): PageCache {
  const { bytes, budget } = options;
  const held = new Map<number, LeafPage>();
  const coming = new Map<number, Promise<LeafPage>>();
  const name = pageName(bytes);
  const read = async (index: number, signal?: AbortSignal): Promise<LeafPage> => {
    try {
      const { at, length } = placeOf(options, index);
      const page = pageOf(options, index, await bytes.read(at, length, signal));
      budget.keep(name + index, { page, owner: held, index, reusable: false });
      return page;
    } finally {
      coming.delete(index);
    }
  };
  return {
    at(index) {
      const known = held.get(index);
      if (known) budget.touch(name + index);
      if (known || !bytes.readInto) return known;
      const { at, length } = placeOf(options, index);
      const raw = budget.room(length);
      bytes.readInto(at, raw);
      const page = pageOf(options, index, raw);
      budget.keep(name + index, { page, owner: held, index, reusable: true });
      return page;
    },
    load(index, signal) {
      // A read that carries somebody's signal is not shared: their leaving would end it for all.
      if (signal) return read(index, signal);
      let promise = coming.get(index);
      if (!promise) {
        promise = read(index);
        coming.set(index, promise);
      }
      return promise;
    },
    close() {
      for (const index of [...held.keys()]) budget.drop(name + index);
    },
  };
}

/** What a budget knows the pages of a file by, before their number. */
export function pageName({ ref }: Bytes): string {
  return `${ref.href}\n${ref.version}\n`;
}

export function placeOf(
  { shape, pageLeaves, indexStart }: FilePagesOptions,
  index: number,
): { at: number; length: number } {
  const first = index * pageLeaves;
  const count = Math.min(pageLeaves, shape.count - first);
  if (count <= 0) throw problem('internal', `leaf page ${index} of ${shape.count} leaves`);
  // One leaf more, for where the last feature of the page ends.
  const more = first + count < shape.count ? 1 : 0;
  return { at: indexStart + (shape.levels[0].start + first) * NODE_BYTES, length: (count + more) * NODE_BYTES };
}

export function pageOf(
  { bytes, shape, pageLeaves, featuresStart }: FilePagesOptions,
  index: number,
  raw: Uint8Array,
): LeafPage {
  const first = index * pageLeaves;
  const leaves = raw.byteLength / NODE_BYTES;
  // Views need an aligned start; a reader may hand out a view into something larger.
  const aligned = (raw.byteOffset & 7) === 0 ? raw : raw.slice();
  const all = { first, count: leaves, endOffset: bytes.ref.size - featuresStart, ...views(aligned) };
  checkOffsets(all, bytes.ref.href, featuresStart);
  const count = Math.min(pageLeaves, shape.count - first);
  return leaves > count ? { ...all, count, endOffset: leafOffset(all, count) } : all;
}

export function views(raw: Uint8Array): { boxes: Float64Array; words: Uint32Array } {
  return {
    boxes: new Float64Array(raw.buffer, raw.byteOffset, raw.byteLength >> 3),
    words: new Uint32Array(raw.buffer, raw.byteOffset, raw.byteLength >> 2),
  };
}

function checkOffsets(page: LeafPage, name: string, featuresStart: number): void {
  for (let i = 0; i < page.count; i++) {
    const offset = leafOffset(page, i);
    const end = i + 1 < page.count ? leafOffset(page, i + 1) : page.endOffset;
    // A feature needs its size prefix and a root; anything above 4 GiB cannot be one flatbuffer.
    if (end - offset >= 8 && end - offset <= 0x7fffffff && end <= page.endOffset) continue;
    const detail = `${name}: index leaf ${page.first + i} gives its feature bytes ${offset}–${end} after byte ${featuresStart}`;
    throw problem('corrupt-data', `${detail}, which cannot be`, { reason: 'fgb-index-corrupt' });
  }
}

/** Pages of an index that was built in memory and stays there. */
export function residentPages(pages: readonly LeafPage[]): PageCache {
  return {
    at: index => pages[index],
    load: index => {
      const page = pages[index];
      return page
        ? Promise.resolve(page)
        : Promise.reject(problem('internal', `leaf page ${index} of ${pages.length}`));
    },
    close() {},
  };
}
