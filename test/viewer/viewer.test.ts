/** The page in a real Chromium against a server of its own contract: what it draws, says and survives. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { Browser, Page } from 'playwright-core';
import { chromiumMissing, openChromium, openPage, pixelAt, place, settle } from './chromium.ts';
import { type Asked, HOSTILE, startFixture } from './fixture-server.ts';

const skip = chromiumMissing();
let browser: Browser;
let app: FastifyInstance;
let origin: string;
let asked: Asked;

before(async () => {
  if (skip) return;
  ({ app, origin, asked } = await startFixture());
  browser = await openChromium();
});

after(async () => {
  await browser?.close();
  await app?.close();
});

/** Looks until it is so; the test runner's own timeout is the bound. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(done => setTimeout(done, 50));
}

async function open(hash: string, scheme: 'light' | 'dark' = 'light'): Promise<{ page: Page; complaints: string[] }> {
  const watched = await openPage(browser, origin, scheme);
  asked.urls.length = 0;
  asked.level = 'normal';
  await watched.page.goto(`${origin}/?still#${hash}`);
  await settle(watched.page);
  return watched;
}

test('vector and raster layers are drawn without a complaint and without another host', { skip }, async () => {
  const { page, complaints } = await open('map=2/0/-70&layers=islands,depth');
  const drawn = await page.evaluate(`plimsoll.map.queryRenderedFeatures({ layers: ['layer:islands:fill'] }).length`);
  assert.ok(Number(drawn) > 0);
  const [sea, ground] = [
    await pixelAt(page, await place(page, -60, 30)),
    await pixelAt(page, await place(page, -100, 20)),
  ];
  assert.deepEqual(sea, [20, 90, 200], 'the raster');
  assert.deepEqual(ground, [0xe9, 0xee, 0xf1], 'the ground where no layer is');
  assert.deepEqual(complaints, []);
  await page.close();
});

test('a click shows attributes as text, never as markup, and the value of the raster below', { skip }, async () => {
  const { page, complaints } = await open('map=2/0/0&layers=islands,depth');
  await page.mouse.click(...(await place(page, 5, 5)));
  await page.waitForSelector('.inspect .values td');
  const text = (await page.textContent('.inspect')) ?? '';
  for (const part of ['Islands · 7', HOSTILE, '1234', 'Sea depth', '-4321'])
    assert.ok(text.includes(part), `${part} in ${text}`);
  assert.equal(await page.evaluate('window.hacked'), undefined);
  assert.equal(await page.evaluate(`document.querySelectorAll('.inspect img').length`), 0);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('values that are no bytes are stretched at first sight; the controls change what is asked for', {
  skip,
}, async () => {
  const { page } = await open('map=2/0/0&layers=depth');
  assert.ok(
    asked.urls.some(url => url.startsWith('/tiles/depth/') && url.endsWith('@2x.png?rescale=2.5,97.5')),
    asked.urls.join('\n'),
  );
  await page.click('[aria-label="Options of Sea depth"]');
  await page.selectOption('.layer select', 'viridis');
  await page.fill('[aria-label="Rescale maximum"]', '500');
  await page.press('[aria-label="Rescale maximum"]', 'Enter');
  await settle(page);
  assert.ok(
    asked.urls.some(url => url.endsWith('?rescale=2.5,500&colormap_name=viridis')),
    asked.urls.join('\n'),
  );
  assert.deepEqual(await pixelAt(page, await place(page, -60, 30)), [68, 1, 84]);
  await page.fill('[aria-label="Rescale maximum"]', '1');
  await page.press('[aria-label="Rescale maximum"]', 'Enter');
  assert.equal(await page.evaluate(`document.querySelector('[aria-label="Rescale maximum"]').validity.valid`), false);
  await page.close();
});

test('toggles take layers off the map and write the URL; an id with a space and an ampersand works', {
  skip,
}, async () => {
  const { page, complaints } = await open('map=2/0/40&layers=ports~20~26~20quays');
  const count = `plimsoll.map.queryRenderedFeatures({ layers: ['layer:ports & quays:circle'] }).length`;
  assert.ok(Number(await page.evaluate(count)) > 0);
  await page.click('input[data-layer="islands"]');
  await settle(page);
  const hash = new URLSearchParams(String(await page.evaluate('location.hash.slice(1)')));
  assert.equal(hash.get('layers'), 'islands,ports~20~26~20quays');
  assert.equal(hash.get('map'), '2/0/40');
  await page.click('input[data-layer="ports & quays"]');
  assert.equal(await page.evaluate(`plimsoll.map.getSource('layer:ports & quays') === undefined`), true);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('a refused file is listed with its code, reason and remedy, and has no toggle', { skip }, async () => {
  const { page } = await open('layers=');
  const text = (await page.textContent('#refused')) ?? '';
  for (const part of [
    'Refused (1)',
    'tilted.tif',
    'rotated',
    'the geotransform is rotated',
    'gdalwarp tilted.tif straight.tif',
  ]) {
    assert.ok(text.includes(part), part);
  }
  assert.equal(await page.evaluate(`document.querySelectorAll('input[data-layer="tilted"]').length`), 0);
  await page.close();
});

test('the gauge shows the numbers of the server and follows its level', { skip }, async () => {
  const { page } = await open('layers=');
  await page.waitForSelector('#memory[data-level="normal"]');
  assert.equal(await page.textContent('#memory-text'), '142 MiB of 256 MiB');
  assert.equal(await page.evaluate(`document.getElementById('memory-line').style.left`), '85%');
  assert.match((await page.textContent('#memory-accounts')) ?? '', /cache48 MiB/);
  asked.level = 'critical';
  await page.waitForSelector('#memory[data-level="critical"]', { timeout: 10_000 });
  assert.equal(await page.textContent('#memory-text'), '230 MiB of 256 MiB');
  await page.close();
});

test('a failing tile is told once with its title and detail, and asked for again when the server was only busy', {
  skip,
}, async () => {
  const { page } = await open('map=2/0/0&layers=');
  await page.click('input[data-layer="busy"]');
  await page.waitForSelector('.toast');
  assert.match((await page.textContent('.toast')) ?? '', /At the load line.*no memory for this request now/s);
  assert.equal(await page.evaluate(`document.querySelectorAll('.toast').length`), 1);
  const first = asked.urls.filter(url => url.startsWith('/tiles/busy/')).length;
  await until(() => asked.urls.filter(url => url.startsWith('/tiles/busy/')).length > first);
  await page.close();
});

test('the dark scheme changes the ground under the layers', { skip }, async () => {
  const { page } = await open('map=2/0/0&layers=', 'dark');
  assert.deepEqual(await pixelAt(page, await place(page, 0, 0)), [0x14, 0x19, 0x1d]);
  await page.close();
});
