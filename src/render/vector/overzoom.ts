/**
 * Tiles beyond a layer's last zoom, cut out of the tile of that zoom: decoded by @mapbox/vector-tile, moved and clipped to the
 * part asked for, and encoded again. What shows is what the last zoom shows, enlarged.
 */
import { VectorTile, type VectorTileFeature } from '@mapbox/vector-tile';
import { PbfReader } from 'pbf';
import vtpbf from 'vt-pbf';
import type { Encoding, Job, Painted, Plan, TaskContext } from '../../plan.ts';
import { restoreKeys } from '../session-tile.ts';
import { compress } from '../transcode.ts';
import { type Cut, Cutter, DECODED_POINT_BYTES, KEPT_POINT_BYTES, type Kept } from './overzoom-cut.ts';

/** A layer's tile of its last zoom, and the part of it that is wanted. */
export interface OverzoomPart extends Cut {
  /** Not compressed. */
  readonly body: Uint8Array;
  /** Name of the layer of labels, where there is one: a label is in one part, without a buffer. */
  readonly labels?: string;
}

export interface OverzoomJob extends Job {
  readonly task: 'overzoom';
  readonly encoding: Encoding;
  readonly parts: readonly OverzoomPart[];
}

/** A point takes two bytes in a tile at least, and up to six once enlarged. */
const POINT_TILE_BYTES = 2;
const ENLARGED_SHARE = 3;
/** A decoded feature with its attributes' object; and what its attributes and their values take, of the tile's bytes. */
const FEATURE_BYTES = 400;
const VALUES_SHARE = 12;
/** The encoder's buffer doubles as it grows, and is copied once. */
const ENCODER_SHARE = 3;

export function planOverzoom(parts: readonly OverzoomPart[], encoding: Encoding): Plan {
  const bytes = parts.reduce((sum, { body }) => sum + body.length, 0);
  const explain = { overzoom: parts.map(({ factor, col, row, body }) => ({ factor, col, row, bytes: body.length })) };
  const job: OverzoomJob | null = bytes === 0 ? null : { task: 'overzoom', encoding, parts };
  const { features, geometry, largest } = geometryIn(parts);
  const outputBytes = bytes * ENLARGED_SHARE;
  const decodedBytes =
    features * FEATURE_BYTES +
    bytes * VALUES_SHARE +
    (largest / POINT_TILE_BYTES) * DECODED_POINT_BYTES +
    (geometry / POINT_TILE_BYTES) * KEPT_POINT_BYTES * 1.5 +
    outputBytes * ENCODER_SHARE;
  return { cost: { inputBytes: bytes, decodedBytes, outputBytes }, job, explain, headers: {} };
}

/** How many features the tiles have, the bytes of their geometries, and of the largest. */
function geometryIn(parts: readonly OverzoomPart[]): { features: number; geometry: number; largest: number } {
  const sums = { features: 0, geometry: 0, largest: 0 };
  const inFeature = (tag: number, _: null, pbf: PbfReader) => {
    if (tag !== 4) return;
    const bytes = pbf.readVarint();
    pbf.pos += bytes;
    sums.geometry += bytes;
    sums.largest = Math.max(sums.largest, bytes);
  };
  const inLayer = (tag: number, _: null, pbf: PbfReader) => {
    if (tag !== 2) return;
    sums.features++;
    pbf.readMessage(inFeature, null);
  };
  for (const { body } of parts) {
    new PbfReader(body).readFields((tag, _, pbf) => {
      if (tag === 3) pbf.readMessage(inLayer, null);
    }, null);
  }
  return sums;
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
  const cutter = new Cutter();
  let seen = 0;
  for (const part of job.parts) {
    for (const layer of Object.values(new VectorTile(new PbfReader(part.body)).layers)) {
      const features: Drawable[] = [];
      for (let i = 0; i < layer.length; i++) {
        if (i % CHECK_EVERY === 0) context.check();
        const feature = layer.feature(i);
        seen++;
        if (layer.name === part.labels && !holds(part, feature, layer.extent)) continue;
        const kept = cutter.cut(feature, part, layer.extent);
        if (kept === null) continue;
        const { id, properties } = feature;
        const type = feature.type as 1 | 2 | 3;
        // Points are made when the feature is written, and are garbage then.
        const loadGeometry = () => pointsOf(cutter, kept, type);
        features.push({ id, type, properties: escapedProperties(properties, escaped), loadGeometry });
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
    peakBytes:
      input * (1 + VALUES_SHARE) + seen * FEATURE_BYTES + cutter.peakBytes + (plain?.length ?? 0) * ENCODER_SHARE,
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

/** Whether the label lies in the part: what lies on an edge is in the part to the right or below. */
function holds({ factor, col, row }: OverzoomPart, label: VectorTileFeature, extent: number): boolean {
  const [[at]] = label.loadGeometry();
  const [x, y] = [at.x * factor - col * extent, at.y * factor - row * extent];
  return x >= 0 && x < extent && y >= 0 && y < extent;
}

function pointsOf(cutter: Cutter, { first, count }: Kept, type: 1 | 2 | 3): Point[][] {
  return Array.from({ length: count }, (_, k) => {
    const xy = cutter.part(first + k);
    const points = Array.from({ length: xy.length / 2 }, (_, i) => ({ x: xy[i * 2], y: xy[i * 2 + 1] }));
    // Closed again: the encoder leaves the last point out.
    return type === 3 ? [...points, points[0]] : points;
  });
}
