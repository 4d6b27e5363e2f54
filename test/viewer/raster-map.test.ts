/** /cog/map.html in a real Chromium against the real server. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { chromiumMissing, openChromium, openPage } from './chromium.ts';
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

test('the raster is drawn in its colours, and nobody complains', { skip }, async () => {
  const { page, complaints } = await openPage(browser, server.address);
  await page.goto(`${server.address}/cog/map.html?url=elevation&colormap_name=viridis&rescale=-4000,4000`);
  await page.waitForSelector('#map[data-state=idle]');
  const { data, info } = await sharp(await page.screenshot())
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const colours = new Set<number>();
  for (let i = 0; i < info.width * info.height; i += 97)
    colours.add((data[i * 3] << 16) | (data[i * 3 + 1] << 8) | data[i * 3 + 2]);
  assert.ok(colours.size > 100, `${colours.size} colours`);
  assert.deepEqual(complaints, []);
  await page.close();
});
