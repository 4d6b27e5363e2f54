/** OGC API Features over the whole server: every page, every box, a client that leaves, an answer far above the memory. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get as httpGet, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { serialize } from 'flatgeobuf/lib/mjs/geojson.js';
import type { App } from '../../src/app.ts';
import { deriveBudget } from '../../src/memory/budget.ts';
import { DEMO, SHARED, testApp, WITHOUT_SHARED } from '../lib/app.ts';
import { findPython } from '../oracle/python.ts';
import type { Collection } from './rig.ts';

const app = await testApp({ paths: WITHOUT_SHARED ? [DEMO] : [DEMO, `${SHARED}/vector`] });
after(() => app.close());

async function page(url: string): Promise<Collection> {
  const response = await app.server.inject(url);
  assert.equal(response.statusCode, 200, response.body);
  return response.json();
}

/** Ids of all pages from a URL on, by their `next` links. */
async function allPages(first: string): Promise<number[]> {
  const ids: number[] = [];
  for (let url: string | undefined = first; url !== undefined; ) {
    const { features, links, numberMatched, numberReturned }: Collection = await page(url);
    assert.equal(features.length, numberReturned);
    ids.push(...features.map(feature => feature.id));
    const next: string | undefined = links.find(link => link.rel === 'next')?.href;
    if (next === undefined) assert.equal(ids.length, numberMatched);
    url = next?.replace('http://localhost:80', '');
  }
  return ids;
}

function released(of: App): void {
  of.memory.ledger.audit();
  assert.equal(of.memory.ledger.inUse.inflight, 0);
  assert.equal(of.catalogue.stats().leases, 0);
}

test('the pages of a collection hold every feature exactly once', async () => {
  const { collections } = (await app.server.inject('/collections')).json();
  for (const { id, itemType } of collections as { id: string; itemType?: string }[]) {
    if (itemType !== 'feature') continue;
    const { numberMatched: all = 0 } = await page(`/collections/${id}/items?limit=1`);
    if (all > 1500) continue;
    const ids = await allPages(`/collections/${id}/items?limit=${Math.max(7, Math.ceil(all / 9))}`);
    assert.equal(new Set(ids).size, all, id);
    assert.equal(ids.length, all, id);
  }
  released(app);
});

test('the pages of a box hold its features exactly once, as explain foretold', async () => {
  const box = '-30,-40,60,45';
  const explained = await app.server.inject(`/collections/places/items?bbox=${box}&limit=1000&explain=1`);
  const ids = await allPages(`/collections/places/items?bbox=${box}&limit=11`);
  assert.ok(ids.length > 30);
  assert.equal(new Set(ids).size, ids.length);
  assert.equal(explained.json().plan.features, ids.length);
  released(app);
});

const python = findPython('geopandas');
const noOracle = 'reason' in python ? python.reason : WITHOUT_SHARED;

const COUNTS = `
import sys, json, geopandas
path, boxes = sys.argv[1], json.loads(sys.argv[2])
b = geopandas.read_file(path, columns=[]).to_crs(4326).bounds
print(json.dumps([int(((b.minx <= e) & (b.maxx >= w) & (b.miny <= n) & (b.maxy >= s)).sum()) for w, s, e, n in boxes]))
`;

test('a box selects as many features as geopandas finds by their bounds', { skip: noOracle }, async () => {
  const boxes = [
    [0, 45, 10, 50],
    [-100, 30, -90, 40],
    [-80, -20, -60, 0],
    [100, -10, 120, 5],
    [-0.5, 51.2, 0.3, 51.7],
  ];
  for (const file of ['ne_10m_populated_places', 'UScounties', 'ne_10m_lakes', 'ne_110m_admin_0_countries']) {
    const path = `${SHARED}/vector/${file}.fgb`;
    const args = ['-c', COUNTS, path, JSON.stringify(boxes)];
    const expected = JSON.parse(execFileSync((python as { python: string }).python, args, { encoding: 'utf8' }));
    const found = boxes.map(async box => (await page(`/collections/${file}/items?bbox=${box}&limit=1`)).numberMatched);
    assert.deepEqual(await Promise.all(found), expected, file);
  }
});

test('HEAD reads no feature; gzip holds the same features; the same page again is 304', async () => {
  const url = '/collections/countries/items?limit=100';
  const plain = await app.server.inject(url);
  const head = await app.server.inject({ method: 'HEAD', url });
  assert.equal(head.statusCode, 200);
  assert.equal(head.body, '');
  for (const name of ['content-type', 'content-crs', 'etag', 'vary'])
    assert.equal(head.headers[name], plain.headers[name]);
  const packed = await app.server.inject({ url, headers: { 'accept-encoding': 'br, gzip' } });
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.ok(packed.rawPayload.length * 2 < plain.rawPayload.length);
  assert.deepEqual(JSON.parse(gunzipSync(packed.rawPayload).toString()).features, plain.json().features);
  for (const method of ['GET', 'HEAD'] as const) {
    const again = await app.server.inject({ method, url, headers: { 'if-none-match': String(plain.headers.etag) } });
    assert.deepEqual([again.statusCode, again.body], [304, '']);
  }
  const other = await app.server.inject({
    url: `${url}&bbox=0,0,9,9`,
    headers: { 'if-none-match': String(plain.headers.etag) },
  });
  assert.equal(other.statusCode, 200);
  released(app);
});

const FEATURES = 9800;
const VERTICES = 420;

/** One circle again and again: 66 MB as FlatGeobuf, 95 MB as GeoJSON. */
function largeFile(folder: string): string {
  const ring = Array.from({ length: VERTICES }, (_, k) => {
    const turn = ((k % (VERTICES - 1)) * 2 * Math.PI) / (VERTICES - 1);
    return [5.1234567 + 0.5 * Math.cos(turn), 52.1234567 + 0.5 * Math.sin(turn)];
  });
  const geometry = { type: 'Polygon', coordinates: [ring] };
  const features = Array.from({ length: FEATURES }, (_, n) => ({ type: 'Feature', properties: { n }, geometry }));
  const path = join(folder, 'circles.fgb');
  writeFileSync(path, serialize({ type: 'FeatureCollection', features } as never, 4326));
  return path;
}

test('an answer of 95 MB is streamed by a server that may hold 128 MiB; one cut off in the middle gives all back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-items-'));
  const path = largeFile(folder);
  const set = { 'vector.unindexedMaxBytes': '128MiB' };
  const small = await testApp({ paths: [path], memory: '128MiB', set });
  try {
    await small.server.listen({ port: 0, host: '127.0.0.1' });
    const { port } = small.server.server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/collections/circles/items?limit=${FEATURES}`;
    const { ledger } = small.memory;
    const ceiling = deriveBudget(128 << 20, { workers: 1 }).requestCeilingBytes;
    let bytes = 0;
    let most = 0;
    for await (const chunk of await begun(url)) {
      bytes += (chunk as Buffer).length;
      most = Math.max(most, ledger.inUse.inflight);
    }
    assert.ok(bytes > 90e6, `${bytes} bytes`);
    assert.ok(most > 0 && most <= ceiling, `${most} bytes in flight for an answer of ${bytes}`);
    await ended(small);

    const cut = await begun(url);
    for await (const chunk of cut) {
      bytes = (chunk as Buffer).length;
      break; // which closes the socket
    }
    await ended(small);
  } finally {
    await small.close();
    rmSync(folder, { recursive: true });
  }
});

async function begun(url: string): Promise<IncomingMessage> {
  const [response] = (await once(httpGet(url), 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 200, response.statusCode === 200 ? '' : String(await response.toArray()));
  return response;
}

/** The socket's end and the worker's answer come a moment later; on a busy machine, many moments. */
async function ended(of: App): Promise<void> {
  for (let i = 0; i < 6000 && of.memory.ledger.inUse.inflight > 0; i++) await pause(10);
  released(of);
}
