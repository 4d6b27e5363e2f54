/** Leaf pages of an index: read when needed, kept under a byte budget, least recently used first out. */
import { problem } from '../../errors.ts';
import type { Bytes } from '../../io/bytes.ts';
import { type LeafPage, leafOffset, NODE_BYTES, type TreeShape } from './rtree.ts';

/** Budget of one or many files' pages. Weighs whole pages; the newest page is kept even where it alone exceeds it. */
export class PageBudget {
  readonly bytesMax: number;
  #bytes = 0;
  readonly #pages = new Map<string, { page: LeafPage; owner: Map<number, LeafPage>; index: number }>();

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

  keep(key: string, page: LeafPage, owner: Map<number, LeafPage>, index: number): void {
    this.drop(key);
    this.#pages.set(key, { page, owner, index });
    owner.set(index, page);
    this.#bytes += page.boxes.byteLength;
    for (const [oldest] of this.#pages) {
      if (this.#bytes <= this.bytesMax || oldest === key) break;
      this.drop(oldest);
    }
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
  /** The page where it is at hand, else undefined: then `load` it. */
  at(index: number): LeafPage | undefined;
  load(index: number, signal?: AbortSignal): Promise<LeafPage>;
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
  const { bytes, shape, pageLeaves, budget } = options;
  const held = new Map<number, LeafPage>();
  const coming = new Map<number, Promise<LeafPage>>();
  const key = (index: number): string => `${bytes.ref.href}\n${bytes.ref.version}\n${index}`;
  const read = async (index: number, signal?: AbortSignal): Promise<LeafPage> => {
    try {
      const page = await readPage(options, index, signal);
      budget.keep(key(index), page, held, index);
      return page;
    } finally {
      coming.delete(index);
    }
  };
  return {
    at(index) {
      const page = held.get(index);
      if (page) budget.touch(key(index));
      return page;
    },
    load(index, signal) {
      const page = held.get(index);
      if (page) return Promise.resolve(page);
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
      for (const index of [...held.keys()]) budget.drop(key(index));
    },
  };

  async function readPage(o: FilePagesOptions, index: number, signal?: AbortSignal): Promise<LeafPage> {
    const first = index * pageLeaves;
    const count = Math.min(pageLeaves, shape.count - first);
    if (count <= 0) throw problem('internal', `leaf page ${index} of ${shape.count} leaves`);
    const more = first + count < shape.count ? 1 : 0;
    const at = o.indexStart + (shape.levels[0].start + first) * NODE_BYTES;
    const raw = await bytes.read(at, (count + more) * NODE_BYTES, signal);
    // Views need an aligned start; a reader may hand out a view into something larger.
    const aligned = (raw.byteOffset & 7) === 0 ? raw : raw.slice();
    const all = { first, count: count + more, endOffset: bytes.ref.size - o.featuresStart, ...views(aligned) };
    checkOffsets(all, bytes.ref.href, o.featuresStart);
    return more ? { ...all, count, endOffset: leafOffset(all, count) } : all;
  }
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
