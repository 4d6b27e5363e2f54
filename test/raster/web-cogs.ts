/** A folder of web-optimised COGs that GDAL made, for as long as the tests of a file run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { findPython, runPython } from '../oracle/python.ts';

export interface WebCogs {
  /** False, or why there is none. */
  readonly skip: string | false;
  /** Of a file in it. */
  path(file: string): string;
  readonly folder: string;
}

export function webCogs(): WebCogs {
  const found = findPython('rasterio', 'numpy');
  const state = { folder: '' };
  before(() => {
    if ('reason' in found) return;
    state.folder = mkdtempSync(join(tmpdir(), 'web-cogs-'));
    runPython(found.python, 'web-cogs.py', [state.folder]);
  });
  after(() => {
    if (state.folder) rmSync(state.folder, { recursive: true });
  });
  return {
    skip: 'reason' in found ? found.reason : false,
    path: file => join(state.folder, file),
    get folder() {
      return state.folder;
    },
  };
}
