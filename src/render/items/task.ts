/** Worker task: one batch of features, read, decoded, filtered and written as GeoJSON text joined by commas. */
import { transformer } from '../../crs/index.ts';
import { Problem, problem } from '../../errors.ts';
import { type Bytes, openBytes } from '../../io/bytes.ts';
import type { Files } from '../../io/files.ts';
import { stage } from '../../io/staged.ts';
import type { BytesRef, Job, Painted, TaskContext } from '../../plan.ts';
import { type DecodedFeature, decodeFeature, type FeatureSchema } from '../../source/fgb/feature.ts';
import { createFilter, type FeatureFilter, type FilterSchema } from '../filter/filter.ts';
import { type Output, writeFeature } from './geojson.ts';
import { filterColumns, type ItemsFilter, isFiltered, matchesFilter } from './match.ts';
import { TextSink } from './sink.ts';

export interface ItemsJob extends Job {
  readonly task: 'items';
  readonly ref: BytesRef;
  readonly crs: string;
  /** CRS of what is written, and whether its coordinates are written north first. */
  readonly outCrs: string;
  readonly northFirst: boolean;
  readonly schema: FeatureSchema;
  readonly ordinals: Float64Array;
  readonly offsets: Float64Array;
  readonly lengths: Uint32Array;
  readonly filter: ItemsFilter;
  /** What its CQL2 is asked of; null where it has none. */
  readonly filterSchema: FilterSchema | null;
  /** Attributes that are written, in this order, null where a feature has none. */
  readonly properties: readonly string[];
  readonly idColumn: string | null;
  /** Features from this ordinal on are written, at most `limit`; all others are only counted. */
  readonly from: number;
  readonly limit: number;
  /** Members of every feature beside the usual (a single feature's links). */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Told in Painted.headers, which cross the thread as text. */
export const RETURNED = 'x-items-returned';
export const MATCHED = 'x-items-matched';
/** Ordinal of the first match beyond the limit. */
export const NEXT = 'x-items-next';

/** Gaps up to this are read along: one call for a kilobyte more is cheaper than two calls. */
const GAP_BYTES = 8192;
const CHECK_EVERY = 64;

export function runItems(job: ItemsJob, context: TaskContext): Painted {
  const bytes = openBytes(job.ref);
  try {
    return writeItems(job, bytes, context);
  } finally {
    bytes.close();
  }
}

/** Wherever the file is: what another server has is there in memory before it is written. */
export async function runItemsOf(job: ItemsJob, context: TaskContext, files: Files): Promise<Painted> {
  if (!job.ref.remote) return runItems(job, context);
  const staged = await stage(files, files.open(job.ref), job, () => context.check());
  try {
    const painted = writeItems(job, staged, context);
    return { ...painted, peakBytes: painted.peakBytes + staged.heldBytes };
  } finally {
    staged.close();
  }
}

function writeItems(job: ItemsJob, bytes: Bytes, context: TaskContext): Painted {
  const started = performance.now();
  const writer = new ItemsWriter(job, { ...transformer(job.crs, job.outCrs), northFirst: job.northFirst });
  let at = 0;
  while (at < job.offsets.length) {
    context.check();
    at = readRun(bytes, job, at, (run, base, index) => {
      if (index % CHECK_EVERY === 0) context.check();
      writer.add(run, job.offsets[index] - base, job.ordinals[index]);
    });
  }
  return writer.painted(started);
}

/** Reads the features from `first` on that lie close together, visits each, answers with the first one not read. */
function readRun(
  bytes: Bytes,
  { offsets, lengths }: ItemsJob,
  first: number,
  visit: (run: Uint8Array, base: number, index: number) => void,
): number {
  const last = runEnd(offsets, lengths, first);
  const base = offsets[first];
  const run = new Uint8Array(offsets[last - 1] + lengths[last - 1] - base);
  if (!bytes.readInto) throw problem('internal', `${bytes.ref.href} cannot be read in a worker`);
  bytes.readInto(base, run);
  for (let i = first; i < last; i++) visit(run, base, i);
  return last;
}

export function runEnd(offsets: Float64Array, lengths: Uint32Array, first: number): number {
  let last = first + 1;
  while (last < offsets.length && offsets[last] - (offsets[last - 1] + lengths[last - 1]) <= GAP_BYTES) last++;
  return last;
}

class ItemsWriter {
  #job: ItemsJob;
  #out: Output;
  #filtered: boolean;
  #wanted: Set<string>;
  #cql: FeatureFilter | null;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #sink = new TextSink();
  #returned = 0;
  #matched = 0;
  #next: number | null = null;
  #inputBytes = 0;

  constructor(job: ItemsJob, out: Output) {
    this.#job = job;
    this.#out = out;
    const { cql } = job.filter;
    this.#filtered = isFiltered({ ...job.filter, cql: null });
    this.#cql = cql && job.filterSchema && createFilter(cql, job.filterSchema);
    this.#wanted = new Set(job.properties);
    for (const name of filterColumns(job.filter)) this.#wanted.add(name);
    if (job.idColumn !== null) this.#wanted.add(job.idColumn);
  }

  add(run: Uint8Array, at: number, ordinal: number): void {
    const { schema, filter, from, limit } = this.#job;
    if (this.#view.buffer !== run.buffer) this.#view = new DataView(run.buffer, run.byteOffset, run.byteLength);
    this.#inputBytes += 4 + this.#view.getUint32(at, true);
    // Asked of the bytes: what does not match is not decoded.
    if (this.#cql && !this.#cql.test(this.#view, at, run.byteLength)) return;
    if (!this.#filtered && this.#skips(ordinal)) return;
    const feature = decodeFeature(run, at, schema, this.#wanted);
    if (this.#filtered && !matchesFilter(feature.properties, filter)) return;
    this.#matched++;
    if (ordinal < from) return;
    if (this.#returned < limit) this.#write(feature, ordinal);
    else this.#next ??= ordinal;
  }

  /** Counted, and not written: nothing of it need be decoded. */
  #skips(ordinal: number): boolean {
    const { from, limit } = this.#job;
    if (ordinal >= from && this.#returned < limit) return false;
    this.#matched++;
    if (ordinal >= from) this.#next ??= ordinal;
    return true;
  }

  #write({ geometry, properties }: DecodedFeature, ordinal: number): void {
    const { properties: names, idColumn, extra } = this.#job;
    const kept: Record<string, unknown> = Object.create(null);
    for (const name of names) kept[name] = properties[name] ?? null;
    const id = idColumn === null ? ordinal + 1 : columnId(properties[idColumn]);
    try {
      if (this.#returned++ > 0) this.#sink.write(',');
      writeFeature(this.#sink, { id, geometry, properties: kept, extra }, this.#out);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      throw problem(error.code, `feature ${ordinal + 1} of ${this.#job.ref.href}: ${error.message}`);
    }
  }

  painted(started: number): Painted {
    const body = this.#sink.take();
    const headers: Record<string, string> = {
      [RETURNED]: String(this.#returned),
      [MATCHED]: String(this.#matched),
    };
    if (this.#next !== null) headers[NEXT] = String(this.#next);
    return {
      body: this.#returned > 0 ? body : null,
      contentType: 'application/geo+json',
      encoding: 'identity',
      headers,
      peakBytes: this.#inputBytes + body.byteLength * 3,
      ms: performance.now() - started,
    };
  }
}

/** As in tiles: a non-negative integer is the id, anything else is none. */
export function columnId(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
