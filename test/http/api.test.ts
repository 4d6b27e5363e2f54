import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { App } from '../../src/app.ts';
import { ERRORS } from '../../src/errors.ts';
import { exampleUrl } from '../../src/http/api/example.ts';
import { endpoints } from '../../src/http/api/index.ts';
import { RASTER_TILE_PARAMETERS } from '../../src/http/api/raster-parameters.ts';
import { samplesOf } from '../../src/http/api/samples.ts';
import type { Endpoint, Parameter } from '../../src/http/api/types.ts';
import { ROUTES, routeKey } from '../../src/http/api-docs.ts';
import { COLORMAP_NAMES } from '../../src/kernels/colormaps.ts';
import { DEMO, testApp } from '../lib/app.ts';

interface Media {
  schema?: object;
}
interface Response {
  description: string;
  headers?: Record<string, unknown>;
  content?: Record<string, Media>;
}
interface Described {
  responses: Record<string, Response>;
}
interface Document {
  servers: { url: string }[];
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, { enum?: string[] }>; headers: Record<string, unknown> };
}

const folder = mkdtempSync(join(tmpdir(), 'api-'));
const ADMIN = 'an admin token of the test';

let app: App;
let all: Endpoint[];
let api: Document;
let session: { id: string; secret: string };
const ajv = new Ajv2020({ strict: false, validateFormats: false });

before(async () => {
  // One cell for all the world: the first of its first zoom has a cluster.
  writeFileSync(join(folder, 'plimsoll.yaml'), 'layers: {places: {cluster: {radius: 512}}}\n');
  app = await testApp({ file: join(folder, 'plimsoll.yaml'), set: { adminToken: ADMIN } });
  all = endpoints(samplesOf(app.catalogue), { limitDefault: 10, limitMax: 10_000, maxSize: null });
  api = (await app.server.inject('/api')).json();
  ajv.addSchema(api, 'api');
  session = (await app.server.inject({ method: 'POST', url: '/sessions' })).json();
});
after(async () => {
  await app.close();
  rmSync(folder, { recursive: true });
});

/** Sent as the description says: with its body, and the secret of what it changes. */
async function send(endpoint: Endpoint, url: string, extra: Record<string, string> = {}) {
  const { method, security, body } = endpoint;
  const token = security === 'adminToken' ? ADMIN : session.secret;
  const [type] = Object.keys(body?.content ?? {});
  return app.server.inject({
    method: method.toUpperCase() as 'GET',
    url: `/${url.replace('f00dfeedf00dfeedf00dfeed', session.id)}`,
    headers: {
      ...(security ? { authorization: `Bearer ${token}` } : {}),
      ...(type ? { 'content-type': type } : {}),
      ...extra,
    },
    ...(body ? { payload: JSON.stringify(body.example) } : {}),
  });
}

type Answer = Awaited<ReturnType<typeof send>>;

/** The status, the content type, the headers and the JSON are what the document says. */
function assertDescribed(endpoint: Endpoint, answer: Answer): void {
  const { path, method } = endpoint;
  const where = `${method} ${answer.raw.req.url}: ${answer.statusCode}`;
  const described = api.paths[path][method].responses[answer.statusCode];
  assert.ok(described, `${where} is not described: ${answer.body.slice(0, 300)}`);
  const known = new Set(Object.keys(described.headers ?? {}).map(name => name.toLowerCase()));
  for (const name of Object.keys(answer.headers)) {
    if (
      /^(x-(plimsoll|tile|raster)|etag|retry-after|location|link|server-timing|allow$|content-crs|cache-control)/.test(
        name,
      )
    )
      assert.ok(known.has(name), `${where}: header ${name} is not described`);
  }
  if (answer.rawPayload.length === 0) return;
  const type = String(answer.headers['content-type']).split('; charset')[0];
  const media = Object.keys(described.content ?? {}).find(name => name.split(';')[0] === type.split(';')[0]);
  assert.ok(media, `${where}: ${type} is not described`);
  if (!described.content?.[media].schema || !/json/.test(media)) return;
  const pointer = [path, method, 'responses', String(answer.statusCode), 'content', media].map(escaped).join('/');
  const check = ajv.getSchema(`api#/paths/${pointer}/schema`);
  assert.ok(check, pointer);
  assert.ok(check(answer.json()), `${where}: ${ajv.errorsText(check.errors)} in ${answer.body.slice(0, 300)}`);
}

const escaped = (part: string) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'));

describe('the OpenAPI document', () => {
  test('is OpenAPI 3.1 by the meta-schema, and stands alone', async () => {
    const { valid, errors } = await new Validator().validate(
      structuredClone(api) as unknown as Record<string, unknown>,
    );
    assert.ok(valid, JSON.stringify(errors, null, 1)?.slice(0, 2000));
    const refs = [...JSON.stringify(api).matchAll(/"\$ref":"([^"]*)"/g)].map(([, target]) => target);
    assert.ok(refs.length > 100);
    for (const target of new Set(refs)) {
      assert.match(target, /^#\//);
      const found = target
        .slice(2)
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], api);
      assert.notEqual(found, undefined, target);
    }
  });

  test('has its own type, and plain JSON for who asks for that; the same again is 304', async () => {
    const own = await app.server.inject('/api');
    assert.equal(own.headers['content-type'], 'application/vnd.oai.openapi+json;version=3.1');
    const plain = await app.server.inject({ url: '/api', headers: { accept: 'application/json' } });
    assert.match(String(plain.headers['content-type']), /^application\/json/);
    assert.deepEqual(plain.json(), own.json());
    const headers = { 'if-none-match': String(own.headers.etag) };
    assert.equal((await app.server.inject({ url: '/api', headers })).statusCode, 304);
  });

  test('every registered route is described, and every described one is registered', () => {
    const routes = app.server.getDecorator<ReadonlySet<string>>(ROUTES);
    assert.deepEqual([...new Set(all.map(routeKey))].sort(), [...routes].sort());
    assert.deepEqual(Object.keys(api.paths).sort(), [...new Set(all.map(({ path }) => path))].sort());
    const ids = all.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });

  test('enumerations come from what they enumerate', () => {
    assert.deepEqual(api.components.schemas['ProblemCode'].enum, Object.keys(ERRORS));
    assert.deepEqual(api.components.schemas['ColormapName'].enum, COLORMAP_NAMES);
  });

  test('path parameters are those of the path', () => {
    for (const { path, parameters } of all) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
      const described = parameters.filter(parameter => parameter.in === 'path').map(({ name }) => name);
      assert.deepEqual(described.sort(), inPath, path);
    }
  });

  test('servers name where clients reach it, with the base path', async () => {
    const behind = await testApp({ set: { 'server.publicUrl': 'https://maps.example.org/base/' } });
    try {
      const document: Document = (await behind.server.inject('/base/api')).json();
      assert.deepEqual(document.servers, [{ url: 'https://maps.example.org/base' }]);
    } finally {
      await behind.close();
    }
    const document: Document = (await app.server.inject({ url: '/api', headers: { host: 'here:9000' } })).json();
    assert.deepEqual(document.servers, [{ url: 'http://here:9000' }]);
  });

  test('without sessions there are none in it', async () => {
    const without = await testApp({ set: { 'sessions.enabled': 'false' } });
    try {
      const document: Document = (await without.server.inject('/api')).json();
      assert.deepEqual(
        Object.keys(document.paths).filter(path => path.startsWith('/sessions')),
        [],
      );
    } finally {
      await without.close();
    }
  });
});

describe('what is described is what is done', () => {
  test('every example of a GET, and of a POST to a raster, answers 2xx, as described', async () => {
    for (const endpoint of all.filter(({ method, tag }) => (method === 'get' && tag !== 'sessions') || tag === 'cog')) {
      const answer = await send(endpoint, exampleUrl(endpoint));
      assert.ok(answer.statusCode >= 200 && answer.statusCode < 300, `${endpoint.id}: ${answer.body.slice(0, 300)}`);
      assertDescribed(endpoint, answer);
    }
  });

  test('where there are only rasters the examples are about those, however small', async () => {
    const rasters = await testApp({ paths: [`${DEMO}/elevation.tif`] });
    try {
      const listed = endpoints(samplesOf(rasters.catalogue), { limitDefault: 10, limitMax: 10_000, maxSize: null });
      const shown = ['tiles', 'cog', 'catalogue'];
      const about = listed.filter(({ tag, method }) => method === 'get' && shown.includes(tag));
      for (const endpoint of about.filter(
        ({ path }) => !/^\/collections\/\{collectionId\}\/tiles|\/clusters\//.test(path),
      )) {
        const answer = await rasters.server.inject(`/${exampleUrl(endpoint)}`);
        assert.equal(answer.statusCode, 200, `${exampleUrl(endpoint)}: ${answer.body.slice(0, 200)}`);
      }
      const [layer] = rasters.catalogue.list();
      const [west, south] = [5.0001, 45.0001];
      const lonLatBounds = [west, south, west + 2e-5, south + 1e-5] as const;
      const { rasterBBox, rasterPoint } = samplesOf({ ...rasters.catalogue, list: () => [{ ...layer, lonLatBounds }] });
      assert.ok(rasterBBox[0] > west && rasterBBox[0] < rasterPoint[0] && rasterPoint[0] < rasterBBox[2]);
      assert.ok(rasterBBox[1] > south && rasterBBox[1] < rasterPoint[1] && rasterPoint[1] < rasterBBox[3]);
      const beyond = [400_000, 5_000_000, 500_000, 6_000_000] as const;
      const { tile } = samplesOf({ ...rasters.catalogue, list: () => [{ ...layer, lonLatBounds: beyond }] });
      assert.deepEqual(tile, { z: 0, x: 0, y: 0 });
    } finally {
      await rasters.close();
    }
  });

  test('every query parameter is taken with its example, its default and the ends of its choices', async () => {
    for (const endpoint of all.filter(({ method }) => method === 'get')) {
      for (const parameter of endpoint.parameters.filter(one => one.in === 'query' && !one.required)) {
        for (const example of valuesOf(parameter)) {
          const url = exampleUrl(about(endpoint, parameter), [{ ...parameter, example }]);
          const answer = await send(endpoint, url);
          assert.ok(answer.statusCode >= 200 && answer.statusCode < 300, `${url}: ${answer.body.slice(0, 300)}`);
          assertDescribed(endpoint, answer);
        }
      }
    }
  });

  test('an unknown query parameter is 400 and named, with the nearest that there is', async () => {
    const closed = all.filter(({ anyQuery, method }) => !anyQuery && method === 'get');
    assert.ok(closed.length > 25);
    for (const endpoint of closed) {
      const url = exampleUrl(endpoint);
      const answer = await send(endpoint, `${url}${url.includes('?') ? '&' : '?'}rescael=0,1`);
      assert.equal(answer.statusCode, 400, url);
      assert.equal(answer.json().code, 'unknown-parameter', url);
      assert.equal(answer.json().parameter, 'rescael');
      assertDescribed(endpoint, answer);
    }
    const answer = await app.server.inject('/tiles/elevation/0/0/0.png?rescael=0,1');
    assert.match(answer.json().detail, /did you mean "rescale"/);
  });

  test('If-None-Match is 304, as described, wherever it is a parameter', async () => {
    for (const endpoint of all.filter(one => one.parameters.some(({ name }) => name === 'If-None-Match'))) {
      const url = exampleUrl(endpoint);
      const { etag } = (await send(endpoint, url)).headers;
      assert.ok(etag, url);
      const again = await send(endpoint, url, { 'if-none-match': String(etag) });
      assert.equal(again.statusCode, 304, url);
      assertDescribed(endpoint, again);
    }
  });

  test('a session lives as described', async () => {
    const step = async (id: string, status: number) => {
      const endpoint = all.find(one => one.id === id);
      assert.ok(endpoint, id);
      const answer = await send(endpoint, exampleUrl(endpoint));
      assert.equal(answer.statusCode, status, `${id}: ${answer.body}`);
      assertDescribed(endpoint, answer);
    };
    await step('createSession', 201);
    await step('getSession', 200);
    await step('touchSession', 200);
    await step('putSessionLayer', 201);
    await step('putSessionLayer', 200);
    await step('getSessionLayer', 200);
    await step('deleteSessionLayer', 204);
    await step('getSessionLayer', 410);
    await step('deleteSession', 204);
    await step('getSession', 410);
  });

  for (const [id, url, status] of [
    ['getTileAs', 'tiles/nope/0/0/0.mvt', 404],
    ['getTileAs', 'tiles/countries/0/0/9.mvt', 404],
    ['getTileAs', 'tiles/countries/0/0/0.png', 422],
    ['getTileAs', 'tiles/countries/x/0/0.mvt', 400],
    ['getTileAs', 'tiles/elevation/0/0/0.png?bidx=9', 422],
    ['getTileAs', 'tiles/countries,elevation/0/0/0.mvt', 422],
    ['getRasterTileAs', 'cog/tiles/WGS1984/0/0/0.png?url=elevation', 404],
    ['getWindow', 'cog/bbox/0,0,1,1.gif?url=elevation', 400],
    ['getWindow', 'cog/bbox/1,1,0,0.png?url=elevation', 422],
    ['getSizedWindow', 'cog/bbox/0,0,1,1/16384x16384.png?url=elevation', 413],
    ['getPoint', 'cog/point/10,95?url=elevation', 404],
    ['getRasterInfo', 'cog/info?url=countries', 422],
    ['getItems', 'collections/countries/items?limit=0', 400],
    ['getItems', 'collections/elevation/items', 422],
    ['getFeature', 'collections/countries/items/100000', 404],
    ['getLayer', 'layers/nope', 404],
    ['getTileAs', 'tiles/countries/0/0/0.mvt?rescale=0,1', 400],
    ['getTileAs', 'tiles/elevation/0/0/0.png?properties=name', 400],
    ['getLandingPage', '?f=xml', 400],
    ['getTileJson', 'tiles/elevation?colormap_name=nope', 400],
    ['getTileJson', 'tiles/countries?properties=nope', 400],
    ['getRasterTileJson', 'cog/tilejson.json?url=elevation&bidx=2', 422],
  ] as const) {
    test(`a refusal is described: ${url} ${status}`, async () => {
      const endpoint = all.find(one => one.id === id);
      assert.ok(endpoint);
      const answer = await send(endpoint, url);
      assert.equal(answer.statusCode, status, answer.body.slice(0, 300));
      assertDescribed(endpoint, answer);
    });
  }

  test('a method that a path does not have is 405 and told which it has', async () => {
    for (const path of ['/layers', '/tiles/countries/0/0/0.mvt', '/sessions']) {
      const answer = await app.server.inject({ method: 'DELETE', url: path });
      assert.equal(answer.statusCode, 405);
      assert.equal(answer.headers.allow, path === '/sessions' ? 'POST' : 'GET, HEAD');
      const query = await app.server.inject({ method: 'QUERY' as 'GET', url: path });
      assert.equal(query.statusCode, 405, query.body);
      const nowhere = await app.server.inject({ method: 'PUT', url: `${path}/nowhere/else`, payload: 'x' });
      assert.equal(nowhere.statusCode, 404, nowhere.body);
    }
  });

  test('a browser may read every header that is described', async () => {
    const exposed = String((await app.server.inject('/layers')).headers['access-control-expose-headers']).split(', ');
    for (const name of Object.keys(api.components.headers)) assert.ok(exposed.includes(name), name);
  });

  test('the landing page leads to the description, and conformance names what is done', async () => {
    for (const request of ['/?f=json', { url: '/', headers: { accept: 'application/json' } }, '/']) {
      const { links } = (await app.server.inject(request)).json() as {
        links: { rel: string; type: string; href: string }[];
      };
      for (const [rel, path] of [
        ['service-desc', '/api'],
        ['service-doc', '/api.html'],
        ['conformance', '/conformance'],
        ['data', '/collections'],
      ]) {
        const link = links.find(one => one.rel === rel);
        assert.equal(link?.href, `http://localhost:80${path}`);
        const answer = await app.server.inject({ url: path, headers: { accept: String(link?.type) } });
        assert.equal(String(answer.headers['content-type']).split('; charset')[0], link?.type);
      }
    }
    const { conformsTo } = (await app.server.inject('/conformance')).json();
    const classes = ['features-1/1.0/conf/core', 'features-1/1.0/conf/geojson', 'features-2/1.0/conf/crs'];
    for (const one of classes) assert.ok(conformsTo.includes(`http://www.opengis.net/spec/ogcapi-${one}`), one);
    assert.ok(!conformsTo.some((one: string) => /oas3/.test(one)), '3.1 is no class of Features part 1');
  });

  test('without its token or secret an operation is 401, as described', async () => {
    for (const endpoint of all.filter(({ security }) => security !== undefined)) {
      const [made] = [(await app.server.inject({ method: 'POST', url: '/sessions' })).json()];
      const url = `/${exampleUrl(endpoint).replace('f00dfeedf00dfeedf00dfeed', made.id)}`;
      const answer = await app.server.inject({
        method: endpoint.method.toUpperCase() as 'GET',
        url,
        ...(endpoint.body ? { payload: '{}', headers: { 'content-type': Object.keys(endpoint.body.content)[0] } } : {}),
      });
      assert.equal(answer.statusCode, 401, `${endpoint.id}: ${answer.body}`);
      assert.equal(answer.headers['www-authenticate'], 'Bearer', endpoint.id);
      assertDescribed(endpoint, answer);
    }
  });
});

/** Raster parameters are tried on a raster. */
function about(endpoint: Endpoint, parameter: Parameter): Endpoint {
  if (endpoint.tag !== 'tiles' || !RASTER_TILE_PARAMETERS.includes(parameter)) return endpoint;
  const examples: Readonly<Record<string, string>> = { layers: 'elevation', format: 'png' };
  const parameters = endpoint.parameters.map(one => ({ ...one, example: examples[one.name] ?? one.example }));
  return { ...endpoint, parameters };
}

/** A default is written out as its example would be; of choices the first and the last stand for all. */
function valuesOf({ example, schema }: Parameter): unknown[] {
  const {
    default: fallback,
    enum: choices,
    type,
  } = schema as {
    default?: unknown;
    enum?: readonly unknown[];
    type?: string;
  };
  const booleans = type === 'boolean' ? [true, false] : [];
  const ends = choices ? [choices[0], choices.at(-1)] : [];
  return [...new Set([example, fallback, ...booleans, ...ends])].filter(value => value !== undefined);
}

describe('the page', () => {
  test('lists every operation, asks nobody for anything, and runs under its own CSP', async () => {
    const answer = await app.server.inject('/api.html');
    assert.match(String(answer.headers['content-type']), /^text\/html/);
    assert.match(String(answer.headers['content-security-policy']), /default-src 'none'/);
    const page = answer.body;
    for (const { id, path } of all) {
      assert.ok(page.includes(`<details id="${id}">`), id);
      assert.ok(page.includes(`<code>${path.replaceAll("'", '&#39;')}</code>`), path);
    }
    assert.doesNotMatch(page, /<script|<img|<link|<iframe|\son\w+=|style="|@import|url\(/i);
    for (const code of Object.keys(ERRORS)) assert.ok(page.includes(`id="problem-${code}"`), code);
  });

  test('its links are there', async () => {
    const page = (await app.server.inject('/api.html')).body;
    const links = [...page.matchAll(/<a href="([^"]+)"/g)].map(([, href]) => href.replaceAll('&amp;', '&'));
    const inside = links.filter(href => href.startsWith('#'));
    for (const href of inside) assert.ok(page.includes(`id="${href.slice(1)}"`), href);
    const outside = [...new Set(links.filter(href => !href.startsWith('#')))];
    assert.ok(outside.length > 25);
    for (const href of outside) {
      const { pathname, search } = new URL(href, 'http://server/api.html');
      const answer = await app.server.inject(pathname + search);
      assert.ok(answer.statusCode >= 200 && answer.statusCode < 300, `${href}: ${answer.statusCode}`);
    }
  });
});
