/** Tile matrix sets: bounds against morecantile, documents that come back the same, refusals that say why. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveCrs } from '../../src/crs/index.ts';
import { Problem } from '../../src/errors.ts';
import { BUILT_IN, createGrids, parseTileMatrixSet, tileMatrixSetJson } from '../../src/grids/index.ts';
import { zoomOf } from '../../src/grids/scale.ts';
import { inGrid, type TileMatrixSet, tileBounds } from '../../src/tile.ts';
import { findPython } from '../oracle/python.ts';
import { seeded } from '../vector/rig.ts';
import { CUSTOM, DUTCH, LAT_LON, WIDE_UTM } from './sets.ts';

const found = findPython('morecantile');
const python = 'python' in found ? found.python : '';
const skip = 'reason' in found ? found.reason : false;

/** Corners and a few tiles between them, of every matrix: place of the matrix, column, row. */
function someTiles(set: TileMatrixSet): [number, number, number][] {
  const random = seeded(set.id.length);
  return set.matrices.flatMap(({ matrixWidth: w, matrixHeight: h }, z): [number, number, number][] => [
    [z, 0, 0],
    [z, w - 1, h - 1],
    ...Array.from({ length: 4 }, (): [number, number, number] => [
      z,
      Math.floor(random() * w),
      Math.floor(random() * h),
    ]),
  ]);
}

test('tile bounds of every set are morecantile’s, by its own definitions and by our documents', { skip }, () => {
  const sets = [...BUILT_IN, ...CUSTOM.map(document => parseTileMatrixSet(document.id, document))];
  const tiles = Object.fromEntries(
    sets.map(set => [set.id, someTiles(set).map(([z, x, y]) => [set.matrices[z].id, x, y])]),
  );
  const builtin = BUILT_IN.map(({ id }) => id);
  const folder = mkdtempSync(join(tmpdir(), 'grids-'));
  try {
    const request = join(folder, 'request.json');
    writeFileSync(request, JSON.stringify({ sets: sets.map(tileMatrixSetJson), builtin, tiles }));
    const script = join(import.meta.dirname, '../oracle/grid-bounds.py');
    const answer = JSON.parse(execFileSync(python, [script, request], { encoding: 'utf8' })) as Record<
      string,
      number[][]
    >;
    for (const set of sets) {
      const names = builtin.includes(set.id) ? [set.id, `builtin/${set.id}`] : [set.id];
      for (const name of names) assertSame(set, someTiles(set), answer[name], name);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** The registers round cell sizes to nine digits or so: over the width of a matrix that is a ten-millionth of it. */
function assertSame(set: TileMatrixSet, tiles: [number, number, number][], theirs: number[][], name: string): void {
  tiles.forEach(([z, x, y], i) => {
    const ours = tileBounds(set, { z, x, y });
    const { resolution, tileWidth, matrixWidth } = set.matrices[0];
    const allowed = resolution * tileWidth * matrixWidth * (name.startsWith('builtin/') ? 4e-8 : 1e-12);
    const worst = Math.max(...ours.map((side, k) => Math.abs(side - theirs[i][k])));
    assert.ok(worst <= allowed, `${name} ${z}/${x}/${y}: ${ours} is ${worst} off ${theirs[i]}`);
  });
}

test('a document read again is the same set', () => {
  for (const set of [...BUILT_IN, ...CUSTOM.map(document => parseTileMatrixSet(document.id, document))]) {
    const again = parseTileMatrixSet(set.id, JSON.parse(JSON.stringify(tileMatrixSetJson(set))));
    assert.equal(again.crs, set.crs, set.id);
    assert.equal(again.wrapsX, set.wrapsX, set.id);
    again.matrices.forEach((matrix, z) => {
      const { originY, ...rest } = set.matrices[z];
      assert.deepEqual({ ...matrix, originY: 0 }, { ...rest, originY: 0 }, `${set.id} ${z}`);
      assert.ok(Math.abs(matrix.originY - originY) <= 1e-9 * Math.abs(originY), `${set.id} ${z}`);
      const { metresPerUnit } = resolveCrs(set.crs);
      assert.equal(matrix.zoom, zoomOf(matrix.resolution * metresPerUnit), `${set.id} ${z}`);
    });
  }
});

test('rows count from the bottom where the corner of origin is there, and axes are put in order', () => {
  const wide = parseTileMatrixSet('wide', WIDE_UTM);
  assert.deepEqual(tileBounds(wide, { z: 2, x: 1, y: 0 }), [256_000, 5_000_000, 512_000, 5_128_000]);
  assert.deepEqual(
    tileBounds(parseTileMatrixSet('d', DUTCH), { z: 0, x: 0, y: 0 }),
    [-50_000, 340_000, 350_000, 640_000],
  );
  assert.deepEqual(tileBounds(parseTileMatrixSet('l', LAT_LON), { z: 0, x: 1, y: 0 }), [-52, 26, 76, 90]);
  assert.equal(inGrid(wide, { z: 2, x: 4, y: 7 }), true);
  assert.equal(inGrid(wide, { z: 2, x: 5, y: 0 }), false);
  assert.equal(inGrid(wide, { z: 6, x: 0, y: 0 }), false);
});

test('another definition under the same id has another key; a built-in id can be redefined', () => {
  const one = parseTileMatrixSet('g', WIDE_UTM);
  const moved = WIDE_UTM.tileMatrices.map(matrix => ({ ...matrix, pointOfOrigin: [1, 5_000_000] }));
  const other = parseTileMatrixSet('g', { ...WIDE_UTM, tileMatrices: moved });
  assert.notEqual(one.key, other.key);
  assert.equal(one.key, parseTileMatrixSet('g', { ...WIDE_UTM, title: 'another name' }).key);
  const grids = createGrids([parseTileMatrixSet('WorldCRS84Quad', LAT_LON)]);
  assert.equal(grids.get('WorldCRS84Quad').crs, 'EPSG:4326');
  assert.throws(() => grids.get('WorldCRS84Quat'), /WorldCRS84Quad/);
});

const [matrix] = DUTCH.tileMatrices;
const REFUSED: readonly (readonly [code: string, change: object, words: RegExp])[] = [
  ['tms-version', { supportedCRS: 'x' }, /version 1/],
  ['tms-crs', { crs: 'http://www.opengis.net/def/crs/EPSG/0/99999' }, /99999/],
  ['tms-crs', { crs: { referenceSystem: {} } }, /neither a URI/],
  ['tms-crs', { crs: 'http://www.opengis.net/def/crs/EPSG/0/4267' }, /grid/],
  ['tms-invalid', { orderedAxes: ['E'] }, /orderedAxes/],
  ['tms-invalid', { tileMatrices: [] }, /tileMatrices/],
  ['tms-invalid', { tileMatrices: [matrix, matrix] }, /two tile matrices have the id "0"/],
  ['tms-invalid', { tileMatrices: [{ ...matrix, id: 'a/b' }] }, /id/],
  ['tms-invalid', { tileMatrices: [{ ...matrix, tileWidth: 0 }] }, /tileWidth/],
  ['tms-invalid', { tileMatrices: [{ ...matrix, tileHeight: 5000 }] }, /tileHeight/],
  ['tms-invalid', { tileMatrices: [{ ...matrix, matrixWidth: 2.5 }] }, /matrixWidth/],
  ['tms-invalid', { tileMatrices: [{ ...matrix, pointOfOrigin: [1, null] }] }, /pointOfOrigin/],
  ['tms-invalid', { tileMatrices: [{ ...matrix, cornerOfOrigin: 'topRight' }] }, /cornerOfOrigin/],
  ['tms-invalid', { tileMatrices: [{ ...matrix, cellSize: -1 }] }, /cellSize/],
  ['tms-scale', { tileMatrices: [{ ...matrix, scaleDenominator: 1 }] }, /1:1/],
  [
    'tms-variable-widths',
    { tileMatrices: [{ ...matrix, variableMatrixWidths: [{ coalesce: 2, minTileRow: 0, maxTileRow: 0 }] }] },
    /variableMatrixWidths/,
  ],
];

test('what cannot be served right is refused, with a code of its own', () => {
  for (const [code, change, words] of REFUSED) {
    assert.throws(
      () => parseTileMatrixSet('g', { ...DUTCH, ...change }),
      (error: unknown) => error instanceof Problem && error.extra['code'] === code && words.test(error.message),
      `${code} ${JSON.stringify(change)}`,
    );
  }
  for (const nothing of [null, 1, [], 'x']) assert.throws(() => parseTileMatrixSet('g', nothing), Problem);
});
