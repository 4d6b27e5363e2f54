/**
 * The cells of a layer's zooms, measured in a worker: its own opening of the file, one pass over the leaves of the index, then the
 * densest tiles of every zoom, selected and judged. What it takes is known from the index's size alone, but for the layer's
 * longest feature: where that is longer than the job was priced for, the job ends after its pass and says so.
 */
import { problem } from '../../errors.ts';
import type { Files } from '../../io/files.ts';
import { spansCost } from '../../io/http/spans.ts';
import type { VectorLayer } from '../../layers/types.ts';
import type { BytesRef, Cost, Job, Painted, TaskContext } from '../../plan.ts';
import { requestBytesFor } from '../../source/fgb/far-pages.ts';
import { type FgbSource, isFgbSource, openFgb } from '../../source/fgb/open.ts';
import { overviewRemedy } from '../../source/fgb/overview-format.ts';
import { NODE_BYTES } from '../../source/fgb/rtree.ts';
import { PageBudget } from '../../source/fgb/rtree-pages.ts';
import type { TileMatrixSet } from '../../tile.ts';
import { densityBytes } from './density.ts';
import { paintVector } from './far.ts';
import { type LodCaps, type Measured, measureSteps } from './lod.ts';
import { restFor } from './pace.ts';
import type { VectorPainter } from './paint.ts';
import { type SamplePaint, sampleCostBytes, samplesBy, stagedSampleBytes } from './sample.ts';
import { lodSubject } from './zoom-cells.ts';

export interface CellsJob extends Job {
  readonly task: 'cells';
  readonly long: true;
  readonly ref: BytesRef;
  /** What is beside a file of another server. */
  readonly overview: BytesRef | null;
  /** Of leaves that are kept at once. */
  readonly pagesBytes: number;
  readonly layer: Omit<VectorLayer, 'source'>;
  readonly columns: FgbSource['columns'];
  readonly grid: TileMatrixSet;
  readonly caps: LodCaps;
  /** Bytes of the longest feature that the job was priced for. */
  readonly longest: number;
}

/** Leaves that the job keeps at once. */
const PAGES_BYTES = 256 * 1024;
/** Of another server's file all, or so many where an overview stands for the far zooms: they are not to be asked for twice. */
const FAR_PAGES_BYTES = 4 * 1024 * 1024;
/** Requests for leaves that are in memory together: one that is cut into pages, and two that come. */
const COMING_REQUESTS = 3;
/** Tiles' worth of bytes that may be read of another server's file to choose its cells. */
const SAMPLED_TILES = 8;
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
  const overview = ref.remote && isFgbSource(source) ? (source.overview.current?.bytes.ref ?? null) : null;
  const kept = { overview, pagesBytes: pagesBytes(measurable({ source, ...layer })) };
  return { task: 'cells', long: true, ref, ...kept, layer, columns, grid, caps, longest };
}

export function cellsCost(layer: VectorLayer, { maxFeatures }: LodCaps, longest: number): Cost {
  const source = measurable(layer);
  // A walk ends with the group of leaves in which it has found enough.
  const selected = Math.min(source.count, maxFeatures + (source.tree?.shape.nodeSize ?? 0)) * SELECTED_BYTES;
  const decodedBytes =
    source.residentBytes + indexBytes(source) + selected + sampleCostBytes(longest, layer.options.labels ?? false);
  return { inputBytes: pagesBytes(source) + farBytes(source, longest), decodedBytes, outputBytes: BODY_BYTES };
}

/** `painter` is the thread's: samples are tiles like others. Errors: too-large where other servers would be asked for too much. */
export async function runCells(
  job: CellsJob,
  context: TaskContext,
  painter: VectorPainter,
  files: Files,
): Promise<Painted> {
  const started = performance.now();
  const { layer, columns, grid, caps, longest } = job;
  const opened = await openedBy(job, files);
  try {
    const paint = opened.ref.remote ? farSamples(job, context, painter, files) : samplesBy(painter);
    const subject = lodSubject({ ...layer, source: { ...opened, columns } as FgbSource }, grid, caps, paint);
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
      peakBytes: heldBytes(opened, measured, job),
      ms: performance.now() - started,
    };
  } finally {
    await opened.close();
  }
}

function openedBy({ ref, overview, pagesBytes, layer }: CellsJob, files: Files): Promise<FgbSource> {
  const { crs } = layer.options;
  const own = crs === undefined ? {} : { crs };
  if (!ref.remote) return openFgb(ref, { pages: new PageBudget(PAGES_BYTES), unindexedBytesMax: ref.size, ...own });
  const pages = new PageBudget(pagesBytes);
  const beside = async () => overview && files.open(overview);
  return openFgb(ref, { pages, open: () => files.open(ref), beside, ...own });
}

/** Samples of another server's features, as long as they are not too much together. */
function farSamples({ ref, layer }: CellsJob, context: TaskContext, painter: VectorPainter, files: Files): SamplePaint {
  const { bytesMax = Number.POSITIVE_INFINITY } = ref.remote?.features ?? {};
  const limit = bytesMax * SAMPLED_TILES;
  let bytes = 0;
  return job => {
    for (const each of job.layers) if (each.ref.remote) bytes += spansCost(each, each.ref.remote).bytes;
    if (bytes <= limit) return paintVector(painter, job, context, files);
    const detail = `${layer.id}: to choose its cells more than ${limit} bytes of its features would have to be read`;
    throw problem('too-large', detail, { limitBytes: limit, remedy: overviewRemedy(ref.href) });
  };
}

/** What it came to hold, piece by piece as it was priced. */
function heldBytes(source: FgbSource, { selected, sampleBytes }: Measured, { pagesBytes: kept }: CellsJob): number {
  return source.residentBytes + kept + indexBytes(source) + selected * SELECTED_BYTES + sampleBytes;
}

function pagesBytes({ ref, tree, overview }: FgbSource): number {
  if (!ref.remote || !tree) return PAGES_BYTES;
  const pages = Math.ceil(tree.shape.count / tree.pageLeaves);
  const all = (tree.shape.count + pages) * NODE_BYTES;
  return overview.current ? Math.min(all, FAR_PAGES_BYTES) : all;
}

/** What comes from another server: leaves on their way, a sample. Errors: too-large where the index is more than may be read. */
function farBytes(source: FgbSource, longest: number): number {
  const { ref, tree, overview } = source;
  const { remote } = ref;
  if (!remote?.features || !tree) return 0;
  const { bytesMax, indexBytes: requestBytes } = remote.features;
  const limitBytes = overview.current ? bytesMax * SAMPLED_TILES : bytesMax;
  const neededBytes = tree.shape.count * NODE_BYTES;
  if (neededBytes > limitBytes) {
    const detail = `${ref.href}: ${neededBytes} bytes of its index would have to be read to choose its cells`;
    const bound = `at most ${limitBytes} (remote.tileBytes)`;
    throw problem('too-large', `${detail}; ${bound}`, { limitBytes, neededBytes, remedy: overviewRemedy(ref.href) });
  }
  const pageBytes = (tree.pageLeaves + 1) * NODE_BYTES;
  const request = Math.max(pageBytes, requestBytesFor(requestBytes, pagesBytes(source)));
  return COMING_REQUESTS * request + stagedSampleBytes(longest, remote.aheadBytes);
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
