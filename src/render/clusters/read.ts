/** The plan of a part of a cluster whose points must be read: to ask a filter of them, or to make aggregates of children. */
import { problem } from '../../errors.ts';
import type { Cost, Plan } from '../../plan.ts';
import { type CellPoints, cellPoints } from '../../source/fgb/cell-points.ts';
import { batchRead, CRS84_OUT, fgbOf, jobOf, writingCost } from '../items/stream.ts';
import { cellsRead, POINT_READ_BYTES, readCost, readLimit } from '../vector/cluster-read.ts';
import { CANDIDATE_BYTES, narrowing } from '../vector/filtered.ts';
import { RUN_BYTES_MAX } from '../vector/job.ts';
import { type ClusterAsk, cellsAt, childRange, clusterTextBytes, DOCUMENT_BYTES, type Located, NONE } from './parts.ts';
import type { ClusterPartsJob, PartRead } from './types.ts';

/** Errors: too-large; the worker's are feature-not-found and too-large. */
export async function planRead(ask: ClusterAsk, located: Located, signal?: AbortSignal): Promise<Plan> {
  const { layer, id, part, encoding, limit, filter } = ask;
  const { at, cell } = located;
  const source = fgbOf(layer);
  const [col0, row0] = cell;
  const range = { col0, row0, col1: col0, row1: row0 };
  const most = readLimit(layer);
  const points = await cellPoints(source, at.cells, [range], narrowing(layer, filter), most, signal);
  if (points.bytes > most) throw tooLarge(ask, points.bytes, most);
  const itemsAsk = { layer, boxes: null, filter: NO_FILTER, properties: null, crs: CRS84_OUT, from: 0, limit };
  const read = partRead(ask, located, points.xy);
  const job: ClusterPartsJob = {
    task: 'cluster-parts',
    encoding,
    zoom: null,
    crs: source.crs as string,
    clusters: NONE,
    items: jobOf(itemsAsk, points, limit),
    matched: 0,
    read,
  };
  const candidates = points.ordinals.length;
  const explain = { layer: layer.id, cluster: id, part, candidates, visited: points.visited };
  const fits = (share: number) => (part === 'leaves' ? { limit: Math.max(1, Math.floor(limit * share)) } : {});
  return { cost: costOf(ask, located, points), job, explain, headers: {}, fits };
}

const NO_FILTER = { cql: null, equals: [], time: null };

function partRead(ask: ClusterAsk, located: Located, xy: Float64Array): PartRead {
  const { layer, grid, id, part, offset, limit, filter } = ask;
  const { at } = located;
  const source = fgbOf(layer);
  const own = cellsRead(source, { at, ranges: [], filter, layer });
  const next = part === 'children' ? cellsAt(ask, at.z + 1) : null;
  return {
    id,
    layer: layer.id,
    grid: grid.id,
    part,
    offset,
    limit,
    minPoints: own.minPoints,
    filter,
    schema: own.schema,
    xy,
    next: next && cellsRead(source, { at: next, ranges: [childRange(ask, located, next)], filter, layer }),
    zooms: part === 'expansion-zoom' ? zoomsBelow(ask, at.z) : [],
  };
}

/** Until there are no cells, or no zooms, any more. */
function zoomsBelow(ask: ClusterAsk, z: number): PartRead['zooms'][number][] {
  const { matrices } = ask.grid;
  const zooms: PartRead['zooms'][number][] = [];
  for (let below = z + 1; below < matrices.length; below++) {
    const plane = cellsAt(ask, below)?.plane ?? null;
    zooms.push({ zoom: Number(matrices[below].id), plane });
    if (!plane) return zooms;
  }
  return [...zooms, { zoom: Number(matrices[matrices.length - 1].id), plane: null }];
}

/** Candidates are read run by run; those that are written are read once more, as a batch of features is. */
function costOf(ask: ClusterAsk, located: Located, points: CellPoints): Cost {
  const { layer, limit, part } = ask;
  const candidates = points.ordinals.length;
  const readBytes = batchRead(points);
  const heldInputBytes = Math.min(readBytes, Math.max(RUN_BYTES_MAX, points.largest));
  const held = candidates * (CANDIDATE_BYTES + POINT_READ_BYTES);
  if (part === 'expansion-zoom')
    return { inputBytes: readBytes, heldInputBytes, decodedBytes: held + DOCUMENT_BYTES, outputBytes: DOCUMENT_BYTES };
  const written = writingCost(writtenBytes(points, limit), Math.min(limit, candidates), { layer, properties: null });
  const next = part === 'children' ? cellsAt(ask, located.at.z + 1) : null;
  const ranges = next ? [childRange(ask, located, next)] : [];
  const cells = next && readCost(points, { at: next, ranges, filter: ask.filter, layer });
  const [range] = ranges;
  const most = range ? Math.min(candidates, (range.col1 - range.col0 + 1) * (range.row1 - range.row0 + 1)) : 0;
  const text = most * clusterTextBytes(located.at.settings) + DOCUMENT_BYTES;
  return {
    inputBytes: readBytes + written.inputBytes,
    heldInputBytes: Math.max(heldInputBytes, written.inputBytes),
    decodedBytes: held + (cells?.heldBytes ?? 0) + written.decodedBytes + written.outputBytes + text * 2,
    outputBytes: written.outputBytes + text,
  };
}

/** Of a page of them, wherever it lies; gaps that are read along are no more than lie between them all. */
function writtenBytes(points: CellPoints, limit: number): number {
  const features = Math.min(limit, points.ordinals.length);
  return Math.min(batchRead(points), features * (points.largest + GAP_BYTES));
}

/** As runs of features are read (items/task.ts). */
const GAP_BYTES = 8192;

function tooLarge({ layer, id, filter }: ClusterAsk, bytes: number, most: number): Error {
  const what = filter ? 'the filter would have to be asked' : 'aggregates would have to be made';
  const detail = `${layer.id}: for cluster ${id} ${what} of ${bytes} bytes of points; at most ${most} (filter.maxReadBytes)`;
  return problem('too-large', detail, { limitBytes: most, neededBytes: bytes });
}
