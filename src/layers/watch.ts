/**
 * When to look at the folders again. Polling is what can be relied on (network mounts, containers, Kubernetes volumes);
 * fs.watch only makes it sooner.
 */
import { type FSWatcher, watch } from 'node:fs';

export interface Looked {
  readonly folders: readonly string[];
  /** Something is still being written: look again soon. */
  readonly unsettled: boolean;
}

export interface WatchTimes {
  readonly intervalMs: number;
  /** Pause before a second look at a file that has just appeared or changed. */
  readonly settleMs: number;
}

/** inotify watches are a shared, small resource; folders beyond this are only polled. */
const WATCHED_FOLDERS_MAX = 256;

export interface Watching {
  /** Waits for a look under way. */
  stop(): Promise<void>;
}

export function startWatching(look: () => Promise<Looked>, first: Looked, times: WatchTimes): Watching {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let busy = false;
  let hinted = false;
  let stopped = false;

  const schedule = (ms: number) => {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(() => {
      running = round();
    }, ms);
    timer.unref();
  };
  const hint = () => {
    hinted = true;
    if (!busy) schedule(times.settleMs);
  };
  const round = async () => {
    busy = true;
    hinted = false;
    const began = performance.now();
    const looked = await look();
    const took = performance.now() - began;
    busy = false;
    rewatch(watchers, looked.folders, hint);
    // Ten thousand files on a slow mount must not cost more than a twentieth of the time.
    schedule(looked.unsettled || hinted ? times.settleMs : Math.max(times.intervalMs, took * 20));
  };

  rewatch(watchers, first.folders, hint);
  schedule(first.unsettled ? times.settleMs : times.intervalMs);
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      rewatch(watchers, [], hint);
      await running;
    },
  };
}

function rewatch(watchers: Map<string, FSWatcher>, folders: readonly string[], hint: () => void): void {
  const wanted = new Set(folders.slice(0, WATCHED_FOLDERS_MAX));
  for (const [folder, watcher] of watchers) {
    if (wanted.has(folder)) continue;
    watcher.close();
    watchers.delete(folder);
  }
  for (const folder of wanted) {
    if (watchers.has(folder)) continue;
    try {
      const watcher = watch(folder, { persistent: false }, hint);
      // The folder went away, or the system is out of watches: polling goes on.
      watcher.on('error', () => {
        watcher.close();
        watchers.delete(folder);
      });
      watchers.set(folder, watcher);
    } catch {
      // Same: a hint we do not get.
    }
  }
}
