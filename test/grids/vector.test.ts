/** Vector tiles of other grids against pyproj and shapely: what is in them, where, and how much of it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { BUILT_IN, parseTileMatrixSet } from '../../src/grids/index.ts';
import { type BBox, rowFromTop, type TileMatrixSet, tileBounds } from '../../src/tile.ts';
import { WITHOUT_SHARED } from '../lib/app.ts';
import type { CheckedFeature } from '../lib/mvt-check.ts';
import { findPython } from '../oracle/python.ts';
import { BUFFER, EXTENT, type FgbLayer, openLayer, tileOf, VECTOR } from '../vector/rig.ts';
import { DUTCH, LAT_LON, MERCATOR_PART, WIDE_UTM } from './sets.ts';

const found = findPython('pyproj', 'pyogrio', 'shapely', 'numpy');
const python = 'python' in found ? found.python : '';
const skip = WITHOUT_SHARED || ('reason' in found ? found.reason : false);

interface Case {
  readonly set: TileMatrixSet;
  readonly file: string;
  /** Place of the matrix, column, row from the top. */
  readonly tiles: readonly (readonly [number, number, number])[];
}

const COUNTRIES = 'ne_110m_admin_0_countries.fgb';
const builtIn = (id: string): TileMatrixSet => BUILT_IN.find(set => set.id === id) as TileMatrixSet;
const custom = (document: { id: string }): TileMatrixSet => parseTileMatrixSet(document.id, document);

const WORLD: Case['tiles'] = [
  [0, 0, 0],
  [0, 1, 0],
  [2, 0, 1],
  [2, 7, 1],
  [3, 8, 2],
];

const CASES: readonly Case[] = [
  { set: builtIn('WorldCRS84Quad'), file: COUNTRIES, tiles: WORLD },
  { set: builtIn('WorldCRS84Quad'), file: 'countries_110m_3857.fgb', tiles: WORLD.slice(2) },
  {
    set: builtIn('WorldCRS84Quad'),
    file: 'dutch_addresses_28992.fgb',
    tiles: [
      [6, 66, 14],
      [9, 528, 107],
    ],
  },
  { set: builtIn('WGS1984Quad'), file: COUNTRIES, tiles: [[1, 1, 0]] },
  {
    set: builtIn('WorldMercatorWGS84Quad'),
    file: COUNTRIES,
    tiles: [
      [0, 0, 0],
      [2, 0, 1],
      [2, 3, 1],
      [3, 4, 2],
    ],
  },
  {
    set: builtIn('EuropeanETRS89_LAEAQuad'),
    file: COUNTRIES,
    tiles: [
      [0, 0, 0],
      [2, 1, 2],
      [3, 4, 4],
    ],
  },
  {
    set: builtIn('UTM31WGS84Quad'),
    file: COUNTRIES,
    tiles: [
      [2, 1, 3],
      [4, 8, 10],
    ],
  },
  {
    set: builtIn('UPSArcticWGS84Quad'),
    file: COUNTRIES,
    tiles: [
      [2, 1, 1],
      [2, 2, 1],
      [3, 4, 4],
    ],
  },
  {
    set: builtIn('UPSAntarcticWGS84Quad'),
    file: COUNTRIES,
    tiles: [
      [2, 1, 1],
      [3, 4, 3],
    ],
  },
  {
    set: builtIn('CanadianNAD83_LCC'),
    file: COUNTRIES,
    tiles: [
      [2, 6, 11],
      [3, 10, 18],
    ],
  },
  {
    set: builtIn('NZTM2000Quad'),
    file: COUNTRIES,
    tiles: [
      [3, 3, 3],
      [3, 4, 3],
      [3, 3, 4],
    ],
  },
  {
    set: custom(WIDE_UTM),
    file: COUNTRIES,
    tiles: [
      [0, 0, 1],
      [1, 1, 2],
      [3, 4, 9],
    ],
  },
  {
    set: custom(WIDE_UTM),
    file: 'dutch_addresses_28992.fgb',
    tiles: [
      [2, 1, 1],
      [3, 2, 4],
    ],
  },
  {
    set: custom(DUTCH),
    file: COUNTRIES,
    tiles: [
      [0, 0, 0],
      [1, 1, 1],
    ],
  },
  {
    set: custom(DUTCH),
    file: 'dutch_addresses_28992.fgb',
    tiles: [
      [1, 1, 2],
      [2, 5, 6],
      [3, 23, 24],
    ],
  },
  {
    set: custom(MERCATOR_PART),
    file: COUNTRIES,
    tiles: [
      [0, 0, 0],
      [0, 1, 1],
      [1, 2, 2],
    ],
  },
  {
    set: custom(LAT_LON),
    file: COUNTRIES,
    tiles: [
      [0, 0, 0],
      [0, 1, 0],
      [0, 2, 1],
      [1, 4, 3],
    ],
  },
];

/** Area, length of the outline, box, and box without slivers. */
type Part = readonly [number, number, BBox, BBox | null];
type Expected = Readonly<Record<string, Part | null>>;

function oracle(requests: readonly object[]): Expected[] {
  const folder = mkdtempSync(join(tmpdir(), 'grid-tiles-'));
  try {
    const file = join(folder, 'requests.json');
    writeFileSync(file, JSON.stringify(requests));
    const script = join(import.meta.dirname, '../oracle/grid-tiles.py');
    const out = execFileSync(python, [script, file], { encoding: 'utf8', maxBuffer: 2 ** 27 });
    return out
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as Expected);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Area of polygons, box of everything; a collection's parts have the same id. */
function measure(features: readonly CheckedFeature[]): Map<number, { area: number; box: BBox }> {
  const found = new Map<number, { area: number; box: BBox }>();
  for (const { id, type, parts } of features) {
    const before = found.get(id as number);
    let [minx, miny, maxx, maxy] = before?.box ?? [Infinity, Infinity, -Infinity, -Infinity];
    let area = before?.area ?? 0;
    for (const part of parts) {
      part.forEach(([x, y], i) => {
        [minx, miny, maxx, maxy] = [Math.min(minx, x), Math.min(miny, y), Math.max(maxx, x), Math.max(maxy, y)];
        const [nx, ny] = part[(i + 1) % part.length];
        if (type === 3) area += (x * ny - nx * y) / 2;
      });
    }
    found.set(id as number, { area, box: [minx, miny, maxx, maxy] });
  }
  return found;
}

const SEEN_FROM = 3;

function within(a: BBox, b: BBox, slack: number): boolean {
  return a[0] >= b[0] - slack && a[1] >= b[1] - slack && a[2] <= b[2] + slack && a[3] <= b[3] + slack;
}

function compare(where: string, features: readonly CheckedFeature[], expected: Expected): number {
  const drawn = measure(features);
  let compared = 0;
  for (const [id, want] of Object.entries(expected)) {
    const ours = drawn.get(Number(id));
    drawn.delete(Number(id));
    if (want === null) continue;
    const [area, length, box, core] = want;
    if (!ours) {
      assert.ok(
        area < SEEN_FROM && box[2] - box[0] < SEEN_FROM && box[3] - box[1] < SEEN_FROM,
        `${where}: ${id} is missing: ${want}`,
      );
      continue;
    }
    compared++;
    // What is smaller than a pixel is drawn as one.
    const slack = area < 64 ? 9 : 1.05;
    assert.ok(within(ours.box, box, slack), `${where}: ${id} reaches to ${ours.box}, beyond ${box}`);
    if (core) assert.ok(within(core, ours.box, slack), `${where}: ${id} ends at ${ours.box}, short of ${core}`);
    assert.ok(Math.abs(ours.area - area) <= length * 0.75 + 64, `${where}: ${id} has ${ours.area} of ${area}`);
  }
  for (const [id, { box }] of drawn)
    assert.ok(
      box[2] - box[0] <= 9 && box[3] - box[1] <= 9,
      `${where}: ${id} is drawn at ${box}, and should not be there`,
    );
  return compared;
}

/** Every feature, nothing simplified but by rounding. */
async function plainLayer(file: string): Promise<FgbLayer> {
  return { ...(await openLayer(join(VECTOR, file), { drop: 'none' })), maxzoom: 0 };
}

test('tiles of built-in and custom grids hold what PROJ and GEOS put there', { skip }, async () => {
  const tiles = CASES.flatMap(({ set, file, tiles: list }) =>
    list.map(([z, x, top]) => ({ set, file, z, x, y: rowFromTop(set.matrices[z], top) })),
  );
  const requests = tiles.map(({ set, file, z, x, y }) => {
    const { resolution, tileWidth, matrixWidth } = set.matrices[z];
    const world = set.wrapsX ? resolution * tileWidth * matrixWidth : 0;
    const common = { extent: EXTENT, buffer: BUFFER, world };
    return { file: join(VECTOR, file), crs: set.crs, box: tileBounds(set, { z, x, y }), ...common };
  });
  const expected = oracle(requests);
  let compared = 0;
  for (const [i, { set, file, z, x, y }] of tiles.entries()) {
    const where = `${set.id} ${z}/${x}/${y} ${file}`;
    const tile = await tileOf(await plainLayer(file), z, x, y, { grid: set });
    assert.deepEqual(tile?.faults ?? [], [], where);
    compared += compare(where, tile?.features ?? [], expected[i]);
  }
  assert.ok(compared > 1500, `${compared} features compared`);
});

/** Ids over all tiles of a matrix, within their own tile only. */
async function shown(layer: FgbLayer, set: TileMatrixSet, z: number): Promise<Set<number>> {
  const ids = new Set<number>();
  const caps = { maxFeatures: 60, maxBytes: 500_000, cellsMax: 64, cellsMin: 2 };
  const { matrixWidth, matrixHeight, originX, originY, resolution, tileWidth, tileHeight } = set.matrices[z];
  const [minx, miny, maxx, maxy] = layer.source.bounds as BBox;
  const place = (value: number, side: number, count: number) =>
    Math.max(0, Math.min(count - 1, Math.floor(value / side)));
  const [w, h] = [resolution * tileWidth, resolution * tileHeight];
  for (let y = place(originY - maxy, h, matrixHeight); y <= place(originY - miny, h, matrixHeight); y++) {
    for (let x = place(minx - originX, w, matrixWidth); x <= place(maxx - originX, w, matrixWidth); x++) {
      const tile = await tileOf(layer, z, x, y, { grid: set, caps });
      assert.ok((tile?.features.length ?? 0) <= 90, `${z}/${x}/${y}: ${tile?.features.length} features`);
      for (const { id } of tile?.features ?? []) ids.add(id as number);
    }
  }
  return ids;
}

test('where scales do not halve, what shows at a zoom still shows at the next', { skip: WITHOUT_SHARED }, async () => {
  const set = custom(DUTCH);
  const layer = await openLayer(join(VECTOR, 'dutch_addresses_28992.fgb'));
  const first = await shown(layer, set, 0);
  let before = first;
  assert.ok(first.size >= 4, `${first.size} shown`);
  for (const z of [1, 2, 3]) {
    const here = await shown(layer, set, z);
    for (const id of before) assert.ok(here.has(id), `feature ${id} of zoom ${z - 1} is gone at ${z}`);
    before = here;
  }
  assert.ok(before.size > first.size * 2, `${before.size} after ${first.size}`);
});
