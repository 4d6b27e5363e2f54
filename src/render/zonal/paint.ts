/** Zonal statistics in a worker: a zone's rings in pixels, its windows one after the other, a line of text. */
import { setImmediate as turn } from 'node:timers/promises';
import type { Geometry, Position } from 'geojson';
import { transformer, xPeriod } from '../../crs/index.ts';
import { problem } from '../../errors.ts';
import type { Bytes } from '../../io/bytes.ts';
import type { Files } from '../../io/files.ts';
import { Staged, stage } from '../../io/staged.ts';
import { type Edges, eachSpan, edgesOf } from '../../kernels/scanline.ts';
import { CATEGORIES_MAX, OnePass } from '../../kernels/statistics/one-pass.ts';
import { freeArray } from '../../memory/segments.ts';
import type { Painted, TaskContext } from '../../plan.ts';
import { decodeFeature } from '../../source/fgb/feature.ts';
import { columnId } from '../items/task.ts';
import { type Gathered, gather } from '../raster/gather.ts';
import { invertAffine } from '../raster/geometry.ts';
import { nameNear, ringMover } from '../raster/rings.ts';
import type { BlockStore } from '../raster/store.ts';
import type { Rect } from '../raster/types.ts';
import { placesOf } from './places.ts';
import { type Line, lineOf } from './text.ts';
import type { ZonalJob, Zone } from './types.ts';

const CONTENT_TYPES = { ndjson: 'application/x-ndjson', csv: 'text/csv' } as const;

export async function paintZonal(
  job: ZonalJob,
  store: BlockStore,
  context: TaskContext,
  files: Files,
): Promise<Painted> {
  const bytes = await zonesOf(job, context, files);
  try {
    const lines: Uint8Array[] = [];
    let [size, peak] = [0, 0];
    const staged = bytes instanceof Staged ? bytes.heldBytes : 0;
    for (const zone of job.zones) {
      context.check();
      const { line, held } = await lineFor(job, zone, bytes, store, context);
      const text = lineOf(line, job);
      lines.push(text);
      size += text.length;
      peak = Math.max(peak, held);
    }
    const body = new Uint8Array(size);
    let at = 0;
    for (const line of lines) {
      body.set(line, at);
      at += line.length;
    }
    return {
      body,
      contentType: CONTENT_TYPES[job.format],
      encoding: 'identity',
      headers: {},
      peakBytes: staged + peak + 2 * size,
      ms: 0,
    };
  } finally {
    bytes.close();
  }
}

/** Those of another server come before any is worked on. */
async function zonesOf({ zones, features }: ZonalJob, context: TaskContext, files: Files): Promise<Bytes> {
  const bytes = files.open(features.ref);
  if (!features.ref.remote) return bytes;
  return stage(files, bytes, placesOf(zones), () => context.check());
}

async function lineFor(
  job: ZonalJob,
  zone: Zone,
  bytes: Bytes,
  store: BlockStore,
  context: TaskContext,
): Promise<{ line: Line; held: number }> {
  const { features, choice, categorical } = job;
  const raw = new Uint8Array(zone.length);
  if (!bytes.readInto) throw problem('internal', `${bytes.ref.href} cannot be read in a worker`);
  bytes.readInto(zone.offset, raw);
  const wanted = new Set([...features.properties, ...(features.idColumn === null ? [] : [features.idColumn])]);
  const { geometry, properties } = decodeFeature(raw, 0, features.schema, wanted);
  const id = features.idColumn === null ? zone.ordinal + 1 : columnId(properties[features.idColumn]);
  const tallies = choice.bands.map(() => new OnePass(categorical));
  const fault = zone.fault ?? (geometry && kindFault(geometry));
  let held = zone.length * 2;
  if (fault === null && geometry) {
    for (const { shift, windows } of zone.parts) {
      const shape = shapeOf(geometry, job, zone.middle, shift);
      held = Math.max(held, zone.length + shape.bytes);
      for (const read of windows) {
        context.check();
        if (job.long) await turn();
        const window = await gather(read, choice, store, context);
        held = Math.max(held, zone.length + shape.bytes + window.bytes);
        add(shape, read.window, window, tallies, job);
        freeArray(window.samples);
        if (window.weights) freeArray(window.weights);
      }
    }
  }
  const crowded = tallies.some(tally => tally.crowded) ? `it has more than ${CATEGORIES_MAX} different values` : null;
  const statistics = (fault ?? crowded) ? null : tallies.map(tally => tally.result());
  return { line: { id, properties, statistics, fault: fault ?? crowded }, held };
}

function kindFault({ type }: Geometry): string | null {
  const fine = type === 'Polygon' || type === 'MultiPolygon' || type === 'Point' || type === 'MultiPoint';
  return fine ? null : `it is a ${type}: zones are polygons or points`;
}

/** A zone in pixel positions. */
interface Shape {
  readonly edges: Edges | null;
  /** Pixels of points: column, row. */
  readonly pixels: readonly (readonly [number, number])[];
  readonly bytes: number;
}

function shapeOf(
  geometry: Geometry,
  { features, rasterCrs, transform }: ZonalJob,
  middle: number | null,
  shift: number,
): Shape {
  const { forward } = transformer(features.crs, rasterCrs);
  const inverse = invertAffine(transform);
  const onPixels = (x: number, y: number, out: Float64Array, i: number): void => {
    const east = x + shift;
    out[i] = inverse[0] + east * inverse[1] + y * inverse[2];
    out[i + 1] = inverse[3] + east * inverse[4] + y * inverse[5];
  };
  if (geometry.type === 'Point' || geometry.type === 'MultiPoint') {
    const points = geometry.type === 'Point' ? [geometry.coordinates] : geometry.coordinates;
    const pixels: (readonly [number, number])[] = [];
    const at = new Float64Array(2);
    const period = xPeriod(rasterCrs);
    for (const [x, y] of points) {
      if (!forward(x, y, at, 0)) continue;
      onPixels(middle === null || period === null ? at[0] : nameNear(at[0], middle, period), at[1], at, 0);
      pixels.push([Math.floor(at[0]), Math.floor(at[1])]);
    }
    return { edges: null, pixels, bytes: pixels.length * 64 };
  }
  const polygons =
    geometry.type === 'Polygon' ? [geometry.coordinates] : (geometry as { coordinates: Position[][][] }).coordinates;
  const rings: Float64Array[] = [];
  const move = ringMover(features.crs, rasterCrs, middle);
  for (const ring of polygons.flat()) {
    const moved = move(ring.flatMap(position => position.slice(0, 2)));
    // A ring that leaves where the raster's CRS is defined has no place there.
    if (moved.length < ring.length * 2) continue;
    const out = new Float64Array(moved.length);
    for (let i = 0; i < moved.length; i += 2) onPixels(moved[i], moved[i + 1], out, i);
    rings.push(out);
  }
  const edges = edgesOf(rings);
  return { edges, pixels: [], bytes: edges.points.byteLength * 3 };
}

function add(
  shape: Shape,
  rect: Rect,
  { samples, weights }: Gathered,
  tallies: readonly OnePass[],
  job: ZonalJob,
): void {
  const bands = tallies.length;
  const one = (p: number): void => {
    const valid = weights === null || weights[p] !== 0;
    for (let b = 0; b < bands; b++) {
      if (!valid) tallies[b].mask();
      else tallies[b].add(samples[p * bands + b] * (job.scales?.[b] ?? 1) + (job.offsets?.[b] ?? 0));
    }
  };
  if (shape.edges) {
    eachSpan(shape.edges, rect.y, rect.y + rect.height, (row, from, to) => {
      const base = (row - rect.y) * rect.width - rect.x;
      const last = Math.min(to, rect.x + rect.width);
      for (let x = Math.max(from, rect.x); x < last; x++) one(base + x);
    });
    return;
  }
  for (const [x, y] of shape.pixels) {
    const inside = x >= rect.x && y >= rect.y && x < rect.x + rect.width && y < rect.y + rect.height;
    if (inside) one((y - rect.y) * rect.width + x - rect.x);
  }
}
