/**
 * Vector tiles live from one FlatGeobuf, this server beside MapServer: same file, same lists, gzip level 1 on both sides, each
 * alone and started anew, in turns. And this server's cached tiles, asked for by wrk where it is installed.
 *
 *   node bench/vector/run.ts --data DIR [--cases z10–14,dense,z4–9,cached] [--rounds 3] [--workers 2] [--memory 1GiB] [--json FILE]
 *
 * DIR holds bench.fgb, bench-rgb.tif and the lists of ../shared/tools/make-bench-data.py. martin is not among the peers: it
 * serves no FlatGeobuf and is built from source beside a PostGIS; where one runs, ../shared/peers has its settings.
 */
import { createReadStream, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { digits, markdownTable } from '../lib/stats.ts';
import { type Dataset, openDataset } from '../peers/dataset.ts';
import { mapserver } from '../peers/mapserver.ts';
import { measure, type Row } from '../peers/measure.ts';
import type { Peer } from '../peers/peer.ts';
import { plimsoll } from '../peers/plimsoll.ts';
import { cachedTiles } from './cached.ts';
import { type VectorCase, vectorCases } from './cases.ts';

const OPTIONS = {
  data: { type: 'string' },
  cases: { type: 'string', default: '' },
  rounds: { type: 'string', default: '3' },
  workers: { type: 'string', default: '2' },
  memory: { type: 'string', default: '1GiB' },
  json: { type: 'string' },
} as const;

interface Setup {
  readonly dataset: Dataset;
  readonly rounds: number;
  readonly workers: number;
  readonly memory: string;
}

/** The middle one of the rounds by tiles a second: a noisy neighbour spoils a round, not the row. */
function median(rows: readonly Row[]): Row {
  const sorted = [...rows].sort((a, b) => a.load.perSecond - b.load.perSecond);
  return sorted[sorted.length >> 1]!;
}

async function beside(one: VectorCase, peers: readonly Peer[], setup: Setup): Promise<Row[]> {
  const rows = peers.map((): Row[] => []);
  const { connections, seconds } = one;
  const bounds = { connections, seconds, requests: 1000, workers: setup.workers, memory: setup.memory };
  for (let round = 0; round < setup.rounds; round++) {
    for (const [i, peer] of peers.entries()) {
      const row = await measure(peer, setup.dataset, one, bounds);
      if (!row) continue;
      rows[i]!.push(row);
      const { load, cpuMsPerRequest } = row;
      console.error(
        `${one.name}, ${peer.name}: ${digits(load.perSecond)} tiles/s, ${digits(cpuMsPerRequest)} ms CPU a tile`,
      );
    }
  }
  return rows.map(median);
}

const HEAD = [
  'case',
  'server',
  'tiles',
  'tiles/s',
  'CPU ms/tile',
  'p50 ms',
  'p99 ms',
  'kB/tile',
  'max kB',
  'tiles/s ×',
];

function tableRow(row: Row, ours: Row): string[] {
  const { load } = row;
  if (load.ok !== load.requests) console.error(`${row.server}, ${row.case}: ${load.requests - load.ok} not 2xx`);
  return [
    row.case,
    row.server,
    String(load.requests),
    digits(load.perSecond),
    digits(row.cpuMsPerRequest),
    digits(load.p50Ms),
    digits(load.p99Ms),
    digits(load.bytesMean / 1000),
    digits(load.bytesMax / 1000),
    row === ours
      ? ''
      : `${digits(ours.load.perSecond / row.load.perSecond)}, CPU ÷ ${digits(row.cpuMsPerRequest / ours.cpuMsPerRequest)}`,
  ];
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (!values.data) throw new Error('--data: the folder with bench.fgb is not named');
  const dataset = openDataset(values.data);
  const setup = { dataset, rounds: Number(values.rounds), workers: Number(values.workers), memory: values.memory };
  const lacking = mapserver.missing();
  for (const line of lacking) console.error(`left out, not installed: ${line}`);
  const peers = lacking.length > 0 ? [plimsoll] : [plimsoll, mapserver];
  for await (const _ of createReadStream(dataset.vector)); // so that no server pays for a cold disk
  const wanted = (name: string) => values.cases.split(',').some(part => name.includes(part));
  const rows: Row[][] = [];
  for (const one of vectorCases(values.data)) if (wanted(one.name)) rows.push(await beside(one, peers, setup));
  console.log(`${dataset.vector}, ${cpus().length} cores, Node ${process.version}, median of ${setup.rounds} rounds\n`);
  if (rows.length > 0)
    console.log(
      markdownTable(
        HEAD,
        rows.flatMap(group => group.map(row => tableRow(row, group[0]!))),
      ),
    );
  const cached = wanted('cached') ? await cachedTiles(setup) : null;
  if (cached) console.log(`\n${cached}`);
  if (values.json) writeFileSync(values.json, JSON.stringify({ rows, cached }, null, 2));
}

await main();
