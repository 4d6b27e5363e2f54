import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkConfig } from '../../src/commands/check-config.ts';
import { inspect } from '../../src/commands/inspect.ts';
import { memory } from '../../src/commands/memory.ts';

const root = join(import.meta.dirname, '../..');
const data = join(root, '../shared/data/dev');
const noData = existsSync(data) ? false : 'needs the shared data folder';
const folder = mkdtempSync(join(tmpdir(), 'plimsoll-commands-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

function capture() {
  const out: string[] = [];
  const err: string[] = [];
  return { out, err, output: { out: (line: string) => out.push(line), err: (line: string) => err.push(line) } };
}

test('check-config: a good file, and one with two faults by line and column', () => {
  const good = capture();
  assert.equal(checkConfig(file('good.yaml', 'server: {port: 80}\n'), {}, good.output), 0);
  assert.match(good.out[0] as string, /good\.yaml: good/);
  const bad = capture();
  assert.equal(checkConfig(file('bad.yaml', 'server:\n  port: x\n  hots: y\n'), {}, bad.output), 78);
  assert.match(bad.err[0] as string, /bad\.yaml:2:9: server\.port: /);
  assert.match(bad.err[1] as string, /bad\.yaml:3:3: server\.hots: unknown key \(did you mean "host"\?\)/);
  assert.equal(bad.err[2], '2 faults');
});

test('memory: the parts stay below the line; a limit that cannot work is refused with the table', () => {
  const flags = (text: string) => [{ flag: '--limit', key: 'memory.limit', text }];
  const good = capture();
  assert.equal(memory({ config: null, flags: flags('256MiB'), json: true }, {}, good.output), 0);
  const budget = JSON.parse(good.out[0] as string);
  assert.equal(budget.limit, 2 ** 28);
  assert.ok(budget.line < budget.limit && budget.cacheBytes > 0 && budget.inflightBytes > budget.requestCeilingBytes);
  const table = capture();
  assert.equal(memory({ config: null, flags: flags('512MiB'), json: false }, {}, table.output), 0);
  assert.match(table.out.join('\n'), /limit +512\.0 MiB/);
  const tight = capture();
  assert.equal(memory({ config: null, flags: flags('65MiB'), json: false }, {}, tight.output), 78);
  assert.match(tight.err.join('\n'), /raise the limit/);
});

test('memory: workers and cacheBytes of the configuration are taken as said', () => {
  const said = capture();
  const config = file('m.yaml', 'memory: {limit: 1GiB, workers: 3, cacheBytes: 100MiB}\n');
  assert.equal(memory({ config, flags: [], json: true }, {}, said.output), 0);
  const { workers, cacheBytes } = JSON.parse(said.out[0] as string);
  assert.deepEqual([workers, cacheBytes], [3, 100 * 2 ** 20]);
});

test('inspect: what is no such file is refused with its reason, exit code 1', async () => {
  const said = capture();
  const files = [
    join(folder, 'none.fgb'),
    file('text.fgb', 'no FlatGeobuf at all'),
    file('a.txt', 'x'),
    file('empty.tif', ''),
  ];
  assert.equal(await inspect(files, { json: true, crs: null }, said.output), 1);
  const codes = said.out.map(line => JSON.parse(line)).map(({ servable, reasons }) => [servable, reasons[0].code]);
  assert.deepEqual(
    codes.map(([servable]) => servable),
    [false, false, false, false],
  );
  assert.deepEqual(
    codes.slice(0, 3).map(([, code]) => code),
    ['read-failed', 'fgb-bad-magic', 'unknown-format'],
  );
});

test('inspect: a vector and a raster file as text', { skip: noData }, async () => {
  const said = capture();
  const files = [join(data, 'vector/ne_10m_ports.fgb'), join(data, 'raster/rt_cog.tif')];
  assert.equal(await inspect(files, { json: false, crs: null }, said.output), 0);
  const text = said.out.join('\n');
  assert.match(text, /ne_10m_ports\.fgb: servable vector/);
  assert.match(text, /fields: .*name string/);
  assert.match(text, /features: 1081/);
  assert.match(text, /rt_cog\.tif: servable raster/);
  assert.match(text, /block: \d+×\d+/);
  assert.match(text, /overviews: \d+×\d+/);
});

test('inspect --crs: a file without a CRS becomes servable', { skip: noData }, async () => {
  const path = join(data, 'vector/fgb_no_properties.fgb');
  const said = capture();
  assert.equal(await inspect([path], { json: false, crs: null }, said.output), 1);
  assert.match(said.out.join('\n'), /refused: fgb-no-crs: .*\n +remedy: ogr2ogr .*-a_srs/);
  assert.equal(await inspect([path], { json: false, crs: 'EPSG:4326' }, said.output), 0);
});
