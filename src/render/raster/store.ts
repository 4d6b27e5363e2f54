/**
 * What one worker keeps between jobs, each bounded: opened files, decoded blocks (neighbouring tiles share them), and
 * scratch memory. Nothing here is booked per job: the caps are part of a worker's fixed price.
 */
import type { Bytes } from '../../io/bytes.ts';
import { chunkBytes } from '../../io/chunks.ts';
import type { Files } from '../../io/files.ts';
import type { ByteRange } from '../../io/http/merge.ts';
import { decodeBlock } from '../../kernels/codecs/index.ts';
import { inputSpace } from '../../kernels/wasm/machine.ts';
import { freeArray } from '../../memory/segments.ts';
import type { BytesRef, TaskContext } from '../../plan.ts';
import {
  type BlockRest,
  blockRows,
  type FetchedBlock,
  fetchBlock,
  fetchEncoded,
  growBlock,
  type MaybePromise,
} from '../../source/tiff/blocks.ts';
import type { BlockRead, LevelRead } from './types.ts';
import { type AheadBytes, Underway } from './underway.ts';

export interface StoreSettings {
  /** Decoded blocks kept, bytes. */
  readonly blockCacheBytes: number;
  /** Files kept open. */
  readonly openFilesMax: number;
  readonly files: Files;
}

export interface BlockStore {
  /**
   * A block decoded, or made where the file is sparse; of its rows at least the first `rows` are there. The data is shared: never
   * write to it.
   */
  block(level: LevelRead, place: BlockRead, ask: BlockAsk): FetchedBlock | Promise<FetchedBlock>;
  /**
   * Of a file on another server: the blocks that are not decoded yet are asked for ahead, in this order. Hand it to block(), and
   * close it. What came with the job is read from there. Undefined for a file of this machine, whose reads wait for nothing.
   */
  ahead(blocks: readonly LevelBlocks[], context: TaskContext): AheadBytes | undefined;
  /** The bytes of a block as they are in the file, made into something; what `make` throws is told with file and block. */
  encoded(level: LevelRead, place: BlockRead, make: (encoded: Uint8Array) => Uint8Array): MaybePromise<Uint8Array>;
  readonly heldBytes: number;
  /**
   * A job begins and ends. Between the two it copies each block before it asks for the next; blocks of `keepBytes` more
   * are kept for it, which its price holds.
   */
  enter(keepBytes?: number): void;
  leave(keepBytes?: number): void;
  close(): void;
}

/** Blocks of a level. All levels of one ahead() are of one file. */
export interface LevelBlocks {
  readonly level: LevelRead;
  readonly blocks: Iterable<BlockRead>;
  /** What a sparse block holds. */
  readonly fill: number;
}

export interface BlockAsk {
  /** What a sparse block holds. */
  readonly fill: number;
  /** Rows that are wanted, from the first. */
  readonly rows: number;
  /** What ahead() gave. */
  readonly ahead: AheadBytes | undefined;
}

interface Kept {
  readonly block: FetchedBlock;
  readonly bytes: number;
}

/** Where a block comes from, for when more of it is wanted. */
interface Wanted {
  readonly level: LevelRead;
  readonly place: BlockRead;
  readonly rest: BlockRest;
  readonly rows: number;
}

export function createBlockStore(settings: StoreSettings): BlockStore {
  return new WorkerBlocks(settings);
}

/** Both maps are in order of use: the first entry is the one that was used longest ago. */
class WorkerBlocks implements BlockStore {
  readonly #settings: StoreSettings;
  readonly #files = new Map<string, Bytes>();
  readonly #blocks = new Map<string, Kept>();
  readonly #dead: FetchedBlock[] = [];
  /** Of blocks that nobody will read again: the next of their size gets these instead of fresh pages. */
  readonly #spares: Uint8Array[] = [];
  readonly #underway = new Underway();
  #held = 0;
  #jobs = 0;
  #lentBytes = 0;

  constructor(settings: StoreSettings) {
    this.#settings = settings;
  }

  get heldBytes(): number {
    return this.#held + this.#spares.reduce((sum, spare) => sum + spare.length, 0);
  }

  enter(keepBytes = 0): void {
    this.#jobs++;
    this.#lentBytes += keepBytes;
  }

  leave(keepBytes = 0): void {
    this.#lentBytes -= keepBytes;
    this.#evict();
    if (--this.#jobs === 0) this.#bury();
  }

  block(level: LevelRead, place: BlockRead, { fill, rows, ahead }: BlockAsk): FetchedBlock | Promise<FetchedBlock> {
    // A job has copied what it was given by the time it asks for more; another one may still be reading.
    if (this.#jobs <= 1) this.#bury();
    const key = keyOf(level, place, fill);
    const known = this.#blocks.get(key);
    if (known) {
      this.#blocks.delete(key);
      this.#blocks.set(key, known);
      const { rest } = known.block;
      if (rest !== null && rest.rows < rows) this.#grow(key, { level, place, rest, rows });
      return known.block;
    }
    if (ahead && !ahead.ref.chunks) return this.#far(key, level, place, fill, ahead);
    const encoded = keepsEncoded(level) ? undefined : lend(place.length);
    const scratch = this.#spareOf(level, place);
    const lent = { encoded, ...(scratch ? { scratch } : {}) };
    const bytes = ahead ?? this.#file(level.ref);
    // What comes from another server is decoded whole: to go on would be one more request.
    const some = level.ref.remote ? {} : { rows };
    const found = fetchBlock(bytes, level, place, { fill, decode: decodeBlock, ...lent, ...some });
    return found instanceof Promise ? found.then(each => this.#keep(key, each)) : this.#keep(key, found);
  }

  encoded(level: LevelRead, place: BlockRead, make: (encoded: Uint8Array) => Uint8Array): MaybePromise<Uint8Array> {
    return fetchEncoded(this.#file(level.ref), place, make);
  }

  /** Once, however many jobs of this thread want it now. */
  async #far(key: string, level: LevelRead, place: BlockRead, fill: number, ahead: AheadBytes): Promise<FetchedBlock> {
    const shared = await this.#underway.from(key, ahead.asker);
    if (shared) return shared;
    const found = await fetchBlock(ahead, level, place, { fill, decode: decodeBlock });
    this.#underway.settle(key, ahead.asker, found);
    return this.#keep(key, found);
  }

  ahead(wanted: readonly LevelBlocks[], context: TaskContext): AheadBytes | undefined {
    const [first] = wanted;
    const chunks = first && chunkBytes(first.level.ref);
    if (chunks) return { ...chunks, asker: { waitsFor: null } };
    if (!first?.level.ref.remote) return undefined;
    const blocks = wanted.flatMap(({ level, blocks: places, fill }) =>
      [...places].map(place => ({ place, key: keyOf(level, place, fill) })),
    );
    const bytes = this.#file(first.level.ref);
    const ask = (ranges: ByteRange[], needed: (range: ByteRange) => boolean) =>
      this.#settings.files.ahead(bytes, { ranges, needed, check: () => context.check() });
    return this.#underway.ahead(blocks, key => this.#blocks.has(key), ask);
  }

  /** What cannot be made whole is not kept: the next who asks reads it anew, and is told why. */
  #grow(key: string, { level, place, rest, rows }: Wanted): void {
    try {
      growBlock(this.#file(level.ref), place, { rest, rows, encoded: lend(place.length - rest.from) });
    } catch (error) {
      this.#forget(key);
      throw error;
    }
  }

  #forget(key: string): void {
    const kept = this.#blocks.get(key);
    if (!kept) return;
    this.#blocks.delete(key);
    this.#held -= kept.bytes;
    this.#dead.push(kept.block);
  }

  close(): void {
    for (const bytes of this.#files.values()) bytes.close();
    this.#files.clear();
    this.#blocks.clear();
    this.#spares.length = 0;
    this.#held = 0;
  }

  #file(ref: BytesRef): Bytes {
    const key = `${ref.version} ${ref.href}`;
    const known = this.#files.get(key);
    if (known) {
      this.#files.delete(key);
      this.#files.set(key, known);
      return known;
    }
    const opened = this.#settings.files.open(ref);
    this.#files.set(key, opened);
    for (const [oldest, bytes] of this.#files) {
      if (this.#files.size <= this.#settings.openFilesMax) break;
      this.#files.delete(oldest);
      bytes.close();
    }
    return opened;
  }

  #keep(key: string, block: FetchedBlock): FetchedBlock {
    const bytes = block.data.byteLength + (block.mask?.byteLength ?? 0) + (block.rest?.heldBytes ?? 0);
    // One block must not push out all others.
    if (bytes * 4 > this.#room) {
      this.#dead.push(block);
      return block;
    }
    const before = this.#blocks.get(key);
    if (before) this.#held -= before.bytes;
    this.#blocks.delete(key);
    this.#blocks.set(key, { block, bytes });
    this.#held += bytes;
    this.#evict();
    return block;
  }

  get #room(): number {
    return this.#settings.blockCacheBytes + this.#lentBytes;
  }

  #evict(): void {
    for (const [oldest, { block, bytes }] of this.#blocks) {
      if (this.#held <= this.#room) break;
      this.#blocks.delete(oldest);
      this.#held -= bytes;
      this.#dead.push(block);
    }
    // Jobs that wait for other servers may overlap without end: then collections must do.
    if (this.#jobs > 1 && this.#dead.length > DEAD_MAX) this.#dead.splice(0, this.#dead.length - DEAD_MAX);
  }

  /** Blocks that nobody will read again give their pages back now: a collection comes long after the next job's. */
  #bury(): void {
    for (const { data, mask } of this.#dead) {
      if (this.#keepsSpare(data)) this.#spares.push(new Uint8Array(data.buffer));
      else freeArray(data);
      if (mask) freeArray(mask);
    }
    this.#dead.length = 0;
  }

  /** One, and of a size that the cache would keep. */
  #keepsSpare({ buffer, byteLength }: FetchedBlock['data']): boolean {
    const { blockCacheBytes } = this.#settings;
    return this.#spares.length === 0 && buffer.byteLength === byteLength && byteLength * 4 <= blockCacheBytes;
  }

  /** Of a size that fits the block exactly; one of another size has had its time. */
  #spareOf({ height, format }: LevelRead, place: BlockRead): Uint8Array | undefined {
    const spare = this.#spares.pop();
    if (!spare) return undefined;
    const { blockWidth, samples, planar, bits, compression } = format;
    const bytes =
      Math.ceil((blockWidth * (planar === 1 ? samples : 1) * bits) / 8) * blockRows({ height, format }, place.row);
    if (spare.length === bytes && place.length > 0 && FILLS_SCRATCH.has(compression)) return spare;
    freeArray(spare);
    return undefined;
  }
}

const DEAD_MAX = 64;

function keyOf({ ref, width }: LevelRead, { length, offset, column, row, plane }: BlockRead, fill: number): string {
  const where = length === 0 ? `sparse ${fill}` : offset;
  return `${ref.version} ${ref.href} ${where} ${column},${row},${plane} ${width}`;
}

/** Where a block's encoded bytes are read to: for as long as its decoder is at work. */
function lend(length: number): Uint8Array {
  return inputSpace(length) ?? new Uint8Array(length);
}

/** None, LZW, deflate and PackBits: decoded into what they are lent. */
const FILLS_SCRATCH: ReadonlySet<number> = new Set([1, 5, 8, 32946, 32773]);

/** JPEG and WebP decode on another thread while this one may read the next block into the same scratch. */
function keepsEncoded({ format }: LevelRead): boolean {
  return format.compression === 7 || format.compression === 50001;
}
