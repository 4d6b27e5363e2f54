import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const style = await import(fileURLToPath(new URL('../../viewer/style.js', import.meta.url)));

const vector = {
  id: 'a b',
  kind: 'vector',
  geometry: 'MultiPolygon',
  bounds: [-10, -89, 10, 89],
  minzoom: 0,
  maxzoom: 14,
};
const raster = { id: 'dem', kind: 'raster', bounds: [170, -10, -170, 10], minzoom: 0, maxzoom: 9 };
const choice = { opacity: 1, colour: '#123456', rescale: null, colormap: '' };
const toUrl = (path: string) => `https://x/y/${path}`;

test('a geometry type decides what is painted; an unknown one may be anything', () => {
  assert.deepEqual(style.paintings('MultiPolygon'), ['fill', 'line']);
  assert.deepEqual(style.paintings('LineString'), ['line']);
  assert.deepEqual(style.paintings('MultiPoint'), ['circle']);
  assert.deepEqual(style.paintings('Unknown'), ['fill', 'line', 'circle']);
  assert.deepEqual(style.paintings('GeometryCollection'), ['fill', 'line', 'circle']);
  assert.deepEqual(style.paintings(undefined), ['fill', 'line', 'circle']);
});

test('a vector source keeps the template braces, escapes the id and clamps its bounds to web mercator', () => {
  const source = style.sourceOf(vector, choice, { toUrl, pixelRatio: 1 });
  assert.deepEqual(source.tiles, ['https://x/y/tiles/a%20b/{z}/{x}/{y}.mvt']);
  assert.deepEqual(source.bounds, [-10, -85.0511, 10, 85.0511]);
  assert.equal(source.maxzoom, 14);
});

test('a raster source carries the choices in the URL and drops bounds that cross the antimeridian', () => {
  const plain = style.sourceOf(raster, choice, { toUrl, pixelRatio: 1 });
  assert.deepEqual(plain.tiles, ['https://x/y/tiles/dem/{z}/{x}/{y}@2x.png']);
  assert.equal(plain.bounds, undefined);
  assert.equal(plain.tileSize, 512);
  const chosen = style.sourceOf(
    raster,
    { ...choice, rescale: [-5, 900.5], colormap: 'viridis' },
    { toUrl, pixelRatio: 2 },
  );
  assert.deepEqual(chosen.tiles, ['https://x/y/tiles/dem/{z}/{x}/{y}@2x.png?rescale=-5,900.5&colormap_name=viridis']);
  assert.equal(chosen.tileSize, 256);
});

test('rasters lie under polygons, those under lines, those under points', () => {
  const ids = ['layer:x:circle', 'layer:x:raster', 'layer:x:line', 'ground', 'layer:x:fill'];
  const order = ids.toSorted((a, b) => style.rankOf(a) - style.rankOf(b));
  assert.deepEqual(order, ['ground', 'layer:x:raster', 'layer:x:fill', 'layer:x:line', 'layer:x:circle']);
});

test('a layer with labels has its names written from them, above all else', () => {
  const labelled = { ...vector, labels: 'a b_labels', fields: { iso: 'string', Name: 'string', population: 'int' } };
  const layers = style.styleLayersOf(labelled, choice, '#14191d');
  const types = layers.map(({ type }: { type: string }) => type);
  assert.deepEqual(types, ['fill', 'line', 'symbol']);
  const [fill, , symbol] = layers;
  assert.deepEqual([fill['source-layer'], symbol['source-layer']], ['a b', 'a b_labels']);
  assert.deepEqual(symbol.layout['text-field'], ['to-string', ['get', 'Name']]);
  assert.ok(style.rankOf(symbol.id) > style.rankOf('layer:x:circle'));
  assert.equal(style.nameField({ iso: 'string', population: 'int' }), 'iso');
  assert.deepEqual(style.paintingsOf({ ...labelled, fields: { population: 'int' } }), ['fill', 'line']);
});

test('the first look shows one raster, the one with colours, and few vector layers', () => {
  const grey = { id: 'grey', kind: 'raster', bands: [1] };
  const rgb = { id: 'rgb', kind: 'raster', bands: [1, 2, 3] };
  const vectors = ['p', 'q', 'r', 's'].map(id => ({ id, kind: 'vector' }));
  assert.deepEqual(style.firstChoice([grey, ...vectors, rgb]), ['rgb', 'p', 'q', 'r']);
  const many = Array.from({ length: 30 }, (_, index) => ({ id: `v${index}`, kind: 'vector' }));
  assert.deepEqual(style.firstChoice(many), ['v0']);
  assert.deepEqual(style.firstChoice([]), []);
});
