/**
 * Tiles beyond a layer's last zoom, cut out of the tile of that zoom: decoded by @mapbox/vector-tile, moved and clipped to the
 * part asked for, and encoded again. What shows is what the last zoom shows, enlarged.
 */
import { VectorTile, type VectorTileFeature } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import vtpbf from 'vt-pbf';
import { clipLine, clipRing, newClipScratch } from '../../kernels/clip.ts';
import type { Encoding, Job, Painted, Plan, TaskContext } from '../../plan.ts';
import { restoreKeys } from '../session-tile.ts';
import { compress } from '../transcode.ts';

/** A layer's tile of its last zoom, and the part of it that is wanted. */
export interface OverzoomPart {
  /** Not compressed. */
  readonly body: Uint8Array;
  /** Tiles a side that the parent is cut into; 1: it is taken as it is. */
  readonly factor: number;
  /** Which of them, from its top left corner. */
  readonly col: number;
  readonly row: number;
  /** Units of the extent around the tile that are kept. */
  readonly buffer: number;
}

export interface OverzoomJob extends Job {
  readonly task: 'overzoom';
  readonly encoding: Encoding;
  readonly parts: readonly OverzoomPart[];
}

/** Decoded points are objects (2 bytes in the tile, 40 here), attributes strings and numbers. */
const DECODED_SHARE = 32;

export function planOverzoom(parts: readonly OverzoomPart[], encoding: Encoding): Plan {
  const bytes = parts.reduce((sum, { body }) => sum + body.length, 0);
  const explain = { overzoom: parts.map(({ factor, col, row, body }) => ({ factor, col, row, bytes: body.length })) };
  const job: OverzoomJob | null = bytes === 0 ? null : { task: 'overzoom', encoding, parts };
  const cost = { inputBytes: bytes, decodedBytes: bytes * DECODED_SHARE, outputBytes: bytes * 2 };
  return { cost, job, explain, headers: {} };
}

interface Point {
  readonly x: number;
  readonly y: number;
}

interface Drawable {
  readonly id: number | undefined;
  readonly type: 1 | 2 | 3;
  readonly properties: Record<string, unknown>;
  loadGeometry(): Point[][];
}

interface DrawableLayer {
  readonly version: number;
  readonly name: string;
  readonly extent: number;
  readonly length: number;
  feature(i: number): Drawable;
}

/** Features between two looks at the cancel flag. */
const CHECK_EVERY = 256;

export function runOverzoom(job: OverzoomJob, context: TaskContext): Painted {
  const started = performance.now();
  const layers: Record<string, DrawableLayer> = {};
  const escaped = new Map<string, string>();
  for (const part of job.parts) {
    for (const layer of Object.values(new VectorTile(new PbfReader(part.body)).layers)) {
      const features: Drawable[] = [];
      for (let i = 0; i < layer.length; i++) {
        if (i % CHECK_EVERY === 0) context.check();
        const feature = layer.feature(i);
        const geometry = cut(feature, part, layer.extent);
        if (geometry.length === 0) continue;
        const properties = escapedProperties(feature.properties, escaped);
        const type = feature.type as 1 | 2 | 3;
        features.push({ id: feature.id, type, properties, loadGeometry: () => geometry });
      }
      const { name, extent } = layer;
      const { length } = features;
      if (length > 0) layers[name] = { version: 2, name, extent, length, feature: i => features[i] };
    }
  }
  const empty = Object.keys(layers).length === 0;
  const plain = empty ? null : Uint8Array.from(vtpbf.fromVectorTileJs({ layers }));
  if (plain && escaped.size > 0) restoreKeys(plain, escaped);
  const input = job.parts.reduce((sum, { body }) => sum + body.length, 0);
  return {
    body: plain && compress(plain, job.encoding),
    contentType: 'application/vnd.mapbox-vector-tile',
    encoding: plain ? job.encoding : 'identity',
    headers: {},
    peakBytes: input + (plain?.length ?? 0) * 2,
    ms: performance.now() - started,
  };
}

/** vt-pbf stumbles over names that every object inherits ('constructor'): they pass it with another first letter. */
function escapedProperties(properties: Record<string, unknown>, escaped: Map<string, string>): Record<string, unknown> {
  const names = Object.keys(properties);
  if (!names.some(name => name in Object.prototype)) return properties;
  const entries = names.map(name => {
    if (!(name in Object.prototype)) return [name, properties[name]] as const;
    const stand = `\u0001${name.slice(1)}`;
    escaped.set(stand, name);
    return [stand, properties[name]] as const;
  });
  return Object.fromEntries(entries);
}

function cut(feature: VectorTileFeature, { factor, col, row, buffer }: OverzoomPart, extent: number): Point[][] {
  const [min, max] = [-buffer, extent + buffer];
  const parts = feature.loadGeometry().map(part => {
    const xy = new Float64Array(part.length * 2);
    part.forEach(({ x, y }, i) => {
      xy[i * 2] = x * factor - col * extent;
      xy[i * 2 + 1] = y * factor - row * extent;
    });
    return xy;
  });
  if (feature.type === 1) return pointsIn(parts, min, max);
  if (feature.type === 2) return parts.flatMap(xy => linesIn(xy, min, max));
  return ringsIn(parts, min, max);
}

/** Of points that neighbours share in their buffers each has its own. */
function pointsIn(parts: readonly Float64Array[], min: number, max: number): Point[][] {
  const inside = parts.flatMap(xy => toPoints(xy, 0, xy.length / 2));
  const kept = inside.filter(({ x, y }) => x >= min && x <= max && y >= min && y <= max);
  return kept.length > 0 ? [kept] : [];
}

function linesIn(xy: Float64Array, min: number, max: number): Point[][] {
  const n = xy.length / 2;
  const out = new Float64Array(n * 4);
  const ends = new Int32Array(n * 2);
  const pieces = clipLine(xy, 0, n, min, min, max, max, out, ends);
  return Array.from({ length: pieces }, (_, i) => distinct(toPoints(out, i === 0 ? 0 : ends[i - 1], ends[i]))).filter(
    line => line.length >= 2,
  );
}

/** Outer rings turn clockwise on the screen (y down); what is left of a hole goes with its outer ring. */
function ringsIn(parts: readonly Float64Array[], min: number, max: number): Point[][] {
  const kept: Point[][] = [];
  let drawn = false;
  for (const xy of parts) {
    const outer = doubleArea(toPoints(xy, 0, xy.length / 2)) > 0;
    if (!outer && !drawn) continue;
    const ring = clippedRing(xy, min, max);
    const area = ring.length < 3 ? 0 : doubleArea(ring);
    const shows = outer ? area > 0 : area < 0;
    if (outer) drawn = shows;
    // Closed again: the encoder leaves the last point out.
    if (shows) kept.push([...ring, ring[0]]);
  }
  return kept;
}

function clippedRing(xy: Float64Array, min: number, max: number): Point[] {
  const n = xy.length / 2;
  // The decoder closes rings by repeating their first point.
  const open = n > 1 && xy[0] === xy[n * 2 - 2] && xy[1] === xy[n * 2 - 1] ? n - 1 : n;
  const everything = Float64Array.of(-Infinity, -Infinity, Infinity, Infinity);
  const scratch = newClipScratch(open + 8);
  const left = clipRing(xy, open, everything, min, min, max, max, scratch);
  const ring = distinct(toPoints(scratch.ring, 0, left));
  const [first, last] = [ring[0], ring[ring.length - 1]];
  if (ring.length > 1 && first.x === last.x && first.y === last.y) ring.pop();
  return ring;
}

function toPoints(xy: Float64Array, from: number, to: number): Point[] {
  return Array.from({ length: to - from }, (_, i) => ({
    x: Math.round(xy[(from + i) * 2]),
    y: Math.round(xy[(from + i) * 2 + 1]),
  }));
}

function distinct(points: readonly Point[]): Point[] {
  return points.filter(({ x, y }, i) => i === 0 || x !== points[i - 1].x || y !== points[i - 1].y);
}

function doubleArea(ring: readonly Point[]): number {
  return ring.reduce((sum, { x, y }, i) => {
    const next = ring[(i + 1) % ring.length];
    return sum + x * next.y - next.x * y;
  }, 0);
}
