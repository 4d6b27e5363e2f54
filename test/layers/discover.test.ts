import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, test } from 'node:test';
import { type DiscoveryOptions, scan } from '../../src/layers/discover.ts';
import { assignIds, slug } from '../../src/layers/ids.ts';

const folder = mkdtempSync(join(tmpdir(), 'plimsoll-discover-'));
after(() => rmSync(folder, { recursive: true }));
const options: DiscoveryOptions = { extensions: ['.fgb', '.tif'], followSymlinks: true, maxFiles: 100 };

function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), path);
  }
}

async function found(paths: readonly string[], more: Partial<DiscoveryOptions> = {}): Promise<string[]> {
  const { files } = await scan(
    paths.map(path => join(folder, path)),
    { ...options, ...more },
  );
  return files.map(({ path }) => relative(folder, path));
}

test('fewer folders first, then by name; the same file once, however often it is named', async () => {
  put('order/z.fgb', 'order/sub/a.fgb', 'order/sub/sub/b.tif', 'order/y.tif');
  const all = ['order/y.tif', 'order/z.fgb', 'order/sub/a.fgb', 'order/sub/sub/b.tif'];
  assert.deepEqual(await found(['order']), all);
  assert.deepEqual(await found(['order/sub', 'order', 'order/z.fgb']), all);
});

test('a link that leads back is walked once; links can be left alone', async () => {
  put('links/real/a.fgb');
  symlinkSync(join(folder, 'links'), join(folder, 'links/real/back'));
  symlinkSync(join(folder, 'links/real/a.fgb'), join(folder, 'links/b.fgb'));
  symlinkSync(join(folder, 'links/nowhere'), join(folder, 'links/c.fgb'));
  assert.deepEqual(await found(['links']), ['links/b.fgb', 'links/real/a.fgb']);
  assert.deepEqual(await found(['links'], { followSymlinks: false }), ['links/real/a.fgb']);
});

test('a Kubernetes volume: files are links through ..data, and its swap changes their look', async () => {
  put('volume/..one/a.fgb', 'volume/..two/a.fgb');
  symlinkSync('..one', join(folder, 'volume/..data'));
  symlinkSync('..data/a.fgb', join(folder, 'volume/a.fgb'));
  const before = await scan([join(folder, 'volume')], options);
  assert.deepEqual(
    before.files.map(({ path }) => relative(folder, path)),
    ['volume/a.fgb'],
  );
  symlinkSync('..two', join(folder, 'volume/..tmp'));
  renameSync(join(folder, 'volume/..tmp'), join(folder, 'volume/..data'));
  const later = await scan([join(folder, 'volume')], options);
  assert.notEqual(later.files[0]?.look, before.files[0]?.look);
});

test('a sidecar that comes or changes changes the look of its file, and is no file of its own', async () => {
  put('side/a.tif');
  const look = async () => (await scan([join(folder, 'side')], options)).files.map(file => file.look);
  const [alone] = await look();
  put('side/a.tif.ovr');
  const [withOverviews, ...others] = await look();
  assert.deepEqual(others, []);
  assert.notEqual(withOverviews, alone);
  put('side/a.tif.msk');
  assert.notEqual((await look())[0], withOverviews);
  put('side/b.tif.ovr');
  assert.equal((await look()).length, 1);
});

test('what cannot be looked at is a fault, and the rest is found', async () => {
  put('faults/a.fgb');
  const { files, faults } = await scan([join(folder, 'faults'), join(folder, 'missing'), '/dev/null'], options);
  assert.equal(files.length, 1);
  assert.deepEqual(
    faults.map(({ path }) => path),
    [join(folder, 'missing'), '/dev/null'],
  );
  assert.match(faults[0]?.detail ?? '', /ENOENT/);
  assert.match(faults[1]?.detail ?? '', /is not a file/);
});

test('an unreadable folder is a fault', {
  skip: process.getuid?.() === 0 ? 'root may read everything' : false,
}, async () => {
  put('closed/sub/a.fgb', 'closed/b.fgb');
  chmodSync(join(folder, 'closed/sub'), 0);
  const { files, faults } = await scan([join(folder, 'closed')], options);
  chmodSync(join(folder, 'closed/sub'), 0o755);
  assert.equal(files.length, 1);
  assert.match(faults[0]?.detail ?? '', /EACCES/);
});

test('no more than maxFiles, and that is said', async () => {
  put('many/a.fgb', 'many/b.fgb', 'many/c.fgb');
  const { files, faults } = await scan([join(folder, 'many')], { ...options, maxFiles: 2 });
  assert.equal(files.length, 2);
  assert.match(faults[0]?.detail ?? '', /3 files found, 2 taken/);
});

test('a file named outright is taken whatever its ending', async () => {
  put('named/data.bin');
  assert.deepEqual(await found(['named/data.bin']), ['named/data.bin']);
  assert.deepEqual(await found(['named']), []);
});

test('slugs are safe in a path and never empty', () => {
  const cases = [
    ['Zürich (2024)', 'Zurich-2024'],
    ['a,b c', 'a-b-c'],
    ['..', 'layer'],
    ['Ελλάδα', 'layer'],
    ['v1.2_x-y', 'v1.2_x-y'],
  ] as const;
  for (const [name, wanted] of cases) assert.equal(slug(name), wanted);
});

test('ids: the same for the same files, never two of one, and never a configured one', () => {
  const paths = ['/d/a.fgb', '/d/a.tif', '/d/x/a.fgb', '/d/y/a.fgb', '/d/y/x/a.fgb'];
  const { ids, clashes } = assignIds(paths, new Map(), new Set(['x-a']));
  assert.deepEqual(
    [...ids],
    [
      ['a', '/d/a.fgb'],
      ['a-tif', '/d/a.tif'],
      ['d-x-a', '/d/x/a.fgb'],
      ['y-a', '/d/y/a.fgb'],
      ['y-x-a', '/d/y/x/a.fgb'],
    ],
  );
  assert.equal(clashes.length, 4);
  assert.deepEqual(assignIds(paths, ids, new Set(['x-a'])).ids, ids, 'kept at the next look');
  const configured = assignIds(['/a.fgb'], new Map(), new Set(['a', 'a-2']));
  assert.deepEqual([...configured.ids.keys()], ['a-3']);
  assert.deepEqual(
    configured.clashes.map(({ heldBy }) => heldBy),
    ['the configuration'],
  );
});
