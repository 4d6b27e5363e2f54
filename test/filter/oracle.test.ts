/** Filters over real files against numpy and shapely (GEOS), feature by feature; and how shapes lie to each other. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Geometry } from 'geojson';
import type { Spatial } from '../../src/kernels/cql2/ast.ts';
import { holds } from '../../src/kernels/relate/predicates.ts';
import { prepare } from '../../src/kernels/relate/prepared.ts';
import { relate } from '../../src/kernels/relate/relate.ts';
import { ShapeBuilder, shapeOf } from '../../src/kernels/relate/shape.ts';
import { DATA, NO_DATA, rig } from '../features/rig.ts';
import { findPython, runPython } from '../oracle/python.ts';

const scratch = mkdtempSync(join(tmpdir(), 'plimsoll-filter-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const found = findPython('shapely', 'pyogrio', 'numpy');
const skip = NO_DATA || ('reason' in found ? found.reason : false);
const FULL = process.env.PLIMSOLL_TEST_FULL === '1';

const triangle = 'POLYGON((-10 40, 30 35, 20 60, -10 40))';
const shaped = `shapely.from_wkt("${triangle}")`;

/** File; CQL2; the same in Python. What pairs of lines say is asked for with AND and OR as well. */
const ASKED: readonly (readonly [string, readonly (readonly [string, string])[]])[] = [
  [
    'ne_110m_admin_0_countries',
    [
      ["NAME = 'Luxembourg'", 'c("NAME") == "Luxembourg"'],
      ["NAME <> 'Luxembourg'", 'c("NAME") != "Luxembourg"'],
      ["NAME >= 'L'", 'c("NAME") >= "L"'],
      ["CONTINENT IN ('Africa', 'Europe')", 'np.isin(c("CONTINENT"), ["Africa", "Europe"])'],
      ["NAME LIKE '%an%'", 'each("NAME", lambda v: "an" in v)'],
      ["NAME LIKE '_r%'", 'each("NAME", lambda v: v[1:2] == "r")'],
      ["NAME NOT LIKE '%a'", 'each("NAME", lambda v: not v.endswith("a"))'],
      ["CASEI(NAME) LIKE CASEI('%LAND%')", 'each("NAME", lambda v: "land" in v.casefold())'],
      ['POP_EST > 1e7', 'c("POP_EST") > 1e7'],
      ['POP_EST BETWEEN 1e6 AND 2e7', '(c("POP_EST") >= 1e6) & (c("POP_EST") <= 2e7)'],
      ['POP_EST NOT BETWEEN 1e6 AND 2e7', '(c("POP_EST") < 1e6) | (c("POP_EST") > 2e7)'],
      ['POP_EST / GDP_MD_EST > 100', 'c("POP_EST") / c("GDP_MD_EST") > 100'],
      ['MAPCOLOR7 % 2 = 1', 'c("MAPCOLOR7") % 2 == 1'],
      ['MAPCOLOR7 ^ 2 - MAPCOLOR8 * 3 <= 4', 'c("MAPCOLOR7") ** 2 - c("MAPCOLOR8") * 3 <= 4'],
      ['POP_EST div 1000000 = 4', 'c("POP_EST") // 1000000 == 4'],
      ['FORMAL_FR IS NULL', '~has("FORMAL_FR")'],
      ['FORMAL_FR IS NOT NULL', 'has("FORMAL_FR")'],
      ['MAPCOLOR7 < MAPCOLOR8', 'c("MAPCOLOR7") < c("MAPCOLOR8")'],
      ['S_INTERSECTS(geometry, BBOX(0, 40, 10, 50))', 'shapely.intersects(g, box(0, 40, 10, 50))'],
      [
        'S_INTERSECTS(geometry, BBOX(150, -90, -150, 90))',
        'shapely.intersects(g, shapely.union(box(150, -90, 180, 90), box(-180, -90, -150, 90)))',
      ],
      ['S_WITHIN(geometry, BBOX(-180, -90, 0, 90))', 'shapely.within(g, box(-180, -90, 0, 90))'],
      ['S_DISJOINT(geometry, BBOX(0, 40, 10, 50))', 'shapely.disjoint(g, box(0, 40, 10, 50))'],
      [`S_INTERSECTS(geometry, ${triangle})`, `shapely.intersects(g, ${shaped})`],
      [`S_WITHIN(geometry, ${triangle})`, `shapely.within(g, ${shaped})`],
      [`S_OVERLAPS(geometry, ${triangle})`, `shapely.overlaps(g, ${shaped})`],
      ['S_CONTAINS(geometry, POINT(7.02 49.92))', 'shapely.contains(g, shapely.Point(7.02, 49.92))'],
      ['S_CONTAINS(geometry, LINESTRING(7 50, 8 51))', 'shapely.contains(g, shapely.LineString([(7, 50), (8, 51)]))'],
      ['S_CROSSES(LINESTRING(0 40, 10 50), geometry)', 'shapely.crosses(shapely.LineString([(0, 40), (10, 50)]), g)'],
    ],
  ],
  [
    'cities_pop5000',
    [
      ["country = 'NL' AND population > 100000", '(c("country") == "NL") & (c("population") > 100000)'],
      ["ACCENTI(name) LIKE 'Sao %'", 'each("name", lambda v: v.startswith("São "))'],
      [`S_WITHIN(geometry, ${triangle})`, `shapely.within(g, ${shaped})`],
      ["adminCode <> '11'", 'has("adminCode") & (c("adminCode") != "11")'],
      ["featureCode IN ('PPLC', 'PPLA')", 'np.isin(c("featureCode"), ["PPLC", "PPLA"])'],
    ],
  ],
  [
    'ne_10m_rivers_lake_centerlines',
    [
      [`S_CROSSES(geometry, ${triangle})`, `shapely.crosses(g, ${shaped})`],
      [`S_INTERSECTS(geometry, ${triangle})`, `shapely.intersects(g, ${shaped})`],
      [
        'S_CROSSES(geometry, LINESTRING(-60 -90, -60 90))',
        'shapely.crosses(g, shapely.LineString([(-60,-90),(-60,90)]))',
      ],
      [`S_TOUCHES(geometry, ${triangle})`, `shapely.touches(g, ${shaped})`],
      ['scalerank + min_zoom > 9.5', 'c("scalerank") + c("min_zoom") > 9.5'],
    ],
  ],
  [
    'osm_liechtenstein_lines',
    [
      ["highway IN ('path', 'track') AND name IS NOT NULL", 'np.isin(c("highway"), ["path", "track"]) & has("name")'],
      ['S_INTERSECTS(geometry, BBOX(9.5, 47.1, 9.55, 47.15))', 'shapely.intersects(g, box(9.5, 47.1, 9.55, 47.15))'],
      ['S_WITHIN(geometry, BBOX(9.5, 47.1, 9.55, 47.15))', 'shapely.within(g, box(9.5, 47.1, 9.55, 47.15))'],
      ['z_order > 3', 'c("z_order") > 3'],
    ],
  ],
  [
    'dutch_addresses_28992',
    [
      ["straatnaam LIKE '%weg'", 'each("straatnaam", lambda v: v.endswith("weg"))'],
      ["postcode >= '8' AND toevoeging IS NULL", '(c("postcode") >= "8") & ~has("toevoeging")'],
    ],
  ],
];

/** With each its neighbour, by AND and by OR: NULL is neither. */
function combined(pairs: readonly (readonly [string, string])[]): (readonly [string, string])[] {
  return pairs.flatMap((pair, i) => {
    const [cql, python] = pairs[(i + 7) % pairs.length];
    return [
      pair,
      [`(${pair[0]}) AND (${cql})`, `(${pair[1]}) & (${python})`],
      [`(${pair[0]}) OR (${cql})`, `(${pair[1]}) | (${python})`],
    ] as const;
  });
}

test('items of a filter are the features that numpy and shapely find', { skip }, async () => {
  const python = (found as { python: string }).python;
  const asked = ASKED.flatMap(([file, pairs]) => combined(pairs).map(([cql, py]) => ({ file, cql, py })));
  const jobs = join(scratch, 'jobs.json');
  const answers = join(scratch, 'answers.json');
  const path = (file: string) => join(DATA, `${file}.fgb`);
  writeFileSync(jobs, JSON.stringify(asked.map(({ file, py }) => [path(file), py])));
  runPython(python, 'filter.py', [jobs, answers]);
  const expected = JSON.parse(readFileSync(answers, 'utf8')) as number[][];
  const served = await rig(Object.fromEntries(ASKED.map(([file]) => [file, { path: path(file) }])));
  try {
    let matched = 0;
    for (const [i, { file, cql }] of asked.entries()) {
      const url = `/collections/${file}/items?limit=10000&properties=&filter=${encodeURIComponent(cql)}`;
      const reply = (await served.app.inject(url)).json();
      const ids = reply.features?.map((feature: { id: number }) => feature.id - 1);
      assert.deepEqual(ids, expected[i].slice(0, 10_000), `${file}: ${cql}`);
      matched += ids.length;
    }
    assert.ok(asked.length >= 120 && matched > 10_000, `${asked.length} expressions, ${matched} features`);
  } finally {
    await served.close();
  }
});

const RELATIONS = 'intersects disjoint equals touches within contains overlaps crosses'.split(' ');

test('the nine intersections of two shapes are those of GEOS', { skip }, () => {
  const pairs = join(scratch, 'pairs.json');
  runPython((found as { python: string }).python, 'relate.py', [pairs, FULL ? '20000' : '1500']);
  const rows = JSON.parse(readFileSync(pairs, 'utf8')) as { a: Geometry; b: Geometry; matrix: string; holds: string }[];
  const builder = new ShapeBuilder();
  for (const row of rows) {
    const a = prepare(shapeOf(row.a, builder) as NonNullable<ReturnType<typeof shapeOf>>);
    const b = prepare(shapeOf(row.b, builder) as NonNullable<ReturnType<typeof shapeOf>>);
    const told = JSON.stringify([row.a, row.b]);
    const matrix = Array.from(relate(a, b), cell => (cell < 0 ? 'F' : cell)).join('');
    assert.equal(matrix, row.matrix, told);
    const said = RELATIONS.map(relation => (holds(`s_${relation}` as Spatial, a, b) ? 1 : 0)).join('');
    assert.equal(said, row.holds, told);
  }
});
