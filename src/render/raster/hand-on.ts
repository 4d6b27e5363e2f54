/**
 * Blocks that are answers as they are, handed on where requests are answered: the way to a render thread and back costs many
 * times the reading of a few kilobytes, and nothing is decoded. What lies on other servers still goes to a thread, and so
 * does for a while what lies on a disk that was slow: others must not wait for it.
 */
import { type LocalBytes, openBytes } from '../../io/bytes.ts';
import { jpegHead } from '../../kernels/codecs/jpeg.ts';
import type { AtOnce, BytesRef, Job, Painted, Plan } from '../../plan.ts';
import { readEncoded } from '../../source/tiff/blocks.ts';
import type { BlockFormat } from '../../source/types.ts';
import { isPass, passed, pictureOf } from './pass.ts';
import { createPassPlaces } from './pass-places.ts';
import type { RasterTileAsk } from './plan.ts';
import type { PassJob } from './types.ts';

export interface HandOn {
  /** Undefined: a job for a render thread. Errors: read-failed, source-changed, corrupt-data. */
  run(job: Job): Promise<Painted> | undefined;
  /** Of a tile whose block is known without planning it. Null: plan it. */
  atOnce(ask: RasterTileAsk): AtOnce | null;
  /** Of a tile that was planned: so that its neighbours need not be. */
  learn(ask: RasterTileAsk, plan: Plan): void;
  close(): void;
}

export interface HandOnSettings {
  readonly now?: () => number;
  readonly open?: (ref: BytesRef) => LocalBytes;
}

/** Files kept open, at most: one more is one more descriptor, no memory worth booking. */
const OPEN_FILES_MAX = 32;
/**
 * A read that took longer came from a disk, or this thread lost its core meanwhile: so it takes SLOW_READS of them, with fewer
 * than FAST_READS others for each, to send the blocks of that file to threads for SLOW_FOR_MS.
 */
const SLOW_MS = 5;
const SLOW_READS = 3;
const FAST_READS = 10;
const SLOW_FOR_MS = 1000;
/** Larger blocks are read to memory of their own. */
const LENT_BYTES = 64 * 1024;

interface Opened {
  readonly key: string;
  readonly bytes: LocalBytes;
  /** Slow reads, less what was fast since. */
  slow: number;
  slowUntilMs: number;
}

export function createHandOn(settings: HandOnSettings = {}): HandOn {
  return new BlockHandOn(settings);
}

class BlockHandOn implements HandOn {
  readonly #now: () => number;
  readonly #open: (ref: BytesRef) => LocalBytes;
  /** In order of use, the latest last. */
  readonly #files = new Map<string, Opened>();
  #latest: Opened | undefined;
  readonly #heads = new WeakMap<BlockFormat, Uint8Array>();
  readonly #places = createPassPlaces();
  /** For what is read, and for what is made of it. */
  readonly #encoded = new Uint8Array(LENT_BYTES);
  readonly #made = new Uint8Array(LENT_BYTES);

  constructor({ now = () => performance.now(), open = openBytes }: HandOnSettings) {
    this.#now = now;
    this.#open = open;
  }

  run(job: Job): Promise<Painted> | undefined {
    if (!isPass(job) || job.level.ref.remote || this.#isSlow(job.level.ref)) return undefined;
    return (async () => {
      const painted = this.#make(job);
      return { ...painted, body: painted.body?.slice() ?? null };
    })();
  }

  atOnce(ask: RasterTileAsk): AtOnce | null {
    const found = this.#places.find(ask);
    if (found === null || this.#isSlow(found.job.level.ref)) return null;
    const { job, cost, headers } = found;
    return { plan: { job, cost, headers, explain: { passed: true } }, make: () => this.#make(job) };
  }

  learn(ask: RasterTileAsk, plan: Plan): void {
    this.#places.learn(ask, plan);
  }

  close(): void {
    for (const { bytes } of this.#files.values()) bytes.close();
    this.#files.clear();
    this.#latest = undefined;
  }

  /** The body may be in lent memory. */
  #make(job: PassJob): Painted {
    const { level, block, format } = job;
    const started = this.#now();
    const file = this.#file(level.ref);
    const head = format === 'jpg' ? this.#head(level.format) : undefined;
    const body = readEncoded(file.bytes, block, encoded => pictureOf(job, encoded, head, this.#made), this.#encoded);
    const ms = this.#now() - started;
    this.#judge(file, ms);
    return passed(job, body, ms);
  }

  #judge(file: Opened, ms: number): void {
    file.slow = ms > SLOW_MS ? file.slow + 1 : Math.max(0, file.slow - 1 / FAST_READS);
    if (file.slow < SLOW_READS) return;
    // One more that is slow will do after that.
    file.slow = SLOW_READS - 1;
    file.slowUntilMs = this.#now() + SLOW_FOR_MS;
  }

  #isSlow(ref: BytesRef): boolean {
    const file = this.#files.get(keyOf(ref));
    return file !== undefined && file.slowUntilMs > this.#now();
  }

  #head(format: BlockFormat): Uint8Array {
    const known = this.#heads.get(format) ?? jpegHead(format);
    this.#heads.set(format, known);
    return known;
  }

  #file(ref: BytesRef): Opened {
    const key = keyOf(ref);
    if (this.#latest?.key === key) return this.#latest;
    const known = this.#files.get(key) ?? { key, bytes: this.#open(ref), slow: 0, slowUntilMs: 0 };
    this.#files.delete(key);
    this.#files.set(key, known);
    this.#latest = known;
    for (const [oldest, { bytes }] of this.#files) {
      if (this.#files.size <= OPEN_FILES_MAX) break;
      this.#files.delete(oldest);
      bytes.close();
    }
    return known;
  }
}

function keyOf({ version, href }: BytesRef): string {
  return `${version} ${href}`;
}
