/**
 * A raster without overviews: what a far tile takes of its shadow overview, of the same file with overviews that GDAL made, and by
 * rio-tiler (titiler's reader), which reads the file itself; in one run. And how long the shadow takes to be made. `gdaladdo -ro` makes the
 * real ones beside a link to the file, which is left as it is.
 *
 *   node bench/shadow.ts FILE.tif [--memory 512MiB]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { App } from '../src/app.ts';
import { testApp } from '../test/lib/app.ts';
import { findPython } from '../test/oracle/python.ts';
import { digits, markdownTable, quantile } from './lib/stats.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { memory: { type: 'string', default: '512MiB' } },
});
if (positionals[0] === undefined) throw new Error('node bench/shadow.ts FILE.tif');
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bench-shadow-'));
const bare = join(folder, 'bare.tif');
const whole = join(folder, 'whole.tif');
for (const link of [bare, whole]) symlinkSync(resolve(positionals[0]), link);
const levels = ['8', '16', '32', '64'];
const made = spawnSync('gdaladdo', ['-q', '-ro', '-r', 'average', whole, ...levels], { stdio: 'inherit' });
if (made.status !== 0) throw new Error('gdaladdo failed');

interface Row {
  readonly what: string;
  readonly first: number;
  readonly next: number;
  readonly cpu: number;
}

/** The far tiles of a file, one after the other. */
async function measure(what: string, path: string): Promise<Row & { readonly urls: readonly string[] }> {
  const set = { 'cache.enabled': 'false', 'memory.queue.deadlineMs': '60000', 'raster.shadow.waitMs': '60000' };
  const app = await testApp({ paths: [path], memory: values.memory, set });
  try {
    const [layer] = app.catalogue.list();
    const urls = farTiles(app);
    const begun = performance.now();
    await ask(app, `/tiles/${layer.id}/${urls[0]}.png`);
    const first = performance.now() - begun;
    const times: number[] = [];
    const cpu = process.cpuUsage();
    for (let i = 0; i < ROUNDS; i++) {
      for (const zxy of urls) {
        const at = performance.now();
        await ask(app, `/tiles/${layer.id}/${zxy}.png`);
        times.push(performance.now() - at);
      }
    }
    const { user, system } = process.cpuUsage(cpu);
    const next = quantile(Float64Array.from(times).sort(), 0.5);
    return { what, first, next, cpu: (user + system) / 1000 / times.length, urls };
  } finally {
    await app.close();
  }
}

const ROUNDS = 8;

/** Seconds and CPU seconds of each tile. */
const RIO_TILER = `
import json, sys, time
from rio_tiler.io import Reader
told = []
with Reader(sys.argv[1]) as reader:
    for zxy in sys.argv[2:]:
        z, x, y = map(int, zxy.split('/'))
        wall, cpu = time.perf_counter(), time.process_time()
        reader.tile(x, y, z, resampling_method='bilinear', reproject_method='bilinear').render(img_format='PNG')
        told.append([1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu)])
print(json.dumps(told))
`;

function rioTiler(urls: readonly string[]): Row | null {
  const found = findPython('rio_tiler');
  if ('reason' in found) {
    console.log(found.reason);
    return null;
  }
  const run = spawnSync(found.python, ['-c', RIO_TILER, bare, ...urls], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  const told = JSON.parse(run.stdout) as [number, number][];
  const next = quantile(Float64Array.from(told.map(([ms]) => ms)).sort(), 0.5);
  const cpu = told.reduce((sum, [, ms]) => sum + ms, 0) / told.length;
  return { what: 'rio-tiler, no overviews', first: told[0][0], next, cpu };
}

/** A tile of each of three zooms, from the one in which the raster fits, at its middle. */
function farTiles(app: App): string[] {
  const [layer] = app.catalogue.list();
  const [w, s, e, n] = layer.lonLatBounds ?? [0, 0, 0, 0];
  return [0, 1, 2].map(more => {
    const z = layer.minzoom + more;
    const x = Math.floor((((w + e) / 2 + 180) / 360) * 2 ** z);
    const sine = Math.sin((((s + n) / 2) * Math.PI) / 180);
    const y = Math.floor((0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * 2 ** z);
    return `${z}/${x}/${y}`;
  });
}

async function ask(app: App, url: string): Promise<void> {
  const { statusCode, body } = await app.server.inject(url);
  if (statusCode !== 200) throw new Error(`${url}: ${statusCode} ${body.slice(0, 300)}`);
}

try {
  const shadow = await measure('shadow overview', bare);
  const real = await measure('overviews of GDAL', whole);
  const rows = [rioTiler(shadow.urls), real, shadow].filter(row => row !== null);
  const header = ['', 'first tile, ms', 'a tile, ms', 'CPU ms a tile', 'shadow is times as fast'];
  const cells = rows.map(({ what, first, next, cpu }) => [
    what,
    digits(first),
    digits(next),
    digits(cpu),
    digits(next / shadow.next),
  ]);
  console.log(markdownTable(header, cells));
  console.log(
    'The first tile of a shadow waits for it to be made; it is made ahead where raster.shadow.warmUp is on, as it is.',
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
