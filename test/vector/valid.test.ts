/**
 * Tiles of all shared vector data, z0–14: the MVT checker finds nothing in any; GEOS holds at least 99.9 % of the polygons
 * for valid, and names the rest; vtzero, where it is there, reads the same features, attributes and points.
 *
 * By default a tile of each layer and every other zoom. PLIMSOLL_TEST_FULL=1: all of a zoom where it has up to 1,024, else as many
 * at random. PLIMSOLL_VTZERO: a folder with vtzero/ and protozero/ (as in the package vtzero of PyPI, under vendor/).
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { WITHOUT_SHARED } from '../lib/app.ts';
import { askPython, findPython } from '../oracle/python.ts';
import { openLayer, type RigTile, seeded, tileOf, tileRange, VECTOR } from './rig.ts';

const found = findPython('shapely', 'numpy');
const python = 'python' in found ? found.python : '';
const FULL = process.env.PLIMSOLL_TEST_FULL === '1';
const TILES_A_ZOOM = FULL ? 1024 : 1;
const VTZERO = process.env.PLIMSOLL_VTZERO;
const VALID_SHARE = 0.999;

interface Named {
  readonly name: string;
  readonly tile: RigTile;
}

/** Places of the zoom: all, or as many as wanted at random. */
function placesOf(bounds: readonly number[], z: number, rnd: () => number): [number, number][] {
  const [x0, y0, x1, y1] = tileRange(bounds, z);
  const [w, h] = [x1 - x0 + 1, y1 - y0 + 1];
  if (w <= 0 || h <= 0) return [];
  if (w * h <= TILES_A_ZOOM) return Array.from({ length: w * h }, (_, i) => [x0 + (i % w), y0 + Math.floor(i / w)]);
  return Array.from({ length: TILES_A_ZOOM }, () => [x0 + Math.floor(rnd() * w), y0 + Math.floor(rnd() * h)]);
}

async function* tilesOf(file: string, seed: number): AsyncGenerator<Named> {
  const layer = await openLayer(join(VECTOR, file)).catch(() => null);
  if (!layer) return;
  try {
    if (!layer.verdict.servable || !layer.lonLatBounds) return;
    const rnd = seeded(seed);
    // By default every other zoom: the even ones of one layer, the odd ones of the next.
    for (let z = FULL ? 0 : seed % 2; z <= 14; z += FULL ? 1 : 2) {
      for (const [x, y] of placesOf(layer.lonLatBounds, z, rnd)) {
        const tile = await tileOf(layer, z, x, y);
        if (tile) yield { name: `${file} ${z}/${x}/${y}`, tile };
      }
    }
  } finally {
    await layer.source.close();
  }
}

function judge(lines: readonly string[]): { polygons: number; invalid: string[] } {
  const { totals, said } = askPython<{ polygons: number }>(python, './vector-valid.py', lines);
  return { polygons: totals.polygons, invalid: said };
}

/** vtzero's word on each tile. */
function readByVtzero(program: string, tiles: readonly Uint8Array[]): string[] {
  const parts = tiles.flatMap(tile => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(tile.length);
    return [length, tile];
  });
  const run = spawnSync(program, { input: Buffer.concat(parts), encoding: 'utf8', maxBuffer: 2 ** 28 });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout.trimEnd().split('\n');
}

function compiled(dir: string): string {
  const program = join(dir, 'vtzero-read');
  const include = ['vtzero/include', 'protozero/include'].map(part => `-I${join(VTZERO as string, part)}`);
  const source = join(import.meta.dirname, '../oracle/vtzero-read.cpp');
  const run = spawnSync('g++', ['-std=c++14', '-O1', ...include, source, '-o', program], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  return program;
}

const countOf = ({ tile }: Named): string => {
  const attributes = tile.features.reduce((sum, { tags }) => sum + tags.length / 2, 0);
  // vtzero gives the point that closes a ring as well.
  const points = tile.features.flatMap(({ type, parts }) => parts.map(part => part.length + (type === 3 ? 1 : 0)));
  return `ok 1 ${tile.features.length} ${attributes} ${points.reduce((a, b) => a + b, 0)}`;
};

describe('tiles of the shared data, z0–14', { skip: WITHOUT_SHARED }, () => {
  const files = WITHOUT_SHARED ? [] : readdirSync(VECTOR).filter(name => name.endsWith('.fgb'));

  test('pass the MVT checker, and their polygons GEOS', { timeout: 3_600_000 }, async t => {
    let [tiles, polygons] = [0, 0];
    const invalid: string[] = [];
    for (const [i, file] of files.entries()) {
      const lines: string[] = [];
      for await (const { name, tile } of tilesOf(file, i + 1)) {
        assert.deepEqual(tile.faults.slice(0, 3), [], name);
        tiles++;
        const shapes = tile.features.filter(({ type }) => type === 3).map(({ id, parts }) => [id, parts]);
        if (shapes.length > 0) lines.push(JSON.stringify({ name, polygons: shapes }));
      }
      if (python === '' || lines.length === 0) continue;
      const judged = judge(lines);
      polygons += judged.polygons;
      invalid.push(...judged.invalid);
    }
    assert.ok(tiles > files.length * 2, `${tiles} tiles`);
    if (python === '') return;
    t.diagnostic(`${tiles} tiles, ${polygons} polygons, ${invalid.length} not valid`);
    for (const line of invalid) t.diagnostic(line);
    assert.ok(invalid.length <= polygons * (1 - VALID_SHARE), invalid.slice(0, 10).join('\n'));
    assert.ok(polygons > 5000, `${polygons} polygons`);
  });

  const skip = VTZERO ? false : 'PLIMSOLL_VTZERO names no folder with vtzero and protozero';
  test('are read by vtzero with as many features, attributes and points', { skip, timeout: 3_600_000 }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'plimsoll-vtzero-'));
    try {
      const program = compiled(dir);
      for (const [i, file] of files.entries()) {
        const some: Named[] = [];
        for await (const named of tilesOf(file, i + 1)) some.push(named);
        if (some.length === 0) continue;
        const said = readByVtzero(
          program,
          some.map(({ tile }) => tile.body),
        );
        for (const [k, named] of some.entries()) assert.equal(said[k], countOf(named), named.name);
      }
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
