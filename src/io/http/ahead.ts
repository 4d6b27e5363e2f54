/**
 * The ranges that a job will read, asked for before it reads them: a few requests at once, merged where they are neighbours, and
 * never more in memory than was priced. What the job reads beside them is asked for alone.
 */
import { freeArray } from '../../memory/segments.ts';
import type { BytesRef, RemoteRef } from '../../plan.ts';
import type { Bytes } from '../bytes.ts';
import { type ByteRange, type MergedRange, mergeRanges, neededRanges } from './merge.ts';

export interface AheadOptions {
  /** In the order of reading: they say what is asked for together. */
  readonly ranges: Iterable<ByteRange>;
  /** Whether one of them will be read. */
  readonly needed: (range: ByteRange) => boolean;
  /** Throws once the job is cancelled; asked while it waits. */
  readonly check: () => void;
}

/** How often a job that waits looks whether it is still wanted. */
const LOOK_MS = 50;

interface Part {
  readonly range: MergedRange;
  bytes: Promise<Uint8Array> | null;
  /** Ranges of it that are still to be read. */
  left: number;
}

/** Closing it ends what is under way; the file below stays open. */
export function createAhead(bytes: Bytes, options: AheadOptions): Bytes {
  return new Ahead(bytes, options);
}

class Ahead implements Bytes {
  readonly ref: BytesRef;
  readonly #bytes: Bytes;
  readonly #check: () => void;
  readonly #stop = new AbortController();
  readonly #aheadBytes: number;
  /** In the order of reading; those that were read are gone. */
  readonly #parts: Part[];
  readonly #at = new Map<number, Part>();
  #heldBytes = 0;

  constructor(bytes: Bytes, { ranges, needed, check }: AheadOptions) {
    this.ref = bytes.ref;
    this.#bytes = bytes;
    this.#check = check;
    this.#aheadBytes = (bytes.ref.remote as RemoteRef).aheadBytes;
    this.#parts = neededRanges(mergeRanges(ranges, this.#aheadBytes), needed).map(range => ({
      range,
      bytes: null,
      left: range.ranges.length,
    }));
    for (const part of this.#parts) for (const { offset } of part.range.ranges) this.#at.set(offset, part);
    this.#fill();
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const part = this.#at.get(offset);
    if (!part || offset + length > part.range.offset + part.range.length)
      return this.#wait(this.#bytes.read(offset, length, this.#stop.signal));
    this.#at.delete(offset);
    // Those before it were not needed after all: another job had their blocks decoded meanwhile.
    while (this.#parts.length > 0 && this.#parts[0] !== part) this.#drop(this.#parts[0]);
    const all = await this.#wait(part.bytes ?? this.#ask(part));
    const from = offset - part.range.offset;
    const whole = part.left === 1 && length === all.length;
    // A view would keep the whole, and what is decoded may be one of it.
    const own = whole ? all : all.slice(from, from + length);
    part.left--;
    if (part.left === 0) this.#drop(part, whole);
    this.#fill();
    return own;
  }

  close(): void {
    this.#stop.abort();
    while (this.#parts.length > 0) this.#drop(this.#parts[0]);
  }

  /** As many as may be held; one always, however large. */
  #fill(): void {
    for (const part of this.#parts) {
      if (part.bytes) continue;
      if (this.#heldBytes > 0 && this.#heldBytes + part.range.length > this.#aheadBytes) return;
      this.#ask(part);
    }
  }

  #ask(part: Part): Promise<Uint8Array> {
    const { offset, length } = part.range;
    this.#heldBytes += length;
    part.bytes = this.#bytes.read(offset, length, this.#stop.signal);
    // What fails is told to whoever reads it; if nobody does, it is nobody's error.
    part.bytes.catch(() => {});
    return part.bytes;
  }

  #drop(part: Part, handedOn = false): void {
    this.#parts.splice(this.#parts.indexOf(part), 1);
    for (const { offset } of part.range.ranges) this.#at.delete(offset);
    if (part.bytes === null) return;
    this.#heldBytes -= part.range.length;
    if (!handedOn) part.bytes.then(freeArray, () => {});
  }

  /** What the job waits for, or that it is not wanted any more. */
  #wait<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = () => clearTimeout(timer);
      const look = () => {
        try {
          this.#check();
          timer = setTimeout(look, LOOK_MS);
        } catch (error) {
          reject(error);
        }
      };
      let timer = setTimeout(look, LOOK_MS);
      work.then(resolve, reject).finally(end);
    });
  }
}
