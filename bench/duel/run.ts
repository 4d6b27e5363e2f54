/**
 * The duel: this server and its peers, each alone under the same real memory limit (cgroup v1), met by the same burst.
 * Three rounds: plain tiles, large windows, low zooms of many polygons. Who is killed is started again, and it is counted.
 * Installs nothing; says what is lacking and goes on with the rest. Needs root, for the cgroups.
 *
 *   node bench/duel/run.ts --data DIR [--rounds tiles,windows,vector] [--peers plimsoll,uncached,titiler,mapserver,martin]
 *                          [--out build/duel] [--limit 256] [--clients 64] [--seconds 25] [--workers 2] [--main FILE] [--write]
 *
 * Every round is kept in --out, so that rounds can be run one by one; the table is of all that are there. --write puts
 * it into README.md and the memory lines into docs/duel.svg.
 */
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { noCgroups } from '../../test/overload/lib/cgroup.ts';
import { digits } from '../lib/stats.ts';
import { type Dataset, openDataset } from '../peers/dataset.ts';
import { mapserver } from '../peers/mapserver.ts';
import { martin } from '../peers/martin.ts';
import type { Peer } from '../peers/peer.ts';
import { plimsollWith } from '../peers/plimsoll.ts';
import { titiler } from '../peers/titiler.ts';
import { chart } from './chart.ts';
import { type DuelSetting, duel, type Outcome } from './contender.ts';
import { table } from './report.ts';
import { ROUNDS, type Round } from './rounds.ts';

const ROOT = join(import.meta.dirname, '../..');
const PEERS = ['plimsoll', 'uncached', 'titiler', 'mapserver', 'martin'];

const OPTIONS = {
  data: { type: 'string', default: process.env['BENCH_DATA'] ?? '' },
  rounds: { type: 'string', default: ROUNDS.map(({ name }) => name).join(',') },
  peers: { type: 'string', default: PEERS.join(',') },
  out: { type: 'string', default: join(ROOT, 'build/duel') },
  limit: { type: 'string', default: '256' },
  clients: { type: 'string', default: '64' },
  seconds: { type: 'string', default: '25' },
  workers: { type: 'string', default: '2' },
  main: { type: 'string' },
  write: { type: 'boolean', default: false },
} as const;

interface Kept {
  readonly limitMiB: number;
  readonly clients: number;
  readonly seconds: number;
  readonly workers: number;
  readonly outcomes: readonly Outcome[];
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: "${text}" is not a positive whole number`);
  return value;
}

/** Built anew, as the package and the container have it. */
function build(): string {
  const path = `${join(ROOT, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`;
  const { status } = spawnSync(process.execPath, [join(ROOT, 'scripts/build.ts')], {
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('the build failed');
  return join(ROOT, 'dist/main.js');
}

/** The clients of the duel wait for ten seconds, so the queue may too; the peers' queues have no end at all. */
const SETS = ['discovery.watch=false', 'memory.queue.deadlineMs=8000'];

function peersOf(names: string, main: string): Peer[] {
  const known: Readonly<Record<string, Peer>> = {
    plimsoll: plimsollWith('Plimsoll', main, SETS),
    uncached: plimsollWith('Plimsoll, keeping nothing', main, [...SETS, 'cache.enabled=false']),
    titiler,
    mapserver,
    martin,
  };
  return names.split(',').map(name => {
    const peer = known[name];
    if (!peer) throw new Error(`--peers: "${name}" is none of ${PEERS.join(', ')}`);
    return peer;
  });
}

/** Reads the files outside of any group, so that no server pays for a cold disk and none is charged for the pages. */
async function warmPageCache({ vector, raster }: Dataset): Promise<void> {
  for (const path of [vector, raster]) {
    for await (const _ of createReadStream(path)) {
      // reading is all
    }
  }
}

function dataIn(dir: string): Dataset {
  if (dir === '') {
    throw new Error(
      '--data DIR (or BENCH_DATA): a folder with bench.fgb, bench-rgb.tif and the request lists. Make it with\n' +
        '  for what in buildings rgb tiles; do python ../shared/tools/make-bench-data.py DIR $what; done',
    );
  }
  // What no round asks for need not be opened.
  return { ...openDataset(dir), dem: undefined, utm: undefined };
}

/** Only where nothing was kept does the row without cache say something that the other does not. */
function meets(peer: Peer, { name }: Round): boolean {
  if (/nothing/.test(peer.name)) return name === 'vector';
  if (peer === titiler) return name !== 'vector';
  return peer !== martin || name === 'vector';
}

async function fight(round: Round, peers: readonly Peer[], setting: DuelSetting): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const peer of peers.filter(one => meets(one, round))) {
    if (setting.signal.aborted) break;
    const outcome = await duel(peer, round, setting);
    outcomes.push(outcome);
    const { burst, kills, startKills, restarts } = outcome;
    const got = burst === null ? 'did not come up' : `${burst.got} of ${burst.wanted} came, ${digits(burst.seconds)} s`;
    const killed = `${startKills} + ${kills} kills, ${restarts} restarts`;
    console.error(`${peer.name}, ${round.title}: ${got}, ${killed}, ${JSON.stringify(burst?.statuses ?? {})}`);
  }
  return outcomes;
}

function keptIn(dir: string): Kept[] {
  const files = ROUNDS.map(({ name }) => join(dir, `${name}.json`)).filter(file => existsSync(file));
  return files.map(file => JSON.parse(readFileSync(file, 'utf8')) as Kept);
}

function between(text: string, mark: string, inside: string): string {
  const [open, close] = [`<!-- ${mark}, made by bench/${mark} -->`, `<!-- end of ${mark} -->`];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from < 0 || to < from) throw new Error(`README.md lacks ${open} … ${close}`);
  return `${text.slice(0, from + open.length)}\n${inside}\n${text.slice(to)}`;
}

function report(dir: string, write: boolean): void {
  const kept = keptIn(dir);
  const outcomes = kept.flatMap(one => one.outcomes);
  const first = kept[0];
  if (first === undefined) return;
  const { limitMiB, clients, seconds, workers } = first;
  const setting = `${limitMiB} MiB, ${clients} clients, ${seconds} s, ${workers} workers, ${cpus().length} cores that the clients share.`;
  const text = `${setting}\n\n${table(outcomes)}`;
  console.log(text);
  if (!write) return;
  const readme = join(ROOT, 'README.md');
  writeFileSync(readme, between(readFileSync(readme, 'utf8'), 'duel', text));
  writeFileSync(join(ROOT, 'docs/duel.svg'), chart(outcomes, limitMiB));
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const rounds = values.rounds.split(',').filter(Boolean);
  const unknown = rounds.filter(name => !ROUNDS.some(round => round.name === name));
  if (unknown.length > 0) throw new Error(`--rounds: no round is called ${unknown.join(', ')}`);
  mkdirSync(values.out, { recursive: true });
  if (rounds.length > 0) await run(values, rounds);
  report(values.out, values.write);
}

interface Values {
  readonly [name: string]: string | boolean | undefined;
  readonly data: string;
  readonly peers: string;
  readonly out: string;
  readonly limit: string;
  readonly clients: string;
  readonly seconds: string;
  readonly workers: string;
  readonly main?: string | undefined;
}

async function run(values: Values, rounds: readonly string[]): Promise<void> {
  const lack = noCgroups();
  if (lack) throw new Error(lack);
  const dataset = dataIn(values.data);
  const peers = peersOf(values.peers, values.main ?? build());
  for (const line of peers.flatMap(peer => peer.missing())) console.error(`left out, not installed: ${line}`);
  const breakOff = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => breakOff.abort(name));
  const setting: DuelSetting = {
    dataset,
    limitMiB: positive('limit', values.limit),
    workers: positive('workers', values.workers),
    clients: positive('clients', values.clients),
    hotClients: 4,
    seconds: positive('seconds', values.seconds),
    signal: breakOff.signal,
  };
  const { limitMiB, workers, clients, seconds } = setting;
  await warmPageCache(dataset);
  const there = peers.filter(peer => peer.missing().length === 0);
  for (const round of ROUNDS.filter(({ name }) => rounds.includes(name))) {
    const outcomes = await fight(round, there, setting);
    if (setting.signal.aborted) process.exit(130);
    const kept: Kept = { limitMiB, clients, seconds, workers, outcomes };
    writeFileSync(join(values.out, `${round.name}.json`), JSON.stringify(kept));
  }
}

await main();
