/** Clusters into a layer of a tile: points with supercluster's attributes. */
import { ensure, type Out } from '../../kernels/bytes-out.ts';
import { abbreviated, CLUSTER_NAMES } from '../../kernels/clusters.ts';
import { POINT, putBytes, putFeature } from '../../kernels/mvt.ts';
import type { Attributes } from './attributes.ts';
import { putCount, putTag } from './counted.ts';
import type { JobClusters } from './job.ts';
import type { Pen } from './pen.ts';
import { type Dictionary, putInteger } from './properties.ts';

const [CLUSTER, CLUSTER_ID, POINT_COUNT, ABBREVIATED] = CLUSTER_NAMES;
/** Clusters between two looks at the cancel flag. */
const CHECK_EVERY = 256;

/** Pen and attributes have begun the layer. */
export function paintClusters(
  { ids, counts, xy, rooted }: JobClusters,
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
