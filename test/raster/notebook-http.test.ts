/** Nine kinds of rasters, each in a dozen windows over a real connection: what rasterio, rioxarray, NumPy and the Python client see of them. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { App } from '../../src/app.ts';
import { testApp } from '../lib/app.ts';
import { findPython, runPython } from '../oracle/python.ts';

const found = findPython('rasterio', 'numpy');
const SCRIPT = join(import.meta.dirname, '../oracle/notebook.py');

describe('windows over HTTP in a notebook', { skip: 'reason' in found ? found.reason : false }, () => {
  const { python } = found as { python: string };
  let folder: string;
  let app: App;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'plimsoll-notebook-http-'));
    runPython(python, 'notebook.py', ['make', folder]);
    app = await testApp({ paths: [folder] });
    await app.server.listen({ port: 0, host: '127.0.0.1' });
  });
  after(async () => {
    await app?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('place, system, nodata, type, mask and values are those of the source', async () => {
    const { port } = app.server.server.address() as AddressInfo;
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
    const args = [SCRIPT, 'check', folder, `http://127.0.0.1:${port}`];
    const { stdout } = await promisify(execFile)(python, args, { env, maxBuffer: 2 ** 24 });
    const { checks, wrong } = JSON.parse(stdout) as { checks: number; wrong: string[] };
    assert.deepEqual(wrong, []);
    assert.ok(checks > 900, `${checks} checks`);
  });
});
