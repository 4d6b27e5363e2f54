/**
 * Text on its way to bytes. A string of a million coordinates, put together piece by piece, is a tree of as many nodes on
 * the worker's small heap; here no more than a few kilobytes are ever a string, and the bytes lie outside the heap.
 */

const PENDING_MAX = 8192;
const FIRST_BYTES = 64 * 1024;
const GROWTH = 1.5;

export class TextSink {
  #encoder = new TextEncoder();
  #bytes = new Uint8Array(FIRST_BYTES);
  #length = 0;
  #pending = '';

  write(text: string): void {
    this.#pending += text;
    if (this.#pending.length > PENDING_MAX) this.#flush();
  }

  #flush(): void {
    // A UTF-16 unit is three bytes at most.
    const needed = this.#length + this.#pending.length * 3;
    if (needed > this.#bytes.length) {
      const larger = Math.max(needed, Math.ceil(this.#bytes.length * GROWTH));
      this.#bytes = new Uint8Array(this.#bytes.buffer.transfer(larger));
    }
    this.#length += this.#encoder.encodeInto(this.#pending, this.#bytes.subarray(this.#length)).written;
    this.#pending = '';
  }

  /** All that was written, in a buffer of its own and of this length; the sink is empty afterwards. */
  take(): Uint8Array {
    this.#flush();
    const whole = new Uint8Array(this.#bytes.buffer.transfer(this.#length));
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    return whole;
  }
}
