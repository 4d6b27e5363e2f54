/** A file of another server: met for the first time, read in ranges, and asked whether it is still the same. */
import { createHash } from 'node:crypto';
import { problem } from '../../errors.ts';
import type { BytesRef, FeatureReads, RemoteRef } from '../../plan.ts';
import type { Bytes } from '../bytes.ts';
import { shown } from './allow.ts';
import type { RangeClient } from './client.ts';

/** What is read at first sight, and of which a file is read while it is opened. */
const PAGE_BYTES = 65_536;
const PAGES_KEPT = 8;

/** Reads ranges as they are asked for. Errors: those of the client; corrupt-data outside the file. */
export function remoteBytes(ref: BytesRef, client: Pick<RangeClient, 'get'>): Bytes {
  const { url, etag, modified } = ref.remote as RemoteRef;
  const known = { etag, modified, size: ref.size };
  return {
    ref,
    async read(offset, length, signal) {
      checkInside(ref, offset, length);
      if (length === 0) return new Uint8Array(0);
      return (await client.get(url, { offset, length, known }, signal)).bytes;
    },
    close() {},
  };
}

function checkInside(ref: BytesRef, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= ref.size) return;
  throw problem('corrupt-data', `${ref.href}: bytes ${offset}+${length} lie outside its ${ref.size} bytes`);
}

export interface Met {
  readonly ref: BytesRef;
  /** Reads whole pages and keeps a few, since an index is many small things near each other. */
  readonly bytes: Bytes;
  /** It is opened: pages go, and from now on what is asked for is what is read. */
  settle(): void;
}

export interface MeetOptions {
  readonly aheadBytes: number;
  /** Most bytes that opening may read: a file whose index is larger is refused. */
  readonly openBytes: number;
  /** Of a vector file. */
  readonly features?: FeatureReads;
  readonly signal: AbortSignal;
}

/** One request: size, validators and the first page. Errors: those of the client; too-large while it is opened. */
export async function meetRemote(client: RangeClient, url: URL, options: MeetOptions): Promise<Met> {
  const { aheadBytes, openBytes, features, signal } = options;
  const first = await client.get(url.href, { offset: 0, length: PAGE_BYTES, known: null }, signal);
  const { size, etag, modified } = first;
  const ref: BytesRef = {
    href: shown(url),
    size,
    version: versionOf(url, size, etag, modified),
    remote: { url: url.href, etag, modified, aheadBytes, ...(features ? { features } : {}) },
  };
  const plain = remoteBytes(ref, client);
  const pages = new Map<number, Uint8Array>([[0, first.bytes]]);
  const setting = features ? 'remote.treeBytes' : 'remote.openBytes';
  let [left, settled] = [openBytes - first.bytes.length, false];
  const fetched = async (offset: number, length: number): Promise<Uint8Array> => {
    left -= length;
    if (left < 0)
      throw problem(
        'too-large',
        `${ref.href}: its index is larger than the ${openBytes} bytes that opening may read (${setting})`,
      );
    return plain.read(offset, length, signal);
  };
  const pageAt = async (number: number): Promise<Uint8Array> => {
    const at = number * PAGE_BYTES;
    const page = pages.get(number) ?? (await fetched(at, Math.min(PAGE_BYTES, size - at)));
    pages.delete(number);
    pages.set(number, page);
    if (pages.size > PAGES_KEPT) pages.delete(pages.keys().next().value as number);
    return page;
  };
  const read: Bytes['read'] = async (offset, length, own) => {
    if (settled) return plain.read(offset, length, own);
    checkInside(ref, offset, length);
    if (length > PAGE_BYTES) return fetched(offset, length);
    const out = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const at = offset + done;
      const page = await pageAt(Math.floor(at / PAGE_BYTES));
      const part = page.subarray(at % PAGE_BYTES, Math.min(page.length, (at % PAGE_BYTES) + length - done));
      out.set(part, done);
      done += part.length;
    }
    return out;
  };
  const settle = () => {
    settled = true;
    pages.clear();
  };
  return { ref, bytes: { ref, read, close: settle }, settle };
}

/** One byte: throws source-changed where it is another file by now, and what the client throws. */
export async function askAgain(client: RangeClient, ref: BytesRef, signal: AbortSignal): Promise<void> {
  await remoteBytes(ref, client).read(0, 1, signal);
}

/** The whole URL is in it: what differs in the query alone is another file. */
function versionOf(url: URL, size: number, etag: string | null, modified: string | null): string {
  const facts = JSON.stringify([url.href, size, etag, modified]);
  return createHash('sha256').update(facts).digest('base64url').slice(0, 22);
}
