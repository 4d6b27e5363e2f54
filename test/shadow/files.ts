/** Files without overviews, and the same ones with those of GDAL, once for a test file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPython, runPython } from '../oracle/python.ts';

const found = findPython('rasterio', 'numpy');
export const noPython = 'reason' in found ? found.reason : false;

export interface BareFiles {
  readonly folder: string;
  path(name: string): string;
  remove(): void;
}

export function bareFiles(...wanted: (number | string)[]): BareFiles {
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-bare-'));
  runPython((found as { python: string }).python, 'bare-tiffs.py', [folder, ...wanted.map(String)]);
  return {
    folder,
    path: name => join(folder, `${name}.tif`),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
