/** One server in one round: alone, in a cgroup of its own, kept up by a supervisor, watched, and gone afterwards. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cgroup, createCgroup } from '../../test/overload/lib/cgroup.ts';
import type { Dataset } from '../peers/dataset.ts';
import type { Peer, Running } from '../peers/peer.ts';
import { type BurstResult, burst, isServed } from './burst.ts';
import { addressOf, Line } from './line.ts';
import type { Round, RoundName } from './rounds.ts';
import { type Sample, watchMemory } from './watch.ts';

export interface DuelSetting {
  readonly dataset: Dataset;
  readonly limitMiB: number;
  readonly workers: number;
  readonly clients: number;
  readonly hotClients: number;
  readonly seconds: number;
  /** Breaks the duel off; what was started is ended all the same. */
  readonly signal: AbortSignal;
}

export interface Outcome {
  readonly server: string;
  readonly round: RoundName;
  /** Processes that the kernel killed for want of memory: while it started and warmed up, and in the burst. */
  readonly startKills: number;
  readonly kills: number;
  /** How often the supervisor had to start it again. */
  readonly restarts: number;
  readonly samples: readonly Sample[];
  /** Null: it never came up. */
  readonly burst: BurstResult | null;
}

/**
 * Stays outside of the group, so that no limit can reach it. The command is started again whenever it has ended;
 * what it left behind is not its business.
 */
const SUPERVISE = `procs=$1; ends=$2; shift 2; trap 'exit 0' TERM
while :; do
  /bin/sh -c 'echo $$ > "$0" && exec "$@"' "$procs" "$@" & wait $!
  echo ended >> "$ends"; sleep 0.2
done`;
const WARM_MS = 20_000;
const GONE_MS = 10_000;
/** Beside the burst itself: start, warming up, and the last answers. */
const ROOM_MS = 120_000;

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Width and height of a PNG must be what was asked for: a smaller picture is another picture. */
async function checkPicture(port: number, path: string, { accept, pixels }: Round): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(WARM_MS) });
  const body = Buffer.from(await response.arrayBuffer());
  const type = response.headers.get('content-type') ?? 'none';
  const right = response.ok && new RegExp(`^${accept}`).test(type);
  if (!right) throw new Error(`${path} answered ${response.status} ${type}: ${body.toString('utf8', 0, 300)}`);
  if (pixels === null) return;
  const [width, height] = [body.readUInt32BE(16), body.readUInt32BE(20)];
  if (width !== pixels || height !== pixels) throw new Error(`${path} is ${width} × ${height} pixels`);
}

/** Every hot tile twice, one after the other: who keeps tiles has them now. */
async function warm(port: number, paths: readonly string[], accept: string): Promise<void> {
  const line = new Line(port, addressOf(200));
  for (const path of [...paths, ...paths]) {
    const answer = await line.ask(path, WARM_MS);
    const status = answer?.status ?? 'no answer';
    if (isServed(answer, accept)) continue;
    console.error(`  not served before the burst: ${path}: ${status}`);
    await sleep(500);
  }
  line.close();
}

/** Processes of the group are ours: all that is in it was started by the supervisor. */
async function empty(group: Cgroup): Promise<void> {
  const until = performance.now() + GONE_MS;
  while (group.pids().length > 0 && performance.now() < until) {
    for (const pid of group.pids()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it has ended since
      }
    }
    await sleep(100);
  }
}

interface Place {
  readonly group: Cgroup;
  readonly port: number;
  readonly round: Round;
  readonly setting: DuelSetting;
}

async function fight({ group, port, round, setting }: Place, running: Running) {
  const paths = round.burst(running.paths, setting.dataset)!;
  const hotPaths = round.hot(running.paths, setting.dataset)!;
  await checkPicture(port, paths.at(-1)!, round).catch(error => console.error(`  first picture: ${error.message}`));
  await warm(port, hotPaths, round.accept);
  const startKills = group.kills();
  const memory = watchMemory(dirname(group.procs));
  const { clients, hotClients, seconds } = setting;
  const result = await burst({ port, accept: round.accept, paths, hotPaths, clients, hotClients, seconds });
  return { burst: result, startKills, kills: group.kills() - startKills, samples: memory.stop() };
}

function broken(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(new Error(`broken off: ${signal.reason}`));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

export async function duel(peer: Peer, round: Round, setting: DuelSetting): Promise<Outcome> {
  const dir = mkdtempSync(join(tmpdir(), 'plimsoll-duel-'));
  const group = createCgroup(`plimsoll-duel-${process.pid}`, setting.limitMiB * 2 ** 20);
  const ends = join(dir, 'ends');
  const restarts = () => (existsSync(ends) ? readFileSync(ends, 'utf8').split('\n').length - 1 : 0);
  const head = { server: peer.name, round: round.name };
  let running: Running | undefined;
  try {
    const port = await freePort();
    const wrap = ['/bin/sh', '-c', SUPERVISE, 'supervise', group.procs, ends];
    const { dataset, workers } = setting;
    running = await peer.start({ dataset, port, dir, workers, memory: '', wrap });
    const over = AbortSignal.any([setting.signal, AbortSignal.timeout(setting.seconds * 1000 + ROOM_MS)]);
    const fought = await Promise.race([fight({ group, port, round, setting }, running), broken(over)]);
    return { ...head, ...fought, restarts: restarts() };
  } catch (error) {
    console.error(`${peer.name}, ${round.title}: ${(error as Error).message}`);
    return { ...head, burst: null, startKills: group.kills(), kills: 0, samples: [], restarts: restarts() };
  } finally {
    await running?.stop();
    await empty(group);
    await group.remove();
    rmSync(dir, { recursive: true, force: true });
  }
}
