/** Expressions, algorithms, colour maps and formulas through the whole server, over the demo's elevation and world. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import sharp from 'sharp';
import type { App } from '../../src/app.ts';
import { testApp } from '../lib/app.ts';
import { readNpy } from '../raster/npy-reader.ts';

let app: App;
before(async () => {
  app = await testApp();
});
after(() => app.close());

const BOX = '5,44,11,48/40x30';
const get = (query: string, kind: 'npy' | 'png' = 'npy', url = 'elevation') =>
  app.server.inject({ url: `/cog/bbox/${BOX}.${kind}?url=${url}&${query}` });

async function values(
  query: string,
  url?: string,
): Promise<{ shape: readonly number[]; descr: string; bands: Float64Array[] }> {
  const answer = await get(query, 'npy', url);
  assert.equal(answer.statusCode, 200, answer.body.slice(0, 300));
  const { shape, values: all, descr } = readNpy(answer.rawPayload);
  const pixels = 40 * 30;
  return {
    shape,
    descr,
    bands: Array.from({ length: shape[0] as number }, (_, b) => all.subarray(b * pixels, (b + 1) * pixels)),
  };
}

async function pixelsOf(query: string, url?: string) {
  const answer = await get(query, 'png', url);
  assert.equal(answer.statusCode, 200, answer.body.slice(0, 300));
  const { data, info } = await sharp(answer.rawPayload).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.width, info.height], [40, 30]);
  return { data, headers: answer.headers };
}

test('an expression makes its bands of those of the file', async () => {
  const [plain] = (await values('')).bands;
  const made = await values(`expression=${encodeURIComponent('b1*2+1;where(b1>1000,1,0)')}`);
  assert.deepEqual(made.shape, [3, 30, 40]);
  assert.match(made.descr, /f[48]/);
  for (const [i, v] of (plain as Float64Array).entries()) {
    assert.equal(made.bands[0]?.[i], v * 2 + 1);
    assert.equal(made.bands[1]?.[i], v > 1000 ? 1 : 0);
  }
  const nothing = await values('expression=b1/0');
  assert.ok(
    nothing.bands[1]?.every(mask => mask === 0),
    'what has no value is invalid',
  );
});

test('a picture of an expression is stretched over what it makes, alike in every tile', async () => {
  const { headers } = await pixelsOf('expression=b1/1000');
  const [low, high] = String(headers['x-raster-rescale']).split(',').map(Number) as [number, number];
  assert.ok(low < 1 && high > 2 && high < 10, `${low} to ${high} km`);
  const fixed = await pixelsOf('expression=b1/1000&rescale=0,1');
  const [plain] = (await values('')).bands;
  for (const [i, v] of (plain as Float64Array).entries())
    assert.ok(Math.abs((fixed.data[i * 4] as number) - Math.min(255, Math.max(0, (v / 1000) * 255))) <= 1);
});

test('percentiles leave out the ends', async () => {
  const { headers } = await pixelsOf('rescale=p10,p90');
  const whole = await pixelsOf('');
  const range = (of: typeof headers) => String(of['x-raster-rescale']).split(',').map(Number) as [number, number];
  const [low, high] = range(headers);
  const [least, most] = range(whole.headers);
  assert.ok(low >= least && high < most && low < high, `${low},${high} within ${least},${most}`);
});

test('hillshade has the size that was asked for, and its margin is read', async () => {
  const { bands, descr } = await values('algorithm=hillshade');
  assert.equal(descr, '|u1');
  assert.ok(new Set(bands[0]).size > 20);
  // A window further out sees the same pixels with its margin.
  const url = (box: string) => `/cog/bbox/${box}.npy?url=elevation&algorithm=hillshade&coord_crs=EPSG:4326`;
  const near = readNpy((await app.server.inject({ url: url('6,45,8,47/20x20') })).rawPayload);
  const wide = readNpy((await app.server.inject({ url: url('5,44,9,48/40x40') })).rawPayload);
  for (let y = 0; y < 20; y++)
    for (let x = 0; x < 20; x++)
      assert.equal(near.values[y * 20 + x], wide.values[(y + 10) * 40 + x + 10], `${x},${y}`);
});

test('terrain as Terrain-RGB can be read back', async () => {
  const [plain] = (await values('')).bands;
  const { data } = await pixelsOf('algorithm=terrainrgb');
  for (const [i, v] of (plain as Float64Array).entries()) {
    const [r, g, b] = data.subarray(i * 4, i * 4 + 3) as unknown as [number, number, number];
    assert.ok(Math.abs(-10_000 + (r * 65_536 + g * 256 + b) * 0.1 - v) <= 0.051);
  }
});

test('an algorithm has what an expression made', async () => {
  const { bands } = await values(`expression=${encodeURIComponent('b1;b1*3')}&algorithm=normalizedIndex`);
  assert.ok(bands[0]?.every((v, i) => bands[1]?.[i] === 0 || Math.abs(v - 0.5) < 1e-6));
});

test('colours of the request, by interval and by value', async () => {
  const [plain, valid] = (await values('')).bands;
  const colour = (i: number, seen: number[]) => (valid?.[i] === 0 ? [0, 0, 0, 0] : seen);
  const map = encodeURIComponent('[[[-20000,500],"#ff0000"],[[500,9000],[0,0,255,128]]]');
  const { data } = await pixelsOf(`colormap=${map}`);
  for (const [i, v] of (plain as Float64Array).entries())
    assert.deepEqual([...data.subarray(i * 4, i * 4 + 4)], colour(i, v < 500 ? [255, 0, 0, 255] : [0, 0, 255, 128]));
  const high = await pixelsOf(
    `expression=${encodeURIComponent('where(b1>1000,1,0)')}&colormap=${encodeURIComponent('{"1":"#00ff00"}')}`,
  );
  for (const [i, v] of (plain as Float64Array).entries())
    assert.deepEqual([...high.data.subarray(i * 4, i * 4 + 4)], colour(i, v > 1000 ? [0, 255, 0, 255] : [0, 0, 0, 0]));
});

test('a colour formula changes the bytes', async () => {
  const before = await pixelsOf('', 'world');
  const after = await pixelsOf('color_formula=gamma+RGB+2', 'world');
  for (let i = 0; i < before.data.length; i++) {
    const v = before.data[i] as number;
    assert.ok(i % 4 === 3 || Math.abs((after.data[i] as number) - Math.sqrt(v / 255) * 255) <= 1);
  }
});

test('the plan names what is read, and costs more than without', async () => {
  const plan = async (query: string) => (await get(`${query}&explain=1`, 'png')).json();
  const plain = await plan('rescale=0,90');
  const made = await plan('algorithm=slope');
  assert.equal(made.class, plain.class);
  const bytes = ({ cost }: { cost: { decodedBytes: number } }) => cost.decodedBytes;
  assert.ok(bytes(made) > bytes(plain), `${JSON.stringify(made.cost)} against ${JSON.stringify(plain.cost)}`);
});

const REFUSED: readonly (readonly [string, number, RegExp])[] = [
  ['expression=b2', 400, /bands b1 to b1/],
  ['expression=b1;b1;b1;b1;b1', 422, /5 bands cannot be a png/],
  ['algorithm=hillshad', 400, /none of hillshade/],
  ['algorithm=normalizedIndex', 422, /takes 2 bands, not 1/],
  ['algorithm=slope&algorithm_params={"buffr":1}', 400, /buffer is meant/],
  ['algorithm_params={"buffer":1}', 400, /no algorithm/],
  ['colormap={}', 400, /empty/],
  ['colormap={"1":"%23fff"}&colormap_name=viridis', 422, /exclude each other/],
  ['expression=b1;b1&colormap={"1":"%23fff"}', 422, /needs one band, not 2/],
  ['color_formula=blur', 400, /no operation/],
  ['rescale=p90,p10', 422, /p90 is not below p10/],
];

test('what cannot be meant is refused in words', async () => {
  for (const [query, status, message] of REFUSED) {
    const answer = await get(query, 'png');
    assert.equal(answer.statusCode, status, `${query}: ${answer.body}`);
    assert.match(answer.json().detail, message, query);
  }
});
