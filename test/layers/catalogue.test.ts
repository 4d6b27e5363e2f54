import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Problem, problem } from '../../src/errors.ts';
import { type CatalogueOptions, type Change, createCatalogue } from '../../src/layers/catalogue.ts';
import type { SessionLayer } from '../../src/layers/types.ts';
import type { BytesRef } from '../../src/plan.ts';
import type { Source } from '../../src/source/types.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-catalogue-'));
after(() => rmSync(folder, { recursive: true }));

/** A source whose closing can be seen. Content 'bad' cannot be opened, 'curve' opens and is not servable. */
function fakeFormat() {
  const opened: string[] = [];
  const closed: string[] = [];
  let now = 0;
  let most = 0;
  const open = async (ref: BytesRef): Promise<Source> => {
    opened.push(ref.href);
    now++;
    most = Math.max(most, now);
    await new Promise(done => setImmediate(done));
    now--;
    if (ref.size === 3) throw problem('corrupt-data', `${ref.href} is bad`, { remedy: 'ogr2ogr good.fgb bad.fgb' });
    const reasons = ref.size === 5 ? [{ code: 'curves', detail: 'has curves' }] : [];
    return {
      kind: 'vector',
      ref,
      verdict: { servable: reasons.length === 0, reasons, notes: [] },
      title: null,
      description: null,
      crs: 'OGC:CRS84',
      bounds: [0, 0, 1, 1],
      lonLatBounds: [0, 0, 1, 1],
      residentBytes: 100,
      close: async () => {
        closed.push(ref.href);
      },
      geometry: 'Point',
      hasZ: false,
      hasM: false,
      columns: [],
      count: 1,
      indexed: true,
    };
  };
  return { open, opened, closed, most: () => most };
}

function makeFolder(name: string, files: Readonly<Record<string, string>>): string {
  const root = join(folder, name);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

function options(
  root: string,
  format: ReturnType<typeof fakeFormat>,
  more: Partial<CatalogueOptions> = {},
): CatalogueOptions {
  return {
    paths: [root],
    layers: {},
    discovery: {
      watch: false,
      intervalMs: 50,
      concurrency: 2,
      extensions: ['.fgb', '.tif'],
      followSymlinks: true,
      maxFiles: 100,
    },
    open: format.open,
    zoomsOf: () => ({ minzoom: 2, maxzoom: 9 }),
    log: { info: () => {}, warn: () => {} },
    ...more,
  };
}

test('files become layers under their names; sidecars, hidden and other files do not', async () => {
  const format = fakeFormat();
  const root = makeFolder('names', {
    'a.fgb': 'x',
    'Zürich Wege.fgb': 'x',
    'b/c.TIF': 'x',
    'b/c.TIF.ovr': 'x',
    '.d.fgb': 'x',
    'e.txt': 'x',
  });
  const room = await createCatalogue(options(root, format));
  assert.deepEqual(
    room.list().map(({ id }) => id),
    ['Zurich-Wege', 'a', 'c'],
  );
  const layer = room.get('a');
  assert.equal(layer?.minzoom, 2);
  assert.equal(layer?.maxzoom, 9);
  assert.equal(format.most(), 2, 'opened two at a time');
  await room.close();
  assert.equal(format.closed.length, 3);
});

test('clashing names: the shallowest keeps it, others take their folder, a twin its ending; and each is said', async () => {
  const said: string[] = [];
  const root = makeFolder('clash', {
    'roads.fgb': 'x',
    'roads.tif': 'x',
    'nl/roads.fgb': 'x',
    'be/roads.fgb': 'x',
    'be/nl/roads.fgb': 'x',
  });
  const log = { info: () => {}, warn: (_facts: object, message: string) => said.push(message) };
  const room = await createCatalogue(options(root, fakeFormat(), { log }));
  assert.deepEqual(
    room.list().map(({ id }) => id),
    ['be-nl-roads', 'be-roads', 'nl-roads', 'roads', 'roads-tif'],
  );
  assert.equal(said.filter(message => message.includes('the id roads belongs to')).length, 4);
  await room.close();
});

test('a newcomer never takes the id of a layer in use', async () => {
  const root = makeFolder('sticky', { 'deep/er/x.fgb': 'x' });
  const room = await createCatalogue(options(root, fakeFormat()));
  const before = room.get('x');
  writeFileSync(join(root, 'x.fgb'), 'x');
  await room.refresh();
  assert.equal(room.get('x'), before);
  assert.deepEqual(
    room.list().map(({ id }) => id),
    ['sticky-x', 'x'],
  );
  await room.close();
});

test('a replaced file is swapped in; a lease keeps the old source open until it is released', async () => {
  const format = fakeFormat();
  const changes: Change[] = [];
  const root = makeFolder('swap', { 'a.fgb': 'one' + 'x', 'b.fgb': 'x' });
  const room = await createCatalogue(options(root, format, { onChange: more => changes.push(...more) }));
  const lease = room.lease('a');
  const second = room.lease('a');
  writeFileSync(join(root, 'new'), 'twotwotwo');
  renameSync(join(root, 'new'), join(root, 'a.fgb'));
  const seen = await room.refresh();
  assert.deepEqual(
    seen.map(({ kind, id }) => [kind, id]),
    [['replaced', 'a']],
  );
  assert.notEqual(room.get('a')?.version, lease.layer.version);
  assert.deepEqual(format.closed, [], 'leased twice');
  lease.release();
  lease.release();
  assert.deepEqual(format.closed, [], 'releasing twice counts once');
  second.release();
  assert.deepEqual(format.closed, [join(root, 'a.fgb')]);
  assert.equal(room.get('b'), room.get('b'));
  assert.equal(changes.filter(({ id }) => id === 'b').length, 1, 'b was never opened again');
  await room.close();
});

test('a removed file is a 404 that says so; an unknown id names the nearest', async () => {
  const root = makeFolder('gone', { 'rivers.fgb': 'x', 'lakes.fgb': 'x' });
  const room = await createCatalogue(options(root, fakeFormat()));
  rmSync(join(root, 'rivers.fgb'));
  await room.refresh();
  assert.throws(
    () => room.lease('rivers'),
    (error: Problem) => error.code === 'layer-not-found' && /was removed/.test(error.message),
  );
  assert.throws(
    () => room.lease('laeks'),
    (error: Problem) => error.code === 'layer-not-found' && /"lakes"/.test(error.message),
  );
  await room.close();
});

test('what cannot be opened is listed with its reason and mends itself when the file changes', async () => {
  const root = makeFolder('bad', { 'a.fgb': 'bad', 'b.fgb': 'curve' });
  const format = fakeFormat();
  const room = await createCatalogue(options(root, format));
  const refused = room.get('a');
  assert.equal(refused?.kind, 'refused');
  assert.deepEqual(refused?.verdict.reasons, [
    { code: 'corrupt-data', detail: `${join(root, 'a.fgb')} is bad`, remedy: 'ogr2ogr good.fgb bad.fgb' },
  ]);
  assert.equal(room.get('b')?.kind, 'vector');
  assert.equal(room.get('b')?.verdict.servable, false);
  await room.refresh();
  assert.equal(format.opened.length, 2, 'not tried again while it looks the same');
  writeFileSync(join(root, 'a.fgb'), 'mended!!');
  await room.refresh();
  assert.equal(room.get('a')?.kind, 'vector');
  await room.close();
});

test('configured layers come first, with their options; options without a path go to the discovered layer', async () => {
  const root = makeFolder('configured', { 'a.fgb': 'x', 'sub/b.fgb': 'x' });
  const layers = {
    first: { path: join(root, 'a.fgb'), title: 'First', minzoom: 5 },
    second: { path: join(root, 'a.fgb'), maxzoom: 1 },
    b: { title: 'Bee' },
    none: { path: join(root, 'none.fgb') },
  };
  const room = await createCatalogue(options(root, fakeFormat(), { layers }));
  assert.deepEqual(
    room.list().map(({ id }) => id),
    ['b', 'first', 'none', 'second'],
  );
  assert.equal(room.get('first')?.title, 'First');
  assert.deepEqual([room.get('first')?.minzoom, room.get('first')?.maxzoom], [5, 9]);
  assert.deepEqual([room.get('second')?.minzoom, room.get('second')?.maxzoom], [1, 1]);
  assert.notEqual(room.get('first')?.version, room.get('second')?.version);
  assert.equal(room.get('b')?.title, 'Bee');
  assert.equal(room.get('none')?.verdict.reasons[0]?.code, 'read-failed');
  const before = room.get('first');
  await room.reload({ ...options(root, fakeFormat()), layers: { first: layers.first, b: { title: 'Other' } } });
  assert.equal(room.get('first'), before, 'what stays the same stays open');
  assert.equal(room.get('b')?.title, 'Other');
  assert.equal(room.get('second'), undefined);
  await room.close();
});

test('session layers are found by id, are in no list, and answer 410 with the reason once ended', async () => {
  const root = makeFolder('sessions', { 'a.fgb': 'x' });
  const room = await createCatalogue(options(root, fakeFormat()));
  const layer = { ...room.get('a'), kind: 'session', id: 's.points', session: 's' } as unknown as SessionLayer;
  room.addSession(layer);
  assert.equal(room.lease('s.points').layer, layer);
  assert.deepEqual(
    room.list().map(({ id }) => id),
    ['a'],
  );
  room.removeSession('s.points', 'was deleted');
  assert.throws(() => room.lease('s.points'), { code: 'session-gone', message: /was deleted/ });
  assert.throws(() => room.addSession({ ...layer, id: 'a' }), Problem);
  await room.close();
});

test('while it runs, a new file is picked up by itself and a folder that is missing appears', async () => {
  const root = join(folder, 'later');
  const waiting = Promise.withResolvers<readonly Change[]>();
  const base = options(root, fakeFormat());
  const room = await createCatalogue({
    ...base,
    discovery: { ...base.discovery, watch: true },
    onChange: waiting.resolve,
  });
  assert.equal(room.stats().faults.length, 1);
  makeFolder('later', { 'a.fgb': 'x' });
  const keepAlive = setInterval(() => {}, 1000);
  const changes = await waiting.promise;
  clearInterval(keepAlive);
  assert.deepEqual(
    changes.map(({ kind, id }) => [kind, id]),
    [['added', 'a']],
  );
  await room.close();
});
