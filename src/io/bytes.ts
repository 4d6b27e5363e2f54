/**
 * Bytes of a source behind one face. A short read is an error, never zeros; a changed file is an error, never a mix.
 * readInto is synchronous for local files: in a worker it is the cheapest read there is (no promise, no thread hop).
 */
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { problem } from '../errors.ts';
import type { BytesRef } from '../plan.ts';

export interface Bytes {
  readonly ref: BytesRef;
  /** A fresh array of exactly `length` bytes. Errors: read-failed, source-changed. */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Fills `into` from `offset`, or throws. Present on local files only. */
  readInto?(offset: number, into: Uint8Array): void;
  close(): void;
}

/** Of a file of this machine. */
export type LocalBytes = Bytes & Required<Pick<Bytes, 'readInto'>>;

/** Size, mtime in ns and inode: what a version of a local file is made of. */
export function statRef(path: string): BytesRef {
  const stat = statSync(path, { bigint: true });
  if (!stat.isFile()) throw problem('read-failed', `${path} is not a file`);
  return { href: path, size: Number(stat.size), version: versionOf(stat) };
}

function versionOf(stat: { size: bigint; mtimeNs: bigint; ino: bigint }): string {
  return `${stat.size.toString(36)}-${stat.mtimeNs.toString(36)}-${stat.ino.toString(36)}`;
}

/** When the file of that ref was last written, ns since 1970. */
export function modifiedNs({ version }: BytesRef): bigint {
  const [, text = '0'] = version.split('-');
  return [...text].reduce((ns, digit) => ns * 36n + BigInt(Number.parseInt(digit, 36)), 0n);
}

/** Opens what `ref` names and refuses it if its version is another by now. */
export function openBytes(ref: BytesRef): LocalBytes {
  if (!isAbsolute(ref.href)) throw problem('read-failed', `cannot open ${ref.href}: not an absolute path`);
  return new FileBytes(ref);
}

class FileBytes implements Bytes {
  readonly ref: BytesRef;
  #fd: number;

  constructor(ref: BytesRef) {
    this.ref = ref;
    try {
      this.#fd = openSync(ref.href, 'r');
    } catch (error) {
      throw problem('read-failed', `cannot open ${ref.href}: ${(error as Error).message}`);
    }
    // Swapped between stat and open: the caller must look at the file anew.
    if (versionOf(fstatSync(this.#fd, { bigint: true })) !== ref.version) {
      this.close();
      throw problem('source-changed', `${ref.href} changed after it was catalogued`);
    }
  }

  readInto(offset: number, into: Uint8Array): void {
    if (this.#fd < 0) throw problem('read-failed', `${this.ref.href} is closed`);
    let done = 0;
    while (done < into.length) {
      const n = readSync(this.#fd, into, done, into.length - done, offset + done);
      if (n === 0) {
        throw problem('source-changed', `${this.ref.href} ends at byte ${offset + done}, ${into.length - done} short`);
      }
      done += n;
    }
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    if (offset < 0 || length < 0 || offset + length > this.ref.size) {
      throw problem(
        'corrupt-data',
        `${this.ref.href}: bytes ${offset}+${length} lie outside its ${this.ref.size} bytes`,
      );
    }
    const out = new Uint8Array(length);
    this.readInto(offset, out);
    return out;
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}
