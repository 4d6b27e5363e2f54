/** What a cluster is made of, as supercluster's API tells it: from the index alone, but for the points that are written out. */
import { CLUSTER_DEFAULTS, clusterId } from '../../kernels/clusters.ts';
import type { VectorLayer } from '../../layers/types.ts';
import type { Cost, Plan } from '../../plan.ts';
import { cellContents } from '../../source/fgb/cell-contents.ts';
import { type Clustered, clusterCells, type Places } from '../../source/fgb/clusters.ts';
import { batchCost, CRS84_OUT, fgbOf, jobOf } from '../items/stream.ts';
import { mustRead } from '../vector/cluster-read.ts';
import type { ClusterCells } from '../vector/clusters.ts';
import {
  type ClusterAsk,
  cellsAt,
  childRange,
  clusterTextBytes,
  DOCUMENT_BYTES,
  type Located,
  located,
  NONE,
  tooManyChildren,
  unknownCluster,
} from './parts.ts';
import { planRead } from './read.ts';
import type { ClusterPartsJob, WrittenClusters } from './types.ts';

/** Errors: feature-not-found, too-large, unprocessable. */
export async function planClusterPart(ask: ClusterAsk, signal?: AbortSignal): Promise<Plan> {
  const place = located(ask);
  // Leaves and zooms have no aggregates.
  if (ask.filter || (ask.part === 'children' && mustRead(place.at.settings, null))) return planRead(ask, place, signal);
  const found = await find(ask, place, signal);
  if (ask.part === 'expansion-zoom') return planOf(ask, found.visited, { zoom: expansionZoom(ask, found) });
  if (ask.part === 'leaves')
    return planOf(ask, found.visited, { points: found.places, clusters: NONE, matched: found.count });
  return children(ask, found, signal);
}

interface Found extends Located {
  readonly count: number;
  readonly box: readonly [number, number, number, number];
  readonly places: Places;
  readonly visited: number;
}

/** What is in the cell. */
async function find(ask: ClusterAsk, { at, cell }: Located, signal?: AbortSignal): Promise<Found> {
  const { layer, part, offset, limit } = ask;
  const listed = part === 'leaves' ? { offset, limit } : { offset: 0, limit: 0 };
  const { count, box, places, visited } = await cellContents(fgbOf(layer), at.cells, cell, listed, signal);
  if (count < at.settings.minPoints || box === null) throw unknownCluster(ask);
  return { at, cell, count, box, places, visited };
}

/** The first zoom at which its points lie in more than one cell; the first without clusters where they never do. */
function expansionZoom(ask: ClusterAsk, { at, box }: Found): number {
  const { matrices } = ask.grid;
  const [minx, miny, maxx, maxy] = box;
  let z = at.z + 1;
  for (; z < matrices.length; z++) {
    const next = cellsAt(ask, z);
    if (!next) break;
    const { cells } = next;
    if (Math.floor(cells.col(minx)) !== Math.floor(cells.col(maxx))) break;
    if (Math.floor(cells.row(miny)) !== Math.floor(cells.row(maxy))) break;
  }
  return Number(matrices[Math.min(z, matrices.length - 1)].id);
}

/** The clusters and single points of the next zoom; where that has no clusters, all the points. */
async function children(ask: ClusterAsk, found: Found, signal?: AbortSignal): Promise<Plan> {
  const { at, cell, count, visited } = found;
  const { layer, limit, id } = ask;
  const source = fgbOf(layer);
  const next = cellsAt(ask, at.z + 1);
  if (!next) {
    if (count > limit) throw tooManyChildren(id, limit, `${count} points, which have no clusters at the next zoom`);
    const { places } = await cellContents(source, at.cells, cell, { offset: 0, limit }, signal);
    return planOf(ask, visited * 2, { points: places, clusters: NONE, matched: count });
  }
  const { minPoints } = next.settings;
  const range = childRange(ask, found, next);
  const parts = await clusterCells(source, next.cells, [range], EVERYWHERE, minPoints, signal);
  const { singles } = parts;
  if (singles.ordinals.length > limit) throw tooManyChildren(id, limit, `${singles.ordinals.length} single points`);
  const matched = parts.counts.length + singles.ordinals.length;
  const clusters = written(parts, next, source.count);
  return planOf(ask, visited + parts.visited, { points: singles, clusters, matched });
}

const EVERYWHERE = Float64Array.of(-Infinity, -Infinity, Infinity, Infinity);

function written({ cols, rows, counts, xs, ys }: Clustered, at: ClusterCells, features: number): WrittenClusters {
  const xy = new Float64Array(counts.length * 2);
  for (let i = 0; i < counts.length; i++) {
    xy[i * 2] = at.cells.x(xs[i]);
    xy[i * 2 + 1] = at.cells.y(ys[i]);
  }
  return {
    ids: Float64Array.from(cols, (col, i) => clusterId(at, features, col, rows[i])),
    counts,
    xy,
    aggregates: [],
  };
}

type Contents =
  | { readonly zoom: number }
  | { readonly points: Places; readonly clusters: WrittenClusters; readonly matched: number };

function planOf(ask: ClusterAsk, visited: number, contents: Contents): Plan {
  const { layer, id, part, encoding } = ask;
  const job: ClusterPartsJob = { task: 'cluster-parts', encoding, ...answerOf(layer, contents) };
  const points = job.items?.ordinals.length ?? 0;
  const clusters = job.clusters.ids.length;
  const explain = { layer: layer.id, cluster: id, part, points, clusters, visited };
  const fits = (share: number) => (part === 'leaves' ? { limit: Math.max(1, Math.floor(points * share)) } : {});
  return { cost: costOf(layer, job), job, explain, headers: {}, fits };
}

function answerOf(layer: VectorLayer, contents: Contents): Omit<ClusterPartsJob, 'task' | 'encoding'> {
  const crs = layer.source.crs as string;
  if ('zoom' in contents) return { zoom: contents.zoom, crs, clusters: NONE, items: null, matched: 0, read: null };
  const { points, clusters, matched } = contents;
  const filter = { cql: null, equals: [], time: null };
  const limit = points.ordinals.length;
  const asked = { layer, boxes: null, filter, properties: null, crs: CRS84_OUT, from: 0, limit };
  const items = limit > 0 ? jobOf(asked, points, limit) : null;
  return { zoom: null, crs, clusters, items, matched, read: null };
}

/** Written once, copied into one text with its frame, and compressed. */
function costOf(layer: VectorLayer, { items, clusters }: ClusterPartsJob): Cost {
  const text = clusters.ids.length * clusterTextBytes(CLUSTER_DEFAULTS) + DOCUMENT_BYTES;
  const points = items
    ? batchCost(items, { layer, properties: null })
    : { inputBytes: 0, decodedBytes: 0, outputBytes: 0 };
  return {
    inputBytes: points.inputBytes,
    decodedBytes: points.decodedBytes + points.outputBytes + text * 2,
    outputBytes: points.outputBytes + text,
  };
}
