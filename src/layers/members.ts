/** Files of mosaics: open once, however many mosaics hold them, and for as long as one does. A new file among thousands opens one. */
import type { Booking } from '../memory/types.ts';
import type { Source } from '../source/types.ts';
import type { FoundFile } from './discover.ts';
import { type OpenDeps, openFile } from './open.ts';
import type { LayerOptions } from './types.ts';

export interface Held {
  readonly source: Source;
  /** Once; the last one closes it. */
  release(): void;
}

export interface Members {
  /** Throws what opening threw, and tries again the next time. */
  open(file: FoundFile, options: LayerOptions): Promise<Held>;
}

interface Entry {
  readonly opening: Promise<Source>;
  source: Source | null;
  booking: Booking | null;
  uses: number;
}

export function createMembers(deps: OpenDeps): Members {
  const entries = new Map<string, Entry>();
  const drop = (key: string, entry: Entry) => {
    entry.uses--;
    if (entry.uses > 0) return;
    entries.delete(key);
    entry.booking?.release();
    // A file that fails to close has nothing left to give; its descriptor is the kernel's by then.
    void entry.source?.close().catch(() => {});
  };
  return {
    async open(file, options) {
      const key = JSON.stringify([file.path, file.look, options.crs, String(options.nodata)]);
      const entry = entries.get(key) ?? {
        opening: openFile(file.path, options, deps),
        source: null,
        booking: null,
        uses: 0,
      };
      entries.set(key, entry);
      entry.uses++;
      try {
        const source = await entry.opening;
        entry.source = source;
        entry.booking ??= deps.ledger?.book('index', source.residentBytes, `file ${file.path}`) ?? null;
        return { source, release: once(() => drop(key, entry)) };
      } catch (error) {
        drop(key, entry);
        throw error;
      }
    },
  };
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
