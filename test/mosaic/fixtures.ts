/** Overlapping COGs made by rasterio, what rio-tiler and GDAL make of them, and a server over them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PIXEL_SELECTIONS, type PixelSelection } from '../../src/kernels/pixel-selection.ts';
import { findPython, runPython } from '../oracle/python.ts';

const found = findPython('titiler.core', 'rio_tiler', 'rasterio');
export const NO_ORACLE = 'reason' in found ? found.reason : false;

export interface Case {
  readonly name: string;
  readonly kind: 'tile' | 'window';
  readonly layer: string;
  readonly way: PixelSelection;
  readonly tile: string;
  readonly expression: string | null;
  readonly box: readonly number[];
  readonly size: readonly [number, number];
}

export interface Oracle {
  readonly cases: readonly Case[];
  readonly points: readonly {
    readonly way: PixelSelection;
    readonly lon: number;
    readonly lat: number;
    readonly values: readonly (number | null)[];
  }[];
  readonly union: readonly [number, number, number, number];
}

/** `files`: without what the others make of them. */
export function makeMosaics(only?: 'files'): { folder: string; oracle: Oracle } {
  if ('reason' in found) throw new Error(found.reason);
  const folder = mkdtempSync(join(tmpdir(), 'plimsoll-mosaic-'));
  runPython(found.python, './mosaic.py', only ? [folder, only] : [folder]);
  return { folder, oracle: JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) };
}

/** Another file, by a line of Python that has rasterio, numpy and Affine. */
export function python(code: string): void {
  if ('reason' in found) throw new Error(found.reason);
  const run = spawnSync(found.python, ['-c', `import rasterio, numpy as np\nfrom affine import Affine\n${code}`]);
  if (run.status !== 0) throw new Error(String(run.stderr));
}

/** A configuration with a layer for each way of choosing, and those of `more`. */
export function configOf(folder: string, more: Readonly<Record<string, object>> = {}, rest: object = {}): string {
  const layers: Record<string, object> = { ...more };
  for (const way of PIXEL_SELECTIONS) {
    layers[`rgb-${way}`] = { mosaic: { paths: ['rgb'], pixelSelection: way } };
    layers[`dem-${way}`] = { mosaic: { paths: ['dem/*.tif'], pixelSelection: way } };
  }
  layers['sheets-first'] = { mosaic: { paths: [0, 1, 2].map(i => `sheets/s${i}.tif`) } };
  const file = join(folder, 'plimsoll.yaml');
  writeFileSync(file, JSON.stringify({ layers, ...rest }));
  return file;
}
