/** Headless Chromium for the viewer's tests: found, never downloaded, and kept off the network. */
import { existsSync } from 'node:fs';
import { type Browser, type ConsoleMessage, chromium, type Page } from 'playwright-core';

const EXECUTABLE = process.env['PLIMSOLL_CHROMIUM'] ?? '/usr/bin/chromium';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** The reason to skip, or false where Chromium is there. */
export function chromiumMissing(): string | false {
  return existsSync(EXECUTABLE) ? false : `no Chromium at ${EXECUTABLE}; set PLIMSOLL_CHROMIUM`;
}

export function openChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: EXECUTABLE, args: ARGS, headless: true });
}

export interface Watched {
  readonly page: Page;
  /** Console errors, uncaught exceptions and requests that left the server, in order. */
  readonly complaints: string[];
}

export async function openPage(browser: Browser, origin: string, scheme: 'light' | 'dark' = 'light'): Promise<Watched> {
  const page = await browser.newPage({ viewport: { width: 1100, height: 720 }, colorScheme: scheme });
  const complaints: string[] = [];
  page.on('console', (message: ConsoleMessage) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', error => complaints.push(`exception: ${error.message}`));
  page.on('request', request => {
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== origin) {
      complaints.push(`request to another origin: ${request.url()}`);
    }
  });
  return { page, complaints };
}

/** Resolves when the page has its layers and the map has drawn all it asked for. */
export async function settle(page: Page): Promise<void> {
  await page.evaluate(`window.plimsoll.ready`);
  await page.evaluate(`new Promise(done => {
    const { map } = window.plimsoll;
    const idle = () => map.loaded() && map.areTilesLoaded() && !map.isMoving();
    if (idle()) return done();
    const look = () => { if (idle()) { map.off('idle', look); done(); } };
    map.on('idle', look);
    map.triggerRepaint();
  })`);
}

/** Where a longitude and latitude are on the page, in CSS pixels. */
export async function place(page: Page, lon: number, lat: number): Promise<[number, number]> {
  return (await page.evaluate(
    `(() => { const p = plimsoll.map.project([${lon}, ${lat}]); return [p.x, p.y]; })()`,
  )) as [number, number];
}

/** A pixel of the map's own canvas as red, green, blue; the page must be opened with `?still`, which keeps the buffer. */
export async function pixelAt(page: Page, [x, y]: readonly [number, number]): Promise<number[]> {
  return (await page.evaluate(`(() => {
    const source = plimsoll.map.getCanvas();
    const scale = source.width / source.clientWidth;
    const canvas = new OffscreenCanvas(1, 1);
    const context = canvas.getContext('2d');
    context.drawImage(source, ${x} * scale, ${y} * scale, 1, 1, 0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  })()`)) as number[];
}
