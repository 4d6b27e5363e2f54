/**
 * The cells of a layer's zooms, measured in a worker: its own opening of the file, one pass over the leaves of the index, then the
 * densest tiles of every zoom, selected and judged. What it takes is known from the index's size alone, but for the layer's
 * longest feature: where that is longer than the job was priced for, the job ends after its pass and says so.
 */
import { problem } from '../../errors.ts';
import type { VectorLayer } from '../../layers/types.ts';
import type { BytesRef, Cost, Job, Painted, TaskContext } from '../../plan.ts';
import { type FgbSource, isFgbSource, openFgb } from '../../source/fgb/open.ts';
import { PageBudget } from '../../source/fgb/rtree-pages.ts';
import type { TileMatrixSet } from '../../tile.ts';
import { densityBytes } from './density.ts';
import { type LodCaps, type Measured, measureSteps } from './lod.ts';
import { restFor } from './pace.ts';
import type { VectorPainter } from './paint.ts';
import { sampleCostBytes } from './sample.ts';
import { lodSubject } from './zoom-cells.ts';

export interface CellsJob extends Job {
  readonly task: 'cells';
  readonly long: true;
  readonly ref: BytesRef;
  readonly layer: Omit<VectorLayer, 'source'>;
  readonly columns: FgbSource['columns'];
  readonly grid: TileMatrixSet;
  readonly caps: LodCaps;
  /** Bytes of the longest feature that the job was priced for. */
  readonly longest: number;
}

/** Leaves that the job keeps at once. */
const PAGES_BYTES = 256 * 1024;
/** A feature while it is selected: its place in growing arrays and in their copy, its cell. */
const SELECTED_BYTES = 200;
const BODY_BYTES = 4096;
/** A group of leaves that may meet a box: its number, at two levels at once. */
const GROUP_BYTES = 8;

export function cellsJob(
  { source, ...layer }: VectorLayer,
  grid: TileMatrixSet,
  caps: LodCaps,
  longest: number,
): CellsJob {
  const { ref, columns } = source;
  return { task: 'cells', long: true, ref, layer, columns, grid, caps, longest };
}

export function cellsCost(layer: VectorLayer, { maxFeatures }: LodCaps, longest: number): Cost {
  const source = measurable(layer);
  // A walk ends with the group of leaves in which it has found enough.
  const selected = Math.min(source.count, maxFeatures + (source.tree?.shape.nodeSize ?? 0)) * SELECTED_BYTES;
  const decodedBytes =
    source.residentBytes + indexBytes(source) + selected + sampleCostBytes(longest, layer.options.labels ?? false);
  return { inputBytes: PAGES_BYTES, decodedBytes, outputBytes: BODY_BYTES };
}

/** `painter` is the thread's: samples are tiles like others. */
export async function runCells(job: CellsJob, context: TaskContext, painter: VectorPainter): Promise<Painted> {
  const started = performance.now();
  const { ref, layer, columns, grid, caps, longest } = job;
  const pages = new PageBudget(PAGES_BYTES);
  const { crs } = layer.options;
  const opened = await openFgb(ref, { pages, unindexedBytesMax: ref.size, ...(crs === undefined ? {} : { crs }) });
  try {
    const subject = lodSubject({ ...layer, source: { ...opened, columns } as FgbSource }, grid, caps, painter);
    const rest = restFor();
    const pause = async () => {
      context.check();
      await rest();
    };
    const measured = await measureSteps(subject, pause, longest);
    return {
      body: Uint8Array.from(Buffer.from(JSON.stringify(measured))),
      contentType: 'application/json',
      encoding: 'identity',
      headers: {},
      peakBytes: heldBytes(opened, measured),
      ms: performance.now() - started,
    };
  } finally {
    await opened.close();
  }
}

/** What it came to hold, piece by piece as it was priced. */
function heldBytes(source: FgbSource, { selected, sampleBytes }: Measured): number {
  return source.residentBytes + PAGES_BYTES + indexBytes(source) + selected * SELECTED_BYTES + sampleBytes;
}

function indexBytes({ tree }: FgbSource): number {
  const nodes = tree === null ? 0 : Math.ceil(tree.shape.count / tree.shape.nodeSize);
  return densityBytes(nodes) + nodes * GROUP_BYTES;
}

export function readCells({ body }: Painted): Measured {
  return JSON.parse(Buffer.from(body ?? []).toString()) as Measured;
}

/** Whether that layer's cells can be measured at all. */
export function measurable({ id, source }: VectorLayer): FgbSource {
  if (!isFgbSource(source) || !source.tree) throw problem('internal', `${id} is no FlatGeobuf with an index`);
  return source;
}
