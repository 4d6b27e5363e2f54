/** What is sent to a worker of a layer and a tile: how the layer is seen by a grid of tiles, its columns, the features selected. */
import type { VectorLayer } from '../../layers/types.ts';
import type { Encoding } from '../../plan.ts';
import { COLUMN_TYPES } from '../../source/fgb/layout.ts';
import type { Selection } from '../../source/fgb/lod.ts';
import type { FgbSource } from '../../source/fgb/open.ts';
import { type TileCoord, type TileMatrixSet, tileBounds } from '../../tile.ts';
import { jumps, type LayerView, projectionOf, type QueryBoxes } from './boxes.ts';
import { addedNames } from './fields.ts';
import { type JobColumn, pixelSide, type VectorJob, type VectorJobLayer } from './job.ts';
import { labelPlace } from './label-plan.ts';

export const EXTENT = 4096;
export const BUFFER = 64;
/** Half a pixel of a map that draws tiles at 512 px. At the layer's last zoom nothing but rounding is simplified. */
const TOLERANCE_PIXELS = 0.5;
const MAP_PIXELS = 512;

export interface TileOf {
  readonly grid: TileMatrixSet;
  readonly tile: TileCoord;
  readonly encoding: Encoding;
}

export function tileJob({ grid, tile, encoding }: TileOf, layers: readonly VectorJobLayer[]): VectorJob {
  const [left, bottom, right, top] = tileBounds(grid, tile);
  const place = { gridCrs: grid.crs, left, top, width: right - left, height: top - bottom };
  return { task: 'vector-tile', encoding, ...place, layers };
}

export function viewOf(layer: VectorLayer, source: FgbSource, grid: TileMatrixSet): LayerView {
  const extent = layer.options.extent ?? EXTENT;
  const buffer = layer.options.buffer ?? BUFFER;
  // What a pixel stands for may lie half of it beyond the buffer.
  const margin = (buffer + pixelSide(extent) / 2) / extent;
  return { source, projection: projectionOf(source.crs as string, grid.crs), grid, extent, buffer, margin };
}

export function jobOf(
  view: LayerView,
  layer: VectorLayer,
  { tile, properties }: { readonly tile: TileCoord; readonly properties: readonly string[] | null },
  { boxes, shifts }: QueryBoxes,
  { offsets, lengths, ordinals, counts, ref, crcs, dust }: Selection,
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
    clusters: null,
    toCluster: null,
    dust: dust && counts ? { ...dust, counts } : null,
    served: properties ? properties.filter(name => served?.includes(name) ?? true) : (served ?? null),
    rename: layer.options.rename ?? null,
    idName: idColumn ?? null,
    filter: null,
    labels: layer.options.labels ? labelPlace(layer.id, grid, tile) : null,
  };
}

function jobColumns(layer: VectorLayer, properties: readonly string[] | null): JobColumn[] {
  const served = layer.options.properties;
  const added = addedNames(layer.options);
  return layer.source.columns.map(({ name, type, as }, i) => ({
    name,
    type: COLUMN_TYPES.indexOf(type),
    as: as ?? null,
    wanted:
      (served === undefined || served.includes(name)) &&
      (properties === null || properties.includes(name)) &&
      // A tile knows a name once: what is added has it, or the first column of that name.
      !added.includes(name) &&
      layer.source.columns.findIndex(c => c.name === name) === i,
  }));
}
