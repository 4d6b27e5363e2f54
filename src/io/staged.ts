/**
 * Features of another server's file, in memory for as long as a job works on them: asked for a few requests ahead, taken out of
 * what came, and then read by their place as if it were a file. Gaps between them were read along and are not kept.
 */
import { problem } from '../errors.ts';
import { freeArray } from '../memory/segments.ts';
import type { BytesRef, RemoteRef } from '../plan.ts';
import type { Bytes } from './bytes.ts';
import type { Files } from './files.ts';
import { type Places, type Span, spansOf } from './http/spans.ts';

type Ahead = Pick<Files, 'ahead'>;

/** Hands over request after request, in order: `data` is good for the call only. Errors: those of reading; those of `check`. */
export async function readSpans(
  files: Ahead,
  bytes: Bytes,
  places: Places,
  check: () => void,
  take: (span: Span, data: Uint8Array) => void,
): Promise<void> {
  const spans = spansOf(places, bytes.ref.remote as RemoteRef);
  const ahead = files.ahead(bytes, { ranges: spans, needed: () => true, check });
  try {
    for (const span of spans) {
      const data = await ahead.read(span.offset, span.length);
      take(span, data);
      freeArray(data);
    }
  } finally {
    ahead.close();
  }
}

/** All of them, in one array. */
export async function stage(files: Ahead, bytes: Bytes, places: Places, check: () => void): Promise<Staged> {
  const { offsets, lengths } = places;
  const staged = new Staged(bytes.ref, sum(lengths));
  try {
    await readSpans(files, bytes, places, check, ({ offset, from, to }, data) => {
      for (let i = from; i < to; i++)
        staged.put(offsets[i], data.subarray(offsets[i] - offset, offsets[i] - offset + lengths[i]));
    });
    return staged;
  } catch (error) {
    staged.close();
    throw error;
  }
}

function sum(lengths: Uint32Array): number {
  return lengths.reduce((all, length) => all + length, 0);
}

/** Three numbers a feature in growing arrays. */
const ENTRY_BYTES = 40;
/** Where nobody knows how many there will be. */
const CHUNK_BYTES = 256 * 1024;
/** A feature that is larger than this share of a chunk has an array of its own, so that little of a chunk is left empty. */
const OWN_SHARE = 1 / 8;

/** What they take at most: their bytes, and where each is; `grown`: as they come, and not all at once. */
export function stagedBytes(features: number, bytes: number, grown = false): number {
  return features * ENTRY_BYTES + (grown ? Math.ceil(bytes / (1 - OWN_SHARE)) + CHUNK_BYTES : bytes);
}

/** Of the file, what was put there: the rest of a range that is read is left as it was. */
export class Staged implements Bytes {
  readonly ref: BytesRef;
  readonly #chunkBytes: number;
  /** What is larger has an array of its own: nothing, where one has room for all and would be there beside it. */
  readonly #ownBytes: number;
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  /** Where each feature is: place in its chunk, and the chunks' own. */
  readonly #at: number[] = [];
  readonly #chunkOf: number[] = [];
  readonly #chunks: Uint8Array[] = [];
  /** The chunk that has room yet, and its bytes that are taken. */
  #open = -1;
  #used = 0;
  #size = 0;

  /** `roomBytes`: of all that will be put, where that is known. */
  constructor(ref: BytesRef, roomBytes?: number) {
    this.ref = ref;
    this.#chunkBytes = roomBytes ?? CHUNK_BYTES;
    this.#ownBytes = roomBytes === undefined ? CHUNK_BYTES * OWN_SHARE : Number.POSITIVE_INFINITY;
  }

  get heldBytes(): number {
    return this.#size + this.#offsets.length * ENTRY_BYTES;
  }

  /** In the order of the file. Errors: corrupt-data where they are not. */
  put(offset: number, data: Uint8Array): void {
    const last = this.#offsets.length - 1;
    if (last >= 0 && offset < this.#offsets[last] + this.#lengths[last])
      throw problem(
        'corrupt-data',
        `${this.ref.href}: the features at bytes ${this.#offsets[last]} and ${offset} overlap`,
      );
    const at = this.#room(data.length);
    this.#offsets.push(offset);
    this.#lengths.push(data.length);
    this.#at.push(at);
    this.#chunks[this.#chunkOf[this.#chunkOf.length - 1]].set(data, at);
  }

  /** Where in its chunk, whose number is the last now, a feature of so many bytes goes. */
  #room(bytes: number): number {
    if (bytes > this.#ownBytes && bytes !== this.#chunkBytes - this.#used) {
      this.#chunkOf.push(this.#add(bytes));
      return 0;
    }
    if (this.#open < 0 || this.#used + bytes > this.#chunkBytes) {
      this.#open = this.#add(this.#chunkBytes);
      this.#used = 0;
    }
    this.#chunkOf.push(this.#open);
    this.#used += bytes;
    return this.#used - bytes;
  }

  #add(bytes: number): number {
    this.#size += bytes;
    return this.#chunks.push(new Uint8Array(bytes)) - 1;
  }

  readInto(offset: number, into: Uint8Array): void {
    const end = offset + into.length;
    const first = this.#first(offset);
    let i = first;
    for (; i < this.#offsets.length && this.#offsets[i] + this.#lengths[i] <= end; i++) {
      const at = this.#at[i];
      into.set(this.#chunks[this.#chunkOf[i]].subarray(at, at + this.#lengths[i]), this.#offsets[i] - offset);
    }
    if (i === first) throw problem('internal', `${this.ref.href}: bytes ${offset}+${into.length} were not asked for`);
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const out = new Uint8Array(length);
    this.readInto(offset, out);
    return out;
  }

  /** The first feature that begins there or behind. */
  #first(offset: number): number {
    let [low, high] = [0, this.#offsets.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#offsets[middle] < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  close(): void {
    for (const chunk of this.#chunks.splice(0)) freeArray(chunk);
  }
}
