/** The plan of a vector tile: which features of which layers, from the index alone; what reading and painting them takes. */
import { type Problem, problem } from '../../errors.ts';
import type { VectorLayer } from '../../layers/types.ts';
import { type Cost, costBytes, type Encoding, type Plan } from '../../plan.ts';
import { type Selection, selectAll } from '../../source/fgb/lod.ts';
import { isFgbSource } from '../../source/fgb/open.ts';
import { moreGroupsMeet } from '../../source/fgb/rtree.ts';
import type { VectorSource } from '../../source/types.ts';
import type { TileCoord, TileMatrixSet } from '../../tile.ts';
import type { FilterSpec } from '../filter/filter.ts';
import { fittingZoom } from '../fits.ts';
import { type LayerView, queryBoxes } from './boxes.ts';
import { cellGrid, cellsAcross } from './cells.ts';
import type { ClusterCost } from './cluster-read.ts';
import { selectClusters } from './clusters.ts';
import { type FarCost, farBound, farCost, withFar } from './far-cost.ts';
import { CANDIDATE_BYTES, type FilteredPlan, selectFiltered } from './filtered.ts';
import {
  DUST_BYTES,
  type JobClusters,
  OUTPUT_SHARE,
  type ReadClusters,
  RUN_BYTES_MAX,
  runEnd,
  SCRATCH_SHARE,
  type VectorJobLayer,
} from './job.ts';
import { withLabels } from './label-plan.ts';
import { jobOf, tileJob, viewOf } from './layer-job.ts';
import { BYTES_SHARE, type LodCaps } from './lod.ts';
import { selectStep } from './step.ts';
import { type CellsAsk, capsOf, type ZoomCells, zoomCells } from './zoom-cells.ts';

export interface VectorTileAsk extends CellsAsk {
  readonly layers: readonly VectorLayer[];
  readonly grid: TileMatrixSet;
  /** Attributes wanted; null: all that the layer serves. */
  readonly properties: readonly string[] | null;
  readonly encoding: Encoding;
  /** Draws the features that match; absent: all. */
  readonly filter?: FilterSpec | null;
}

/** Tiles are cut live at every zoom; this is where clients may begin to overzoom instead. */
const LAST_ZOOM = 14;

export function defaultZooms(source: VectorSource): { minzoom: number; maxzoom: number } {
  return { minzoom: 0, maxzoom: source.count === 0 ? 0 : LAST_ZOOM };
}

export async function planVectorTile(ask: VectorTileAsk, signal?: AbortSignal): Promise<Plan> {
  const parts = [];
  const { zoom } = ask.grid.matrices[ask.tile.z];
  for (const layer of ask.layers) {
    const { minzoom = 0, maxzoom = Number.POSITIVE_INFINITY } = layer.options;
    if (zoom >= minzoom && zoom <= maxzoom) parts.push(await planLayer(layer, ask, signal));
  }
  const drawn = parts.filter(({ job }) => job.ordinals.length > 0 || job.clusters !== null);
  const dropped = parts.reduce((sum, part) => sum + part.selection.dropped, 0);
  const job = tileJob(
    ask,
    drawn.map(part => part.job),
  );
  const cost = costOf(drawn);
  const costAt = async (tile: TileCoord) => costBytes((await planVectorTile({ ...ask, tile }, signal)).cost);
  return {
    cost,
    fits: share => fittingZoom(ask.grid, ask.tile, share * costBytes(cost), costAt),
    job: drawn.length > 0 ? { ...job, lent: drawn.flatMap(({ selection }) => selection.buffer ?? []) } : null,
    explain: { tile: ask.tile, layers: parts.map(part => part.explain) },
    whole: dropped === 0 && parts.every(everyOneItself),
    ...farBound(drawn),
    headers: dropped > 0 ? { 'x-tile-dropped': String(dropped) } : {},
  };
}

/** Groups of leaves whose walk is a breath of the main thread, 1 to 2 ms: nothing to take turns for. */
const SHORT_WALK_GROUPS = 512;

/** Whether the plan of a tile looks at so much of an index that others should not do so meanwhile. */
export function walksFar({ layers, grid, tile }: Pick<VectorTileAsk, 'layers' | 'grid' | 'tile'>): boolean {
  return layers.some(layer => {
    const { source } = layer;
    if (!isFgbSource(source) || !source.tree) return false;
    const { boxes } = queryBoxes(viewOf(layer, source, grid), tile);
    return boxes.length > 0 && moreGroupsMeet(source.tree, boxes, SHORT_WALK_GROUPS);
  });
}

interface LayerPlan {
  readonly job: VectorJobLayer;
  readonly selection: Selection;
  /** Most bytes of features that are drawn, where that is fewer than are read. */
  readonly drawnBytes: number | null;
  /** null: none. */
  readonly clusterCost: ClusterCost | null;
  /** null: the file is one of this machine. */
  readonly far: FarCost | null;
  readonly refused: Problem | null;
  readonly explain: Record<string, unknown>;
}

async function planLayer(layer: VectorLayer, ask: VectorTileAsk, signal?: AbortSignal): Promise<LayerPlan> {
  const { source } = layer;
  if (!isFgbSource(source)) throw problem('internal', `${layer.id} is no FlatGeobuf`);
  const view = viewOf(layer, source, ask.grid);
  const { boxes, shifts } = queryBoxes(view, ask.tile);
  const selected = await select(view, layer, ask, boxes, signal);
  const { selection, cells, filtered, clusters, toCluster, clusterCost, refused } = selected;
  const filter = filtered?.filter ?? null;
  const job = { ...jobOf(view, layer, ask, { boxes, shifts }, selection), filter, clusters, toCluster };
  const { ordinals, dropped, visited } = selection;
  // How many match and how many of those are left out, only reading tells.
  const counted =
    filtered || toCluster
      ? { candidates: ordinals.length }
      : { features: ordinals.length, dropped, ...dustIn(selection) };
  const more = clusters ? { clusters: clusters.ids.length } : {};
  const told = { layer: layer.id, labels: job.labels?.id, ...counted, ...more };
  const drawnBytes = filtered?.drawnBytes ?? clusterCost?.drawnBytes ?? null;
  const far = job.ref.remote ? farCost(job, job.ref.remote, drawnBytes) : null;
  const asked = far ? { requests: far.requests, refused: refused?.message } : {};
  const explain = { ...told, ...asked, cells, visited, boxes: Array.from(boxes) };
  return { job, selection, drawnBytes, clusterCost, far, refused, explain };
}

interface Selected {
  readonly selection: Selection;
  /** Along a tile side. */
  readonly cells: number | null;
  readonly filtered: FilteredPlan | null;
  readonly clusters: JobClusters | null;
  readonly toCluster: ReadClusters | null;
  readonly clusterCost: ClusterCost | null;
  /** Why it is not drawn as it is. */
  readonly refused: Problem | null;
}

const UNCLUSTERED = { clusters: null, toCluster: null, clusterCost: null };

async function select(
  view: LayerView,
  layer: VectorLayer,
  ask: VectorTileAsk,
  boxes: Float64Array,
  signal?: AbortSignal,
): Promise<Selected> {
  const { source, projection, grid } = view;
  const { z } = ask.tile;
  const clustered = await selectClusters(view, layer, ask, boxes, signal);
  if (clustered) return { ...clustered, clusterCost: clustered.cost, filtered: null, refused: null };
  const { step, dust, unknown }: ZoomCells =
    boxes.length === 0 ? { step: null, dust: null } : await zoomCells(view, layer, ask);
  const cells = step === null ? null : cellsAcross(grid, z, step);
  if (ask.filter) {
    // Which features pass is not in an overview: the index is walked.
    const cellsOf = step === null ? null : cellGrid(source, projection, grid, step);
    const filtered = await selectFiltered(view, layer, ask.filter, ask.tile, cellsOf, dust, signal);
    const refused = unknown && !withinCaps(filtered.selection, layer, ask) ? unknown : null;
    return { selection: filtered.selection, cells, filtered, refused, ...UNCLUSTERED };
  }
  const most = unknown ? capsFor(layer, ask).maxFeatures : Number.POSITIVE_INFINITY;
  const selection =
    step === null ? await selectAll(source, boxes, signal, most) : await selectStep(view, step, boxes, dust, signal);
  const refused = unknown && !withinCaps(selection, layer, ask) ? unknown : null;
  return { selection, cells, filtered: null, refused, ...UNCLUSTERED };
}

function capsFor({ options }: VectorLayer, { caps }: VectorTileAsk): LodCaps {
  return caps ?? capsOf(options);
}

/** Whether it needs no cells, whatever those are. */
function withinCaps({ lengths }: Selection, layer: VectorLayer, ask: VectorTileAsk): boolean {
  const { maxFeatures, maxBytes } = capsFor(layer, ask);
  const bytes = lengths.reduce((sum, length) => sum + length, 0);
  return lengths.length <= maxFeatures && bytes * BYTES_SHARE <= maxBytes;
}

/** No filter that only reading answers, and nothing that stands for several or says for how many it stands. */
function everyOneItself({ job: { filter, clusters, counts, dust } }: LayerPlan): boolean {
  return !filter && clusters === null && counts === null && dust === null;
}

/** Squares of dust, and the features that they stand for. */
function dustIn({ dust, counts }: Selection): { dust?: { squares: number; features: number } } {
  if (!dust || !counts) return {};
  const several = counts.filter(count => count > 1);
  return { dust: { squares: several.length, features: several.reduce((sum, count) => sum + count, 0) } };
}

/** Features are read run by run into one buffer, so what is alive is a run, the largest feature's points, and the tile. */
function costOf(layers: readonly LayerPlan[]): Cost {
  let inputBytes = 0;
  let readBytes = 0;
  let drawnBytes = 0;
  let largest = 0;
  let candidateBytes = 0;
  let dustBytes = 0;
  const labelled = { inputBytes: 0, bytes: 0 };
  const clusters = { tileBytes: 0, heldBytes: 0 };
  for (const { job, drawnBytes: most, clusterCost, far } of layers) {
    const { offsets, lengths } = job;
    let bytes = 0;
    const [before, labelledBefore] = [inputBytes, labelled.inputBytes];
    for (let i = 0; i < offsets.length; ) {
      const next = runEnd(offsets, lengths, i);
      inputBytes += offsets[next - 1] + lengths[next - 1] - offsets[i];
      for (let j = i; j < next; j++) {
        bytes += lengths[j];
        if (lengths[j] > largest) largest = lengths[j];
      }
      i = next;
    }
    drawnBytes += most ?? bytes;
    clusters.tileBytes += clusterCost?.tileBytes ?? 0;
    clusters.heldBytes += clusterCost?.heldBytes ?? 0;
    const squares = job.filter ? job.filter.cellCount : (job.dust?.counts.length ?? 0);
    if (job.dust || job.filter?.dust) dustBytes += squares * DUST_BYTES;
    if (job.labels) {
      labelled.bytes += most ?? bytes;
      labelled.inputBytes += most ?? inputBytes - before;
    }
    // Matches are read a second time to be drawn; where each candidate lies is held here and in the worker.
    inputBytes += most ?? 0;
    readBytes += far?.inputBytes ?? inputBytes - before + labelled.inputBytes - labelledBefore;
    if (most !== null) candidateBytes += offsets.length * CANDIDATE_BYTES;
  }
  if (layers.length === 0) return { inputBytes: 0, decodedBytes: 0, outputBytes: 0 };
  const outputBytes = Math.ceil(drawnBytes * OUTPUT_SHARE) + dustBytes + clusters.tileBytes + 4096;
  const heldInputBytes = Math.min(inputBytes, Math.max(RUN_BYTES_MAX, largest));
  const held = candidateBytes + clusters.heldBytes;
  const decodedBytes = largest * SCRATCH_SHARE + 2 * outputBytes + held;
  const cost = withLabels({ inputBytes, heldInputBytes, decodedBytes, outputBytes }, labelled, largest);
  return withFar(
    cost,
    layers.flatMap(({ far }) => far ?? []),
    readBytes,
  );
}
