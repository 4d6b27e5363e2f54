/** The Python client: its own tests against this server, and its map in a browser, in a frame of another origin. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { chromiumMissing, openChromium } from '../viewer/chromium.ts';
import { ROOT, type Running, startProcess } from './process.ts';

const CLIENT = join(ROOT, 'clients/python');
const python = [process.env['PLIMSOLL_PYTHON'], join(ROOT, '.venv/bin/python'), '/opt/venv/bin/python', 'python3'].find(
  path => path !== undefined && (path === 'python3' || existsSync(path)),
) as string;
const version = spawnSync(python, ['-c', 'import sys; sys.exit(sys.version_info < (3, 10))']).status;
const skip = version === 0 ? false : `${python} is no Python of 3.10 or later`;
const run = promisify(execFile);

let server: Running | null = null;

before(async () => {
  if (skip === false) server = await startProcess(join(ROOT, 'src/main.ts'), ['--memory', '512MiB']);
});
after(async () => {
  await server?.stop();
});

function ask(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env, PLIMSOLL_URL: server?.base, PYTHONPATH: CLIENT, PYTHONDONTWRITEBYTECODE: '1' };
  return run(python, args, { cwd: CLIENT, env, maxBuffer: 2 ** 24 });
}

test('its tests pass against this server', { skip }, async () => {
  const { stderr } = await ask(['-m', 'unittest', 'discover', '-s', 'tests']);
  const [, count] = /^Ran (\d+) tests/m.exec(stderr) ?? [];
  assert.ok(Number(count) >= 15, stderr);
  assert.match(stderr, /^OK/m);
});

const MAP = `
import os
from plimsoll_client import Map, Plimsoll
square = {"type": "Feature", "properties": {"name": "<b>square</b>"}, "geometry": {"type": "Polygon",
  "coordinates": [[[-40, -40], [40, -40], [40, 40], [-40, 40], [-40, -40]]]}}
plimsoll = Plimsoll(os.environ["PLIMSOLL_URL"])
session = plimsoll.session()
layer = session.put("mine", {"type": "FeatureCollection", "features": [square]})
session._end.detach()  # it outlives this process: the browser comes later
print(Map(plimsoll, ["world", layer])._repr_html_())
`;

test('its map draws rasters and uploads in a frame of another page, and a click tells', {
  skip: skip || chromiumMissing(),
}, async () => {
  const { stdout: frame } = await ask(['-c', MAP]);
  const page = `<!doctype html><body style="margin:0">${frame}</body>`;
  const host = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(page));
  await new Promise<void>(resolve => host.listen(0, '127.0.0.1', resolve));
  const browser = await openChromium();
  try {
    const tab = await browser.newPage({ viewport: { width: 800, height: 480 } });
    const complaints: string[] = [];
    tab.on('console', message => message.type() === 'error' && complaints.push(message.text()));
    tab.on('pageerror', error => complaints.push(error.message));
    const tiles = new Map<string, number>();
    tab.on('response', response => {
      const layer = /\/tiles\/([^/]+)\/\d+\//.exec(response.url())?.[1];
      if (layer !== undefined) tiles.set(layer, response.status());
    });
    await tab.goto(`http://localhost:${(host.address() as AddressInfo).port}/`);
    const inside = tab.frameLocator('iframe');
    await inside.locator('body[data-loaded][data-idle]').waitFor({ timeout: 60_000 });
    await inside.locator('canvas').click({ position: { x: 400, y: 240 } });
    const popup = inside.locator('.maplibregl-popup-content');
    await popup.waitFor({ timeout: 20_000 });
    assert.match(await popup.innerText(), /name\s*<b>square<\/b>/, 'attributes are text, not markup');
    assert.deepEqual(
      [...tiles.values()].filter(status => status !== 200 && status !== 204),
      [],
    );
    assert.equal(tiles.size, 2, `tiles of both layers: ${[...tiles.keys()].join(', ')}`);
    assert.deepEqual(
      complaints.filter(text => !/GPU stall/.test(text)),
      [],
    );
    await tab.close();
  } finally {
    await browser.close();
    host.close();
  }
});
