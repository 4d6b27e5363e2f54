/** Clusters into a layer of a tile: points with supercluster's attributes. */

import type { Aggregated } from '../../kernels/aggregates.ts';
import { ensure, type Out } from '../../kernels/bytes-out.ts';
import { abbreviated, CLUSTER_NAMES } from '../../kernels/clusters.ts';
import { POINT, putBytes, putFeature } from '../../kernels/mvt.ts';
import { meets } from '../../source/fgb/rtree.ts';
import type { Attributes } from './attributes.ts';
import { gathered } from './cluster-gather.ts';
import { putCount, putTag } from './counted.ts';
import type { JobClusters, ReadClusters, VectorJobLayer } from './job.ts';
import type { Passes } from './matches.ts';
import type { Narrowed } from './narrow.ts';
import type { Pen } from './pen.ts';
import { type Dictionary, putInteger } from './properties.ts';

const [CLUSTER, CLUSTER_ID, POINT_COUNT, ABBREVIATED] = CLUSTER_NAMES;
/** Clusters between two looks at the cancel flag. */
const CHECK_EVERY = 256;

/** The layer with its clusters, and of its features those that are alone and show. */
export function* clustered(layer: VectorJobLayer, cells: ReadClusters): Passes<Narrowed> {
  const place = new Float64Array(4);
  const shows = (x: number, y: number): boolean => {
    place[0] = place[2] = x;
    place[1] = place[3] = y;
    return meets(place, 0, layer.boxes);
  };
  const { clusters, singles, heldBytes } = yield* gathered({ ...layer, xy: cells.xy }, cells, shows);
  const drawn: VectorJobLayer = {
    ...layer,
    offsets: Float64Array.from(singles, i => layer.offsets[i]),
    lengths: Uint32Array.from(singles, i => layer.lengths[i]),
    ordinals: Float64Array.from(singles, i => layer.ordinals[i]),
    clusters: clusters.ids.length > 0 ? clusters : null,
    toCluster: null,
  };
  return { layer: drawn, dropped: 0, heldBytes };
}

/** Pen and attributes have begun the layer. */
export function paintClusters(
  { ids, counts, xy, rooted, aggregates }: JobClusters,
  pen: Pen,
  { dictionary, tags }: Attributes,
  out: Out,
  check: () => void,
): void {
  for (let i = 0; i < ids.length; i++) {
    if (i % CHECK_EVERY === 0) check();
    pen.reset();
    pen.putPoints(xy, i * 2, 1);
    pen.finish();
    if (!pen.drew()) continue;
    tags.at = 0;
    putAttributes(ids[i], counts[i], rooted, dictionary, tags);
    for (const { name, values } of aggregates) putAggregate(name, values[i], dictionary, tags);
    putFeature(out, ids[i], tags, POINT, pen.points);
  }
}

function putAttributes(id: number, count: number, rooted: boolean, d: Dictionary, tags: Out): void {
  const { values } = d;
  ensure(values, 32);
  ensure(tags, 64);
  values.bytes[values.at++] = 0x38;
  values.bytes[values.at++] = 1;
  putTag(CLUSTER, d, tags);
  ensure(values, 32);
  putInteger(values, id);
  putTag(CLUSTER_ID, d, tags);
  if (rooted) putCount(count, d, tags);
  else {
    ensure(values, 32);
    putInteger(values, count);
    putTag(POINT_COUNT, d, tags);
  }
  ensure(values, 32);
  const said = abbreviated(count);
  if (typeof said === 'number') putInteger(values, said);
  else {
    const text = Buffer.from(said);
    putBytes(values, 0x0a, text, 0, text.length);
  }
  putTag(ABBREVIATED, d, tags);
}

/** As MVT's own types: integers as such, other numbers as doubles; no attribute where no point has a value. */
function putAggregate(name: string, value: Aggregated, d: Dictionary, tags: Out): void {
  if (value === null) return;
  const { values } = d;
  ensure(values, 32);
  ensure(tags, 32);
  if (typeof value === 'boolean') {
    values.bytes[values.at++] = 0x38;
    values.bytes[values.at++] = value ? 1 : 0;
  } else if (Number.isSafeInteger(value) && value >= 0) putInteger(values, value);
  else {
    values.bytes[values.at++] = 0x19;
    new DataView(values.bytes.buffer).setFloat64(values.at, value, true);
    values.at += 8;
  }
  putTag(name, d, tags);
}
