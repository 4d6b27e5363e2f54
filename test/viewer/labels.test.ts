/** Names on the map, in a real Chromium against the real server: written from the layer of labels, without fonts of a server. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEMO } from '../lib/app.ts';
import { chromiumMissing, openChromium, openPage, settle } from './chromium.ts';
import { startReal } from './real-server.ts';

test('a layer with labels has its names on the map', { skip: chromiumMissing() }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-names-'));
  const file = join(folder, 'plimsoll.yaml');
  writeFileSync(file, `layers:\n  lands: {path: ${DEMO}/countries.fgb, labels: true}\n`);
  const [browser, server] = await Promise.all([openChromium(), startReal(['--config', file])]);
  try {
    const { page, complaints } = await openPage(browser, server.address);
    await page.goto(`${server.address}/?still#map=3/5/20&layers=lands`);
    await settle(page);
    const drawn = "plimsoll.map.queryRenderedFeatures({ layers: ['layer:lands:symbol'] }).map(f => f.properties.name)";
    const names = (await page.evaluate(drawn)) as string[];
    assert.ok(names.length > 10, names.join());
    assert.equal(new Set(names).size, names.length, 'none twice');
    assert.deepEqual(complaints, []);
    await page.close();
  } finally {
    await browser.close();
    await server.stop();
    rmSync(folder, { recursive: true });
  }
});
