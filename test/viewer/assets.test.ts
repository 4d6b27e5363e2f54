import assert from 'node:assert/strict';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import Fastify, { type FastifyInstance } from 'fastify';
import { registerViewer, viewerHtml } from '../../src/http/viewer.ts';

function server(basePath?: string): FastifyInstance {
  const app = Fastify();
  registerViewer(app, basePath === undefined ? {} : { basePath });
  app.setErrorHandler((error, _request, reply) =>
    reply.code((error as { status?: number }).status ?? 500).send({ message: String(error) }),
  );
  return app;
}

function linksOf(html: string): string[] {
  return [...html.matchAll(/(?:src|href)="(viewer\/[^"]+)"/g)].map(match => match[1]!);
}

/** Every module a page reaches, starting from what its HTML names, as URLs of the server. */
async function reach(app: FastifyInstance, start: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const queue = [...start];
  for (let url = queue.pop(); url !== undefined; url = queue.pop()) {
    if (found.has(url)) continue;
    const reply = await app.inject({ url: `/${url}` });
    assert.equal(reply.statusCode, 200, url);
    found.set(url, String(reply.headers['content-type']));
    if (url.includes('maplibre') || !url.endsWith('.js')) continue;
    for (const [, path] of reply.body.matchAll(/from '(\.\/[^']+)'/g))
      queue.push(new URL(path!, `http://x/${url}`).pathname.slice(1));
  }
  return found;
}

test('every file the page names, and every module those import, is served under one versioned folder', async () => {
  const app = server();
  const found = await reach(app, linksOf(viewerHtml()));
  const names = [...found.keys()].map(url => url.slice(url.lastIndexOf('/') + 1));
  for (const name of ['viewer.js', 'catalogue.js', 'style.js', 'popup.js', 'maplibre-gl.mjs', 'maplibre-gl.css']) {
    assert.ok(names.includes(name), name);
  }
  assert.equal(new Set([...found.keys()].map(url => url.slice(0, url.lastIndexOf('/')))).size, 1);
  for (const [url, type] of found) {
    const expected = url.endsWith('.css')
      ? 'text/css; charset=utf-8'
      : url.endsWith('.svg')
        ? 'image/svg+xml'
        : 'text/javascript; charset=utf-8';
    assert.equal(type, expected, url);
  }
  await app.close();
});

test("MapLibre finds its worker beside it, and a client without gzip gets the file's own bytes", async () => {
  const app = server();
  const [module] = linksOf(viewerHtml());
  const folder = module!.slice(0, module!.lastIndexOf('/'));
  const url = `/${folder}/maplibre-gl-worker.mjs?v=1`;
  const plain = await app.inject({ url, headers: { 'accept-encoding': 'identity' } });
  const packed = await app.inject({ url, headers: { 'accept-encoding': 'br, gzip' } });
  assert.equal(plain.headers['content-encoding'], undefined);
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.ok(packed.rawPayload.length < plain.rawPayload.length / 2);
  assert.ok(gunzipSync(packed.rawPayload).equals(plain.rawPayload));
  const refusing = await app.inject({ url, headers: { 'accept-encoding': 'gzip;q=0' } });
  assert.equal(refusing.headers['content-encoding'], undefined);
  await app.close();
});

test('a versioned URL is immutable, another one is revalidated, and a known ETag answers 304 without a body', async () => {
  const app = server();
  const versioned = linksOf(viewerHtml()).find(url => url.endsWith('viewer.js'))!;
  const first = await app.inject({ url: `/${versioned}` });
  assert.equal(first.headers['cache-control'], 'public, max-age=31536000, immutable');
  for (const url of ['/viewer/viewer.js', '/viewer/000000000000/viewer.js']) {
    assert.equal((await app.inject({ url })).headers['cache-control'], 'no-cache', url);
  }
  const again = await app.inject({
    url: `/${versioned}`,
    headers: { 'if-none-match': `"other", ${first.headers.etag}` },
  });
  assert.equal(again.statusCode, 304);
  assert.equal(again.rawPayload.length, 0);
  await app.close();
});

test('no name outside the list is served', async () => {
  const app = server();
  const names = [
    'package.json',
    'index.html',
    '..%2Fpackage.json',
    '%2e%2e%2f%2e%2e%2fpackage.json',
    '__proto__',
    'constructor',
    'maplibre-gl.mjs.map',
  ];
  for (const name of names) {
    assert.equal((await app.inject({ url: `/viewer/${name}` })).statusCode, 404, name);
    assert.equal((await app.inject({ url: `/viewer/x/${name}` })).statusCode, 404, name);
  }
  await app.close();
});

test('a base path moves the routes; the page itself names nothing absolute and nothing of another host', async () => {
  const app = server('/maps/');
  assert.equal((await app.inject({ url: '/maps/viewer/viewer.js' })).statusCode, 200);
  assert.equal((await app.inject({ url: '/viewer/viewer.js' })).statusCode, 404);
  assert.doesNotMatch(viewerHtml(), /(?:src|href)="(?:\/|https?:)/);
  await app.close();
});
