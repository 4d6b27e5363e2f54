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
  const staged = new Staged(bytes.ref, places);
  try {
    await readSpans(files, bytes, places, check, ({ offset, from, to }, data) => {
      for (let i = from; i < to; i++) staged.put(i, data, places.offsets[i] - offset);
    });
    return staged;
  } catch (error) {
    staged.close();
    throw error;
  }
}

/** What they take: their bytes, and where each is. */
export function stagedBytes({ lengths }: Pick<Places, 'lengths'>): number {
  return lengths.reduce((sum, length) => sum + length, 0) + lengths.length * 8;
}

/** Of the file, what was put there: the rest of a range that is read is left as it was. */
export class Staged implements Bytes {
  readonly ref: BytesRef;
  readonly #offsets: Float64Array;
  readonly #lengths: Uint32Array;
  /** Where each feature is in the array. */
  readonly #at: Float64Array;
  readonly #data: Uint8Array;

  /** Errors: corrupt-data where they are not in the order of the file. */
  constructor(ref: BytesRef, { offsets, lengths }: Places) {
    this.ref = ref;
    this.#offsets = offsets;
    this.#lengths = lengths;
    this.#at = new Float64Array(offsets.length);
    let size = 0;
    for (let i = 0; i < offsets.length; i++) {
      if (i > 0 && offsets[i] < offsets[i - 1] + lengths[i - 1])
        throw problem('corrupt-data', `${ref.href}: the features at bytes ${offsets[i - 1]} and ${offsets[i]} overlap`);
      this.#at[i] = size;
      size += lengths[i];
    }
    this.#data = new Uint8Array(size);
  }

  get heldBytes(): number {
    return this.#data.length + this.#at.byteLength;
  }

  /** Feature i is in `data` from byte `at` on. */
  put(i: number, data: Uint8Array, at: number): void {
    this.#data.set(data.subarray(at, at + this.#lengths[i]), this.#at[i]);
  }

  readInto(offset: number, into: Uint8Array): void {
    const end = offset + into.length;
    const first = this.#first(offset);
    let i = first;
    for (; i < this.#offsets.length && this.#offsets[i] + this.#lengths[i] <= end; i++) {
      const at = this.#at[i];
      into.set(this.#data.subarray(at, at + this.#lengths[i]), this.#offsets[i] - offset);
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
    freeArray(this.#data);
  }
}
