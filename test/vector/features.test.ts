import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { VectorTile } from '@mapbox/vector-tile';
import type { Geometry, MultiPolygon, Position } from 'geojson';
import { PbfReader } from 'pbf';
import { decodeFeature } from '../../src/source/fgb/feature.ts';
import type { ColumnType } from '../../src/source/types.ts';
import { type RawGeometry, type WriteFeature, type WriteOptions, writeFgb } from './fgb-writer.ts';
import { type FgbLayer, Files, openLayer, type RigTile, tileOf } from './rig.ts';

const files = new Files();
after(() => files.remove());

function layerOf(features: readonly WriteFeature[], options: WriteOptions = {}, layer = {}): Promise<FgbLayer> {
  return openLayer(files.path(writeFgb(features, options)), layer);
}

function propertiesOf(tile: RigTile | null): Record<string, unknown>[] {
  assert.ok(tile);
  assert.deepEqual(tile.faults, []);
  const [layer] = Object.values(new VectorTile(new PbfReader(tile.body)).layers);
  return Array.from({ length: layer.length }, (_, i) => ({ ...layer.feature(i).properties }));
}

const at = (x: number, y: number): Geometry => ({ type: 'Point', coordinates: [x, y] });

describe('attributes in tiles', () => {
  const values: [ColumnType, unknown, unknown][] = [
    ['byte', -128, -128],
    ['ubyte', 255, 255],
    ['bool', 1, true],
    ['short', -32768, -32768],
    ['ushort', 65535, 65535],
    ['int', -2147483648, -2147483648],
    ['uint', 4294967295, 4294967295],
    ['long', -9007199254740991n, -9007199254740991],
    ['ulong', 9007199254740991n, 9007199254740991],
    ['float', 0.5, 0.5],
    ['double', Math.PI, Math.PI],
    ['string', 'žluťoučký 🐎', 'žluťoučký 🐎'],
    ['json', '{"a":[1]}', '{"a":[1]}'],
    ['datetime', '2024-02-29T12:00:00Z', '2024-02-29T12:00:00Z'],
  ];
  const columns = [...values.map(([type]) => ({ name: `a ${type}`, type })), { name: 'raw', type: 'binary' as const }];

  test('every column type has its value; binary is left out, null is not there', async () => {
    const full = Object.fromEntries(values.map(([type, value]) => [`a ${type}`, value]));
    const written = [{ ...full, raw: Uint8Array.of(1, 2) }, {}, { 'a double': Number.NaN, 'a float': Infinity }];
    const layer = await layerOf(
      written.map(properties => ({ geometry: at(10, 50), properties })),
      { columns },
    );
    const expected = Object.fromEntries(values.map(([type, , value]) => [`a ${type}`, value]));
    assert.deepEqual(propertiesOf(await tileOf(layer, 0, 0, 0)), [expected, {}, { 'a float': Infinity }]);
    assert.deepEqual(
      layer.verdict.notes.map(({ code }) => code),
      ['fgb-binary-column'],
    );
  });

  test('features with columns of their own keep what they have, under one key a name', async () => {
    const own = [
      { name: 'own', type: 'string' as const },
      { name: 'shared', type: 'int' as const },
      { name: 'own', type: 'int' as const },
    ];
    const written = [
      { geometry: at(1, 1), properties: { shared: 'header' } },
      { geometry: at(2, 2), properties: { own: 5, shared: 7 }, columns: own },
      { geometry: at(3, 3), properties: { other: true }, columns: [{ name: 'other', type: 'bool' as const }] },
    ];
    const options = { columns: [{ name: 'shared', type: 'string' as const }] };
    const layer = await layerOf(written, options);
    const all = [{ shared: 'header' }, { own: '5', shared: 7 }, { other: true }];
    assert.deepEqual(propertiesOf(await tileOf(layer, 0, 0, 0)), all);
    const pruned = propertiesOf(await tileOf(layer, 0, 0, 0, { properties: ['own'] }));
    assert.deepEqual(pruned, [{}, { own: '5' }, {}]);
    const served = await layerOf(written, options, { properties: ['shared', 'other'] });
    assert.deepEqual(propertiesOf(await tileOf(served, 0, 0, 0)), [
      { shared: 'header' },
      { shared: 7 },
      { other: true },
    ]);
    const byId = await layerOf(written, options, { idColumn: 'shared' });
    const ids = (await tileOf(byId, 0, 0, 0))?.features.map(({ id }) => id);
    assert.deepEqual(ids, [null, 7, null]);
  });

  test('two columns of one name are one key', async () => {
    const twice = [
      { name: 'n', type: 'int' as const },
      { name: 'n', type: 'string' as const },
    ];
    const layer = await layerOf([{ geometry: at(1, 1), properties: { n: 3 } }], { columns: twice });
    assert.deepEqual(propertiesOf(await tileOf(layer, 0, 0, 0)), [{ n: 3 }]);
  });

  test('64-bit integers beyond 2^53 are exact in the bytes', async () => {
    const wide = [
      { name: 'u', type: 'ulong' as const },
      { name: 's', type: 'long' as const },
    ];
    const properties = { u: 18446744073709551615n, s: -9223372036854775808n };
    const layer = await layerOf([{ geometry: at(1, 1), properties }], { columns: wide });
    const tile = await tileOf(layer, 0, 0, 0);
    assert.deepEqual(tile?.faults, []);
    const hex = Buffer.from(tile?.body ?? []).toString('hex');
    // uint_value 2^64 − 1 and int_value −2^63.
    assert.ok(hex.includes('28ffffffffffffffffff01') && hex.includes('2080808080808080808001'), hex);
  });
});

describe('geometry of every kind', () => {
  const square = (x: number, y: number, s: number): Position[] => [
    [x, y],
    [x + s, y],
    [x + s, y + s],
    [x, y + s],
    [x, y],
  ];

  test('heights are left out of tiles and kept in features', async () => {
    const line = {
      type: 'LineString' as const,
      coordinates: [
        [0, 0, 5],
        [10, 10, 7],
      ],
    };
    const bytes = writeFgb([{ geometry: line }], { hasZ: true });
    const layer = await openLayer(files.path(bytes));
    const tile = await tileOf(layer, 0, 0, 0);
    assert.deepEqual(tile?.features[0].parts, [
      [
        [2048, 2048],
        [2162, 1934],
      ],
    ]);
    const { offsets, lengths } = await import('../../src/source/fgb/query.ts').then(m =>
      m.queryFeatures(layer.source, null, 0, 1),
    );
    const raw = bytes.slice(offsets[0], offsets[0] + lengths[0]);
    const decoded = decodeFeature(raw, 0, { columns: [], geometryType: 0, hasZ: true });
    assert.deepEqual(decoded.geometry, line);
  });

  test('measures are passed over', async () => {
    const raw: RawGeometry = { type: 'LineString', xy: [0, 0, 10, 10], z: [1, 2], m: [3, 4] };
    const layer = await layerOf([{ geometry: raw }], { hasZ: true, hasM: true });
    assert.equal((await tileOf(layer, 0, 0, 0))?.features.length, 1);
  });

  test('no geometry and empty geometry draw nothing and break nothing', async () => {
    const features: WriteFeature[] = [
      { geometry: null },
      { geometry: { type: 'MultiPolygon', parts: [] } },
      { geometry: { type: 'Polygon', xy: [] } },
      { geometry: { type: 'LineString' } },
      { geometry: { type: 'GeometryCollection', geometries: [] } },
      { geometry: { type: 'LineString', coordinates: [[5, 5]] } },
      { geometry: { type: 'Point', xy: [Number.NaN, Number.NaN] } },
      { geometry: { type: 'Polygon', xy: [1, 1, Number.NaN, 2, 3, Infinity] } },
      { geometry: at(1, 1) },
    ];
    for (const nodeSize of [16, 0]) {
      const layer = await layerOf(features, { nodeSize });
      assert.equal(layer.verdict.servable, true);
      const tile = await tileOf(layer, 0, 0, 0);
      assert.deepEqual(tile?.faults, []);
      assert.deepEqual(
        tile?.features.map(({ id }) => id),
        [9],
      );
    }
  });

  test('a collection comes apart by kind, one feature a kind, with one id', async () => {
    const collection: Geometry = {
      type: 'GeometryCollection',
      geometries: [
        at(1, 1),
        {
          type: 'LineString',
          coordinates: [
            [0, 0],
            [20, 0],
          ],
        },
        { type: 'GeometryCollection', geometries: [{ type: 'Polygon', coordinates: [square(30, 0, 20)] }, at(2, 2)] },
        {
          type: 'MultiLineString',
          coordinates: [
            [
              [0, 5],
              [20, 5],
            ],
            [
              [0, 9],
              [20, 9],
            ],
          ],
        },
        { type: 'MultiPolygon', coordinates: [[square(60, 0, 20), square(65, 5, 5).reverse()], [square(90, 0, 20)]] },
      ],
    };
    const tile = await tileOf(await layerOf([{ geometry: collection }]), 0, 0, 0);
    assert.deepEqual(tile?.faults, []);
    const kinds = tile?.features.map(({ id, type, parts }) => [id, type, parts.length]);
    assert.deepEqual(kinds, [
      [1, 1, 2],
      [1, 2, 3],
      [1, 3, 4],
    ]);
  });

  test('curves are drawn out: an arc is within a unit of its circle', async () => {
    const arc: RawGeometry = { type: 'CircularString', xy: [-60, 0, 0, 60, 60, 0] };
    const shape: RawGeometry = {
      type: 'CurvePolygon',
      parts: [{ type: 'CompoundCurve', parts: [arc, { type: 'LineString', xy: [60, 0, -60, 0] }] }],
    };
    const layer = await layerOf([
      { geometry: arc },
      { geometry: shape },
      { geometry: { type: 'MultiCurve', parts: [arc] } },
    ]);
    const flat = { crs: 'EPSG:4326' };
    assert.equal(layer.source.crs, flat.crs);
    const { WORLD_CRS84_QUAD: grid } = await import('../../src/tile.ts');
    for (const x of [0, 1]) {
      const tile = await tileOf(layer, 0, x, 0, { grid });
      assert.deepEqual(tile?.faults, []);
      assert.deepEqual(
        tile?.features.map(({ type }) => type),
        [2, 3, 2],
      );
      for (const [px, py] of tile?.features[0].parts[0] ?? []) {
        const lon = (px / 4096) * 180 - 180 + x * 180;
        const lat = 90 - (py / 4096) * 180;
        assert.ok(Math.abs(Math.hypot(lon, lat) - 60) < (2 * 180) / 4096, `${lon} ${lat}`);
      }
    }
  });

  test('a TIN and a multipolygon of one, all in one table as GDAL writes triangles, are drawn and told', async () => {
    const corners = [0, 0, 20, 20, 0, 20, 0, 0, 40, 0, 60, 0, 60, 20, 40, 0];
    const tin: RawGeometry = { type: 'TIN', xy: corners, ends: [4, 8] };
    const one: RawGeometry = { type: 'TIN', xy: corners.slice(0, 8) };
    const multi: RawGeometry = { type: 'MultiPolygon', xy: corners.slice(0, 8) };
    const layer = await layerOf([{ geometry: tin }, { geometry: one }, { geometry: multi }]);
    const tile = await tileOf(layer, 0, 0, 0);
    assert.deepEqual(tile?.faults, []);
    assert.deepEqual(
      tile?.features.map(({ type, parts }) => [type, parts.length]),
      [
        [3, 2],
        [3, 1],
        [3, 1],
      ],
    );
    const told = [tin, one, multi].map(geometry => {
      const bytes = writeFgb([{ geometry }], { nodeSize: 0 });
      const start = 12 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
      const schema = { columns: [], geometryType: 0, hasZ: false };
      return decodeFeature(bytes, start, schema).geometry as MultiPolygon | null;
    });
    assert.deepEqual(
      told.map(geometry => [geometry?.type, geometry?.coordinates.length, geometry?.coordinates[0].length]),
      [
        ['MultiPolygon', 2, 1],
        ['MultiPolygon', 1, 1],
        ['MultiPolygon', 1, 1],
      ],
    );
  });

  test('metres that are said to be degrees are refused, a stray feature among others is not', async () => {
    const stray = await layerOf([{ geometry: at(1, 1) }, { geometry: at(9999, 9999) }]);
    assert.equal(stray.verdict.servable, true);
    const wrong = await layerOf([{ geometry: at(500_000, 6_000_000) }, { geometry: at(500_001, 6_000_001) }]);
    assert.deepEqual(
      wrong.verdict.reasons.map(({ code }) => code),
      ['fgb-outside-crs'],
    );
    assert.equal(wrong.lonLatBounds, null);
  });

  test('types that do not exist are refused, not drawn', async () => {
    const layer = await layerOf([{ geometry: { type: 'Unknown', xy: [1, 1] } }]);
    await assert.rejects(tileOf(layer, 0, 0, 0), { code: 'corrupt-data' });
  });
});

describe('the edges of the world', () => {
  const box = (w: number, s: number, e: number, n: number): Geometry => ({
    type: 'Polygon',
    coordinates: [
      [
        [w, s],
        [e, s],
        [e, n],
        [w, n],
        [w, s],
      ],
    ],
  });

  test('what lies beyond 180° shows on both sides, and the buffer of one side shows in the other', async () => {
    const layer = await layerOf([
      { geometry: box(170, -10, 190, 10) },
      { geometry: box(179.5, 20, 180, 30) },
      { geometry: at(-179.9, 40) },
    ]);
    const east = await tileOf(layer, 3, 7, 3);
    const west = await tileOf(layer, 3, 0, 3);
    const spans = (tile: RigTile | null, id: number) => {
      const xs =
        tile?.features
          .find(f => f.id === id)
          ?.parts.flat()
          .map(([x]) => x) ?? [];
      return xs.length > 0 ? [Math.min(...xs), Math.max(...xs)] : null;
    };
    const unit = 4096 / 45;
    assert.deepEqual(spans(east, 1), [Math.round(35 * unit), 4160]);
    assert.deepEqual(spans(west, 1), [-64, Math.round(10 * unit)]);
    assert.deepEqual(spans(east, 2), [Math.round(44.5 * unit), 4096]);
    assert.deepEqual(spans(west, 2), [Math.round(-0.5 * unit), 0]);
    assert.deepEqual(spans(west, 3), [Math.round(0.1 * unit), Math.round(0.1 * unit)]);
    assert.deepEqual(spans(east, 3), [4096 + Math.round(0.1 * unit), 4096 + Math.round(0.1 * unit)]);
    assert.deepEqual([east?.faults, west?.faults], [[], []]);
  });

  test('a hole goes with its own copy of the polygon', async () => {
    const [outer] = (box(-179, -50, 179, 50) as { coordinates: Position[][] }).coordinates;
    const [hole] = (box(-178.9, -1, -178, 1) as { coordinates: Position[][] }).coordinates;
    const layer = await layerOf([{ geometry: { type: 'Polygon', coordinates: [outer, hole.reverse()] } }]);
    const tile = await tileOf(layer, 0, 0, 0);
    assert.deepEqual(tile?.faults, []);
    const rings = tile?.features[0].parts ?? [];
    const area = (ring: readonly (readonly [number, number])[]) =>
      ring.reduce(
        (sum, [x, y], i) =>
          sum + ring[(i + ring.length - 1) % ring.length][0] * y - x * ring[(i + ring.length - 1) % ring.length][1],
        0,
      );
    // A copy in the west's buffer, the world, and a copy in the east's buffer, where the hole shows once more.
    assert.equal(rings.filter(ring => area(ring) > 0).length, 3);
    assert.equal(rings.filter(ring => area(ring) < 0).length, 2);
    for (let i = 0; i < rings.length; i++) {
      if (area(rings[i]) > 0) continue;
      const [xs, ys] = [rings[i - 1].map(p => p[0]), rings[i].map(p => p[0])];
      assert.ok(Math.min(...xs) <= Math.min(...ys) && Math.max(...xs) >= Math.max(...ys), `hole ${i}`);
    }
  });

  test('around the pole and across the antimeridian in a polar system', async () => {
    const ring = (radius: number): number[] =>
      Array.from({ length: 73 }, (_, i) => [
        radius * Math.cos((i % 72) * (Math.PI / 36)),
        radius * Math.sin((i % 72) * (Math.PI / 36)),
      ]).flat();
    // EPSG:3413: metres from the north pole; 2,000 km is about 72° north. The box lies astride 180°.
    const layer = await layerOf(
      [
        { geometry: { type: 'Polygon', xy: ring(2_000_000) } },
        {
          geometry: {
            type: 'Polygon',
            xy: [-2.2e6, 1.8e6, -1.8e6, 1.8e6, -1.8e6, 2.2e6, -2.2e6, 2.2e6, -2.2e6, 1.8e6],
          },
        },
      ],
      { crs: 3413 },
    );
    const world = await tileOf(layer, 0, 0, 0);
    assert.deepEqual(world?.faults, []);
    const cap = world?.features.find(({ id }) => id === 1)?.parts ?? [];
    assert.equal(cap.length, 1);
    const ys = cap[0].map(([, y]) => y);
    assert.equal(Math.min(...ys), -64);
    assert.ok(Math.max(...ys) > 800 && Math.max(...ys) < 1000, `${Math.max(...ys)}`);
    assert.deepEqual([Math.min(...cap[0].map(([x]) => x)), Math.max(...cap[0].map(([x]) => x))], [-64, 4160]);
    const astride = world?.features.find(({ id }) => id === 2)?.parts ?? [];
    assert.equal(astride.length, 2, 'a piece on either side');
    for (const part of astride) assert.ok(Math.max(...part.map(([x]) => x)) - Math.min(...part.map(([x]) => x)) < 200);
    for (const [x, seen] of [
      [0, true],
      [15, true],
      [7, false],
    ] as const) {
      const tile = await tileOf(layer, 4, x, 3);
      assert.equal(tile?.features.some(({ id }) => id === 2) ?? false, seen, `column ${x}`);
    }
  });
});
