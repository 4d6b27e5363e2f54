/** The page in a real Chromium against the real server: the command line, the demo data, a session, a base path. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { chromiumMissing, openChromium, openPage, pixelAt, place, settle } from './chromium.ts';
import { type RealServer, startReal } from './real-server.ts';

const skip = chromiumMissing();
let browser: Browser;
let server: RealServer;

before(async () => {
  if (skip) return;
  [browser, server] = await Promise.all([openChromium(), startReal(['demo'])]);
});

after(async () => {
  await browser?.close();
  await server?.stop();
});

interface Opened {
  readonly page: Page;
  readonly complaints: string[];
  /** Paths that were asked for. */
  readonly asked: string[];
}

async function open(hash: string, base = `${server.address}/`): Promise<Opened> {
  const { page, complaints } = await openPage(browser, new URL(base).origin);
  const asked: string[] = [];
  page.on('request', request => asked.push(request.url().slice(new URL(base).origin.length)));
  page.on('response', response => {
    if (response.status() >= 400) complaints.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(`${base}?still${hash}`);
  await settle(page);
  return { page, complaints, asked };
}

type Rgb = readonly [number, number, number];

async function colourAt(page: Page, lon: number, lat: number): Promise<Rgb> {
  return (await pixelAt(page, await place(page, lon, lat))) as unknown as Rgb;
}

/** The colours of a grid of pixels over the map. */
async function coloursOf(page: Page): Promise<Set<string>> {
  const seen = new Set<string>();
  for (let x = 360; x < 1040; x += 110)
    for (let y = 60; y < 700; y += 110) seen.add((await pixelAt(page, [x, y])).join());
  return seen;
}

test('the demo is listed and drawn: the image, the countries on it, the places on these', { skip }, async () => {
  const { page, complaints, asked } = await open('');
  const names = await page.locator('#layer-list .name').allTextContents();
  assert.equal(names.length, 4);
  for (const id of ['countries', 'places', 'world']) assert.ok(await page.isChecked(`input[data-layer="${id}"]`), id);
  assert.ok((await coloursOf(page)).size > 12, 'a picture has many colours');
  for (const layer of ['countries:fill', 'countries:line', 'places:circle']) {
    const drawn = `plimsoll.map.queryRenderedFeatures({ layers: ['layer:${layer}'] }).length`;
    assert.ok(Number(await page.evaluate(drawn)) > 0, layer);
  }
  for (const tiles of ['/tiles/countries/', '/tiles/places/', '/tiles/world/'])
    assert.ok(
      asked.some(url => url.startsWith(tiles)),
      tiles,
    );
  assert.deepEqual(complaints, []);
  await page.close();
});

test('the image is where it should be: sand in the Sahara, blue in the Pacific', { skip }, async () => {
  const { page, complaints } = await open('#map=1.5/10/-60&layers=world');
  const [r, g, b] = await colourAt(page, 15, 22);
  assert.ok(r > g && g > b && r > 120, `Sahara ${[r, g, b]}`);
  const [sr, sg, sb] = await colourAt(page, -130, 0);
  assert.ok(sb > sr && sb > sg && sr < 60, `Pacific ${[sr, sg, sb]}`);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('countries alone: land has their colour, the sea that of the ground', { skip }, async () => {
  const { page } = await open('#map=2.5/47/10&layers=countries');
  assert.deepEqual(await colourAt(page, -30, 45), [0xe9, 0xee, 0xf1]);
  const [r, g, b] = await colourAt(page, 2.5, 47);
  assert.ok(b > r && b > g && r < 0xe9 - 20, `France ${[r, g, b]}`);
  await page.close();
});

test('a click, or Enter in the middle, shows attributes and the value below; Escape closes it', { skip }, async () => {
  const { page, complaints } = await open('#map=4/47/2.5&layers=countries,elevation');
  await page.mouse.click(...(await place(page, 3.2, 45.4)));
  await page.waitForSelector('.inspect .values td');
  const text = (await page.textContent('.inspect')) ?? '';
  assert.match(text, /France/);
  const height = Number(await page.textContent('.inspect .values td'));
  assert.ok(height > 200 && height < 2500, `the Massif Central is ${height} m high`);
  await page.focus('#map canvas');
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.inspect').count(), 0);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.inspect .values td');
  assert.match((await page.textContent('.inspect')) ?? '', /France.*47\.0/s);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('rescale and colour map change what is asked for and what is seen', { skip }, async () => {
  const { page, complaints, asked } = await open('#map=3/40/60&layers=elevation');
  assert.ok(
    asked.some(url => /^\/tiles\/elevation\/.*rescale=/.test(url)),
    'stretched at first sight',
  );
  const grey = await colourAt(page, 88, 33);
  assert.ok(Math.abs(grey[0] - grey[1]) < 3 && Math.abs(grey[1] - grey[2]) < 3, `Tibet in grey ${grey}`);
  await page.click('[aria-label="Options of elevation"]');
  await page.selectOption('.layer select', 'viridis');
  await settle(page);
  assert.ok(asked.some(url => url.includes('colormap_name=viridis')));
  const high = await colourAt(page, 88, 33);
  assert.ok(high[0] > 150 && high[1] > 180 && high[2] < 120, `viridis ends in yellow: ${high}`);
  await page.fill('[aria-label="Rescale maximum"]', '20000');
  await page.press('[aria-label="Rescale maximum"]', 'Enter');
  await settle(page);
  assert.ok(asked.some(url => /rescale=[^&]*,20000&/.test(url)));
  const low = await colourAt(page, 88, 33);
  assert.ok(low[0] < 100 && low[2] > 100, `5,000 of 20,000 is blue: ${low}`);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('the memory gauge shows the numbers of this process', { skip }, async () => {
  const { page } = await open('#layers=');
  await page.waitForSelector('#memory[data-level="normal"]');
  const [, used, limit] = /^([\d.]+) MiB of ([\d.]+) MiB$/.exec((await page.textContent('#memory-text')) ?? '') ?? [];
  assert.equal(limit, '512');
  assert.ok(Number(used) > 40 && Number(used) < 512, `${used} MiB`);
  assert.match((await page.textContent('#memory-accounts')) ?? '', /cache.*MiB/s);
  await page.close();
});

test('a session layer appears in the list and on the map', { skip }, async () => {
  const opened = (await (await fetch(`${server.address}/sessions`, { method: 'POST' })).json()) as {
    id: string;
    secret: string;
  };
  const ring = [[-40, 20], [-20, 20], [-20, 40], [-40, 40], [-40, 20]]; // biome-ignore format: a ring
  const upload = await fetch(`${server.address}/sessions/${opened.id}/layers/parcels`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${opened.secret}`, 'content-type': 'application/geo+json' },
    body: JSON.stringify({
      type: 'Feature',
      properties: { owner: 'me' },
      geometry: { type: 'Polygon', coordinates: [ring] },
    }),
  });
  const { id } = (await upload.json()) as { id: string };
  const { page, complaints } = await open(`#map=2/30/-30&layers=${id}`);
  assert.match((await page.textContent('#layer-list')) ?? '', /parcels.*session · polygons/s);
  const [r, g, b] = await colourAt(page, -25, 35);
  assert.notDeepEqual([r, g, b], [0xe9, 0xee, 0xf1]);
  await page.mouse.click(...(await place(page, -30, 30)));
  await page.waitForSelector('.inspect td');
  assert.match((await page.textContent('.inspect')) ?? '', /parcels.*owner.*me/s);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('on a phone the map comes first and the panel unfolds', { skip }, async () => {
  const { page, complaints } = await open('#layers=countries');
  await page.setViewportSize({ width: 390, height: 780 });
  await page.reload();
  await settle(page);
  assert.equal(await page.isVisible('#layer-list'), false);
  await page.click('#fold');
  assert.equal(await page.isVisible('#layer-list'), true);
  const wide = await page.evaluate('document.documentElement.scrollWidth');
  assert.ok(Number(wide) <= 390, `${wide} px wide`);
  assert.deepEqual(complaints, []);
  await page.close();
});

test('under a base path everything is asked for below it, with and without the last slash', { skip }, async () => {
  const port = await freePort();
  const base = `http://127.0.0.1:${port}/maps`;
  const mounted = await startReal(['demo'], ['--port', String(port), '--public-url', base]);
  try {
    const { page, complaints, asked } = await open('#map=2/20/0&layers=countries,world', base);
    const drawn = `plimsoll.map.queryRenderedFeatures({ layers: ['layer:countries:fill'] }).length`;
    assert.ok(Number(await page.evaluate(drawn)) > 0);
    assert.deepEqual(
      asked.filter(url => !url.startsWith('/maps')),
      [],
    );
    assert.deepEqual(complaints, []);
    await page.close();
    const tilejson = (await (await fetch(`${base}/tiles/countries`)).json()) as { tiles: string[] };
    assert.ok(tilejson.tiles[0].startsWith(`${base}/tiles/countries/`), tilejson.tiles[0]);
  } finally {
    await mounted.stop();
  }
});

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}
