import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DEMO_SAMPLES, generate } from '../../scripts/make-api-docs.ts';
import type { App } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { samplesOf } from '../../src/http/api/samples.ts';
import { MAX_SIDE } from '../../src/http/raster-forms.ts';
import { MAX_COMPOSITE } from '../../src/http/tiles.ts';
import { OUTPUT_PIXELS_MAX } from '../../src/render/raster/size.ts';
import { testApp } from '../lib/app.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/api.md'), 'utf8');

let app: App;
before(async () => {
  app = await testApp();
});
after(() => app.close());

test('docs/api.md is what scripts/make-api-docs.ts writes', () => {
  assert.equal(text, generate(DEMO_SAMPLES), 'run node scripts/make-api-docs.ts');
});

test('its examples are about the demo’s layers as the server finds them', () => {
  const { columns, ...samples } = samplesOf(app.catalogue);
  assert.deepEqual({ ...samples, columns: columns.slice(0, 1) }, DEMO_SAMPLES);
});

test('its limits are those of the code and the default configuration', () => {
  const { memory, features, sessions, server } = loadConfig({ env: {} });
  for (const row of [
    `| share of one client | ${memory.clientShare * 100} % of the work budget |`,
    `| waiting requests, and how long | ${memory.queue.max}, ${memory.queue.deadlineMs / 1000} s |`,
    `| features a page | ${features.limitDefault}, at most ${features.limitMax.toLocaleString('en')} |`,
    `| layers in one vector tile | ${MAX_COMPOSITE} |`,
    `| side of an image | ${MAX_SIDE.toLocaleString('en')} pixels | \`raster.maxSize\` |`,
    `| pixels of an image | ${OUTPUT_PIXELS_MAX.toLocaleString('en')} |`,
    `| upload to a session | ${sessions.maxBodyBytes / 2 ** 20} MiB |`,
    `| sessions, layers a session | ${sessions.maxSessions}, ${sessions.maxLayers} |`,
    `| life of a session, and unused | ${sessions.ttl / 3600_000} h, ${sessions.idle / 60_000} min |`,
    `| other request bodies | ${server.bodyLimit / 2 ** 20} MiB |`,
  ]) {
    assert.ok(text.includes(row), row);
  }
});
