/** Worker task: the parts of a cluster as GeoJSON, clusters first, or the zoom at which it falls apart. */
import { transformer } from '../../crs/index.ts';
import { problem } from '../../errors.ts';
import type { Files } from '../../io/files.ts';
import { abbreviated } from '../../kernels/clusters.ts';
import type { Painted, TaskContext } from '../../plan.ts';
import { writeFeature } from '../items/geojson.ts';
import { TextSink } from '../items/sink.ts';
import { runItemsOf } from '../items/task.ts';
import { compress } from '../transcode.ts';
import { resolved } from './read-task.ts';
import type { ClusterPartsJob } from './types.ts';

export async function runClusterParts(asked: ClusterPartsJob, context: TaskContext, files: Files): Promise<Painted> {
  const started = performance.now();
  const found = asked.read && (await resolved(asked, asked.read, context, files));
  const job = found?.job ?? asked;
  const held = found?.heldBytes ?? 0;
  if (job.zoom !== null) {
    const plain = Uint8Array.from(Buffer.from(JSON.stringify({ expansionZoom: job.zoom })));
    return painted(job, 'application/json', plain, held + plain.length, started);
  }
  const items = job.items && (await runItemsOf(job.items, context, files));
  const sink = new TextSink();
  sink.write('{"type":"FeatureCollection","features":[');
  writeClusters(sink, job);
  if (items?.body && job.clusters.ids.length > 0) sink.write(',');
  const head = sink.take();
  const features = items?.body ?? new Uint8Array(0);
  const returned = job.clusters.ids.length + (job.items?.ordinals.length ?? 0);
  const tail = Buffer.from(`],"numberMatched":${job.matched},"numberReturned":${returned}}`);
  const plain = Uint8Array.from(Buffer.concat([head, features, tail]));
  return painted(job, 'application/geo+json', plain, Math.max(held, (items?.peakBytes ?? 0) + head.length), started);
}

function writeClusters(sink: TextSink, { clusters, crs }: ClusterPartsJob): void {
  const out = { ...transformer(crs, 'OGC:CRS84'), northFirst: false };
  const { ids, counts, xy, aggregates } = clusters;
  for (let i = 0; i < ids.length; i++) {
    const [x, y] = [xy[i * 2], xy[i * 2 + 1]];
    if (!Number.isFinite(x) || !Number.isFinite(y)) throw problem('corrupt-data', `cluster ${ids[i]} has no place`);
    if (i > 0) sink.write(',');
    const properties = {
      cluster: true,
      cluster_id: ids[i],
      point_count: counts[i],
      point_count_abbreviated: abbreviated(counts[i]),
      ...Object.fromEntries(aggregates.map(({ name, values }) => [name, values[i]])),
    };
    writeFeature(sink, { id: ids[i], geometry: { type: 'Point', coordinates: [x, y] }, properties }, out);
  }
}

function painted(
  { encoding }: ClusterPartsJob,
  contentType: string,
  plain: Uint8Array,
  heldBytes: number,
  started: number,
): Painted {
  const body = compress(plain, encoding);
  const peakBytes = heldBytes + plain.length + (body === plain ? 0 : body.length);
  return { body, contentType, encoding, headers: {}, peakBytes, ms: performance.now() - started };
}
