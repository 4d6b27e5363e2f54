/** The cells of a layer at a zoom, for the plan of a tile: measured once (lod.ts), thinned further where memory is short. */
import { Problem, problem } from '../../errors.ts';
import type { LayerOptions, VectorLayer } from '../../layers/types.ts';
import { areasInDegrees } from '../../source/fgb/area.ts';
import type { DustRule } from '../../source/fgb/dust.ts';
import { type FgbSource, isFgbSource } from '../../source/fgb/open.ts';
import { allPlaced } from '../../source/fgb/tree-walk.ts';
import type { TileCoord, TileMatrixSet } from '../../tile.ts';
import { type LayerView, queryBoxes } from './boxes.ts';
import { stepFor } from './cells.ts';
import { jobOf, tileJob, viewOf } from './layer-job.ts';
import { cellsOf, DEFAULT_CAPS, type LayerCells, type LodCaps, type LodSubject, mayThin, measureSteps } from './lod.ts';
import { restFor } from './pace.ts';
import { createVectorPainter } from './paint.ts';
import { recordedCells } from './recorded.ts';
import { type SamplePaint, samplesBy, scaled } from './sample.ts';

export type Measure = (layer: VectorLayer, grid: TileMatrixSet, caps: LodCaps) => Promise<LayerCells>;

export interface CellsAsk {
  readonly tile: TileCoord;
  /** 'thin': a quarter of the cells a side, for when memory is short. */
  readonly degrade?: 'thin';
  /** In place of the layer's own. */
  readonly caps?: LodCaps;
  /** Measures the cells of a layer's zooms, once; absent: here, in turns of the event loop. */
  readonly measure?: Measure;
}

export interface ZoomCells {
  /** Of the ladder of cells; null: all features are drawn. */
  readonly step: number | null;
  /** How cells that have several features are drawn as squares; null: the first of each is drawn. */
  readonly dust: DustRule | null;
  /** Why they are not known: then only tiles that are within the caps as they are can be drawn. */
  readonly unknown?: Problem;
}

/** Cells a tile side that are left to a thinned tile at least. */
const THIN_MIN = 16;

/** The grid of cells of the zoom. */
export async function zoomCells(view: LayerView, layer: VectorLayer, ask: CellsAsk): Promise<ZoomCells> {
  const { drop = 'cells' } = layer.options;
  const thin = ask.degrade === 'thin';
  const caps = ask.caps ?? capsOf(layer.options);
  const { z } = ask.tile;
  const { source, grid } = view;
  const dusty = drop === 'dust';
  const thins = drop !== 'none' && mayThin(source, caps);
  if (!thins && !thin) return { step: null, dust: null };
  const { measure = cellsHere } = ask;
  // Dust needs to know what the layer fills, also where it is thinned for want of memory alone.
  const measured = () => cellsOf({ source, grid, caps, dust: dusty }, () => measure(layer, grid, caps));
  const recorded = dusty ? null : recordedCells(layer, source, grid, caps);
  const cells = thins || dusty ? (recorded ?? (await known(measured, source))) : null;
  if (cells instanceof Problem)
    return thin && !dusty
      ? { step: thinned(grid, z, null, caps), dust: null }
      : { step: null, dust: null, unknown: cells };
  const full = cells?.steps[z] ?? null;
  const step = thin ? thinned(grid, z, full, caps) : full;
  const dust = dusty && cells ? { degrees: areasInDegrees(source.crs as string), fill: cells.fill } : null;
  return { step, dust };
}

/** What is too much to be read of another server is so for all its tiles; some need not know. */
async function known<T>(measured: () => Promise<T>, { ref }: FgbSource): Promise<T | Problem> {
  try {
    return await measured();
  } catch (error) {
    if (ref.remote && error instanceof Problem && error.code === 'too-large') return error;
    throw error;
  }
}

export function capsOf({ maxFeatures, maxTileBytes }: LayerOptions): LodCaps {
  const { maxFeatures: features, maxBytes } = DEFAULT_CAPS;
  return { ...DEFAULT_CAPS, maxFeatures: maxFeatures ?? features, maxBytes: maxTileBytes ?? maxBytes };
}

function thinned(grid: TileMatrixSet, z: number, full: number | null, caps: LodCaps): number {
  const finest = full ?? stepFor(grid, z, caps.cellsMax);
  return Math.max(Math.min(finest, stepFor(grid, z, THIN_MIN)), finest - 2);
}

/** Measures the cells of a layer that may need them before anyone asks; waits for it where somebody has asked already. */
export async function ahead(layer: VectorLayer, grid: TileMatrixSet, measure: Measure): Promise<void> {
  const { source, options } = layer;
  const caps = capsOf(options);
  if (!isFgbSource(source)) return;
  // What is too much to be read of another server is told to the tiles that cannot do without.
  if (options.cluster) await known(() => allPlaced(source), source);
  if (options.drop === 'none' || !mayThin(source, caps)) return;
  if (recordedCells(layer, source, grid, caps)) return;
  const wanted = { source, grid, caps, dust: options.drop === 'dust' };
  await known(() => cellsOf(wanted, () => measure(layer, grid, caps)), source);
}

/** Measured in this thread, which others have every few milliseconds. */
export async function cellsHere(
  layer: VectorLayer,
  grid: TileMatrixSet,
  caps: LodCaps,
  signal?: AbortSignal,
): Promise<LayerCells> {
  const painter = createVectorPainter();
  try {
    const { cells } = await measureSteps(lodSubject(layer, grid, caps, samplesBy(painter)), restFor(signal));
    return cells ?? { steps: [], fill: 1 };
  } finally {
    painter.close();
  }
}

/** The layer as its grid of cells is measured: with all that it serves, whatever a request wants. */
export function lodSubject(layer: VectorLayer, grid: TileMatrixSet, caps: LodCaps, paint: SamplePaint): LodSubject {
  const { source } = layer;
  if (!isFgbSource(source)) throw problem('internal', `${layer.id} is no FlatGeobuf`);
  const whole = { layers: [layer], grid, properties: null, encoding: 'gzip' } as const;
  const view = viewOf(layer, source, grid);
  return {
    source,
    projection: view.projection,
    grid,
    caps,
    dust: layer.options.drop === 'dust',
    boxesOf: tile => queryBoxes(view, tile).boxes,
    judge: async (tile, sample) => {
      if (sample.selection.ordinals.length === 0) return { bytes: 0, peakBytes: 0 };
      const job = jobOf(view, layer, { ...whole, tile }, queryBoxes(view, tile), sample.selection);
      const { body, peakBytes } = await paint(tileJob({ ...whole, tile }, [job]));
      return { bytes: scaled(sample, body?.length ?? 0), peakBytes };
    },
  };
}
