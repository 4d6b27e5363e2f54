/**
 * What a tile draws of points, lines, polygons with holes, multi-geometries and collections of any size and place, against
 * what GEOS cuts out of the same: at the last zoom but for rounding, above it but for rounding and simplifying.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Geometry, Position } from 'geojson';
import { MERCATOR_HALF } from '../../src/tile.ts';
import { askPython, findPython } from '../oracle/python.ts';
import { writeFgb } from './fgb-writer.ts';
import { Files, openLayer, seeded, tileOf } from './rig.ts';

const found = findPython('shapely', 'numpy');
const skip = 'reason' in found ? found.reason : false;
const python = 'python' in found ? found.python : '';
const FEATURES = process.env.PLIMSOLL_TEST_FULL === '1' ? 20_000 : 320;
const files = new Files();
after(() => files.remove());

type Rnd = () => number;

/** A ring around a point, of random radii: it never meets itself. */
function star([x, y]: Position, radius: number, rnd: Rnd, clockwise: boolean): Position[] {
  const n = 3 + Math.floor(rnd() * 60);
  const turn = rnd() * Math.PI;
  const ring = Array.from({ length: n }, (_, i): Position => {
    const angle = turn + ((clockwise ? -1 : 1) * 2 * Math.PI * (i + rnd() * 0.8)) / n;
    const r = radius * (0.55 + 0.45 * rnd());
    return [x + r * Math.cos(angle), y + r * Math.sin(angle)];
  });
  return [...ring, ring[0]];
}

function polygonAt(middle: Position, radius: number, rnd: Rnd): Position[][] {
  const rings = [star(middle, radius, rnd, false)];
  // A hole well inside: stars of few points are narrow.
  if (rnd() < 0.4 && rings[0].length > 20) rings.push(star(middle, radius * 0.4, rnd, true));
  return rings;
}

function lineAt([x, y]: Position, radius: number, rnd: Rnd): Position[] {
  return Array.from({ length: 2 + Math.floor(rnd() * 40) }, () => [
    x + (rnd() * 2 - 1) * radius,
    y + (rnd() * 2 - 1) * radius,
  ]);
}

/** In tile units; some far out, most across an edge of the tile. */
function geometryOf(i: number, rnd: Rnd, extent: number): Geometry {
  const radius = 2 ** (rnd() * 14);
  const place = (): Position => [
    (rnd() * 1.4 - 0.2) * extent + (rnd() < 0.3 ? radius : 0),
    (rnd() * 1.4 - 0.2) * extent,
  ];
  const middle = place();
  switch (i % 7) {
    case 0:
      return { type: 'Polygon', coordinates: polygonAt(middle, radius, rnd) };
    case 1:
      return { type: 'LineString', coordinates: lineAt(middle, radius, rnd) };
    case 2: {
      // Apart by their radii, so that the whole is valid.
      const [x, y] = middle;
      const coordinates = [0, 1, 2].map(k => polygonAt([x + k * radius * 2.5, y], radius, rnd));
      return { type: 'MultiPolygon', coordinates };
    }
    case 3:
      return { type: 'MultiLineString', coordinates: [lineAt(middle, radius, rnd), lineAt(place(), radius, rnd)] };
    case 4:
      return { type: 'MultiPoint', coordinates: Array.from({ length: 20 }, place) };
    case 5:
      return { type: 'Point', coordinates: middle };
    default:
      return {
        type: 'GeometryCollection',
        geometries: [
          { type: 'Polygon', coordinates: polygonAt(middle, radius, rnd) },
          { type: 'LineString', coordinates: lineAt(place(), radius, rnd) },
          { type: 'Point', coordinates: place() },
        ],
      };
  }
}

function mapped(geometry: Geometry, move: (p: Position) => Position): Geometry {
  if (geometry.type === 'GeometryCollection')
    return { ...geometry, geometries: geometry.geometries.map(part => mapped(part, move)) };
  const deep = (value: unknown): unknown =>
    Array.isArray(value) && typeof value[0] === 'number' ? move(value as Position) : (value as unknown[]).map(deep);
  return { ...geometry, coordinates: deep(geometry.coordinates) } as Geometry;
}

for (const [z, options, tolerance] of [
  [14, {}, 0],
  [9, {}, 4],
  [14, { extent: 512, buffer: 0 }, 0],
  [9, { extent: 8192, buffer: 256 }, 8],
] as const) {
  const { extent, buffer } = { extent: 4096, buffer: 64, ...options };
  test(`z${z}, extent ${extent}, buffer ${buffer}: what GEOS cuts out`, { skip, timeout: 600_000 }, async () => {
    const rnd = seeded(z * extent);
    const side = (2 * MERCATOR_HALF) / 2 ** z;
    const [x, y] = [Math.floor(2 ** z * 0.52), Math.floor(2 ** z * 0.34)];
    const toMetres = ([u, v]: Position): Position => [
      -MERCATOR_HALF + (x + u / extent) * side,
      MERCATOR_HALF - (y + v / extent) * side,
    ];
    const wanted = Array.from({ length: Math.ceil(FEATURES / 4) }, (_, i) => geometryOf(i, rnd, extent));
    const path = files.path(writeFgb(wanted.map(geometry => ({ geometry: mapped(geometry, toMetres) }))));
    const layer = await openLayer(path, { crs: 'EPSG:3857', ...options });
    const tile = await tileOf(layer, z, x, y);
    await layer.source.close();
    assert.deepEqual(tile?.faults, []);
    const drawn = new Map<number | null, unknown[]>();
    for (const { id, type, parts } of tile?.features ?? []) drawn.set(id, [...(drawn.get(id) ?? []), [type, parts]]);
    const lines = wanted.map((want, i) =>
      JSON.stringify({ name: `${i}`, extent, buffer, tolerance, want, parts: drawn.get(i + 1) ?? [] }),
    );
    const { totals, said } = askPython<Record<string, number>>(python, './vector-clip.py', lines);
    assert.ok(totals.polygons > 20 && totals.lines > 20 && totals.points > 20, JSON.stringify(totals));
    assert.deepEqual(said, [], `${totals.off} of ${totals.features}`);
  });
}
