/**
 * How fine the grid of cells is: a constant of (layer, zoom), never of a tile, or tiles would not agree at their edges. Cells
 * are steps of one ladder for all zooms of a grid of tiles (cells.ts), each step halving the one before. A zoom has the
 * finest step at which its densest tile keeps under the caps, and none finer than the next zoom has: so what shows at a zoom
 * shows at the next, whatever the ratio of their scales. null: nothing is left out.
 *
 * To measure them is seconds of work for millions of features: done once, for all zooms, in a worker (measure.ts).
 */
import { Problem } from '../../errors.ts';
import { areasInDegrees } from '../../source/fgb/area.ts';
import type { DustRule } from '../../source/fgb/dust.ts';
import { selectAll } from '../../source/fgb/lod.ts';
import type { FgbSource } from '../../source/fgb/open.ts';
import type { TileCoord, TileMatrixSet } from '../../tile.ts';
import { cellsAcross, stepFor } from './cells.ts';
import { type DenseTile, type Density, densestTiles, densityOf, type Rest } from './density.ts';
import { fillOf } from './fill.ts';
import type { Projection } from './job.ts';
import { type Sample, sampleOf } from './sample.ts';
import { selectStep } from './step.ts';

export interface LodCaps {
  readonly maxFeatures: number;
  /** Compressed bytes of a tile. */
  readonly maxBytes: number;
  /** Cells a tile side at first, and at least. */
  readonly cellsMax: number;
  readonly cellsMin: number;
}

export const DEFAULT_CAPS: LodCaps = { maxFeatures: 20_000, maxBytes: 500_000, cellsMax: 256, cellsMin: 1 };

/** Compressed bytes of a tile are at most this share of its features' bytes in the file. */
export const BYTES_SHARE = 0.5;
/** What the tiles that are looked at may weigh of the cap: the worst tile of a zoom may be another, and is judged by a sample. */
const BYTES_MARGIN = 0.9;

/** What the caps are measured with: a layer as the plan sees it. */
export interface LodSubject {
  readonly source: FgbSource;
  readonly projection: Projection;
  readonly grid: TileMatrixSet;
  readonly caps: LodCaps;
  /** Cells that have several features are drawn as squares. */
  readonly dust: boolean;
  /** Boxes of a tile and its buffer in the layer's CRS. */
  boxesOf(tile: TileCoord): Float64Array;
  /** Compressed bytes that the tile would have with the selection that this is a sample of, and what painting it held. */
  judge(tile: TileCoord, sample: Sample): Judged | Promise<Judged>;
}

interface Judged {
  readonly bytes: number;
  readonly peakBytes: number;
}

export interface Measured {
  /** null: a feature is longer than there was memory for. */
  readonly cells: LayerCells | null;
  /** Bytes of the longest feature. */
  readonly longest: number;
  /** Most features selected at once, and most bytes held to judge a sample. */
  readonly selected: number;
  readonly sampleBytes: number;
}

/** A subject under measurement. */
interface Measuring extends LodSubject {
  readonly rest: Rest;
  readonly held: { selected: number; sampleBytes: number };
  readonly rule: DustRule | null;
}

/** The step of the ladder at each zoom; null where every tile may have all its features. */
export type Steps = readonly (number | null)[];

/** What is measured of a layer. */
export interface LayerCells {
  readonly steps: Steps;
  /** Area of its features, of the areas of their boxes. */
  readonly fill: number;
}

/** All zooms, once. `measure` is asked where nobody has measured the layer yet; all who want it meanwhile wait for one. */
export function cellsOf(
  { source, grid, caps, dust }: Pick<LodSubject, 'source' | 'grid' | 'caps' | 'dust'>,
  measure: () => Promise<LayerCells>,
): Promise<LayerCells> {
  const { lod } = source;
  const { maxFeatures, maxBytes, cellsMax, cellsMin } = caps;
  const key = [grid.key, maxFeatures, maxBytes, cellsMax, cellsMin, ...(dust ? ['dust'] : [])].join('/');
  let known = lod.get(key);
  if (!known) {
    known = measure();
    lod.set(key, known);
    // A read that failed is tried again by the next tile; what is too much to read of another server will be so then.
    known.catch(error => {
      if (!(source.ref.remote && error instanceof Problem && error.code === 'too-large')) lod.delete(key);
    });
  }
  return known;
}

/** False where no tile of any zoom can break the caps. */
export function mayThin(source: FgbSource, caps: LodCaps): boolean {
  const fileBytes = source.ref.size - source.featuresStart;
  return source.count > caps.maxFeatures || fileBytes * BYTES_SHARE > caps.maxBytes;
}

/** Ends after its pass over the leaves where a feature is longer than `longestMax`. */
export async function measureSteps(
  subject: LodSubject,
  rest: Rest,
  longestMax = Number.POSITIVE_INFINITY,
): Promise<Measured> {
  const { source, projection, grid } = subject;
  const held = { selected: 0, sampleBytes: 0 };
  const steps: (number | null)[] = grid.matrices.map(() => null);
  const density = await densityOf(source, projection, grid, rest);
  if (!density) return { cells: { steps, fill: 1 }, longest: 0, ...held };
  const { longest } = density;
  if (longest > longestMax) return { cells: null, longest, ...held };
  const fill = subject.dust || !source.ref.remote ? await fillOf(source, rest) : 1;
  const rule = subject.dust ? { degrees: areasInDegrees(source.crs as string), fill } : null;
  for (let z = steps.length - 1; mayThin(source, subject.caps) && z >= 0; z--) {
    await rest();
    steps[z] = await measure({ ...subject, rest, held, rule }, density, z, steps[z + 1] ?? null);
  }
  return { cells: { steps, fill }, longest, ...held };
}

async function measure(subject: Measuring, density: Density, z: number, next: number | null): Promise<number | null> {
  const { grid, caps } = subject;
  const dense = densestTiles(density, grid, z, null);
  const most = Math.max(0, ...dense.map(({ count }) => count));
  const bytes = Math.max(0, ...dense.map(tile => tile.bytes));
  if (most <= caps.maxFeatures && bytes * BYTES_SHARE <= caps.maxBytes) return null;
  if (next === null && most <= caps.maxFeatures && (await fits(subject, dense, null))) return null;
  let step = Math.min(stepFor(grid, z, caps.cellsMax), next ?? Number.POSITIVE_INFINITY);
  const coarsest = stepFor(grid, z, caps.cellsMin);
  const tilesAt = (at: number) => densestTiles(density, grid, z, cellsAcross(grid, z, at));
  while (step > coarsest && !(await fits(subject, tilesAt(step), step))) step--;
  return step;
}

async function fits(subject: Measuring, dense: readonly DenseTile[], step: number | null): Promise<boolean> {
  const { source, caps, rest, held, rule } = subject;
  const found: Found[] = [];
  for (const { tile } of dense) {
    await rest();
    const boxes = subject.boxesOf(tile);
    const selection =
      step === null
        ? await selectAll(source, boxes, undefined, caps.maxFeatures)
        : await selectStep(subject, step, boxes, rule, undefined, caps.maxFeatures);
    held.selected = Math.max(held.selected, selection.ordinals.length);
    if (selection.ordinals.length > caps.maxFeatures) return false;
    const bytes = selection.lengths.reduce((sum, length) => sum + length, 0);
    // Only samples are kept: eight selections are megabytes.
    if (bytes * BYTES_SHARE > caps.maxBytes * BYTES_MARGIN) found.push({ tile, sample: sampleOf(selection), bytes });
  }
  // Painting is what costs: only what is heaviest, and what has most features.
  const most = found.toSorted((a, b) => b.sample.of - a.sample.of).slice(0, 1);
  const painted = new Set([...found.toSorted((a, b) => b.bytes - a.bytes).slice(0, 2), ...most]);
  for (const { tile, sample } of painted) {
    await rest();
    const judged = await subject.judge(tile, sample);
    held.sampleBytes = Math.max(held.sampleBytes, judged.peakBytes);
    if (judged.bytes > caps.maxBytes * BYTES_MARGIN) return false;
  }
  return true;
}

interface Found {
  readonly tile: TileCoord;
  readonly sample: Sample;
  /** Of the features in the file. */
  readonly bytes: number;
}
