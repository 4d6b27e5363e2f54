/** What the bench asks of every server under test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, createWriteStream } from 'node:fs';
import { delimiter, join } from 'node:path';
import { treeOf } from '../lib/processes.ts';
import type { Dataset, RasterLayer, Tile, Window } from './dataset.ts';

/** dem is drawn in viridis between 0 and 1000, where a server can; the blocks of jpeg and webp are tiles of 256 px. */
export interface TileWant {
  readonly layer: RasterLayer;
  readonly size: 256 | 512;
  readonly format: 'png' | 'webp' | 'jpg';
}

export const RGB_TILE: TileWant = { layer: 'rgb', size: 256, format: 'png' };

export interface Paths {
  vectorTile(tile: Tile): string | null;
  rasterTile(tile: Tile, want: TileWant): string | null;
  /** The window as PNG of so many pixels a side, 512 unless told. */
  window(window: Window, pixels?: number): string | null;
}

export interface Setting {
  readonly dataset: Dataset;
  readonly port: number;
  /** An empty folder for configuration, sockets and logs. */
  readonly dir: string;
  readonly workers: number;
  /** The limit it is told; empty: it finds out. */
  readonly memory: string;
  /** Words put in front of every command: what keeps it in a cgroup, or alive. */
  readonly wrap?: readonly string[];
}

export interface Running {
  /** Roots of the process trees that make up the server. */
  readonly pids: readonly number[];
  readonly paths: Paths;
  stop(): Promise<void>;
}

export interface Peer {
  readonly name: string;
  /** What would have to be installed, in the words of whoever installs it; empty where nothing. */
  missing(): string[];
  /** How to ask which version it is; absent where it is this one. */
  version?(): { readonly program: string | undefined; readonly args: readonly string[] };
  start(setting: Setting): Promise<Running>;
}

export function onPath(program: string, alsoIn: readonly string[] = []): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...alsoIn];
  return folders
    .map(folder => join(folder, program))
    .find(path => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

export function launch(
  program: string,
  args: readonly string[],
  { dir, env = {}, wrap = [] }: { dir: string; env?: Record<string, string>; wrap?: readonly string[] },
): ChildProcess {
  const log = createWriteStream(join(dir, 'server.log'), { flags: 'a' });
  const [command, ...words] = [...wrap, program, ...args];
  const child = spawn(command!, words, {
    cwd: dir,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  return child;
}

const STOP_MS = 5_000;
/** What still lives so long after its parent has been asked to end only waits for a request that never comes. */
const ORPHAN_MS = 500;

/** False where it has ended already. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** MapServer's processes take SIGTERM as a wish, and only look at it after their next request. */
async function endAll(pids: readonly number[]): Promise<void> {
  const until = performance.now() + ORPHAN_MS;
  let living = pids.filter(pid => signal(pid, 'SIGTERM'));
  while (living.length > 0 && performance.now() < until) {
    await new Promise(done => setTimeout(done, 20));
    living = living.filter(pid => signal(pid, 0));
  }
  for (const pid of living) signal(pid, 'SIGKILL');
}

/** Ends processes started here, gently, then not; and those they started, which not every parent takes along. */
export async function stopAll(children: readonly ChildProcess[]): Promise<void> {
  const tree = treeOf(children.map(child => child.pid!));
  await Promise.all(
    children.map(async child => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise(done => child.once('exit', done));
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(timer);
    }),
  );
  await endAll(tree.map(({ pid }) => pid));
  for (const child of children) {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

const START_MS = 60_000;

/** Waits until the path answers 200; says which log to read where it never does. */
export async function untilReady(
  port: number,
  path: string,
  dir: string,
  children: readonly ChildProcess[],
): Promise<void> {
  const until = performance.now() + START_MS;
  let last = 'no answer';
  while (performance.now() < until && children.every(child => child.exitCode === null)) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      const body = await response.arrayBuffer();
      if (response.ok) return;
      last = `${response.status} ${Buffer.from(body).toString('utf8', 0, 300)}`;
    } catch (error) {
      last = (error as Error).message;
    }
    await new Promise(done => setTimeout(done, 200));
  }
  throw new Error(`no server on port ${port} (${last}); its log is ${join(dir, 'server.log')}`);
}
