/**
 * A page of features: planned from the index, streamed as GeoJSON in batches of about a megabyte. What it holds at any
 * moment is one batch (read, decoded, written) and one more on its way to the socket, however many features are asked for;
 * that is what it costs. With an attribute filter the candidates are gone through in file order, still a batch at a time.
 */
import { problem } from '../../errors.ts';
import { spansCost } from '../../io/http/spans.ts';
import { stagedBytes } from '../../io/staged.ts';
import type { VectorLayer } from '../../layers/types.ts';
import type { Cost, Painted, RemoteRef } from '../../plan.ts';
import type { FeatureSchema } from '../../source/fgb/feature.ts';
import { type FgbSource, isFgbSource } from '../../source/fgb/open.ts';
import type { FeaturePage } from '../../source/fgb/query.ts';
import type { BBox } from '../../tile.ts';
import { layerColumns } from '../columns.ts';
import { filterSchema } from '../filter/filter.ts';
import { type ItemsFilter, isFiltered } from './match.ts';
import { queryBoxes } from './query.ts';
import { type ItemsJob, MATCHED, NEXT, RETURNED, runEnd } from './task.ts';

export interface ItemsAsk {
  readonly layer: VectorLayer;
  /** In the layer's CRS; null: all, empty: none. */
  readonly boxes: readonly BBox[] | null;
  readonly filter: ItemsFilter;
  /** Attributes to write; null: all that the layer serves. */
  readonly properties: readonly string[] | null;
  readonly crs: OutputCrs;
  readonly from: number;
  readonly limit: number;
  /** Bytes of features that are read at a time; a single larger feature is a batch of its own. */
  readonly batchBytes?: number;
}

export interface OutputCrs {
  readonly id: string;
  readonly uri: string;
  /** Coordinates are written in the order of its own axes. */
  readonly northFirst: boolean;
}

export const CRS84_OUT: OutputCrs = {
  id: 'OGC:CRS84',
  uri: 'http://www.opengis.net/def/crs/OGC/1.3/CRS84',
  northFirst: false,
};

export interface ItemsPlan {
  readonly ask: ItemsAsk;
  /** The largest batch, twice: one in work, one being sent. */
  readonly cost: Cost;
  readonly first: FeaturePage;
  /** Filtered only: whether all candidates are gone through, so that the number of matches can be told. */
  readonly counting: boolean;
  readonly explain: Readonly<Record<string, unknown>>;
}

export interface ItemsResult {
  readonly returned: number;
  /** null: unknown, since not all candidates were looked at. */
  readonly matched: number | null;
  readonly next: number | null;
}

export interface ItemsRun {
  run(job: ItemsJob, signal: AbortSignal): Promise<Painted>;
  /** Makes the permit large enough for this cost; false: it cannot be. */
  grow(cost: Cost): boolean;
  readonly signal: AbortSignal;
}

const BATCH_BYTES_MAX = 1 << 20;
/** What a batch costs at most over its bytes: objects, text, and the batch before it on its way to the socket. */
const BATCH_PRICE = 24;
const BATCH_FEATURES = 2000;
/** Candidates of a filtered page that are looked up in the index at a time. */
const CANDIDATES = 10_000;
/** Up to so many candidates all are gone through, so that numberMatched is known. */
const COUNTED_CANDIDATES_MAX = 50_000;
/** Bytes of JavaScript objects and of text for one byte of a feature, and for each feature beside its bytes. */
const OBJECT_FACTOR = 5;
const TEXT_FACTOR = 3;
const FEATURE_OBJECT_BYTES = 400;
const FEATURE_TEXT_BYTES = 80;

export function fgbOf(layer: VectorLayer): FgbSource {
  const { source } = layer;
  if (!isFgbSource(source)) throw problem('wrong-kind', `${layer.id} has no features that can be listed`);
  return source;
}

/** So that every batch fits under what one request may hold. */
export function batchBytesFor(ceilingBytes: number): number {
  return Math.min(BATCH_BYTES_MAX, Math.floor(ceilingBytes / BATCH_PRICE));
}

export async function planItems(ask: ItemsAsk, signal: AbortSignal): Promise<ItemsPlan> {
  const source = fgbOf(ask.layer);
  const filtered = isFiltered(ask.filter);
  let from = ask.from;
  let counting = false;
  if (filtered) {
    const { matched } = await queryBoxes(source, ask.boxes, 0, 0, signal);
    counting = matched <= COUNTED_CANDIDATES_MAX;
    if (counting) from = 0;
  }
  const first = await queryBoxes(source, ask.boxes, from, filtered ? CANDIDATES : ask.limit, signal);
  const batches = [...batchesOf(first, ask.batchBytes)];
  const cost = batches.reduce((peak, batch) => larger(peak, batchCost(batch, ask)), NOTHING);
  const inputBytes = first.lengths.reduce((sum, length) => sum + length, 0);
  const explain = {
    features: first.ordinals.length,
    candidates: first.matched,
    filtered,
    batches: batches.length,
    inputBytes,
    readBytes: batches.reduce((sum, batch) => sum + batchRead(batch), 0),
    ...requestsIn(batches, source.ref.remote),
    nextOrdinal: first.nextOrdinal,
  };
  return { ask, cost, first, counting, explain };
}

function requestsIn(batches: readonly Batch[], remote: RemoteRef | undefined): { requests?: number } {
  return remote ? { requests: batches.reduce((sum, batch) => sum + spansCost(batch, remote).requests, 0) } : {};
}

const NOTHING: Cost = { inputBytes: 0, decodedBytes: 0, outputBytes: 0 };

function larger(a: Cost, b: Cost): Cost {
  return {
    inputBytes: Math.max(a.inputBytes, b.inputBytes),
    ...(b.heldInputBytes === undefined ? {} : { heldInputBytes: Math.max(a.heldInputBytes ?? 0, b.heldInputBytes) }),
    decodedBytes: Math.max(a.decodedBytes, b.decodedBytes),
    outputBytes: Math.max(a.outputBytes, b.outputBytes),
  };
}

type Batch = Pick<FeaturePage, 'ordinals' | 'offsets' | 'lengths'>;

function* batchesOf({ ordinals, offsets, lengths }: FeaturePage, batchBytes = BATCH_BYTES_MAX): Generator<Batch> {
  for (let from = 0; from < ordinals.length; ) {
    let to = from + 1;
    let bytes = lengths[from];
    while (to < ordinals.length && to - from < BATCH_FEATURES && bytes + lengths[to] <= batchBytes)
      bytes += lengths[to++];
    yield { ordinals: ordinals.slice(from, to), offsets: offsets.slice(from, to), lengths: lengths.slice(from, to) };
    from = to;
  }
}

/** With the gaps that are read along. */
export function batchRead({ offsets, lengths }: Batch): number {
  let bytes = 0;
  for (let first = 0; first < offsets.length; ) {
    const last = runEnd(offsets, lengths, first);
    bytes += offsets[last - 1] + lengths[last - 1] - offsets[first];
    first = last;
  }
  return bytes;
}

/** What it costs to write those features. */
export function batchCost(batch: Batch, asked: Pick<ItemsAsk, 'layer' | 'properties'>): Cost {
  const { remote } = fgbOf(asked.layer).ref;
  const cost = writingCost(batchRead(batch), batch.offsets.length, asked);
  return remote ? stagedCost(cost, batch, remote) : cost;
}

/** From another server they come first, and are held beside the runs that are read of them. */
function stagedCost(cost: Cost, batch: Batch, remote: RemoteRef): Cost {
  const { bytes, heldBytes } = spansCost(batch, remote);
  const own = batch.lengths.reduce((sum, length) => sum + length, 0);
  const staged = stagedBytes(batch.lengths.length, own);
  return { ...cost, inputBytes: bytes, heldInputBytes: cost.inputBytes + staged + heldBytes };
}

/** The same of so many, wherever they lie. */
export function writingCost(
  inputBytes: number,
  features: number,
  { layer, properties }: Pick<ItemsAsk, 'layer' | 'properties'>,
): Cost {
  const names = properties ?? layerColumns(layer).map(({ name }) => name);
  const nameBytes = names.reduce((sum, name) => sum + name.length + 8, 0);
  const textBytes = inputBytes * TEXT_FACTOR + features * (FEATURE_TEXT_BYTES + nameBytes);
  // The text is a string first, then bytes.
  return {
    inputBytes,
    decodedBytes: inputBytes * OBJECT_FACTOR + features * FEATURE_OBJECT_BYTES + textBytes,
    outputBytes: textBytes * 2,
  };
}

/** Text of the features, joined by commas, batch by batch; returns what the closing members of the collection say. */
export async function* streamItems(
  plan: ItemsPlan,
  { run, grow, signal }: ItemsRun,
): AsyncGenerator<Uint8Array, ItemsResult> {
  const { ask, counting } = plan;
  const filtered = isFiltered(ask.filter);
  const source = fgbOf(ask.layer);
  let returned = 0;
  let matched = 0;
  let next: number | null = null;
  let page: FeaturePage | null = plan.first;
  while (page) {
    for (const batch of batchesOf(page, ask.batchBytes)) {
      signal.throwIfAborted();
      if (!grow(batchCost(batch, ask))) throw problem('overloaded', 'no memory for the next batch of features');
      const { body, headers } = await run(jobOf(ask, batch, ask.limit - returned), signal);
      matched += Number(headers[MATCHED]);
      if (NEXT in headers) next ??= Number(headers[NEXT]);
      if (body) {
        if (returned > 0) yield COMMA;
        returned += Number(headers[RETURNED]);
        yield body;
      }
      if (filtered && !counting && next !== null) return { returned, matched: null, next };
    }
    const more: number | null = filtered ? page.nextOrdinal : null;
    page = more === null ? null : await queryBoxes(source, ask.boxes, more, CANDIDATES, signal);
  }
  if (!filtered) return { returned, matched: plan.first.matched, next: plan.first.nextOrdinal };
  // Begun at the first candidate, the matches have all been counted.
  return { returned, matched: counting || ask.from === 0 ? matched : null, next };
}

const COMMA = new TextEncoder().encode(',');

/** What of a layer decoding a feature takes. */
export function schemaOf(layer: VectorLayer): FeatureSchema {
  const { columns, geometryType, hasZ } = fgbOf(layer);
  const { rename } = layer.options;
  return { columns, geometryType, hasZ, ...(rename ? { rename } : {}) };
}

export function jobOf(ask: ItemsAsk, batch: Batch, limit: number, extra?: Readonly<Record<string, unknown>>): ItemsJob {
  const { layer, filter, properties, crs, from } = ask;
  const source = fgbOf(layer);
  return {
    task: 'items',
    // What waits for another server keeps no other job of its thread waiting.
    ...(source.ref.remote ? { long: true } : {}),
    ref: source.ref,
    crs: source.crs as string,
    outCrs: crs.id,
    northFirst: crs.northFirst,
    schema: schemaOf(layer),
    ...batch,
    filter,
    filterSchema: filter.cql === null ? null : filterSchema(layer),
    properties: properties ?? layerColumns(layer).map(({ name }) => name),
    idColumn: layer.options.idColumn ?? null,
    from,
    limit,
    ...(extra ? { extra } : {}),
  };
}

/** What a single feature costs. */
export function featureCost(ask: ItemsAsk, length: number): Cost {
  return batchCost(
    { ordinals: new Float64Array(1), offsets: new Float64Array(1), lengths: Uint32Array.of(length) },
    ask,
  );
}
