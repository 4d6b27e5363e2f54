import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { FILES, generate } from '../../scripts/make-schema.ts';
import { loadConfig } from '../../src/config/load.ts';
import { layerSchema } from '../../src/config/schema.ts';

const root = join(import.meta.dirname, '../..');

for (const file of FILES) {
  test(`${file} is what scripts/make-schema.ts writes`, () => {
    assert.equal(readFileSync(join(root, file), 'utf8'), generate(file));
  });
}

test('the example configuration means the same as none', () => {
  const example = loadConfig({ file: join(root, 'config/plimsoll.yaml'), env: {} });
  assert.deepEqual(example, loadConfig({ env: {} }));
});

test('the example layer, uncommented, is accepted whole', () => {
  const lines = readFileSync(join(root, 'config/plimsoll.yaml'), 'utf8').split('\n');
  const start = lines.indexOf('# layers:');
  assert.ok(start > 0);
  const layer = lines.slice(start, lines.indexOf('', start)).map(line => line.replace(/^# /, ''));
  const file = join(mkdtempSync(join(tmpdir(), 'plimsoll-example-')), 'example.yaml');
  writeFileSync(file, layer.join('\n'));
  const { countries } = loadConfig({ file, env: {} }).layers;
  assert.equal(countries?.path, join(dirname(file), 'countries.fgb'));
  assert.equal(countries?.maxAge, 3600);
  assert.match(layer.join('\n'), /# mosaic: \{/);
  const keys = Object.keys(layerSchema.properties).filter(key => key !== 'mosaic');
  assert.deepEqual(Object.keys(countries ?? {}).sort(), keys.sort(), 'no key is missing from the example');
  rmSync(dirname(file), { recursive: true });
});
