/**
 * A geojson-vt index that keeps to a bound. Upstream keeps every tile that a drill-down has passed (one z12 tile leaves 49
 * to 61 of them behind) and never lets go. Here the tiles of the first split are the base, which holds the data and stays;
 * all that drill-downs add is weighed and can be forgotten (held.ts says when): the base gets its source lists back, from
 * which any tile can be cut again.
 */
import GeoJSONVT, { type Options, type RawTile } from 'geojson-vt';
import type { SessionInput, SessionSummary } from './geojson.ts';

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

export interface SessionIndex {
  readonly summary: SessionSummary;
  /** The data and the tiles of the first split, as heap and buffers, estimated (test/sessions holds it against V8's figures). */
  readonly baseBytes: number;
  /** What drill-downs have left. */
  readonly drilledBytes: number;
  tile(z: number, x: number, y: number): RawTile | null;
  /** Back to the base. A tile that is being answered lives on until it is encoded. */
  forget(): void;
}

export interface IndexOptions {
  readonly maxZoom: number;
  readonly extent: number;
  readonly buffer: number;
}

/** V8 sizes, bytes: a tile record with its arrays, a feature object, a typed array on its own heap and with a store. */
const TILE = 240;
const FEATURE = 96;
const SMALL_ARRAY = 112;
const LARGE_ARRAY = 264;
const ON_HEAP_MAX = 64;
const POINTER = 8;

export function createSessionIndex(input: SessionInput, options: IndexOptions): SessionIndex {
  const { maxZoom, extent, buffer } = options;
  const settings: Options = { maxZoom, extent, buffer, indexMaxZoom: Math.min(5, maxZoom) };
  const index = new GeoJSONVT(input.data, settings);
  return new BoundedIndex(index, input.summary());
}

class BoundedIndex implements SessionIndex {
  readonly summary: SessionSummary;
  readonly baseBytes: number;
  drilledBytes = 0;
  #index: GeoJSONVT;
  #inner: Inner;
  #baseTiles: number;
  /** Base tiles that hold features to cut from: id → source. */
  #sources: Map<number, readonly InnerFeature[]>;
  /** Features the base owns; drilled tiles share most of theirs. */
  #owned: WeakSet<InnerFeature>;

  constructor(index: GeoJSONVT, summary: SessionSummary) {
    this.#index = index;
    this.#inner = index as unknown as Inner;
    this.summary = summary;
    this.#baseTiles = this.#inner.tileCoords.length;
    this.#sources = new Map();
    this.#owned = new WeakSet();
    let bytes = summary.tagBytes;
    for (const { z, x, y } of this.#inner.tileCoords) {
      const id = tileId(z, x, y);
      const tile = this.#inner.tiles[id];
      bytes += this.#weigh(tile);
      if (tile.source) this.#sources.set(id, tile.source);
    }
    this.baseBytes = bytes;
  }

  tile(z: number, x: number, y: number): RawTile | null {
    const before = this.#inner.tileCoords.length;
    const tile = this.#index.getTileRaw(z, x, y);
    const { tileCoords, tiles } = this.#inner;
    for (let i = before; i < tileCoords.length; i++) {
      const { z: tz, x: tx, y: ty } = tileCoords[i];
      this.drilledBytes += this.#weigh(tiles[tileId(tz, tx, ty)]);
    }
    return tile;
  }

  forget(): void {
    const { tileCoords, tiles } = this.#inner;
    for (let i = this.#baseTiles; i < tileCoords.length; i++) {
      const { z, x, y } = tileCoords[i];
      delete tiles[tileId(z, x, y)];
    }
    tileCoords.length = this.#baseTiles;
    for (const [id, source] of this.#sources) tiles[id].source = source;
    this.drilledBytes = 0;
  }

  #weigh(tile: InnerTile): number {
    let bytes = TILE + tile.features.length * (POINTER + FEATURE);
    for (const feature of tile.features) bytes += weighGeometry(feature.geometry);
    if (!tile.source) return bytes;
    bytes += tile.source.length * POINTER;
    for (const feature of tile.source) {
      if (this.#owned.has(feature)) continue;
      this.#owned.add(feature);
      bytes += FEATURE + weighGeometry(feature.geometry);
    }
    return bytes;
  }
}

function weighGeometry(geometry: ArrayBufferView | readonly ArrayBufferView[] | undefined): number {
  if (geometry === undefined) return 0;
  if (ArrayBuffer.isView(geometry)) return weighArray(geometry);
  let bytes = 16;
  for (const ring of geometry) bytes += POINTER + weighArray(ring);
  return bytes;
}

function weighArray({ byteLength }: ArrayBufferView): number {
  return byteLength <= ON_HEAP_MAX ? SMALL_ARRAY + byteLength : LARGE_ARRAY + byteLength;
}

/** geojson-vt's own key of a tile. */
function tileId(z: number, x: number, y: number): number {
  return ((1 << z) * y + x) * 32 + z;
}
