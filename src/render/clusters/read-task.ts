/** Parts of a cluster whose points had to be read: those that match, and what they make. In a worker. */
import { problem } from '../../errors.ts';
import type { Bytes } from '../../io/bytes.ts';
import type { Files } from '../../io/files.ts';
import type { TaskContext } from '../../plan.ts';
import type { ItemsJob } from '../items/task.ts';
import { cellsOn } from '../vector/cells.ts';
import { gathered } from '../vector/cluster-gather.ts';
import { type Passes, passesHere, passesThere, type Reading } from '../vector/matches.ts';
import { tooManyChildren } from './parts.ts';
import type { ClusterPartsJob, PartRead } from './types.ts';

/** The job as one of which all is known, and the bytes that were held meanwhile. Errors: feature-not-found, too-large. */
export async function resolved(
  job: ClusterPartsJob,
  read: PartRead,
  context: TaskContext,
  files: Files,
): Promise<{ job: ClusterPartsJob; heldBytes: number }> {
  const items = job.items as ItemsJob;
  const bytes = files.open(items.ref);
  const check = () => context.check();
  try {
    const { part, heldBytes } = items.ref.remote
      ? await passesThere(partOf(items, read), files, bytes, check, null)
      : passesHere(partOf(items, read), { read: reader(bytes), check });
    return { job: { ...job, items: null, read: null, ...part }, heldBytes };
  } finally {
    bytes.close();
  }
}

/** One buffer for all runs, as long as the longest. */
function reader(bytes: Bytes): Reading['read'] {
  let view = new DataView(new ArrayBuffer(0));
  return (offset, length) => {
    if (!bytes.readInto) throw problem('internal', `${bytes.ref.href} cannot be read in a worker`);
    if (view.byteLength < length) view = new DataView(new ArrayBuffer(length));
    bytes.readInto(offset, new Uint8Array(view.buffer, 0, length));
    return { view, base: 0 };
  };
}

type Part = Partial<Pick<ClusterPartsJob, 'zoom' | 'clusters' | 'items' | 'matched'>>;

function* partOf(items: ItemsJob, read: PartRead): Passes<{ part: Part; heldBytes: number }> {
  const { offset, limit, next, id } = read;
  const places: number[] = [];
  const visit = (i: number): boolean => {
    places.push(i);
    return false;
  };
  const held = yield { places: items, spec: read.filter, schema: read.schema, row: null, visit };
  if (places.length < read.minPoints)
    throw problem('feature-not-found', `${read.layer} has no cluster ${id} in ${read.grid} of the points that match`);
  const heldBytes = held + places.length * 8;
  if (read.part === 'expansion-zoom') return { part: { zoom: expansionZoom(read, places) }, heldBytes };
  if (read.part === 'leaves') {
    const page = places.slice(offset, offset + limit);
    return { part: { items: only(items, page), matched: places.length }, heldBytes };
  }
  if (!next) {
    if (places.length > limit)
      throw tooManyChildren(id, limit, `${places.length} points, which have no clusters at the next zoom`);
    return { part: { items: only(items, places), matched: places.length }, heldBytes };
  }
  const found = yield* gathered({ ...items, xy: read.xy }, next, () => true);
  const { clusters, singles } = found;
  if (singles.length > limit) throw tooManyChildren(id, limit, `${singles.length} single points`);
  const matched = clusters.ids.length + singles.length;
  return { part: { clusters, items: only(items, singles), matched }, heldBytes: heldBytes + found.heldBytes };
}

function only(items: ItemsJob, places: readonly number[]): ItemsJob | null {
  if (places.length === 0) return null;
  return {
    ...items,
    ordinals: Float64Array.from(places, i => items.ordinals[i]),
    offsets: Float64Array.from(places, i => items.offsets[i]),
    lengths: Uint32Array.from(places, i => items.lengths[i]),
  };
}

/** The first zoom at which they lie in more than one cell. */
function expansionZoom({ xy, zooms }: PartRead, places: readonly number[]): number {
  let [minx, miny, maxx, maxy] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const i of places) {
    minx = Math.min(minx, xy[i * 2]);
    maxx = Math.max(maxx, xy[i * 2]);
    miny = Math.min(miny, xy[i * 2 + 1]);
    maxy = Math.max(maxy, xy[i * 2 + 1]);
  }
  const first = zooms.find(({ plane }) => {
    if (!plane) return true;
    const { col, row } = cellsOn(plane);
    return Math.floor(col(minx)) !== Math.floor(col(maxx)) || Math.floor(row(miny)) !== Math.floor(row(maxy));
  });
  return (first ?? zooms[zooms.length - 1]).zoom;
}
