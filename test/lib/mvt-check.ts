/**
 * The MUSTs of the Mapbox Vector Tile specification 2.1, checked on bytes: a reader of its own, so that what a lenient
 * decoder forgives is still found. Answers with what is wrong, one line each; empty: a valid tile.
 */
import { PbfReader } from 'pbf';

interface RawFeature {
  id: number | null;
  type: number;
  tags: number[];
  geometry: number[] | null;
  geometries: number;
}

export interface CheckedFeature {
  readonly id: number | null;
  readonly type: number;
  readonly rings: number;
  /** Points, lines or rings (first point not repeated), in tile units. */
  readonly parts: readonly (readonly [number, number][])[];
  readonly tags: readonly number[];
}

export interface CheckedLayer {
  readonly name: string;
  readonly extent: number;
  readonly features: readonly CheckedFeature[];
}

export interface Checked {
  readonly faults: string[];
  readonly layers: CheckedLayer[];
}

export function checkTile(bytes: Uint8Array): Checked {
  const faults: string[] = [];
  const layers: CheckedLayer[] = [];
  const names = new Set<string>();
  new PbfReader(bytes).readFields((tag, _, pbf) => {
    if (tag !== 3) return;
    const layer = checkLayer(pbf.readBytes(), faults);
    if (names.has(layer.name)) faults.push(`layer ${layer.name} is there twice`);
    names.add(layer.name);
    layers.push(layer);
  }, null);
  return { faults, layers };
}

function checkLayer(bytes: Uint8Array, faults: string[]): CheckedLayer {
  const raw = {
    version: 0,
    name: '',
    extent: 0,
    keys: [] as string[],
    values: [] as string[],
    features: [] as RawFeature[],
  };
  new PbfReader(bytes).readFields((tag, layer, pbf) => {
    if (tag === 15) layer.version = pbf.readVarint();
    else if (tag === 1) layer.name = pbf.readString();
    else if (tag === 5) layer.extent = pbf.readVarint();
    else if (tag === 3) layer.keys.push(pbf.readString());
    else if (tag === 4) {
      const value = pbf.readBytes();
      checkValue(value, layer.values.length, faults);
      layer.values.push(Buffer.from(value).toString('hex'));
    } else if (tag === 2) layer.features.push(readFeature(pbf.readBytes()));
  }, raw);
  const say = (what: string) => faults.push(`${raw.name}: ${what}`);
  if (raw.version !== 2) say(`version ${raw.version}`);
  if (raw.name === '') say('no name');
  if (raw.extent === 0) say('no extent');
  if (raw.features.length === 0) say('no feature');
  if (new Set(raw.keys).size !== raw.keys.length) say('a key is there twice');
  if (new Set(raw.values).size !== raw.values.length) say('a value is there twice');
  const features = raw.features.map((feature, i) => {
    const about = (what: string) => say(`feature ${i} (id ${feature.id}): ${what}`);
    checkTags(feature, raw.keys.length, raw.values.length, about);
    const parts = checkGeometry(feature, about);
    return { id: feature.id, type: feature.type, rings: parts.length, parts, tags: feature.tags };
  });
  return { name: raw.name, extent: raw.extent, features };
}

/** Exactly one of string, float, double, int, uint, sint and bool. */
function checkValue(bytes: Uint8Array, index: number, faults: string[]): void {
  let fields = 0;
  new PbfReader(bytes).readFields((tag, _, pbf) => {
    if (tag < 1 || tag > 7) faults.push(`value ${index} has a field ${tag}`);
    else fields++;
    pbf.skip(pbf.type);
  }, null);
  if (fields !== 1) faults.push(`value ${index} has ${fields} fields`);
}

function readFeature(bytes: Uint8Array): RawFeature {
  const feature: RawFeature = { id: null, type: 0, tags: [], geometry: null, geometries: 0 };
  new PbfReader(bytes).readFields((tag, f, pbf) => {
    if (tag === 1) f.id = pbf.readVarint();
    else if (tag === 3) f.type = pbf.readVarint();
    else if (tag === 2) f.tags = pbf.readPackedVarint([]);
    else if (tag === 4) {
      f.geometry = pbf.readPackedVarint([]);
      f.geometries++;
    }
  }, feature);
  return feature;
}

function checkTags({ tags }: RawFeature, keys: number, values: number, say: (what: string) => void): void {
  if (tags.length % 2) say('an odd number of tags');
  const seen = new Set<number>();
  for (let i = 0; i + 1 < tags.length; i += 2) {
    if (tags[i] >= keys) say(`key ${tags[i]} of ${keys}`);
    if (tags[i + 1] >= values) say(`value ${tags[i + 1]} of ${values}`);
    if (seen.has(tags[i])) say(`key ${tags[i]} twice`);
    seen.add(tags[i]);
  }
}

interface Cursor {
  x: number;
  y: number;
}

/** Answers with the rings, lines or points. */
function checkGeometry({ type, geometry, geometries }: RawFeature, say: (what: string) => void): [number, number][][] {
  if (geometry === null || geometry.length === 0) {
    say('no geometry');
    return [];
  }
  if (geometries > 1) say('a geometry is there twice');
  if (type < 1 || type > 3) say(`geometry type ${type}`);
  const parts = readParts(geometry, type, say);
  if (type === 2) for (const part of parts) if (part.length < 2) say('a line of one point');
  if (type === 3) checkRings(parts, say);
  return parts;
}

function readParts(geometry: readonly number[], type: number, say: (what: string) => void): [number, number][][] {
  const cursor: Cursor = { x: 0, y: 0 };
  const parts: [number, number][][] = [];
  let last = 0;
  for (let i = 0; i < geometry.length; ) {
    const command = geometry[i] & 7;
    const count = geometry[i++] >> 3;
    if (count === 0 && command !== 7) say(`command ${command} with count 0`);
    if (command === 7) {
      if (type !== 3 || last !== 2 || count !== 1)
        say(`ClosePath of count ${count} after command ${last} in type ${type}`);
    } else if (command === 1 || command === 2) {
      if (command === 1 && type !== 1 && count !== 1) say(`MoveTo of count ${count}`);
      if (command === 2 && (type === 1 || last !== 1)) say(`LineTo after command ${last} in type ${type}`);
      if (command === 1 && type === 3 && last === 2) say('a ring without ClosePath');
      if (command === 2 && type === 3 && count < 2) say('a ring of two points');
      if (command === 1 && type === 1 && last !== 0) say('points in two MoveTos');
      for (let k = 0; k < count; k++) {
        if (i + 1 >= geometry.length) say('a command runs past the geometry');
        const dx = (geometry[i] >> 1) ^ -(geometry[i] & 1);
        const dy = (geometry[i + 1] >> 1) ^ -(geometry[i + 1] & 1);
        i += 2;
        cursor.x += dx;
        cursor.y += dy;
        if (command === 2 && dx === 0 && dy === 0) say('LineTo(0, 0)');
        if (command === 1) parts.push([[cursor.x, cursor.y]]);
        else parts.at(-1)?.push([cursor.x, cursor.y]);
      }
    } else say(`command ${command}`);
    last = command;
  }
  if (type === 3 && last !== 7) say('the last ring is not closed');
  return parts;
}

function checkRings(rings: readonly [number, number][][], say: (what: string) => void): void {
  rings.forEach((ring, i) => {
    const [first, last] = [ring[0], ring[ring.length - 1]];
    if (first[0] === last[0] && first[1] === last[1]) say(`ring ${i} repeats its first point`);
    const area = ring.reduce((sum, [x, y], k) => {
      const [px, py] = ring[(k + ring.length - 1) % ring.length];
      return sum + px * y - x * py;
    }, 0);
    if (area === 0) say(`ring ${i} has no area`);
    if (i === 0 && area < 0) say('the first ring is an interior one');
  });
}
