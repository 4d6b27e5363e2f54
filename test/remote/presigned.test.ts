/** Presigned URLs: they work as long as the client has one, and what they are signed with is told to nobody. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { after, afterEach, before, test } from 'node:test';
import { pino } from 'pino';
import type { App } from '../../src/app.ts';
import { toldTarget } from '../../src/http/told.ts';
import { DEMO, testApp } from '../lib/app.ts';
import { type RangeServer, rangeServer } from './range-server.ts';

const SECRET = 'c0ffee5ec2e7f00d';
const QUERY = `?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA${SECRET}%2Feu&X-Amz-Expires=900&X-Amz-Signature=${SECRET}`;

let server: RangeServer;
let app: App;
/** Everything that was logged, at the lowest level, with the access log. */
let logged = '';

before(async () => {
  server = await rangeServer();
  server.put('/elevation.tif', join(DEMO, 'elevation.tif'));
  const stream = new Writable({
    write(chunk, _, done) {
      logged += chunk;
      done();
    },
  });
  app = await testApp({
    log: pino({ level: 'trace' }, stream),
    set: {
      'remote.allow': `${server.url}/`,
      'remote.addresses': '127.0.0.0/8',
      'remote.retries': '1',
      'remote.timeout': '1s',
      'server.accessLog': 'true',
    },
  });
  guard();
});
after(async () => {
  await app.close();
  await server.close();
});
afterEach(() => guard());

/** As a bucket does: 403 to whoever has no signature. */
function guard(): void {
  server.fault = (request, response) => {
    if (request.url?.includes(`X-Amz-Signature=${SECRET}`)) return false;
    response.writeHead(403).end();
    return true;
  };
}

const get = (url: string, headers: Record<string, string> = {}) => app.server.inject({ url, headers });
const signed = (path = '/elevation.tif') => encodeURIComponent(`${server.url}${path}${QUERY}`);
const hides = (text: string, what: string) => assert.ok(!text.includes(SECRET), `${what} tells the signature`);

test('every kind of answer comes, and no header or body of it has the signature', async () => {
  const url = signed();
  const area = { type: 'Polygon', coordinates: [[[5, 45], [12, 45], [12, 50], [5, 45]]] }; // biome-ignore format: one line
  const posted = app.server.inject({
    method: 'POST',
    url: `/cog/statistics?url=${url}`,
    payload: { type: 'Feature', properties: {}, geometry: area },
  });
  const paths = [
    `/cog/info?url=${url}`,
    `/cog/preview.png?url=${url}&max_size=64`,
    `/cog/bbox/5,45,12,50/40x30.npy?url=${url}`,
    `/cog/tiles/WebMercatorQuad/3/4/2.png?url=${url}&rescale=0,4000`,
    `/cog/point/8,46?url=${url}`,
    `/cog/statistics?url=${url}&max_size=64`,
    `/cog/preview.png?url=${url}&max_size=64&explain=true`,
  ];
  for (const answer of [...(await Promise.all(paths.map(path => get(path)))), await posted]) {
    assert.equal(answer.statusCode, 200, answer.body.slice(0, 300));
    hides(answer.rawPayload.toString('latin1'), 'a body');
    hides(JSON.stringify(answer.headers), 'a header');
  }
  const first = await get(paths[1] as string);
  assert.match(String(first.headers.etag), /^(W\/)?"[\w-]+"$/);
  assert.equal((await get(paths[1] as string, { 'if-none-match': String(first.headers.etag) })).statusCode, 304);
  assert.ok(
    server.requests.every(({ path }) => path.includes(SECRET)),
    'what is asked for is signed',
  );
});

test('tiles that a client finds in TileJSON work: it has the URL that the client had', async () => {
  const { tiles } = (await get(`/cog/tilejson.json?url=${signed()}&rescale=0,4000`)).json();
  const tile = new URL(String(tiles[0]).replace('{z}', '3').replace('{x}', '4').replace('{y}', '2'));
  assert.equal((await get(tile.pathname + tile.search)).statusCode, 200);
});

test('another signature is another file, and none is none', async () => {
  const none = await get(`/cog/info?url=${encodeURIComponent(`${server.url}/elevation.tif`)}`);
  assert.deepEqual([none.statusCode, none.json().code], [403, 'remote-denied']);
  const wrong = await get(`/cog/info?url=${signed().replaceAll(SECRET, 'expired')}`);
  assert.deepEqual([wrong.statusCode, wrong.json().code], [403, 'remote-denied']);
});

test('errors of every kind do not have it, not in the instance either', async () => {
  const away = `${server.url}/moved.tif${QUERY}`;
  const faults: [number, string, () => Promise<Awaited<ReturnType<typeof get>>>][] = [
    [404, 'remote-not-found', () => get(`/cog/info?url=${signed('/none.tif')}`)],
    [400, 'bad-parameter', () => get(`/cog/preview.png?url=${signed()}&max_size=abc`)],
    [422, 'unprocessable', () => get(`/cog/bbox/9,9,5,5.png?url=${signed()}`)],
    [403, 'remote-forbidden', () => get(`/cog/info?url=${encodeURIComponent(`https://example.org/x.tif${QUERY}`)}`)],
    // Not encoded: their parameters become ours.
    [400, 'unknown-parameter', () => get(`/cog/info?url=${server.url}/elevation.tif${QUERY}`)],
  ];
  for (const [status, code, ask] of faults) {
    const answer = await ask();
    assert.deepEqual([answer.statusCode, answer.json().code], [status, code], answer.body);
    hides(answer.body, code);
    hides(JSON.stringify(answer.headers), code);
    assert.match(answer.json().instance, /elevation\.tif|none\.tif|x\.tif/);
  }
  for (const [code, fault] of [
    ['remote-redirected', (r: import('node:http').ServerResponse) => r.writeHead(302, { location: away }).end()],
    ['remote-failed', (r: import('node:http').ServerResponse) => void r.socket?.resetAndDestroy()],
    ['remote-bad-answer', (r: import('node:http').ServerResponse) => r.writeHead(200).end('all')],
    ['remote-timeout', () => {}],
  ] as const) {
    server.fault = (_, response) => {
      fault(response);
      return true;
    };
    const answer = await get(`/cog/info?url=${signed(`/${code}.tif`)}`);
    assert.equal(answer.json().code, code);
    hides(answer.body, code);
  }
});

test('it is in no log, metric, report or list', async () => {
  for (const path of ['/metrics', '/layers', '/debug/memory', '/memory', '/collections', '/api'])
    hides((await get(path)).body, path);
  assert.match(logged, /elevation\.tif/, 'the access log has the rest of the URL');
  assert.match(logged, /incoming request/);
  assert.match(logged, /remote-failed/, 'errors are logged');
  hides(logged, 'the log');
});

test('what is told of a target', () => {
  assert.equal(toldTarget('/cog/info?url=dem&max_size=5'), '/cog/info?url=dem&max_size=5');
  assert.equal(toldTarget('/a'), '/a');
  const bare = encodeURIComponent('https://a.org/x.tif');
  for (const url of [
    'https://a.org/x.tif?sig=1',
    'https%3A%2F%2Fa.org%2Fx.tif%3Fsig%3D1',
    'https%3a//a.org/x.tif%3fsig=1%',
  ])
    assert.equal(toldTarget(`/cog/info?url=${url}&max_size=5`), `/cog/info?url=${bare}&max_size=5`);
  assert.equal(
    toldTarget('/t?url=dem&X-Goog-Credential=a&sig=b&bidx=1'),
    '/t?url=dem&X-Goog-Credential=…&sig=…&bidx=1',
  );
});
