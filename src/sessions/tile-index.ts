/**
 * A geojson-vt index that keeps to a bound. Upstream splits its data down to zoom 5 at once and keeps every tile that a
 * drill-down has passed: 28,000 lines across the world, 3 MB of text, come to 250 MB so, and 26,000 polygons around it to
 * more than 4 GB. Here the base is the world tile with the data, once. All deeper tiles are cut when they are asked for,
 * a level at a time, so that between two levels what has grown too much is dropped but for the tile that leads on; what
 * drill-downs leave is weighed and can be forgotten (held.ts says when), since any tile can be cut again from the base.
 */
import GeoJSONVT, { type Options, type RawTile } from 'geojson-vt';
import type { SessionInput, SessionSummary } from './geojson.ts';
import { FEATURE, POINT_FEATURE, POINTER, TILE, typedArrayBytes } from './weights.ts';

/** What of geojson-vt's insides is relied upon (5.0.3, pinned). */
interface InnerFeature {
  readonly type: number;
  readonly geometry?: ArrayBufferView | readonly ArrayBufferView[];
}
interface InnerTile {
  readonly features: readonly InnerFeature[];
  source: readonly InnerFeature[] | null;
}
interface Inner {
  readonly tiles: Record<number, InnerTile>;
  readonly tileCoords: { readonly z: number; readonly x: number; readonly y: number }[];
}

/** geojson-vt's type of several points; 2 and 3 are lines and polygons. */
const POINTS = 1;

export interface SessionIndex {
  readonly summary: SessionSummary;
  /** The data and the world tile, as heap and buffers, estimated (weights.ts). */
  readonly baseBytes: number;
  /** The most that the split of one tile takes: that of the world tile, which holds all, in full detail. */
  readonly splitBytes: number;
  /** What drill-downs have left. */
  readonly drilledBytes: number;
  /** On the way there no more than `drilledBytesMax` and the split of one tile is held. */
  tile(z: number, x: number, y: number, drilledBytesMax: number): CutTile;
  /** Back to the base. A tile that is being answered lives on until it is encoded. */
  forget(): void;
}

export interface CutTile {
  /** null: nothing of the layer is in it. */
  readonly raw: RawTile | null;
  /** The most that was held beyond the base. */
  readonly peakBytes: number;
}

export interface IndexOptions {
  readonly maxZoom: number;
  readonly extent: number;
  readonly buffer: number;
}

export function createSessionIndex(input: SessionInput, { maxZoom, extent, buffer }: IndexOptions): SessionIndex {
  const settings: Options = { maxZoom, extent, buffer, indexMaxZoom: 0 };
  const index = new GeoJSONVT(input.data, settings);
  return new BoundedIndex(index, input.summary());
}

class BoundedIndex implements SessionIndex {
  readonly summary: SessionSummary;
  readonly baseBytes: number;
  readonly splitBytes: number;
  drilledBytes = 0;
  readonly #index: GeoJSONVT;
  readonly #inner: Inner;
  /** All the data; geojson-vt forgets it once it has split the world tile. */
  readonly #data: readonly InnerFeature[];

  constructor(index: GeoJSONVT, summary: SessionSummary) {
    this.#index = index;
    this.#inner = index as unknown as Inner;
    this.summary = summary;
    const world = this.#inner.tiles[0] as InnerTile | undefined;
    this.#data = world?.source ?? [];
    this.baseBytes = summary.tagBytes + (world ? weighTile(world, POINT_FEATURE) : 0);
    this.splitBytes = this.#weighSplit();
  }

  tile(z: number, x: number, y: number, drilledBytesMax: number): CutTile {
    const { tiles } = this.#inner;
    let peakBytes = this.drilledBytes;
    let from = z;
    while (from > 0 && tiles[tileId(from, x >> (z - from), y >> (z - from))] === undefined) from--;
    for (let level = from + 1; level <= z; level++) {
      if (!this.#split(level, x >> (z - level), y >> (z - level))) return { raw: null, peakBytes };
      peakBytes = Math.max(peakBytes, this.drilledBytes);
      if (this.drilledBytes > drilledBytesMax && level < z) this.#forgetBut(level, x >> (z - level), y >> (z - level));
    }
    const tile = tiles[tileId(z, x, y)];
    return { raw: tile ? ({ features: tile.features } as unknown as RawTile) : null, peakBytes };
  }

  #weighSplit(): number {
    this.#split(1, 0, 0);
    const { tiles, tileCoords } = this.#inner;
    let bytes = 0;
    for (const at of tileCoords.slice(1)) bytes += weighDetailed(tiles[tileId(at.z, at.x, at.y)]);
    this.forget();
    return bytes;
  }

  /** Splits the parent of a tile into its four; false where it holds nothing to split. */
  #split(z: number, x: number, y: number): boolean {
    const { tiles, tileCoords } = this.#inner;
    if (!tiles[tileId(z - 1, x >> 1, y >> 1)]?.source?.length) return false;
    const before = tileCoords.length;
    this.#index.getTileRaw(z, x, y);
    for (const at of tileCoords.slice(before)) this.drilledBytes += weighTile(tiles[tileId(at.z, at.x, at.y)], 0);
    return true;
  }

  forget(): void {
    this.#forgetBut(0, 0, 0);
  }

  #forgetBut(z: number, x: number, y: number): void {
    const { tileCoords, tiles } = this.#inner;
    const kept = tiles[tileId(z, x, y)];
    for (const at of tileCoords) if (at.z > 0) delete tiles[tileId(at.z, at.x, at.y)];
    tileCoords.length = Math.min(1, tileCoords.length);
    this.drilledBytes = 0;
    if (tiles[0]) tiles[0].source = this.#data;
    if (z === 0) return;
    tiles[tileId(z, x, y)] = kept;
    tileCoords.push({ z, x, y });
    this.drilledBytes = weighTile(kept, 0);
  }
}

/** `pointBytes`: of a single point in the source. Below the base these are shared, and only lines and rings are cut anew. */
function weighTile({ features, source }: InnerTile, pointBytes: number): number {
  let bytes = TILE + features.length * FEATURE;
  for (const { geometry } of features) bytes += weighGeometry(geometry);
  for (const { geometry } of source ?? []) {
    bytes += POINTER + (geometry === undefined ? pointBytes : FEATURE + weighGeometry(geometry));
  }
  return bytes;
}

/** A tile as it would be at a zoom at which nothing is simplified away. */
function weighDetailed({ source }: InnerTile): number {
  let bytes = TILE;
  for (const { type, geometry } of source ?? []) {
    bytes += POINTER + FEATURE;
    if (geometry === undefined) continue;
    bytes += FEATURE + weighGeometry(geometry) + (type === POINTS ? weighGeometry(geometry) : weighRings(geometry));
  }
  return bytes;
}

/** The source has all rings in one array, each behind its length and size; a tile has an array for each. */
function weighRings(geometry: ArrayBufferView | readonly ArrayBufferView[]): number {
  const values = geometry as Int32Array;
  let bytes = 4 * POINTER;
  for (let i = 0; i < values.length; i += 2 + values[i] * 3) bytes += POINTER + typedArrayBytes(values[i] * 4);
  return bytes;
}

function weighGeometry(geometry: ArrayBufferView | readonly ArrayBufferView[] | undefined): number {
  if (geometry === undefined) return 0;
  if (ArrayBuffer.isView(geometry)) return typedArrayBytes(geometry.byteLength);
  let bytes = 4 * POINTER;
  for (const ring of geometry) bytes += POINTER + typedArrayBytes(ring.byteLength);
  return bytes;
}

/** geojson-vt's own key of a tile. */
function tileId(z: number, x: number, y: number): number {
  return ((1 << z) * y + x) * 32 + z;
}
