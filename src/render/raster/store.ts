/**
 * What one worker keeps between jobs, each bounded: opened files, decoded blocks (neighbouring tiles share them), and
 * scratch memory. Nothing here is booked per job: the caps are part of a worker's fixed price.
 */
import { type Bytes, openBytes } from '../../io/bytes.ts';
import { decodeBlock } from '../../kernels/codecs/index.ts';
import type { BytesRef } from '../../plan.ts';
import { type FetchedBlock, fetchBlock } from '../../source/tiff/blocks.ts';
import type { BlockRead, LevelRead } from './types.ts';

export interface StoreSettings {
  /** Decoded blocks kept, bytes. */
  readonly blockCacheBytes: number;
  /** Files kept open. */
  readonly openFilesMax: number;
  /** Largest encoded block whose buffer is kept for the next one. */
  readonly scratchBytes: number;
}

export interface BlockStore {
  /** A block decoded, or made where the file is sparse. The data is shared: never write to it. */
  block(level: LevelRead, place: BlockRead, fill: number): FetchedBlock | Promise<FetchedBlock>;
  readonly heldBytes: number;
  close(): void;
}

interface Kept {
  readonly block: FetchedBlock;
  readonly bytes: number;
}

export function createBlockStore(settings: StoreSettings): BlockStore {
  const files = new Map<string, Bytes>();
  const blocks = new Map<string, Kept>();
  let held = 0;
  let encoded = new Uint8Array(0);

  function file(ref: BytesRef): Bytes {
    const key = `${ref.version} ${ref.href}`;
    const known = files.get(key);
    if (known) {
      files.delete(key);
      files.set(key, known);
      return known;
    }
    const opened = openBytes(ref);
    files.set(key, opened);
    for (const [oldest, bytes] of files) {
      if (files.size <= settings.openFilesMax) break;
      files.delete(oldest);
      bytes.close();
    }
    return opened;
  }

  function keep(key: string, block: FetchedBlock): FetchedBlock {
    const bytes = block.data.byteLength + (block.mask?.byteLength ?? 0);
    // One block must not push out all others.
    if (bytes * 4 > settings.blockCacheBytes) return block;
    const before = blocks.get(key);
    if (before) held -= before.bytes;
    blocks.delete(key);
    blocks.set(key, { block, bytes });
    held += bytes;
    for (const [oldest, { bytes: freed }] of blocks) {
      if (held <= settings.blockCacheBytes) break;
      blocks.delete(oldest);
      held -= freed;
    }
    return block;
  }

  function lend(length: number): Uint8Array {
    if (length > settings.scratchBytes) return new Uint8Array(length);
    if (encoded.length < length) encoded = new Uint8Array(Math.min(settings.scratchBytes, Math.max(65536, length * 2)));
    return encoded;
  }

  function block(level: LevelRead, place: BlockRead, fill: number): FetchedBlock | Promise<FetchedBlock> {
    const where = place.length === 0 ? `sparse ${fill}` : place.offset;
    const key = `${level.ref.version} ${level.ref.href} ${where} ${place.column},${place.row},${place.plane} ${level.width}`;
    const known = blocks.get(key);
    if (known) {
      blocks.delete(key);
      blocks.set(key, known);
      return known.block;
    }
    const options = { fill, decode: decodeBlock, encoded: keepsEncoded(level) ? undefined : lend(place.length) };
    const found = fetchBlock(file(level.ref), level, place, options);
    return found instanceof Promise ? found.then(each => keep(key, each)) : keep(key, found);
  }

  return {
    block,
    get heldBytes() {
      return held + encoded.length;
    },
    close() {
      for (const bytes of files.values()) bytes.close();
      files.clear();
      blocks.clear();
      held = 0;
      encoded = new Uint8Array(0);
    },
  };
}

/** JPEG and WebP decode on another thread while this one may read the next block into the same scratch. */
function keepsEncoded({ format }: LevelRead): boolean {
  return format.compression === 7 || format.compression === 50001;
}
