import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VectorTile } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import type { SessionLayer } from '../../src/layers/types.ts';
import { createLedger } from '../../src/memory/ledger.ts';
import { createSessions } from '../../src/sessions/keeper.ts';
import { SESSION_DEFAULTS, type SessionSettings } from '../../src/sessions/settings.ts';
import type { Sessions, UploadedLayer } from '../../src/sessions/types.ts';

interface Rig {
  sessions: Sessions;
  ledger: ReturnType<typeof createLedger>;
  listed: Map<string, SessionLayer>;
  clock: { now: number };
}

function rig(settings: Partial<SessionSettings> = {}): Rig {
  const ledger = createLedger({ strict: true });
  const listed = new Map<string, SessionLayer>();
  const clock = { now: 1_000_000 };
  const sessions = createSessions({
    ledger,
    settings: { ...SESSION_DEFAULTS, ...settings },
    catalogue: { addSession: layer => listed.set(layer.id, layer), removeSession: id => listed.delete(id) },
    now: () => clock.now,
  });
  return { sessions, ledger, listed, clock };
}

function geojson(value: unknown): Uint8Array {
  return new Uint8Array(Buffer.from(JSON.stringify(value)));
}

function grid(n: number): unknown {
  const features = Array.from({ length: n }, (_, i) => {
    const x = (i % 100) * 0.1;
    const y = Math.floor(i / 100) * 0.1;
    const ring = [
      [x, y],
      [x + 0.08, y],
      [x + 0.08, y + 0.08],
      [x, y + 0.08],
      [x, y],
    ];
    return {
      type: 'Feature',
      properties: { n: i, name: `cell ${i}` },
      geometry: { type: 'Polygon', coordinates: [ring] },
    };
  });
  return { type: 'FeatureCollection', features };
}

/** A body that is there already, as the thread takes it. */
async function upload(sessions: Sessions, id: string, name: string, body: Uint8Array): Promise<UploadedLayer> {
  return (await sessions.put(id, name, { body: async () => body })).layer;
}

function decode(body: Uint8Array | null): VectorTile {
  assert.ok(body, 'the tile has a body');
  return new VectorTile(new PbfReader(body));
}

test('a layer is uploaded, listed, tiled and gone with its session, and the books are at zero', async () => {
  const { sessions, ledger, listed } = rig();
  const { id } = sessions.create();
  const layer = await upload(sessions, id, 'cells', geojson(grid(500)));
  assert.equal(layer.id, `${id}.cells`);
  assert.equal(layer.count, 500);
  assert.deepEqual(layer.fields, { n: 'Number', name: 'String' });
  assert.equal(layer.geometry, 'Polygon');
  assert.ok(listed.has(layer.id));
  assert.ok(ledger.inUse.sessions >= layer.bytes);
  assert.ok(ledger.inUse.workers > 0, 'the thread is on the books');

  const tile = decode((await sessions.tile(layer.id, { z: 3, x: 4, y: 3 }, 'identity')).body);
  const drawn = tile.layers[layer.id];
  assert.equal(drawn.version, 2);
  assert.equal(drawn.length, 500);
  assert.deepEqual({ ...drawn.feature(7).properties }, { n: 7, name: 'cell 7' });
  assert.equal(drawn.feature(7).id, 8);

  sessions.remove(id);
  await sessions.close();
  assert.equal(ledger.inUse.sessions, 0);
  assert.equal(ledger.inUse.workers, 0);
  assert.equal(listed.size, 0);
  ledger.audit();
});

test('an ended session is 410 with its reason, one that never was is 404', async () => {
  const { sessions, clock } = rig({ idleMs: 1000, ttlMs: 10_000 });
  const { id } = sessions.create();
  const layer = await upload(sessions, id, 'a', geojson({ type: 'Point', coordinates: [1, 2] }));
  clock.now += 999;
  sessions.touch(id);
  clock.now += 999;
  sessions.sweep();
  assert.equal(sessions.get(id).layers.length, 1);
  clock.now += 2;
  sessions.sweep();
  assert.throws(() => sessions.get(id), { code: 'session-gone', message: /not used for too long/ });
  await assert.rejects(sessions.tile(layer.id, { z: 0, x: 0, y: 0 }, 'identity'), { code: 'session-gone' });
  assert.match(sessions.goneReason(layer.id) ?? '', /not used/);
  assert.throws(() => sessions.get('nope'), { code: 'not-found' });
  assert.equal(sessions.goneReason('nope.a'), null);
  await sessions.close();
});

test('a session that is used until the end of its life still ends', async () => {
  const { sessions, clock } = rig({ idleMs: 1000, ttlMs: 3000 });
  const { id } = sessions.create();
  for (let i = 0; i < 6; i++) {
    clock.now += 500;
    if (i < 5) sessions.touch(id);
  }
  sessions.sweep();
  assert.throws(() => sessions.get(id), { code: 'session-gone', message: /end of its life/ });
  await sessions.close();
});

test('only the secret of a session opens it', async () => {
  const { sessions } = rig();
  const a = sessions.create();
  const b = sessions.create();
  sessions.authorise(a.id, a.secret);
  assert.throws(() => sessions.authorise(a.id, null), { code: 'unauthorized' });
  assert.throws(() => sessions.authorise(a.id, b.secret), { code: 'forbidden' });
  assert.throws(() => sessions.authorise(a.id, ''), { code: 'forbidden' });
  await sessions.close();
});

test('the quota refuses with 507 and leaves what was there', async () => {
  const { sessions, ledger } = rig({ quotaBytes: 400_000 });
  const { id } = sessions.create();
  const small = await upload(sessions, id, 'a', geojson(grid(100)));
  const before = ledger.inUse.sessions;
  await assert.rejects(upload(sessions, id, 'b', geojson(grid(4000))), { code: 'quota-exceeded' });
  await assert.rejects(upload(sessions, id, 'a', geojson(grid(4000))), { code: 'quota-exceeded' });
  assert.equal(ledger.inUse.sessions, before);
  assert.equal(sessions.get(id).layers[0].version, small.version);
  assert.ok((await sessions.tile(small.id, { z: 6, x: 32, y: 31 }, 'identity')).body);
  await sessions.close();
});

test('under pressure the session idle for longest goes first, and what is in use is spared', async () => {
  const { sessions, ledger, clock } = rig({ sparedMs: 1000 });
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) {
    const { id } = sessions.create();
    ids.push(id);
    await upload(sessions, id, 'a', geojson(grid(100)));
    clock.now += 600;
  }
  assert.ok(sessions.sheddable.shed(1) > 0);
  assert.throws(() => sessions.get(ids[0]), { code: 'session-gone', message: /free memory/ });
  sessions.get(ids[1]);
  const freed = sessions.sheddable.shed(1e12);
  assert.ok(freed > 0);
  sessions.get(ids[2]);
  assert.ok(sessions.sheddable.shed(Number.POSITIVE_INFINITY) > 0);
  assert.throws(() => sessions.get(ids[2]), { code: 'session-gone' });
  await sessions.close();
  assert.equal(ledger.total, 0);
});

test('drill-downs stay within their bound at every zoom and tiles stay the same after they are forgotten', async () => {
  const { sessions } = rig({ totalBytes: 8 << 20 });
  const { id } = sessions.create();
  const layer = await upload(sessions, id, 'cells', geojson(grid(2000)));
  const probe = { z: 12, x: 2048, y: 2047 };
  const first = await sessions.tile(layer.id, probe, 'identity');
  let peak = 0;
  for (let z = 6; z <= 16; z++) {
    for (let i = 0; i < 12; i++) {
      const x = 2 ** (z - 1) + ((i * 7919) % Math.max(1, Math.floor(2 ** z * 0.027)));
      await sessions.tile(layer.id, { z, x, y: 2 ** (z - 1) - 1 }, 'identity');
      peak = Math.max(peak, sessions.get(id).bytes);
    }
  }
  assert.ok(peak <= layer.bytes + (1 << 20) * 1.5, `${peak} bytes held of ${layer.bytes} at rest`);
  assert.deepEqual(await sessions.tile(layer.id, probe, 'identity').then(p => p.body), first.body);
  await sessions.close();
});

test('names that every object inherits, huge numbers and nested values come through', async () => {
  const { sessions } = rig();
  const { id } = sessions.create();
  const text =
    '{"type":"Feature","id":"42","geometry":{"type":"Point","coordinates":[5,5]},"properties":' +
    '{"constructor":"c","__proto__":7,"toString":true,"big":1e20,"neg":-5,"f":1.5,"n":null,"o":{"a":[1]}}}';
  const layer = await upload(sessions, id, 'odd', new Uint8Array(Buffer.from(text)));
  const feature = decode((await sessions.tile(layer.id, { z: 0, x: 0, y: 0 }, 'identity')).body).layers[
    layer.id
  ].feature(0);
  const expected = {
    constructor: 'c',
    ['__proto__']: 7,
    toString: true,
    big: '100000000000000000000',
    neg: -5,
    f: 1.5,
    o: '{"a":[1]}',
  };
  assert.deepEqual(Object.entries(feature.properties).sort(), Object.entries(expected).sort());
  assert.equal(feature.id, 42);
  await sessions.close();
});

test('at the last zoom no ring without area and no repeated point is written', async () => {
  const { sessions } = rig({ maxZoom: 4 });
  const { id } = sessions.create();
  const layer = await upload(
    sessions,
    id,
    'tiny',
    geojson({
      type: 'FeatureCollection',
      features: [0.00001, 5].map(s => ({
        type: 'Feature',
        properties: {},
        geometry: {
          type: 'Polygon',
          coordinates: [
            [
              [1, 1],
              [1 + s, 1],
              [1 + s, 1 + s],
              [1, 1 + s],
              [1, 1],
            ],
          ],
        },
      })),
    }),
  );
  const drawn = decode((await sessions.tile(layer.id, { z: 4, x: 8, y: 7 }, 'identity')).body).layers[layer.id];
  assert.equal(drawn.length, 1);
  assert.equal(drawn.feature(0).id, 2);
  await sessions.close();
});

const refusals: [string, string, string, RegExp][] = [
  ['text that ends', '{"type":"FeatureCollection","features":[{"type":"Feature"', 'bad-body', /the text ends at byte/],
  ['no object', '[1,2]', 'bad-body', /a GeoJSON object/],
  ['no type', '{"features":[]}', 'bad-body', /no "type"/],
  ['trailing text', '{"type":"Point","coordinates":[1,2]} x', 'bad-body', /nothing more/],
  [
    'missing comma',
    '{"type":"FeatureCollection","features":[{"type":"Feature"} {}]}',
    'bad-body',
    /after features\[0\]/,
  ],
  [
    'no feature',
    '{"type":"FeatureCollection","features":[{"type":"Feature","geometry":null},{"type":"Point"}]}',
    'bad-body',
    /features\[1\]\.type/,
  ],
  [
    'unknown geometry',
    '{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Circle"}}]}',
    'bad-body',
    /features\[0\]\.geometry\.type is "Circle"/,
  ],
  ['bad number', '{"type":"LineString","coordinates":[[1,2],[3,null]]}', 'bad-body', /coordinates\[1\]/],
  ['metres', '{"type":"Point","coordinates":[155000,463000]}', 'unprocessable', /not longitude and latitude/],
  [
    'other crs',
    '{"type":"Point","coordinates":[1,2],"crs":{"properties":{"name":"urn:ogc:def:crs:EPSG::28992"}}}',
    'unprocessable',
    /to_crs\(4326\)/,
  ],
  ['open ring', '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}', 'unprocessable', /not closed/],
];
for (const [name, text, code, message] of refusals) {
  test(`refused: ${name}`, async () => {
    const { sessions, ledger, listed } = rig();
    const { id } = sessions.create();
    await assert.rejects(upload(sessions, id, 'x', new Uint8Array(Buffer.from(text))), { code, message });
    assert.equal(listed.size, 0);
    await sessions.close();
    assert.equal(ledger.total, 0);
  });
}

test('the crs member that geopandas writes for WGS 84 is taken', async () => {
  const { sessions } = rig();
  const { id } = sessions.create();
  for (const name of ['urn:ogc:def:crs:OGC:1.3:CRS84', 'urn:ogc:def:crs:EPSG::4326', 'EPSG:4326']) {
    const layer = await upload(
      sessions,
      id,
      'p',
      geojson({ type: 'Point', crs: { type: 'name', properties: { name } }, coordinates: [1, 2] }),
    );
    assert.equal(layer.count, 1);
  }
  await sessions.close();
});
