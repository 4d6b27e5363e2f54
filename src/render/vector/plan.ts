/** The plan of a vector tile: which features of which layers, from the index alone; what reading and painting them takes. */
import { resolveCrs, transformBounds } from '../../crs/index.ts';
import { problem } from '../../errors.ts';
import type { VectorLayer } from '../../layers/types.ts';
import type { Cost, Encoding, Plan } from '../../plan.ts';
import { COLUMN_TYPES } from '../../source/fgb/layout.ts';
import { type Selection, selectAll, selectCells } from '../../source/fgb/lod.ts';
import { type FgbSource, isFgbSource } from '../../source/fgb/open.ts';
import type { ColumnType, VectorSource } from '../../source/types.ts';
import { type BBox, expand, type TileCoord, type TileMatrixSet, tileBounds } from '../../tile.ts';
import { type JobColumn, type Projection, RUN_BYTES_MAX, runEnd, type VectorJob, type VectorJobLayer } from './job.ts';
import { cellGrid, cellsFor, DEFAULT_CAPS, type LodCaps } from './lod.ts';

export interface VectorTileAsk {
  readonly layers: readonly VectorLayer[];
  readonly grid: TileMatrixSet;
  readonly tile: TileCoord;
  /** Attributes wanted; null: all that the layer serves. */
  readonly properties: readonly string[] | null;
  readonly encoding: Encoding;
  /** 'thin': half the cells a side, for when memory is short. */
  readonly degrade?: 'thin';
  readonly caps?: LodCaps;
}

const EXTENT = 4096;
const BUFFER = 64;
/** Half a pixel of a map that draws tiles at 512 px. At the layer's last zoom nothing but rounding is simplified. */
const TOLERANCE_PIXELS = 0.5;
const MAP_PIXELS = 512;
/** Tiles are cut live at every zoom; this is where clients may begin to overzoom instead. */
const LAST_ZOOM = 14;
/** Projected, clipped and rounded points against the bytes of the points in the file (vector-geometry.ts: 102 against 16). */
const SCRATCH_SHARE = 6.5;
/** An encoded feature against its bytes in the file, at worst of what was seen (points with short attributes). */
const OUTPUT_SHARE = 0.5;

export function defaultZooms(source: VectorSource): { minzoom: number; maxzoom: number } {
  return { minzoom: 0, maxzoom: source.count === 0 ? 0 : LAST_ZOOM };
}

type FieldType = 'Number' | 'String' | 'Boolean';

/** TileJSON's field types; binary columns are not in tiles. */
export function vectorLayerFields(source: VectorSource, served?: readonly string[]): Record<string, FieldType> {
  const wanted = source.columns.filter(({ name, type }) => type !== 'binary' && (served?.includes(name) ?? true));
  return Object.fromEntries(wanted.map(({ name, type }) => [name, fieldType(type)]));
}

function fieldType(type: ColumnType): FieldType {
  if (type === 'bool') return 'Boolean';
  return type === 'string' || type === 'json' || type === 'datetime' ? 'String' : 'Number';
}

export async function planVectorTile(ask: VectorTileAsk, signal?: AbortSignal): Promise<Plan> {
  const parts = [];
  for (const layer of ask.layers) {
    const { minzoom = 0, maxzoom = Number.POSITIVE_INFINITY } = layer.options;
    if (ask.tile.z >= minzoom && ask.tile.z <= maxzoom) parts.push(await planLayer(layer, ask, signal));
  }
  const drawn = parts.filter(part => part.selection.ordinals.length > 0);
  const dropped = parts.reduce((sum, part) => sum + part.selection.dropped, 0);
  const [left, bottom, right, top] = tileBounds(ask.grid, ask.tile);
  const job: VectorJob = {
    task: 'vector-tile',
    encoding: ask.encoding,
    gridCrs: ask.grid.crs,
    left,
    top,
    width: right - left,
    height: top - bottom,
    layers: drawn.map(part => part.job),
  };
  return {
    cost: costOf(drawn.map(part => part.job)),
    job: drawn.length > 0 ? job : null,
    explain: { tile: ask.tile, layers: parts.map(part => part.explain) },
    headers: dropped > 0 ? { 'x-tile-dropped': String(dropped) } : {},
  };
}

interface LayerPlan {
  readonly job: VectorJobLayer;
  readonly selection: Selection;
  readonly explain: Record<string, unknown>;
}

async function planLayer(layer: VectorLayer, ask: VectorTileAsk, signal?: AbortSignal): Promise<LayerPlan> {
  const { source, options } = layer;
  if (!isFgbSource(source)) throw problem('internal', `${layer.id} is no FlatGeobuf`);
  const extent = options.extent ?? EXTENT;
  const buffer = options.buffer ?? BUFFER;
  const crs = source.crs as string;
  const projection = projectionOf(crs, ask.grid.crs);
  const { boxes, shifts } = queryBoxes(source, projection, ask, buffer / extent);
  const { selection, cells } = await select(source, projection, ask, boxes, signal);
  const job: VectorJobLayer = {
    id: layer.id,
    ref: source.ref,
    crs,
    projection,
    geometryType: source.geometryType,
    columns: jobColumns(layer, ask.properties),
    idColumn: options.idColumn === undefined ? -1 : source.columns.findIndex(c => c.name === options.idColumn),
    extent,
    buffer,
    tolerance: ask.tile.z >= layer.maxzoom ? 0 : (TOLERANCE_PIXELS * extent) / MAP_PIXELS,
    shifts: shifts.map(worlds => worlds * ask.grid.matrices[ask.tile.z].matrixWidth * extent),
    boxes,
    offsets: selection.offsets,
    lengths: selection.lengths,
    ordinals: selection.ordinals,
  };
  const { ordinals, dropped, visited } = selection;
  const explain = { layer: layer.id, features: ordinals.length, dropped, cells, visited, boxes: Array.from(boxes) };
  return { job, selection, explain };
}

async function select(
  source: FgbSource,
  projection: Projection,
  ask: VectorTileAsk,
  boxes: Float64Array,
  signal?: AbortSignal,
): Promise<{ selection: Selection; cells: number | null }> {
  if (boxes.length === 0) return { selection: await selectAll(source, boxes, signal), cells: null };
  const caps = ask.caps ?? DEFAULT_CAPS;
  const full = await cellsFor(source, projection, ask.grid, ask.tile.z, caps, signal);
  const cells = ask.degrade === 'thin' ? Math.max(16, (full ?? caps.cellsMax) / 4) : full;
  if (cells === null) return { selection: await selectAll(source, boxes, signal), cells };
  const grid = cellGrid(source.crs as string, projection, ask.grid, ask.tile.z, cells);
  return { selection: await selectCells(source, boxes, grid, signal), cells };
}

function projectionOf(crs: string, gridCrs: string): Projection {
  if (crs === gridCrs) return 'same';
  const lonLat = (id: string) => id === 'EPSG:4326' || id === 'OGC:CRS84';
  if (lonLat(crs) && lonLat(gridCrs)) return 'same';
  if (lonLat(crs) && gridCrs === 'EPSG:3857') return 'mercator';
  return 'other';
}

/**
 * The tile and its buffer in the layer's CRS. Where the grid wraps, also one world to the east and one to the west, if the
 * layer reaches there: a feature found k worlds to the east is drawn k worlds to the west of where it lies.
 */
function queryBoxes(
  source: FgbSource,
  projection: Projection,
  ask: VectorTileAsk,
  margin: number,
): { boxes: Float64Array; shifts: number[] } {
  const matrix = ask.grid.matrices[ask.tile.z];
  const tile = tileBounds(ask.grid, ask.tile);
  const around = expand(tile, (tile[2] - tile[0]) * margin, (tile[3] - tile[1]) * margin);
  const world = matrix.matrixWidth * matrix.tileWidth * matrix.resolution;
  const found: number[] = [];
  const shifts: number[] = [];
  for (const worlds of ask.grid.wrapsX ? [0, -1, 1] : [0]) {
    const box: BBox = [around[0] + worlds * world, around[1], around[2] + worlds * world, around[3]];
    const back = toLayer(source, projection, ask.grid, box, world);
    if (!back || !touches(source.bounds, back)) continue;
    found.push(...back);
    shifts.push(-worlds);
  }
  return { boxes: Float64Array.from(found), shifts };
}

function touches(bounds: BBox | null, box: BBox): boolean {
  return bounds !== null && box[0] <= bounds[2] && box[2] >= bounds[0] && box[1] <= bounds[3] && box[3] >= bounds[1];
}

function toLayer(
  source: FgbSource,
  projection: Projection,
  grid: TileMatrixSet,
  box: BBox,
  world: number,
): BBox | null {
  if (projection === 'same') return openPoles(box, grid);
  if (projection === 'mercator') {
    const lat = (y: number) => (Math.atan(Math.exp(y / 6378137)) * 360) / Math.PI - 90;
    const lon = (x: number) => (x / world) * 360;
    const north = box[3] >= world / 2 ? 90 : lat(box[3]);
    const south = box[1] <= -world / 2 ? -90 : lat(box[1]);
    return [lon(box[0]), south, lon(box[2]), north];
  }
  // Other systems know one world: the part of the box that lies in it.
  const origin = grid.matrices[0].originX;
  const inside: BBox = [Math.max(box[0], origin), box[1], Math.min(box[2], origin + world), box[3]];
  if (inside[0] >= inside[2]) return null;
  const target = transformBounds(grid.crs, source.crs as string, inside);
  if (!target) return null;
  // A geographic target across the antimeridian has west > east: take the whole range of longitudes.
  if (target[0] <= target[2]) return target;
  return resolveCrs(source.crs as string).geographic ? [-180, target[1], 180, target[3]] : null;
}

/** What lies beyond the square world is drawn nowhere, but a shape that reaches there must still be found. */
function openPoles(box: BBox, grid: TileMatrixSet): BBox {
  const { originY, resolution, tileHeight, matrixHeight } = grid.matrices[0];
  const bottom = originY - resolution * tileHeight * matrixHeight;
  return [
    box[0],
    box[1] <= bottom ? Number.NEGATIVE_INFINITY : box[1],
    box[2],
    box[3] >= originY ? Number.POSITIVE_INFINITY : box[3],
  ];
}

function jobColumns(layer: VectorLayer, properties: readonly string[] | null): JobColumn[] {
  const served = layer.options.properties;
  return layer.source.columns.map(({ name, type }) => ({
    name,
    type: COLUMN_TYPES.indexOf(type),
    wanted: (served === undefined || served.includes(name)) && (properties === null || properties.includes(name)),
  }));
}

/** Features are read run by run into one buffer, so what is alive is a run, the largest feature's points, and the tile. */
function costOf(layers: readonly VectorJobLayer[]): Cost {
  let inputBytes = 0;
  let drawnBytes = 0;
  let largest = 0;
  for (const { offsets, lengths } of layers) {
    for (let i = 0; i < offsets.length; ) {
      const next = runEnd(offsets, lengths, i);
      inputBytes += offsets[next - 1] + lengths[next - 1] - offsets[i];
      for (let j = i; j < next; j++) {
        drawnBytes += lengths[j];
        if (lengths[j] > largest) largest = lengths[j];
      }
      i = next;
    }
  }
  if (layers.length === 0) return { inputBytes: 0, decodedBytes: 0, outputBytes: 0 };
  const outputBytes = Math.ceil(drawnBytes * OUTPUT_SHARE) + 4096;
  const scratch = Math.min(inputBytes, Math.max(RUN_BYTES_MAX, largest)) + largest * SCRATCH_SHARE;
  return { inputBytes, decodedBytes: scratch + 2 * outputBytes, outputBytes };
}
