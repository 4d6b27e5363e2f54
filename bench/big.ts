/**
 * Every zoom of a layer of millions, live: the CPU of its heaviest tiles and what they hold of their price, in this process;
 * then the server in a memory cgroup of its own, while clients walk z0–z14 at random, uncached.
 *
 *   python3 ../shared/tools/make-bench-data.py OUT big
 *   node bench/big.ts OUT/big.fgb [--tiles 10] [--limit-mib 256] [--clients 32] [--seconds 60] [--only tiles|walk]
 *
 * The bars: z0 ≤ 100 ms of CPU, any tile ≤ 300 ms, held ≤ price, under 500 KB; nobody killed, no answer but 200, 204, 503.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { costBytes } from '../src/plan.ts';
import { noCgroups } from '../test/overload/lib/cgroup.ts';
import { startServer } from '../test/overload/lib/server.ts';
import { heaviest } from '../test/vector/heaviest.ts';
import { type FgbLayer, openLayer, seeded, tileOf, tileRange } from '../test/vector/rig.ts';
import { load } from './lib/load.ts';
import { digits, markdownTable } from './lib/stats.ts';
import { cpuMs } from './lib/vector.ts';

const MIB = 2 ** 20;
const ZOOMS = [...Array(15).keys()];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tiles: { type: 'string', default: '10' },
    'limit-mib': { type: 'string', default: '256' },
    clients: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '60' },
    only: { type: 'string' },
    /** main.js of a build, to measure that instead of the sources. */
    main: { type: 'string', default: join(import.meta.dirname, '../src/main.ts') },
  },
});

/** Plan, read, paint and gzip in one process, so that its CPU is the tile's. The first tile of all measures the zooms. */
async function measureTiles(layer: FgbLayer): Promise<void> {
  const before = cpuMs();
  await tileOf(layer, 0, 0, 0, { encoding: 'gzip' });
  console.log(`\nfirst tile, with the cells of all zooms chosen: ${digits(cpuMs() - before)} ms of CPU, once a layer`);
  const rows: string[][] = [];
  for (const z of ZOOMS) {
    const worst = { ms: 0, held: 0, bytes: 0, features: 0, visited: 0, cells: null as unknown };
    const least = { ms: Number.POSITIVE_INFINITY };
    for (const { x, y } of await heaviest(layer, [z], Number(values.tiles))) {
      await tileOf(layer, z, x, y, { encoding: 'gzip' });
      const start = cpuMs();
      const tile = await tileOf(layer, z, x, y, { encoding: 'gzip' });
      const ms = cpuMs() - start;
      if (!tile) continue;
      least.ms = Math.min(least.ms, ms);
      worst.ms = Math.max(worst.ms, ms);
      worst.held = Math.max(worst.held, tile.painted.peakBytes / costBytes(tile.cost));
      worst.bytes = Math.max(worst.bytes, tile.bytes);
      worst.features = Math.max(worst.features, Number(tile.explain['features']));
      worst.visited = Math.max(worst.visited, Number(tile.explain['visited']));
      worst.cells = tile.explain['cells'];
    }
    const { ms, held, bytes, features, visited, cells } = worst;
    const figures = [
      digits(ms),
      digits(held),
      String(bytes),
      String(features),
      String(visited),
      String(cells ?? 'all'),
    ];
    rows.push([`z${z}`, ...figures]);
  }
  const head = ['worst of', 'CPU ms', 'held / price', 'bytes', 'features', 'nodes seen', 'cells a side'];
  console.log(markdownTable(head, rows));
}

/** Tiles of a walk: somewhere at a random zoom, then up or down or aside, where the layer has data. */
function walk(layer: FgbLayer, steps: number): string[] {
  const rnd = seeded(7);
  const [w, s, e, n] = layer.lonLatBounds as readonly number[];
  return Array.from({ length: steps }, () => {
    const z = Math.floor(rnd() * ZOOMS.length);
    const at = [w + rnd() * (e - w), s + rnd() * (n - s)];
    const [x, y] = tileRange([at[0], at[1], at[0], at[1]], z);
    return `/tiles/${layer.id}/${z}/${x}/${y}`;
  });
}

async function measureWalk(layer: FgbLayer, path: string): Promise<void> {
  const why = noCgroups();
  if (why) return console.log(`no walk: ${why}`);
  const limitMiB = Number(values['limit-mib']);
  // One address stands for all clients.
  const set = { 'cache.enabled': 'false', 'memory.clientShare': '1' };
  const server = await startServer({ main: values.main, limitMiB, paths: [path], set });
  try {
    const paths = walk(layer, 20_000);
    const headers = { 'accept-encoding': 'gzip' };
    // The first tile of all chooses the cells of the zooms.
    await load({
      port: server.port,
      paths: [`/tiles/${layer.id}/0/0/0`],
      connections: 1,
      count: 1,
      seconds: 60,
      headers,
    });
    const run = {
      port: server.port,
      paths,
      connections: Number(values.clients),
      seconds: Number(values.seconds),
      headers,
    };
    const result = await load(run);
    const debug = await server.debug();
    const { statuses, perSecond, p50Ms, p99Ms, bytesMean } = result;
    console.log(
      `\n${values.clients} clients, ${values.seconds} s at random over z0–z14, ${limitMiB} MiB cgroup, no cache`,
    );
    console.log(`statuses ${JSON.stringify(statuses)}, ${result.errors} errors, ${digits(perSecond)} tiles/s`);
    const { refused: planning } = debug.planning;
    const why = Object.entries({ ...debug.admission.refusedBy, planning }).filter(([, count]) => count > 0);
    const share = digits((100 * result.ok) / Math.max(1, result.requests));
    console.log(
      `answered ${share} %, ${debug.ladder.degraded} thinned, held back by ${JSON.stringify(Object.fromEntries(why))}`,
    );
    console.log(`p50 ${digits(p50Ms)} ms, p99 ${digits(p99Ms)} ms, ${digits(bytesMean / 1024)} KiB a tile`);
    const { rss = 0 } = server.group.stat();
    const peak = `cgroup peak ${digits(server.group.peak() / MIB)} MiB (page cache included)`;
    console.log(`killed ${server.group.kills()}, ended ${server.ended()}, ${peak}, rss ${digits(rss / MIB)} MiB`);
    console.log(`books ${JSON.stringify(debug.accounts)}`);
  } finally {
    await server.stop();
  }
}

const [path] = positionals;
if (path === undefined) throw new Error('node bench/big.ts FILE.fgb');
const layer = await openLayer(path);
const { count, tree, ref } = layer.source;
console.log(`${path}: ${count} features, ${digits(ref.size / MIB)} MiB`);
console.log(
  `index ${digits(((tree?.shape.nodes ?? 0) * 40) / MIB)} MiB, resident ${digits(layer.source.residentBytes / MIB)} MiB`,
);
if (values.only !== 'walk') await measureTiles(layer);
if (values.only !== 'tiles') await measureWalk(layer, path);
await layer.source.close();
