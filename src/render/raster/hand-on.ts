/**
 * Blocks that are answers as they are, handed on where requests are answered: the way to a render thread and back costs many
 * times the reading of a few kilobytes, and nothing is decoded. What lies on other servers still goes to a thread.
 */
import { type Bytes, openBytes } from '../../io/bytes.ts';
import type { BytesRef, Job, Painted } from '../../plan.ts';
import { fetchEncoded } from '../../source/tiff/blocks.ts';
import { isPass, passed, pictureOf } from './pass.ts';

export interface HandOn {
  /** Undefined: a job for a render thread. Errors: read-failed, source-changed, corrupt-data. */
  run(job: Job): Promise<Painted> | undefined;
  close(): void;
}

/** Files kept open, at most: one more is one more descriptor, no memory worth booking. */
const OPEN_FILES_MAX = 32;

export function createHandOn(): HandOn {
  const files = new Map<string, Bytes>();
  const open = (ref: BytesRef): Bytes => {
    const key = `${ref.version} ${ref.href}`;
    const known = files.get(key);
    files.delete(key);
    const bytes = known ?? openBytes(ref);
    files.set(key, bytes);
    for (const [oldest, each] of files) {
      if (files.size <= OPEN_FILES_MAX) break;
      files.delete(oldest);
      each.close();
    }
    return bytes;
  };
  return {
    run(job) {
      if (!isPass(job) || job.level.ref.remote) return undefined;
      return (async () => {
        const started = performance.now();
        const body = await fetchEncoded(open(job.level.ref), job.block, encoded => pictureOf(job, encoded));
        return passed(job, body, performance.now() - started);
      })();
    },
    close() {
      for (const bytes of files.values()) bytes.close();
      files.clear();
    },
  };
}
