/** Shared by the tests of this folder: GDAL as oracle, and windows read through our own levels. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Bytes, openBytes } from '../../src/io/bytes.ts';
import { decodeBlock } from '../../src/kernels/codecs/index.ts';
import { fetchBlock, placeOf } from '../../src/source/tiff/blocks.ts';
import type { Level, RasterSource } from '../../src/source/types.ts';
import { findPython } from '../oracle/python.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const found = findPython('rasterio', 'pyproj');
export const NO_PYTHON = 'reason' in found ? found.reason : false;

function python(): string {
  if ('reason' in found) throw new Error(found.reason);
  return found.python;
}

/** A line of the manifest, see scripts/tiff_fixtures/base.py. */
export interface Fixture {
  readonly file: string;
  readonly expect: string;
  readonly tolerance: number;
  /** Why it could not be made here. */
  readonly unmade?: string;
  /** A file of the same values and facts that the oracle is asked about instead. */
  readonly oracle?: string;
  /** What reading its blocks is refused with. */
  readonly read?: string;
  readonly notes?: readonly string[];
  readonly nodata?: number | null;
  readonly levels?: number;
  /** Metres that it may lie off, where the datum shift is not exact. */
  readonly place?: number;
  /** A value that GDAL wrongly takes for nodata. */
  readonly hides?: number;
  /** Values may be off by so much where they are interpolated. */
  readonly rough?: number;
  /** False: GDAL's warper has another idea of it than its reader. */
  readonly warped?: boolean;
  /** GDAL reads it, so the remedy can be tried. */
  readonly sound?: boolean;
}

export interface OracleWindow {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
  readonly dtype: string;
  readonly data: string;
  readonly mask: string;
  readonly error?: string;
}

export interface Oracle {
  readonly file: string;
  readonly error?: string;
  readonly width: number;
  readonly height: number;
  readonly count: number;
  readonly dtype: string;
  readonly transform: number[];
  readonly epsg: number | null;
  /** x, y in the CRS and longitude, latitude. */
  readonly points: [number, number, number, number][] | null;
  readonly nodata: number | string | null;
  readonly interp: string[];
  readonly scales: number[];
  readonly offsets: number[];
  readonly units: (string | null)[];
  readonly descriptions: (string | null)[];
  readonly palette: [number, number, number, number][] | null;
  readonly tags: Record<string, string>;
  readonly levels: { readonly width: number; readonly height: number; readonly windows: OracleWindow[] }[];
}

export function askOracle(windows: number, seed: number, files: readonly string[]): Map<string, Oracle> {
  const script = `${ROOT}test/oracle/raster-samples.py`;
  const out = execFileSync(python(), [script, String(windows), String(seed), ...files], {
    maxBuffer: 1 << 30,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, GDAL_CACHEMAX: '64' },
  });
  const lines = out
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Oracle);
  return new Map(lines.map(line => [line.file, line]));
}

export function makeFixtures(folder: string): Fixture[] {
  execFileSync(python(), [`${ROOT}scripts/make-tiff-fixtures.py`, folder], { stdio: 'ignore' });
  return JSON.parse(readFileSync(`${folder}/manifest.json`, 'utf8')) as Fixture[];
}

const VIEWS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  uint64: BigUint64Array,
  int64: BigInt64Array,
  float32: Float32Array,
  float64: Float64Array,
} as const;

export function unpack(text: string, dtype: string): Float64Array {
  const bytes = Buffer.from(text, 'base64');
  const own = new Uint8Array(bytes).buffer;
  const view = new VIEWS[dtype as keyof typeof VIEWS](own);
  return Float64Array.from(view as ArrayLike<number | bigint>, Number);
}

/** Band after band, as rasterio reads a window. */
export async function readWindow(
  source: RasterSource,
  level: Level,
  box: { x: number; y: number; w: number; h: number },
): Promise<Float64Array> {
  const { format, blocksAcross, blocksDown } = level;
  const out = new Float64Array(box.w * box.h * format.samples);
  const bytes = openBytes(level.ref);
  try {
    const planes = format.planar === 1 ? 1 : format.samples;
    for (let plane = 0; plane < planes; plane++) {
      for (let row = Math.floor(box.y / format.blockHeight); row * format.blockHeight < box.y + box.h; row++) {
        for (let col = Math.floor(box.x / format.blockWidth); col * format.blockWidth < box.x + box.w; col++) {
          const index = (plane * blocksDown + row) * blocksAcross + col;
          await copyBlock(source, level, index, { row, col, plane }, box, out, bytes);
        }
      }
    }
  } finally {
    bytes.close();
  }
  return out;
}

async function copyBlock(
  source: RasterSource,
  level: Level,
  index: number,
  at: { row: number; col: number; plane: number },
  box: { x: number; y: number; w: number; h: number },
  out: Float64Array,
  bytes: Bytes,
): Promise<void> {
  const place = await placeOf(level, index);
  const block = await fetchBlock(bytes, level, place, { fill: source.nodata ?? 0, decode: decodeBlock });
  const x0 = at.col * level.format.blockWidth;
  const y0 = at.row * level.format.blockHeight;
  for (let y = Math.max(box.y, y0); y < Math.min(box.y + box.h, y0 + block.height, level.height); y++) {
    for (let x = Math.max(box.x, x0); x < Math.min(box.x + box.w, x0 + block.width); x++) {
      for (let s = 0; s < block.samples; s++) {
        const to = ((at.plane + s) * box.h + (y - box.y)) * box.w + (x - box.x);
        out[to] = block.data[((y - y0) * block.width + (x - x0)) * block.samples + s];
      }
    }
  }
}
