/**
 * This server beside its peers, in one run on one machine: same files, same requests, each server alone and started
 * anew for every case. Installs nothing; says what is lacking and goes on with the rest. Options of
 * bench/peers.ts and bench/raster.ts:
 *
 *   [--data DIR] [--peers plimsoll,mapserver,titiler] [--cases vector,window] [--json FILE]
 *   [--connections 8] [--requests 300] [--seconds 20] [--workers 2] [--memory 512MiB]
 *   [--write README.md]   puts the table between the marks of that document
 */
import { createReadStream, statSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { digits, markdownTable } from '../lib/stats.ts';
import type { Case } from './cases.ts';
import { type Dataset, openDataset, rasterFiles } from './dataset.ts';
import { machine, versions, writeFigures } from './figures.ts';
import { mapserver } from './mapserver.ts';
import { type Bounds, measure, type Row } from './measure.ts';
import type { Peer } from './peer.ts';
import { plimsoll } from './plimsoll.ts';
import { titiler } from './titiler.ts';

const PEERS: Readonly<Record<string, Peer>> = { plimsoll, mapserver, titiler };

const OPTIONS = {
  data: { type: 'string' },
  peers: { type: 'string', default: Object.keys(PEERS).join(',') },
  cases: { type: 'string', default: '' },
  json: { type: 'string' },
  write: { type: 'string' },
  connections: { type: 'string', default: '8' },
  requests: { type: 'string', default: '300' },
  seconds: { type: 'string', default: '20' },
  workers: { type: 'string', default: '2' },
  memory: { type: 'string', default: '512MiB' },
} as const;

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name}: "${text}" is not a positive whole number`);
  return value;
}

function peersOf(names: string): Peer[] {
  return names.split(',').map(name => {
    const peer = PEERS[name];
    if (!peer) throw new Error(`--peers: "${name}" is none of ${Object.keys(PEERS).join(', ')}`);
    return peer;
  });
}

/** Reads the files once, so that no server pays for a cold disk. */
async function warmPageCache(dataset: Dataset): Promise<void> {
  for (const path of [dataset.vector, ...rasterFiles(dataset).map(([, path]) => path)]) {
    let bytes = 0;
    for await (const chunk of createReadStream(path)) bytes += (chunk as Buffer).length;
    console.error(`${path}: ${Math.round(bytes / 1e6)} MB`);
  }
}

const HEAD = [
  'case',
  'server',
  'req/s',
  'p50 ms',
  'p99 ms',
  'CPU ms/req',
  'peak U MiB',
  'peak RSS MiB',
  'bytes/reply',
  'not 2xx',
  'req/s ×',
  'CPU ÷',
];

/** The last two columns: how many times that server's rate Plimsoll has, and how many times Plimsoll's CPU it takes. */
function tableRow(row: Row, ours: Row | undefined): string[] {
  const { load, cpuMsPerRequest, peak } = row;
  const beside = ours && ours !== row;
  return [
    row.case,
    row.server,
    digits(load.perSecond),
    digits(load.p50Ms),
    digits(load.p99Ms),
    digits(cpuMsPerRequest),
    String(Math.round(peak.held / 2 ** 20)),
    String(Math.round(peak.rss / 2 ** 20)),
    String(Math.round(load.bytesMean)),
    String(load.requests - load.ok),
    beside ? digits(ours.load.perSecond / load.perSecond) : '',
    beside ? digits(cpuMsPerRequest / ours.cpuMsPerRequest) : '',
  ];
}

function tableRows(rows: readonly Row[]): string[][] {
  const oursOf = (row: Row) => rows.find(other => other.server === plimsoll.name && other.case === row.case);
  return rows.map(row => tableRow(row, oursOf(row)));
}

/** What the figures are about, in plain sentences. */
function introOf(dataset: Dataset, peers: readonly Peer[], bounds: Bounds): string {
  const versionList = versions(peers.flatMap(peer => (peer.version ? [{ name: peer.name, ...peer.version() }] : [])));
  const day = new Date().toISOString().slice(0, 10);
  const files = [dataset.vector, dataset.raster].map(path => `${basename(path)}, ${megabytes(path)} MB`);
  return [
    `Measured on ${day}: ${machine()}; client and server on the same cores.`,
    `Node ${process.version.slice(1)}${versionList ? `, ${versionList}` : ''}; ${bounds.workers} workers each, ${bounds.connections} connections, this server under --memory ${bounds.memory}.`,
    `Files: ${files.join('; ')}. Every tile and window is asked for once; what is asked for again is one, over and over.`,
    '`req/s ×`: how many times the rate of that server Plimsoll has; `CPU ÷`: how many times its CPU that server takes.',
  ].join('\n');
}

function megabytes(path: string): number {
  return Math.round(statSync(path).size / 1e6);
}

export async function runPeers(cases: readonly Case[]): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  const bounds: Bounds = {
    connections: positive('connections', values.connections),
    requests: positive('requests', values.requests),
    seconds: positive('seconds', values.seconds),
    workers: positive('workers', values.workers),
    memory: values.memory,
  };
  const dataset = openDataset(values.data);
  const lacking = peersOf(values.peers).flatMap(peer => peer.missing());
  for (const line of lacking) console.error(`left out, not installed: ${line}`);
  const peers = peersOf(values.peers).filter(peer => peer.missing().length === 0);
  await warmPageCache(dataset);
  const rows: Row[] = [];
  for (const one of cases.filter(({ name }) => values.cases.split(',').some(part => name.includes(part)))) {
    for (const peer of peers) {
      const row = await measure(peer, dataset, one, bounds).catch((error: Error) => {
        console.error(`${peer.name}, ${one.name}: ${error.message}`);
        process.exitCode = 1;
        return null;
      });
      if (row) rows.push(row);
      if (row) console.error(`${peer.name}, ${one.name}: ${digits(row.load.perSecond)} req/s`);
    }
  }
  const intro = introOf(dataset, peers, bounds);
  console.log(`${intro}\n\n${markdownTable(HEAD, tableRows(rows))}`);
  if (values.write) writeFigures(values.write, { intro, head: HEAD, rows: tableRows(rows) });
  if (values.json) writeFileSync(values.json, JSON.stringify({ dataset: dataset.name, bounds, rows }, null, 2));
}
