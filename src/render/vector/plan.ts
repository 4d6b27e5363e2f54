/** The plan of a vector tile: which features of which layers, from the index alone; what reading and painting them takes. */
import { problem } from '../../errors.ts';
import type { LayerOptions, VectorLayer } from '../../layers/types.ts';
import { type Cost, costBytes, type Encoding, type Plan } from '../../plan.ts';
import { COLUMN_TYPES } from '../../source/fgb/layout.ts';
import { type Selection, selectAll } from '../../source/fgb/lod.ts';
import { type FgbSource, isFgbSource } from '../../source/fgb/open.ts';
import type { VectorSource } from '../../source/types.ts';
import { type TileCoord, type TileMatrixSet, tileBounds } from '../../tile.ts';
import type { FilterSpec } from '../filter/filter.ts';
import { fittingZoom } from '../fits.ts';
import { jumps, type LayerView, projectionOf, type QueryBoxes, queryBoxes } from './boxes.ts';
import { cellGrid, cellsAcross, stepFor } from './cells.ts';
import { CANDIDATE_BYTES, type FilteredPlan, selectFiltered } from './filtered.ts';
import {
  type JobColumn,
  OUTPUT_SHARE,
  pixelSide,
  RUN_BYTES_MAX,
  runEnd,
  SCRATCH_SHARE,
  type VectorJob,
  type VectorJobLayer,
} from './job.ts';
import { DEFAULT_CAPS, type LodCaps, type LodSubject, measureSteps, type Steps, stepOf } from './lod.ts';
import { restFor } from './pace.ts';
import { POINT_COUNT, SQRT_POINT_COUNT } from './properties.ts';
import { paintSample, scaled } from './sample.ts';
import { selectStep } from './step.ts';

export interface VectorTileAsk {
  readonly layers: readonly VectorLayer[];
  readonly grid: TileMatrixSet;
  readonly tile: TileCoord;
  /** Attributes wanted; null: all that the layer serves. */
  readonly properties: readonly string[] | null;
  readonly encoding: Encoding;
  /** Draws the features that match; absent: all. */
  readonly filter?: FilterSpec | null;
  /** 'thin': a quarter of the cells a side, for when memory is short. */
  readonly degrade?: 'thin';
  /** In place of the layer's own. */
  readonly caps?: LodCaps;
  /** Measures the cells of a layer's zooms, once; absent: here, in turns of the event loop. */
  readonly measure?: Measure;
}

export type Measure = (layer: VectorLayer, grid: TileMatrixSet, caps: LodCaps) => Promise<Steps>;

const EXTENT = 4096;
const BUFFER = 64;
/** Half a pixel of a map that draws tiles at 512 px. At the layer's last zoom nothing but rounding is simplified. */
const TOLERANCE_PIXELS = 0.5;
const MAP_PIXELS = 512;
/** Tiles are cut live at every zoom; this is where clients may begin to overzoom instead. */
const LAST_ZOOM = 14;
/** Cells a tile side that are left to a thinned tile at least. */
const THIN_MIN = 16;
export function defaultZooms(source: VectorSource): { minzoom: number; maxzoom: number } {
  return { minzoom: 0, maxzoom: source.count === 0 ? 0 : LAST_ZOOM };
}

export async function planVectorTile(ask: VectorTileAsk, signal?: AbortSignal): Promise<Plan> {
  const parts = [];
  const { zoom } = ask.grid.matrices[ask.tile.z];
  for (const layer of ask.layers) {
    const { minzoom = 0, maxzoom = Number.POSITIVE_INFINITY } = layer.options;
    if (zoom >= minzoom && zoom <= maxzoom) parts.push(await planLayer(layer, ask, signal));
  }
  const drawn = parts.filter(part => part.selection.ordinals.length > 0);
  const dropped = parts.reduce((sum, part) => sum + part.selection.dropped, 0);
  const job = tileJob(
    ask,
    drawn.map(part => part.job),
  );
  const cost = costOf(drawn);
  const costAt = async (tile: TileCoord) => costBytes((await planVectorTile({ ...ask, tile }, signal)).cost);
  return {
    cost,
    fits: share => fittingZoom(ask.grid, ask.tile, share * costBytes(cost), costAt),
    job: drawn.length > 0 ? job : null,
    explain: { tile: ask.tile, layers: parts.map(part => part.explain) },
    headers: dropped > 0 ? { 'x-tile-dropped': String(dropped) } : {},
  };
}

function tileJob({ grid, tile, encoding }: VectorTileAsk, layers: readonly VectorJobLayer[]): VectorJob {
  const [left, bottom, right, top] = tileBounds(grid, tile);
  const place = { gridCrs: grid.crs, left, top, width: right - left, height: top - bottom };
  return { task: 'vector-tile', encoding, ...place, layers };
}

interface LayerPlan {
  readonly job: VectorJobLayer;
  readonly selection: Selection;
  /** Most bytes of features that are drawn, where that is fewer than are read. */
  readonly drawnBytes: number | null;
  readonly explain: Record<string, unknown>;
}

async function planLayer(layer: VectorLayer, ask: VectorTileAsk, signal?: AbortSignal): Promise<LayerPlan> {
  const { source } = layer;
  if (!isFgbSource(source)) throw problem('internal', `${layer.id} is no FlatGeobuf`);
  const view = viewOf(layer, source, ask.grid);
  const { boxes, shifts } = queryBoxes(view, ask.tile);
  const { selection, cells, filtered } = await select(view, layer, ask, boxes, signal);
  const job = { ...jobOf(view, layer, ask, { boxes, shifts }, selection), filter: filtered?.filter ?? null };
  const { ordinals, dropped, visited } = selection;
  // How many match and how many of those are left out, only reading tells.
  const counted = filtered ? { candidates: ordinals.length } : { features: ordinals.length, dropped };
  const explain = { layer: layer.id, ...counted, cells, visited, boxes: Array.from(boxes) };
  return { job, selection, drawnBytes: filtered?.drawnBytes ?? null, explain };
}

function viewOf(layer: VectorLayer, source: FgbSource, grid: TileMatrixSet): LayerView {
  const extent = layer.options.extent ?? EXTENT;
  const buffer = layer.options.buffer ?? BUFFER;
  // What a pixel stands for may lie half of it beyond the buffer.
  const margin = (buffer + pixelSide(extent) / 2) / extent;
  return { source, projection: projectionOf(source.crs as string, grid.crs), grid, extent, buffer, margin };
}

function jobOf(
  view: LayerView,
  layer: VectorLayer,
  { tile, properties }: VectorTileAsk,
  { boxes, shifts }: QueryBoxes,
  { offsets, lengths, ordinals, counts, ref, crcs }: Selection,
): VectorJobLayer {
  const { source, projection, grid, extent, buffer } = view;
  const { idColumn, pointCount, properties: served } = layer.options;
  return {
    id: layer.id,
    ref: ref ?? source.ref,
    crs: source.crs as string,
    projection,
    geometryType: source.geometryType,
    columns: jobColumns(layer, properties),
    idColumn: idColumn === undefined ? -1 : source.columns.findIndex(c => c.name === idColumn),
    extent,
    buffer,
    tolerance: grid.matrices[tile.z].zoom >= layer.maxzoom ? 0 : (TOLERANCE_PIXELS * extent) / MAP_PIXELS,
    shifts: shifts.map(worlds => worlds * grid.matrices[tile.z].matrixWidth * extent),
    world: jumps(view) ? grid.matrices[tile.z].matrixWidth * extent : 0,
    boxes,
    offsets,
    lengths,
    ordinals,
    crcs: crcs ?? null,
    counts: pointCount ? counts : null,
    served: properties ? properties.filter(name => served?.includes(name) ?? true) : (served ?? null),
    rename: layer.options.rename ?? null,
    idName: idColumn ?? null,
    filter: null,
  };
}

async function select(
  view: LayerView,
  layer: VectorLayer,
  ask: VectorTileAsk,
  boxes: Float64Array,
  signal?: AbortSignal,
): Promise<{ selection: Selection; cells: number | null; filtered: FilteredPlan | null }> {
  const { source, projection, grid } = view;
  const { z } = ask.tile;
  const step = boxes.length === 0 ? null : await gridStep(view, layer, ask);
  const cells = step === null ? null : cellsAcross(grid, z, step);
  if (ask.filter) {
    // Which features pass is not in an overview: the index is walked.
    const cellsOf = step === null ? null : cellGrid(source, projection, grid, step);
    const filtered = await selectFiltered(view, layer, ask.filter, ask.tile, cellsOf, signal);
    return { selection: filtered.selection, cells, filtered };
  }
  const selection =
    step === null ? await selectAll(source, boxes, signal) : await selectStep(view, step, boxes, signal);
  return { selection, cells, filtered: null };
}

/** The grid of cells of the zoom; null: all features are drawn. */
async function gridStep(view: LayerView, layer: VectorLayer, ask: VectorTileAsk): Promise<number | null> {
  const { drop = 'cells' } = layer.options;
  if (drop === 'none' && ask.degrade !== 'thin') return null;
  const caps = ask.caps ?? capsOf(layer.options);
  const { z } = ask.tile;
  const { measure = stepsHere } = ask;
  const full =
    drop === 'none'
      ? null
      : await stepOf({ source: view.source, grid: view.grid, caps }, z, () => measure(layer, view.grid, caps));
  return ask.degrade === 'thin' ? thinned(view.grid, z, full, caps) : full;
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
  if (!isFgbSource(source) || options.drop === 'none') return;
  const caps = capsOf(options);
  await stepOf({ source, grid, caps }, 0, () => measure(layer, grid, caps));
}

/** Measured in this thread, which others have every few milliseconds. */
export async function stepsHere(
  layer: VectorLayer,
  grid: TileMatrixSet,
  caps: LodCaps,
  signal?: AbortSignal,
): Promise<Steps> {
  const { steps } = await measureSteps(lodSubject(layer, grid, caps), restFor(signal));
  return steps ?? [];
}

/** The layer as its grid of cells is measured: with all that it serves, whatever a request wants. */
export function lodSubject(layer: VectorLayer, grid: TileMatrixSet, caps: LodCaps): LodSubject {
  const { source } = layer;
  if (!isFgbSource(source)) throw problem('internal', `${layer.id} is no FlatGeobuf`);
  const whole = { layers: [layer], grid, properties: null, encoding: 'gzip' } as const;
  const view = viewOf(layer, source, grid);
  return {
    source,
    projection: view.projection,
    grid,
    caps,
    boxesOf: tile => queryBoxes(view, tile).boxes,
    judge: (tile, sample) => {
      if (sample.selection.ordinals.length === 0) return { bytes: 0, peakBytes: 0 };
      const job = jobOf(view, layer, { ...whole, tile }, queryBoxes(view, tile), sample.selection);
      const { bytes, peakBytes } = paintSample(tileJob({ ...whole, tile }, [job]));
      return { bytes: scaled(sample, bytes), peakBytes };
    },
  };
}

function jobColumns(layer: VectorLayer, properties: readonly string[] | null): JobColumn[] {
  const served = layer.options.properties;
  return layer.source.columns.map(({ name, type, as }, i) => ({
    name,
    type: COLUMN_TYPES.indexOf(type),
    as: as ?? null,
    wanted:
      (served === undefined || served.includes(name)) &&
      (properties === null || properties.includes(name)) &&
      // A tile knows a name once: the count has it, or the first column of that name.
      !(layer.options.pointCount && (name === POINT_COUNT || name === SQRT_POINT_COUNT)) &&
      layer.source.columns.findIndex(c => c.name === name) === i,
  }));
}

/** Features are read run by run into one buffer, so what is alive is a run, the largest feature's points, and the tile. */
function costOf(layers: readonly LayerPlan[]): Cost {
  let inputBytes = 0;
  let drawnBytes = 0;
  let largest = 0;
  let candidateBytes = 0;
  for (const { job, drawnBytes: most } of layers) {
    const { offsets, lengths } = job;
    let bytes = 0;
    for (let i = 0; i < offsets.length; ) {
      const next = runEnd(offsets, lengths, i);
      inputBytes += offsets[next - 1] + lengths[next - 1] - offsets[i];
      for (let j = i; j < next; j++) {
        bytes += lengths[j];
        if (lengths[j] > largest) largest = lengths[j];
      }
      i = next;
    }
    drawnBytes += most ?? bytes;
    // Matches are read a second time to be drawn; where each candidate lies is held here and in the worker.
    inputBytes += most ?? 0;
    if (most !== null) candidateBytes += offsets.length * CANDIDATE_BYTES;
  }
  if (layers.length === 0) return { inputBytes: 0, decodedBytes: 0, outputBytes: 0 };
  const outputBytes = Math.ceil(drawnBytes * OUTPUT_SHARE) + 4096;
  const heldInputBytes = Math.min(inputBytes, Math.max(RUN_BYTES_MAX, largest));
  return {
    inputBytes,
    heldInputBytes,
    decodedBytes: largest * SCRATCH_SHARE + 2 * outputBytes + candidateBytes,
    outputBytes,
  };
}
