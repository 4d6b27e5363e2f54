/**
 * Cells that an overview has of its file, as they were measured when it was made: of another server's file that spares the pass
 * over its whole index. They are those of a layer whose tiles weigh what they weighed then, so any choice that changes that measures anew.
 */
import type { LayerOptions, VectorLayer } from '../../layers/types.ts';
import type { FgbSource } from '../../source/fgb/open.ts';
import type { RecordedCells } from '../../source/fgb/overview-format.ts';
import type { TileMatrixSet } from '../../tile.ts';
import { BUFFER, EXTENT } from './layer-job.ts';
import type { LayerCells, LodCaps } from './lod.ts';

/** What changes no tile, or is compared with what was. */
const HARMLESS: ReadonlySet<string> = new Set<keyof LayerOptions>([
  'title',
  'description',
  'attribution',
  'minzoom',
  'maxzoom',
  'drop',
  'extent',
  'buffer',
  'maxFeatures',
  'maxTileBytes',
  'filterReadBytes',
  'maxReadAmplification',
  'mosaicMaxAssets',
  'jpegQuality',
  'webpQuality',
  'degrade',
  'maxAge',
]);

export function recordCells(
  { maxzoom }: Pick<VectorLayer, 'maxzoom'>,
  grid: TileMatrixSet,
  caps: LodCaps,
  { steps }: LayerCells,
): RecordedCells {
  return { grid: grid.key, maxzoom, caps: { ...caps }, steps: [...steps] };
}

/** null: none that fit the layer. */
export function recordedCells(
  { options, maxzoom }: Pick<VectorLayer, 'options' | 'maxzoom'>,
  source: FgbSource,
  grid: TileMatrixSet,
  caps: LodCaps,
): LayerCells | null {
  const cells = source.overview.current?.meta.cells;
  if (!source.ref.remote || !cells || cells.grid !== grid.key || cells.steps.length !== grid.matrices.length)
    return null;
  const { maxFeatures, maxBytes, cellsMax, cellsMin } = cells.caps;
  const same =
    maxFeatures === caps.maxFeatures &&
    maxBytes === caps.maxBytes &&
    cellsMax === caps.cellsMax &&
    cellsMin === caps.cellsMin;
  return same && isPlain(options) && maxzoom === cells.maxzoom ? { steps: cells.steps, fill: 1 } : null;
}

function isPlain(options: LayerOptions): boolean {
  const { drop = 'cells', extent = EXTENT, buffer = BUFFER } = options;
  const chosen = Object.entries(options).filter(([, value]) => value !== undefined && !isEmpty(value));
  return chosen.every(([name]) => HARMLESS.has(name)) && drop === 'cells' && extent === EXTENT && buffer === BUFFER;
}

/** Renames of nothing. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}
