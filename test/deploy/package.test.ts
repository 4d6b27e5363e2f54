/**
 * What is published: built, packed and unpacked as npm does it, then served from there as plain JavaScript. It lies under
 * .cache/ of this checkout, so that node finds the same dependencies above it, and nothing is fetched.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { VectorTile } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import sharp from 'sharp';
import { ROOT, type Running, startProcess } from './process.ts';

const npm = spawnSync('npm', ['--version']).status === 0;
const skip = npm ? false : 'npm is not in the path';
const SOURCES = ['bin', 'src', 'scripts', 'viewer', 'config', 'demo', 'docs', 'package.json', 'tsconfig.json'];
const MORE = ['tsconfig.build.json', 'README.md', 'CHANGELOG.md', 'LICENSE'];

let work = '';
let home = '';
let running: Running | null = null;

before(() => {
  if (!npm) return;
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  work = mkdtempSync(join(ROOT, '.cache/package-'));
  for (const name of [...SOURCES, ...MORE]) cpSync(join(ROOT, name), join(work, 'source', name), { recursive: true });
  home = join(work, 'installed/node_modules/plimsoll');
  mkdirSync(home, { recursive: true });
});

after(async () => {
  await running?.stop();
  if (work !== '') rmSync(work, { recursive: true });
});

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  assert.equal(status, 0, `${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

test('npm pack builds and takes what the program needs, and nothing else', { skip }, () => {
  run('npm', ['pack', '--offline', '--silent'], join(work, 'source'));
  const [tarball] = globSync('*.tgz', { cwd: join(work, 'source') });
  run('tar', ['-xzf', join(work, 'source', tarball as string), '--strip-components=1', '-C', home], work);
  const packed = globSync('**', { cwd: home, exclude: name => name === 'node_modules' });
  const top = new Set(packed.map(path => path.split('/')[0]));
  const expected = ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'config', 'demo', 'dist', 'docs', 'package.json'];
  assert.deepEqual([...top].filter(name => name !== '.' && name !== '').sort(), [...expected, 'viewer']);
  assert.deepEqual(
    packed.filter(path => /\.(ts|map|tgz|py)$/.test(path)),
    [],
    'no sources, maps or scripts of the workshop',
  );
  const sources = globSync('src/**/*.{ts,json}', { cwd: ROOT, exclude: ['**/*.d.ts'] });
  for (const source of sources) {
    const built = source.replace(/^src/, 'dist').replace(/\.ts$/, '.js');
    assert.ok(existsSync(join(home, built)), `${built} is missing`);
  }
});

test('the bin of the package serves the demo with workers, viewer and sessions, and ends well', { skip }, async () => {
  const { bin, version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  const entry = join(home, bin.plimsoll);
  assert.match(readFileSync(entry, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  assert.equal(run(process.execPath, [entry, '--version'], work).trim(), version);
  running = await startProcess(entry, ['--memory', '256MiB'], { cwd: work });
  await servesViewer(running.base);
  await servesTiles(running.base);
  await servesSessions(running.base);
  assert.equal(await running.stop(), 0, running.output());
  assert.match(running.output(), /"drained"/);
  running = null;
});

async function ok(url: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(url, init);
  assert.ok(response.ok, `${url}: ${response.status} ${response.ok ? '' : await response.text()}`);
  return response;
}

async function servesViewer(base: string): Promise<void> {
  const page = await (await ok(`${base}/`, { headers: { accept: 'text/html' } })).text();
  const scripts = [...page.matchAll(/(?:src|href)="([^"]+\.(?:js|mjs|css))"/g)].map(match => match[1] as string);
  assert.ok(scripts.length > 1, 'the page names its scripts and styles');
  for (const script of scripts) {
    const text = await (await ok(new URL(script, `${base}/`).href)).text();
    assert.ok(text.length > 100, script);
  }
}

async function servesTiles(base: string): Promise<void> {
  const bytes = new Uint8Array(await (await ok(`${base}/tiles/countries/2/2/1.mvt`)).arrayBuffer());
  const layer = new VectorTile(new PbfReader(bytes)).layers['countries'];
  assert.ok(layer !== undefined && layer.length > 50, 'Europe and Africa have more than 50 countries');
  const png = new Uint8Array(await (await ok(`${base}/tiles/world/2/2/1.png`)).arrayBuffer());
  const { channels } = await sharp(png).stats();
  assert.ok(
    channels.slice(0, 3).every(({ stdev }) => stdev > 1),
    'the tile shows something',
  );
  // The CRS table is a data file of the build: a window in the Dutch national grid needs it.
  const window = await ok(`${base}/cog/bbox/10000,300000,280000,620000/64x64.png?url=world&coord_crs=EPSG:28992`);
  assert.equal((await sharp(new Uint8Array(await window.arrayBuffer())).metadata()).width, 64);
}

async function servesSessions(base: string): Promise<void> {
  const { id, secret } = (await (await ok(`${base}/sessions`, { method: 'POST' })).json()) as Record<string, string>;
  const point = { type: 'Feature', properties: { name: 'here' }, geometry: { type: 'Point', coordinates: [5, 52] } };
  const layer = (await (
    await ok(`${base}/sessions/${id}/layers/points`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/geo+json' },
      body: JSON.stringify({ type: 'FeatureCollection', features: [point] }),
    })
  ).json()) as { id: string };
  const tile = await ok(`${base}/tiles/${layer.id}/0/0/0.mvt`);
  const layers = Object.values(new VectorTile(new PbfReader(new Uint8Array(await tile.arrayBuffer()))).layers);
  assert.equal(layers[0]?.feature(0).properties['name'], 'here');
}
