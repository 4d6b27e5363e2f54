/** What a cluster is made of, as supercluster's API tells it: from the index alone, but for the points that are written out. */
import { problem } from '../../errors.ts';
import { cellOfCluster, clusterId, zoomOfCluster } from '../../kernels/clusters.ts';
import type { VectorLayer } from '../../layers/types.ts';
import type { Cost, Encoding, Plan } from '../../plan.ts';
import { cellContents } from '../../source/fgb/cell-contents.ts';
import { type Clustered, clusterCells, type Places } from '../../source/fgb/clusters.ts';
import type { TileMatrixSet } from '../../tile.ts';
import { batchCost, CRS84_OUT, fgbOf, jobOf } from '../items/stream.ts';
import { projectionOf } from '../vector/boxes.ts';
import { type ClusterCells, clusterCellsAt } from '../vector/clusters.ts';
import type { ClusterPartsJob, WrittenClusters } from './types.ts';

export const CLUSTER_PARTS = ['expansion-zoom', 'children', 'leaves'] as const;
export type ClusterPart = (typeof CLUSTER_PARTS)[number];

export interface ClusterAsk {
  readonly layer: VectorLayer;
  readonly grid: TileMatrixSet;
  readonly id: number;
  readonly part: ClusterPart;
  /** Of leaves: which, and at most how many; children are never more than `limit` points. */
  readonly offset: number;
  readonly limit: number;
  readonly encoding: Encoding;
}

/** Children are looked for in so many cells at most: grids whose next zoom is 64 times as fine have no more. */
const CHILD_CELLS_MAX = 4096;
/** A cluster as text, and as the strings that it was. */
const CLUSTER_TEXT_BYTES = 320;
const DOCUMENT_BYTES = 1024;

/** Errors: feature-not-found, too-large, unprocessable. */
export async function planClusterPart(ask: ClusterAsk, signal?: AbortSignal): Promise<Plan> {
  const found = await find(ask, signal);
  if (ask.part === 'expansion-zoom') return planOf(ask, found.visited, { zoom: expansionZoom(ask, found) });
  if (ask.part === 'leaves')
    return planOf(ask, found.visited, { points: found.places, clusters: NONE, matched: found.count });
  return children(ask, found, signal);
}

interface Found {
  readonly at: ClusterCells;
  readonly cell: readonly [col: number, row: number];
  readonly count: number;
  readonly box: readonly [number, number, number, number];
  readonly places: Places;
  readonly visited: number;
}

function cellsAt({ layer, grid }: ClusterAsk, z: number): ClusterCells | null {
  const source = fgbOf(layer);
  return z < grid.matrices.length
    ? clusterCellsAt({ source, projection: projectionOf(source.crs as string, grid.crs), grid }, layer, z)
    : null;
}

/** The cell that the id stands for, and what is in it. */
async function find(ask: ClusterAsk, signal?: AbortSignal): Promise<Found> {
  const { layer, id, part, offset, limit } = ask;
  if (!layer.options.cluster)
    throw problem('unprocessable', `${layer.id} draws no clusters; the setting "cluster" of a layer of points does`);
  const source = fgbOf(layer);
  const z = zoomOfCluster(id, source.count);
  const at = z < 0 ? null : cellsAt(ask, z);
  const cell = at && cellOfCluster(at, source.count, id);
  if (!at || !cell) throw unknown(ask);
  const listed = part === 'leaves' ? { offset, limit } : { offset: 0, limit: 0 };
  const { count, box, places, visited } = await cellContents(source, at.cells, cell, listed, signal);
  if (count < at.settings.minPoints || box === null) throw unknown(ask);
  return { at, cell, count, box, places, visited };
}

function unknown({ layer, id, grid }: ClusterAsk): Error {
  return problem('feature-not-found', `${layer.id} has no cluster ${id} in ${grid.id}`);
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
async function children(ask: ClusterAsk, { at, cell, count, visited }: Found, signal?: AbortSignal): Promise<Plan> {
  const { layer, limit } = ask;
  const source = fgbOf(layer);
  const next = cellsAt(ask, at.z + 1);
  if (!next) {
    if (count > limit) throw tooMany(ask, `${count} points, which have no clusters at the next zoom`);
    const { places } = await cellContents(source, at.cells, cell, { offset: 0, limit }, signal);
    return planOf(ask, visited * 2, { points: places, clusters: NONE, matched: count });
  }
  const halved = 2 ** (next.step - at.step);
  if (halved * halved > CHILD_CELLS_MAX) throw tooMany(ask, `cells of the next zoom that are ${halved} times as fine`);
  const range = {
    col0: Math.max(next.col0, cell[0] * halved),
    row0: Math.max(next.row0, cell[1] * halved),
    col1: Math.min(next.col0 + next.cols, (cell[0] + 1) * halved) - 1,
    row1: Math.min(next.row0 + next.rows, (cell[1] + 1) * halved) - 1,
  };
  const { minPoints } = next.settings;
  const found = await clusterCells(source, next.cells, [range], EVERYWHERE, minPoints, signal);
  if (found.singles.ordinals.length > limit) throw tooMany(ask, `${found.singles.ordinals.length} single points`);
  const matched = found.counts.length + found.singles.ordinals.length;
  const clusters = written(found, next, source.count);
  return planOf(ask, visited + found.visited, { points: found.singles, clusters, matched });
}

const EVERYWHERE = Float64Array.of(-Infinity, -Infinity, Infinity, Infinity);
const NONE: WrittenClusters = { ids: new Float64Array(0), counts: new Uint32Array(0), xy: new Float64Array(0) };

function tooMany({ id, limit }: ClusterAsk, what: string): Error {
  const detail = `children of cluster ${id} are ${what}; at most ${limit} points at once: ask for its leaves, a part at a time`;
  return problem('too-large', detail, { fits: { limit } });
}

function written({ cols, rows, counts, xs, ys }: Clustered, at: ClusterCells, features: number): WrittenClusters {
  const xy = new Float64Array(counts.length * 2);
  for (let i = 0; i < counts.length; i++) {
    xy[i * 2] = at.cells.x(xs[i]);
    xy[i * 2 + 1] = at.cells.y(ys[i]);
  }
  return { ids: Float64Array.from(cols, (col, i) => clusterId(at, features, col, rows[i])), counts, xy };
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
  if ('zoom' in contents) return { zoom: contents.zoom, crs, clusters: NONE, items: null, matched: 0 };
  const { points, clusters, matched } = contents;
  const filter = { cql: null, equals: [], time: null };
  const limit = points.ordinals.length;
  const asked = { layer, boxes: null, filter, properties: null, crs: CRS84_OUT, from: 0, limit };
  const items = limit > 0 ? jobOf(asked, points, limit) : null;
  return { zoom: null, crs, clusters, items, matched };
}

/** Written once, copied into one text with its frame, and compressed. */
function costOf(layer: VectorLayer, { items, clusters }: ClusterPartsJob): Cost {
  const text = clusters.ids.length * CLUSTER_TEXT_BYTES + DOCUMENT_BYTES;
  const points = items
    ? batchCost(items, { layer, properties: null })
    : { inputBytes: 0, decodedBytes: 0, outputBytes: 0 };
  return {
    inputBytes: points.inputBytes,
    decodedBytes: points.decodedBytes + points.outputBytes + text * 2,
    outputBytes: points.outputBytes + text,
  };
}
