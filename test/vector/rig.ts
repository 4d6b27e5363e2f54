/** Tiles straight from the plan and the painter, without a server: what the vector tests have in common. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { statRef } from '../../src/io/bytes.ts';
import type { LayerOptions, VectorLayer } from '../../src/layers/types.ts';
import type { Cost, Painted } from '../../src/plan.ts';
import type { FilterSpec } from '../../src/render/filter/filter.ts';
import type { VectorJob } from '../../src/render/vector/job.ts';
import type { LodCaps } from '../../src/render/vector/lod.ts';
import { createVectorPainter } from '../../src/render/vector/paint.ts';
import { defaultZooms, planVectorTile } from '../../src/render/vector/plan.ts';
import { type FgbOptions, type FgbSource, openFgb } from '../../src/source/fgb/open.ts';
import { type TileMatrixSet, WEB_MERCATOR_QUAD } from '../../src/tile.ts';
import { SHARED } from '../lib/app.ts';
import { type CheckedFeature, checkTile } from '../lib/mvt-check.ts';

export const VECTOR = join(SHARED, 'vector');
export const EXTENT = 4096;
export const BUFFER = 64;

export interface FgbLayer extends VectorLayer {
  readonly source: FgbSource;
}

export async function openLayer(path: string, options: LayerOptions = {}, how: FgbOptions = {}): Promise<FgbLayer> {
  const source = await openFgb(statRef(path), { crs: options.crs, ...how });
  const { verdict, lonLatBounds } = source;
  const id = path.slice(path.lastIndexOf('/') + 1).replace(/\.fgb$/, '');
  const named = { id, title: id, description: null, version: '1' };
  return { kind: 'vector', ...named, options, verdict, lonLatBounds, ...defaultZooms(source), source };
}

export interface TileAsk {
  readonly properties?: readonly string[];
  readonly caps?: LodCaps;
  readonly grid?: TileMatrixSet;
  readonly encoding?: 'gzip' | 'identity';
  readonly filter?: FilterSpec | null;
}

export interface RigTile {
  readonly bytes: number;
  readonly body: Uint8Array;
  readonly faults: readonly string[];
  readonly features: readonly CheckedFeature[];
  readonly dropped: number;
  readonly cost: Cost;
  readonly painted: Painted;
  readonly explain: Record<string, unknown>;
}

const painter = createVectorPainter();
const always = { cancelled: () => false, check: () => {} };

/** null where the tile is empty. */
export async function tileOf(
  layer: FgbLayer,
  z: number,
  x: number,
  y: number,
  ask: TileAsk = {},
): Promise<RigTile | null> {
  const { properties = null, caps, grid = WEB_MERCATOR_QUAD, encoding = 'identity', filter = null } = ask;
  const plan = await planVectorTile({ layers: [layer], grid, tile: { z, x, y }, properties, encoding, caps, filter });
  if (!plan.job) return null;
  const painted = painter.paint(plan.job as VectorJob, always);
  if (painted.body === null) return null;
  const { faults, layers } = encoding === 'identity' ? checkTile(painted.body) : { faults: [], layers: [] };
  const [explain] = plan.explain.layers as Record<string, unknown>[];
  const dropped = Number(plan.headers['x-tile-dropped'] ?? 0);
  const { body } = painted;
  return {
    bytes: body.length,
    body,
    faults,
    features: layers[0]?.features ?? [],
    dropped,
    cost: plan.cost,
    painted,
    explain,
  };
}

/** Tiles of the zoom that the box meets: first and last column and row. */
export function tileRange([w, s, e, n]: readonly number[], z: number): [number, number, number, number] {
  const size = 2 ** z;
  const clamp = (v: number) => Math.max(0, Math.min(size - 1, Math.floor(v)));
  const row = (lat: number) => {
    const rad = (Math.max(-85.06, Math.min(85.06, lat)) * Math.PI) / 180;
    return ((1 - Math.asinh(Math.tan(rad)) / Math.PI) / 2) * size;
  };
  return [clamp(((w + 180) / 360) * size), clamp(row(n)), clamp(((e + 180) / 360) * size), clamp(row(s))];
}

/** Numbers in [0, 1) that are the same in every run. */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Writes files into a folder of its own that is gone when the tests end. */
export class Files {
  readonly #dir = mkdtempSync(join(tmpdir(), 'plimsoll-vector-'));
  #n = 0;

  path(bytes: Uint8Array): string {
    const path = join(this.#dir, `layer${this.#n++}.fgb`);
    writeFileSync(path, bytes);
    return path;
  }

  get dir(): string {
    return this.#dir;
  }

  remove(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
