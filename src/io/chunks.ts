/** Bytes that came with the job: what is not in any file, in pieces that are read whole. */
import { problem } from '../errors.ts';
import { freeArray } from '../memory/segments.ts';
import type { BytesRef } from '../plan.ts';
import type { Bytes } from './bytes.ts';

/** Closing gives back what nobody else of the job will read. Null: the ref is of a file. */
export function chunkBytes(ref: BytesRef): Bytes | null {
  const { chunks } = ref;
  if (!chunks) return null;
  const byOffset = new Map(chunks.map(chunk => [chunk.offset, chunk]));
  const at = (offset: number, length: number): Uint8Array => {
    const data = byOffset.get(offset)?.data;
    if (data?.length !== length) throw problem('internal', `${ref.href}: bytes ${offset}+${length} did not come along`);
    return data;
  };
  return {
    ref,
    read: async (offset, length) => at(offset, length).slice(),
    readInto: (offset, into) => into.set(at(offset, into.length)),
    close() {
      for (const chunk of chunks) if (--chunk.uses === 0) freeArray(chunk.data);
    },
  };
}
