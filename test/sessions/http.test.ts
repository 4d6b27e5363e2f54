import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { testApp } from '../lib/app.ts';
import { assertNothingHeld, decode, get, grid, open, point, put, remove, text } from './dashboard.ts';

const app = await testApp({ set: { 'sessions.maxBodyBytes': '4MiB', 'sessions.maxLayers': '3' } });
after(() => app.close());

test('a session is opened with its id, secret and life, and says where it is', async () => {
  const response = await app.server.inject({ method: 'POST', url: '/sessions' });
  assert.equal(response.statusCode, 201);
  const { id, secret, ttl, expires, links } = response.json();
  assert.match(id, /^[0-9a-f]{24}$/);
  assert.ok(Buffer.from(secret, 'base64url').length >= 24);
  assert.equal(ttl, 12 * 3600);
  assert.ok(Math.abs(Date.parse(expires) - Date.now() - ttl * 1000) < 60_000);
  assert.equal(response.headers.location, `http://localhost:80/sessions/${id}`);
  assert.equal(response.headers['cache-control'], 'no-store');
  assert.equal(links[0].href, response.headers.location);
  const state = await get(app, `/sessions/${id}`);
  assert.deepEqual([state.json().bytes, state.json().layers], [0, []]);
  assert.ok(!state.body.includes(secret));
  await remove(app, { id, secret, ttl, expires });
});

test('a layer is created with 201, replaced with 200, listed, drawn, and gone with 204', async () => {
  const session = await open(app);
  const created = await put(app, session, 'cells', text(grid(300)));
  assert.equal(created.statusCode, 201, created.body);
  assert.equal(created.headers.location, `http://localhost:80/sessions/${session.id}/layers/cells`);
  const layer = created.json();
  assert.deepEqual([layer.count, layer.geometry, layer.fields], [300, 'Polygon', { n: 'Number', name: 'String' }]);
  assert.deepEqual((await get(app, new URL(created.headers.location as string).pathname)).json(), layer);

  for (const url of ['/layers', '/collections', '/wmts', '/api', '/api.html', '/', '/metrics'])
    assert.ok(!(await get(app, url)).body.includes(session.id), `${url} tells of the session`);
  assert.match((await get(app, '/metrics')).body, /plimsoll_layers\{kind="session"\} 1\n/);
  const listed = (await get(app, `/layers/${layer.id}`)).json();
  assert.equal(listed.kind, 'session');
  assert.equal(listed.servable, true);
  const tilejson = (await get(app, `/tiles/${layer.id}`)).json();
  assert.deepEqual(tilejson.vector_layers[0].fields, layer.fields);
  assert.deepEqual(tilejson.bounds, layer.bounds);
  assert.equal(new URL(tilejson.tiles[0]).pathname, `/tiles/${layer.id}/%7Bz%7D/%7Bx%7D/%7By%7D.mvt`);

  const url = `/tiles/${layer.id}/4/8/7.mvt`;
  const first = await get(app, url);
  assert.equal(first.statusCode, 200);
  assert.equal(first.headers['cache-control'], 'private, no-cache');
  assert.equal(decode(first.rawPayload).layers[layer.id].length, 300);
  assert.equal((await get(app, url, { 'if-none-match': first.headers.etag as string })).statusCode, 304);

  const replaced = await put(app, session, 'cells', text(grid(7)));
  assert.equal(replaced.statusCode, 200);
  const second = await get(app, url, { 'if-none-match': first.headers.etag as string });
  assert.equal(second.statusCode, 200, 'another upload is another ETag');
  assert.equal(decode(second.rawPayload).layers[layer.id].length, 7);

  const removed = await remove(app, session, 'cells');
  assert.deepEqual([removed.statusCode, removed.body], [204, '']);
  for (const gone of [url, `/tiles/${layer.id}`, `/layers/${layer.id}`, `/sessions/${session.id}/layers/cells`]) {
    const response = await get(app, gone);
    assert.equal(response.statusCode, 410, gone);
    assert.equal(response.json().code, 'session-gone');
    assert.match(response.json().detail, /was deleted/);
  }
  assert.equal((await remove(app, session)).statusCode, 204);
  assert.equal((await remove(app, session)).statusCode, 410);
  assertNothingHeld(app, 0);
});

test('a Feature, a bare geometry of each kind and packed bodies are taken', async () => {
  const session = await open(app);
  const at = [4, 52];
  const line = [at, [5, 53]];
  const ring = [[0, 0], [9, 0], [9, 9], [0, 0]]; // biome-ignore format: a ring on one line
  const shapes: [string, object][] = [
    ['Point', { type: 'Point', coordinates: at }],
    ['Point', { type: 'MultiPoint', coordinates: line }],
    ['LineString', { type: 'LineString', coordinates: line }],
    ['LineString', { type: 'MultiLineString', coordinates: [line] }],
    ['Polygon', { type: 'Polygon', coordinates: [ring] }],
    ['Polygon', { type: 'MultiPolygon', coordinates: [[ring]] }],
    ['Unknown', { type: 'GeometryCollection', geometries: [{ type: 'Point', coordinates: at }, { type: 'LineString', coordinates: line }] }], // biome-ignore format: one kind a line
    ['Point', point(4, 52, { a: 1 })],
    ['Unknown', { type: 'FeatureCollection', features: [] }],
    ['Unknown', { type: 'Feature', geometry: null, properties: null }],
  ];
  for (const [kind, shape] of shapes) {
    const response = await put(app, session, 'shape', text(shape));
    assert.ok(response.statusCode < 300, response.body);
    const layer = response.json();
    assert.equal(layer.geometry, kind, text(shape));
    const tile = await get(app, `/tiles/${layer.id}/0/0/0.mvt`);
    assert.equal(tile.statusCode, layer.bounds ? 200 : 204, text(shape));
  }
  for (const [encoding, pack] of [
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
  ] as const) {
    // biome-ignore format: one line
    const packed = await put(app, session, 'shape', pack(text(grid(1000))), { headers: { 'content-encoding': encoding } });
    assert.equal(packed.json().count, 1000, encoding);
  }
  const bom = await put(app, session, 'shape', `\ufeff${text(point(1, 2))}`);
  assert.equal(bom.statusCode, 200);
  await remove(app, session);
  assertNothingHeld(app, 0);
});

interface Refusal {
  readonly body: string | Buffer;
  readonly status: number;
  readonly code: string;
  readonly says: RegExp;
  /** Where in the body it is. */
  readonly byte?: number;
  readonly headers?: Record<string, string>;
}

const feature = '{"type":"Feature","geometry":null,"properties":null}';
const refusals: Record<string, Refusal> = {
  'nothing at all': { body: '', status: 400, code: 'bad-body', says: /body|the text ends/ },
  'no JSON': { body: 'hello', status: 400, code: 'bad-body', says: /found "h" at byte 0/, byte: 0 },
  'an array': { body: '[1]', status: 400, code: 'bad-body', says: /a GeoJSON object/, byte: 0 },
  'cut off between features': { body: `{"type":"FeatureCollection","features":[${feature},`, status: 400, code: 'bad-body', says: /the text ends/, byte: 93 },
  'cut off in a feature': { body: '{"type":"FeatureCollection","features":[{"type":"Fea', status: 400, code: 'bad-body', says: /the text ends/, byte: 52 },
  'a word in a feature': { body: `{"type":"FeatureCollection","features":[${feature},{"type":nope}]}`, status: 400, code: 'bad-body', says: /features\[1\] is not JSON at byte 101, "nope/, byte: 101 },
  'NaN, as Python writes it': { body: '{"type":"Feature","geometry":null,"properties":{"a":NaN}}', status: 400, code: 'bad-body', says: /at byte 52, "NaN/, byte: 52 },
  'bytes that are no UTF-8': { body: Buffer.from('{"type":"Feature","geometry":null,"properties":{"a":"\xe9"}}', 'latin1'), status: 400, code: 'bad-body', says: /not UTF-8/, byte: 0 },
  'UTF-16': { body: Buffer.from(feature, 'utf16le'), status: 400, code: 'bad-body', says: /is not UTF-8|member name/ },
  'text behind the end': { body: `${feature} x`, status: 400, code: 'bad-body', says: /found "x" at byte 53/, byte: 53 },
  'no type': { body: '{"features":[]}', status: 400, code: 'bad-body', says: /no "type"/ },
  'no features': { body: '{"type":"FeatureCollection"}', status: 400, code: 'bad-body', says: /no array "features"/ },
  'a feature that is none': { body: `{"type":"FeatureCollection","features":[${feature},{"type":"Point","coordinates":[1,2]}]}`, status: 400, code: 'bad-body', says: /features\[1\]\.type is "Point"/, byte: 93 },
  'a kind of geometry that is not': { body: '{"type":"Circle"}', status: 400, code: 'bad-body', says: /type is "Circle"/, byte: 0 },
  'a word for a number': { body: '{"type":"LineString","coordinates":[[1,2],[3,"4"]]}', status: 400, code: 'bad-body', says: /coordinates\[1\] is not/, byte: 0 },
  'metres': { body: '{"type":"Point","coordinates":[155000,463000]}', status: 422, code: 'unprocessable', says: /not longitude and latitude/, byte: 0 },
  'a ring that is open': { body: '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}', status: 422, code: 'unprocessable', says: /not closed/, byte: 0 },
  'another CRS': { body: '{"type":"Point","coordinates":[1,2],"crs":{"properties":{"name":"EPSG:28992"}}}', status: 422, code: 'unprocessable', says: /to_crs\(4326\)/ },
  'too large': { body: Buffer.alloc((4 << 20) + 1, ' '), status: 413, code: 'body-too-large', says: /4194305 bytes; 4194304 are taken/ },
  'a bomb': { body: gzipSync(Buffer.alloc(64 << 20, ' ')), headers: { 'content-encoding': 'gzip' }, status: 413, code: 'body-too-large', says: /more than \d+ bytes; 4194304/ },
  'gzip that is none': { body: text(point(1, 2)), headers: { 'content-encoding': 'gzip' }, status: 400, code: 'bad-body', says: /no whole gzip: incorrect header/ },
  'gzip that is cut off': { body: gzipSync(text(grid(500))).subarray(0, 900), headers: { 'content-encoding': 'gzip' }, status: 400, code: 'bad-body', says: /no whole gzip: unexpected end/ },
  'zstd': { body: zstdCompressSync(text(point(1, 2))), headers: { 'content-encoding': 'zstd' }, status: 415, code: 'unsupported-media-type', says: /"zstd" is none of gzip, deflate/ },
  'another type': { body: 'a,b', headers: { 'content-type': 'text/csv' }, status: 415, code: 'unsupported-media-type', says: /text\/csv/ },
}; // biome-ignore format: one refusal a line

for (const [name, { body, status, code, says, byte, headers }] of Object.entries(refusals)) {
  test(`refused: ${name}`, async () => {
    const session = await open(app);
    const response = await put(app, session, 'x', body, headers ? { headers } : {});
    assert.equal(response.statusCode, status, response.body);
    assert.equal(response.headers['content-type'], 'application/problem+json');
    assert.equal(response.json().code, code);
    assert.match(response.json().detail, says);
    if (byte !== undefined) assert.equal(response.json().byte, byte);
    assert.equal((await get(app, `/sessions/${session.id}`)).json().layers.length, 0);
    await remove(app, session);
    assertNothingHeld(app, 0);
  });
}

test('only who has the secret may change a session', async () => {
  const session = await open(app);
  const other = await open(app);
  const body = text(point(1, 2));
  const without = await put(app, session, 'a', body, { secret: null });
  assert.equal(without.statusCode, 401);
  assert.equal(without.headers['www-authenticate'], 'Bearer');
  const wrong = await put(app, session, 'a', body, { secret: other.secret });
  assert.equal(wrong.statusCode, 403);
  assert.ok(!wrong.body.includes(other.secret));
  assert.equal((await remove(app, { ...session, secret: other.secret })).statusCode, 403);
  assert.equal((await remove(app, { ...session, secret: other.secret }, 'a')).statusCode, 403);
  assert.equal((await put(app, { ...session, id: 'nope' }, 'a', body)).statusCode, 404);
  assert.equal((await put(app, session, 'a', body)).statusCode, 201);
  await remove(app, session);
  await remove(app, other);
  assertNothingHeld(app, 0);
});

test('names, the number of layers and methods are bounded', async () => {
  const session = await open(app);
  const body = text(point(1, 2));
  for (const name of ['a.b', 'a%2Fb', 'a%20b', 'ü', 'x'.repeat(65)]) {
    const response = await put(app, session, encodeURI(decodeURIComponent(name)).replaceAll('a/b', 'a%2Fb'), body);
    assert.equal(response.statusCode, 400, name);
    assert.equal(response.json().code, 'bad-parameter');
  }
  for (const name of ['a', 'b', 'c']) assert.equal((await put(app, session, name, body)).statusCode, 201);
  const fourth = await put(app, session, 'd', body);
  assert.deepEqual([fourth.statusCode, fourth.json().maxLayers], [507, 3]);
  assert.equal((await put(app, session, 'b', body)).statusCode, 200, 'replacing is not one more');
  const patch = await app.server.inject({ method: 'POST', url: `/sessions/${session.id}` });
  assert.equal(patch.statusCode, 405);
  await remove(app, session);
});

test('a session lives as long as it is asked to, within the setting, or is refused with the limit', async () => {
  const begin = (payload: string) =>
    app.server.inject({ method: 'POST', url: '/sessions', payload, headers: { 'content-type': 'application/json' } });
  const answer = await begin('{"ttl": 60}');
  assert.equal(answer.statusCode, 201, answer.body);
  const { id, ttl, expires } = answer.json();
  assert.equal(ttl, 60);
  const state = (await get(app, `/sessions/${id}`)).json();
  assert.equal(state.expires, expires);
  assert.equal(Date.parse(state.expires) - Date.parse(state.created), 60_000);
  for (const nothing of ['', '{}']) assert.equal((await begin(nothing)).json().ttl, 12 * 3600);
  for (const [payload, status, code, detail] of [
    ['{"ttl": 43201}', 422, 'unprocessable', /43201 is not from 1 to 43200 whole seconds \(sessions\.ttl\)/],
    ['{"ttl": 0}', 422, 'unprocessable', /ttl: 0/],
    ['{"ttl": "60"}', 422, 'unprocessable', /"60/],
    ['{"ttl": 1.5}', 422, 'unprocessable', /1\.5/],
    ['{"tll": 1}', 400, 'bad-body', /"tll".*only ttl/],
    ['[1]', 400, 'bad-body', /no JSON object/],
    ['{"ttl"', 400, 'bad-body', /no JSON/],
    [`{"ttl": 1${' '.repeat(1100)}}`, 413, 'body-too-large', /1024/],
  ] as const) {
    const refused = await begin(payload);
    assert.deepEqual([refused.statusCode, refused.json().code], [status, code], refused.body);
    assert.match(refused.json().detail, detail);
  }
});
