/**
 * Vector tiles of a FlatGeobuf on another server, each request of which takes a while, beside the same tiles of the same file in a
 * folder: with and without its overview there. A tile is asked for without the cache, once what belongs to the layer is known.
 *
 *   node bench/far.ts FILE.fgb [--latency 20] [--memory 1GiB] [--tiles 5] [--no-overview]
 */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { App } from '../src/app.ts';
import { buildOverview } from '../src/commands/overview-build.ts';
import { testApp } from '../test/lib/app.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  allowNegative: true,
  options: {
    latency: { type: 'string', default: '20' },
    memory: { type: 'string', default: '1GiB' },
    tiles: { type: 'string', default: '5' },
    overview: { type: 'boolean', default: true },
  },
});
const [file] = positionals;
if (file === undefined) throw new Error('node bench/far.ts FILE.fgb');
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-far-'));
const counts = new SharedArrayBuffer(16);
const seen = new BigInt64Array(counts);
const MIB = 2 ** 20;

interface Asked {
  readonly ms: number;
  readonly requests: number;
  readonly bytes: number;
  /** Of the tile; the status where there is none. */
  readonly body: number | string;
}

async function ask(app: App, url: string): Promise<Asked> {
  const [requests, bytes] = seen;
  const begin = performance.now();
  const { statusCode, rawPayload, headers } = await app.server.inject({ url, headers: { 'accept-encoding': 'gzip' } });
  const ms = performance.now() - begin;
  const degraded = headers['x-tile-degraded'] ? ' thin' : '';
  const body = statusCode > 204 || degraded ? `${statusCode}${degraded}` : rawPayload.length;
  return { ms, requests: Number(seen[0] - (requests ?? 0n)), bytes: Number(seen[1] - (bytes ?? 0n)), body };
}

/** So many tiles in a row through the middle of the layer. */
function tilesOf([w, s, e, n]: readonly number[], z: number, most: number): string[] {
  const row = (lat: number) => (1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2;
  const [x0, x1] = [((w! + 180) / 360) * 2 ** z, ((e! + 180) / 360) * 2 ** z].map(Math.floor) as [number, number];
  const y = Math.floor(((row(s!) + row(n!)) / 2) * 2 ** z);
  const count = Math.min(most, x1 - x0 + 1);
  const first = Math.floor((x0 + x1 + 1 - count) / 2);
  return Array.from({ length: count }, (_, i) => `${z}/${first + i}/${y}`);
}

function middle(of: readonly number[]): number {
  return of.toSorted((a, b) => a - b)[of.length >> 1] as number;
}

const worker = new Worker(new URL('./lib/far-server.ts', import.meta.url), {
  workerData: { folder, latencyMs: Number(values.latency), counts },
});
const port = await new Promise<number>(done => worker.once('message', done));
symlinkSync(resolve(file), join(folder, 'bare.fgb'));
symlinkSync(resolve(file), join(folder, 'prepared.fgb'));
if (values.overview)
  await buildOverview(join(folder, 'prepared.fgb'), { crs: null, memoryBytes: 64 * MIB, share: 0.25, progress() {} });
const url = (name: string) => `http://127.0.0.1:${port}/${name}.fgb`;
const layers = {
  near: { path: join(folder, 'bare.fgb') },
  far: { path: url('bare') },
  ...(values.overview ? { prepared: { path: url('prepared') } } : {}),
};
const config = join(folder, 'plimsoll.json');
writeFileSync(config, JSON.stringify({ layers }));
const set = {
  'remote.addresses': '127.0.0.0/8',
  'cache.enabled': 'false',
  'memory.workers': '2',
  'memory.queue.deadlineMs': '60s',
};
const app = await testApp({ paths: [], file: config, memory: values.memory, set });
try {
  const bounds = app.catalogue.get('near')?.lonLatBounds as readonly number[];
  const names = Object.keys(layers);
  for (const name of names) {
    const { ms, requests, bytes } = await ask(app, `/tiles/${name}/0/0/0.mvt`);
    console.log(
      `${name}: first tile, with what belongs to the layer, ${ms.toFixed(0)} ms, ${requests} requests, ${(bytes / MIB).toFixed(1)} MiB`,
    );
  }
  for (let z = 0; z <= 14; z++) {
    const line = [`z${z}`.padEnd(4)];
    const near: number[] = [];
    for (const name of names) {
      const all: Asked[] = [];
      for (const tile of tilesOf(bounds, z, Number(values.tiles)))
        all.push(await ask(app, `/tiles/${name}/${tile}.mvt`));
      const ms = middle(all.map(each => each.ms));
      if (name === 'near') near.push(ms);
      const refused = all.find(({ body }) => typeof body === 'string')?.body;
      const network =
        name === 'near'
          ? ''
          : `, ${middle(all.map(each => each.requests))} requests, ${(middle(all.map(each => each.bytes)) / MIB).toFixed(2)} MiB, ${(ms / near[0]!).toFixed(1)}×`;
      line.push(`${name} ${ms.toFixed(1)} ms${network}${refused ? ` (${refused})` : ''}`);
    }
    console.log(line.join(' │ '));
  }
} finally {
  await app.close();
  await worker.terminate();
  rmSync(folder, { recursive: true });
}
