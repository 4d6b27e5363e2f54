import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { EARTH_RADIUS, MERCATOR_HALF } from '../../src/tile.ts';
import { WITHOUT_SHARED } from '../lib/app.ts';
import { findPython } from '../oracle/python.ts';
import { writeFgb } from './fgb-writer.ts';
import { type FgbLayer, Files, openLayer, tileOf, VECTOR } from './rig.ts';

const found = findPython('pyproj', 'pyogrio', 'shapely', 'numpy');
const python = 'python' in found ? found.python : '';
const skip = 'reason' in found ? found.reason : false;
const script = join(import.meta.dirname, '../oracle/vector-crs.py');
const files = new Files();
after(() => files.remove());

/** UTM, transverse, oblique and polar stereographic, conic, azimuthal, datum shifts by three and seven, degrees of other datums. */
const CODES = [25832, 27700, 2056, 3035, 3857, 5070, 3413, 28992, 31370, 2154, 32633, 2193, 4258, 4269, 6668, 5514];
/** Systems for which PROJ shifts by place, farther apart than the others are: the verdict says so. */
const LOOSE_METRES: Readonly<Record<string, number>> = { 'EPSG:5514': 15.3, 'EPSG:27700': 2 };
const ZOOMS = [0, 2, 5, 8, 11, 13];
/** Where PROJ and the table differ by so many metres at most, that much is no fault of the tile's. */
const DATUM_METRES = 1;

interface Sample {
  readonly file: string;
  readonly crs: string;
  readonly points: readonly (readonly [number, number, number])[];
}

function samples(...args: string[]): Sample[] {
  const out = execFileSync(python, [script, ...args], { encoding: 'utf8', maxBuffer: 2 ** 27 });
  return out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Sample);
}

/** How far, in units beyond what rounding and datum explain, the worst of the points lies from where it should; how many were seen. */
async function worstOf(layer: FgbLayer, points: Sample['points']): Promise<{ worst: number; seen: number }> {
  const metres = LOOSE_METRES[layer.source.crs as string] ?? DATUM_METRES;
  let [worst, seen] = [0, 0];
  for (const z of ZOOMS) {
    const size = (2 * MERCATOR_HALF) / 2 ** z;
    const unit = size / 4096;
    for (const [ordinal, x, y] of z < 5 ? points : points.slice(0, 12)) {
      if (Math.abs(y) >= MERCATOR_HALF) continue;
      const turned =
        ((((x + MERCATOR_HALF) % (2 * MERCATOR_HALF)) + 2 * MERCATOR_HALF) % (2 * MERCATOR_HALF)) - MERCATOR_HALF;
      const [col, row] = [(turned + MERCATOR_HALF) / size, (MERCATOR_HALF - y) / size];
      const tile = await tileOnce(layer, z, Math.floor(col), Math.floor(row));
      const at = tile.get(ordinal + 1);
      assert.ok(at, `${layer.source.crs} z${z}: point ${ordinal} is not in ${Math.floor(col)}/${Math.floor(row)}`);
      const [dx, dy] = [at[0] - (col - Math.floor(col)) * 4096, at[1] - (row - Math.floor(row)) * 4096];
      // A metre on the ground is cosh(y / R) metres of web mercator.
      const allowed = 0.5 + 0.05 + (metres * Math.cosh(y / EARTH_RADIUS)) / unit;
      worst = Math.max(worst, Math.max(Math.abs(dx), Math.abs(dy)) - allowed);
      seen++;
    }
  }
  return { worst, seen };
}

const tiles = new WeakMap<FgbLayer, Map<string, Map<number, readonly [number, number]>>>();

/** First point of each feature by id. */
async function tileOnce(
  layer: FgbLayer,
  z: number,
  x: number,
  y: number,
): Promise<Map<number, readonly [number, number]>> {
  const known = tiles.get(layer) ?? new Map<string, Map<number, readonly [number, number]>>();
  tiles.set(layer, known);
  const key = `${z}/${x}/${y}`;
  const before = known.get(key);
  if (before) return before;
  const tile = await tileOf(layer, z, x, y);
  assert.deepEqual(tile?.faults ?? [], []);
  const points = new Map((tile?.features ?? []).map(f => [f.id as number, f.parts[0][0]]));
  known.set(key, points);
  return points;
}

describe('coordinates in tiles against PROJ', { skip }, () => {
  test(`points of ${CODES.length} systems, over their areas of use`, async () => {
    for (const { file, crs, points } of samples('make', files.dir, ...CODES.map(String))) {
      const layer = await openLayer(file);
      assert.equal(layer.verdict.servable, true, `${crs}: ${JSON.stringify(layer.verdict.reasons)}`);
      const { worst, seen } = await worstOf(layer, points);
      assert.ok(worst <= 0, `${crs}: ${worst} units beyond what rounding explains`);
      assert.ok(seen > 300, `${crs}: ${seen} points`);
    }
  });

  test('the point layers of the shared data', { skip: WITHOUT_SHARED }, async () => {
    let layers = 0;
    const names = readdirSync(VECTOR).filter(name => /addresses|places|airports|ports|points|poi|pop/.test(name));
    for (const { file, points } of samples('read', ...names.map(name => join(VECTOR, name)))) {
      const layer = await openLayer(file, { drop: 'none' });
      const { worst } = await worstOf(layer, points);
      assert.ok(worst <= 0, `${file}: ${worst} units beyond what rounding explains`);
      layers++;
    }
    assert.ok(layers >= 8, `${layers} layers`);
  });
});

test('a system that needs a grid is refused with the remedy, one that is loose without says how much', async () => {
  const bytes = (crs: number) => writeFgb([{ geometry: { type: 'Point', coordinates: [-90, 40] } }], { crs });
  const refused = await openLayer(files.path(bytes(4267)));
  assert.equal(refused.verdict.servable, false);
  assert.equal(refused.verdict.reasons[0].code, 'fgb-crs-unsupported');
  assert.match(refused.verdict.reasons[0].detail, /grid/);
  assert.match(String(refused.verdict.reasons[0].remedy), /-t_srs EPSG:4326/);
  const named = await openLayer(files.path(bytes(4267)), { crs: 'EPSG:4326' });
  assert.equal(named.verdict.servable, true);
  const loose = await openLayer(files.path(bytes(26715)));
  const note = loose.verdict.notes.find(({ code }) => code === 'fgb-crs-note');
  assert.match(String(note?.detail), /good to \d+ m/);
});
