/**
 * The fast path of the painter: what most features are (points, a line, a polygon of one ring, under a closed form of
 * projection) is painted by WebAssembly out of wasm/tile/, in a memory of its own that never grows. What it leaves out is drawn
 * by the slow path feature by feature, into the same tile; the bytes are the same either way.
 */
import { Buffer } from 'node:buffer';
import { crc32 } from 'node:zlib';
import { ensure, type Out } from '../../kernels/bytes-out.ts';
import { beginLayer, endLayer, LINESTRING, POINT, POLYGON, putBytes } from '../../kernels/mvt.ts';
import { loadTileWasm, type TilePlaces, type TileWasm } from '../../kernels/wasm/tile.ts';
import { pixelSide, runEnd, type VectorJob, type VectorJobLayer } from './job.ts';
import { type Pen, POINT_BYTES } from './pen.ts';
import { closedForm } from './project.ts';
import { BINARY } from './properties.ts';
import { type Frame, frameOf } from './run.ts';

/** What the painter does for the fast path. */
export interface Slow {
  readonly pen: Pen;
  /** Fills `into` with the file's bytes from `offset`. */
  read(offset: number, into: Uint8Array): void;
  /** Refuses feature i, which lies in the frame, where it is damaged. */
  vet(frame: Frame, i: number): void;
  /** Has the pen draw feature i; false where nothing of it shows. */
  draw(frame: Frame, i: number): boolean;
  /** Reads its attributes only to throw what is wrong with them. */
  explain(frame: Frame, i: number): void;
  /** Between runs: throws where nobody waits any more. */
  check(): void;
}

const DRAW = 1;

const CORRUPT = 1;
const FULL = 2;

/** Bytes that the fast path took; −1: the layer is not for it, and what it wrote counts for nothing. */
export const NOT_FOR_IT = -1;

/** RFC 1952: deflate, no name, no time, fastest, unknown system. */
const GZIP_HEAD = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 0xff);

export class FastPath {
  readonly #wasm: TileWasm;
  readonly #places: TilePlaces;
  readonly #raw: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  readonly #frame: Frame;
  #row: (lat: number) => number = () => Number.NaN;

  constructor() {
    const { wasm, places } = loadTileWasm(lat => this.#row(lat));
    this.#wasm = wasm;
    this.#places = places;
    const { buffer } = this.#wasm.memory;
    this.#raw = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
    this.#frame = frameOf({ view: this.#view, raw: this.#raw, doubles: new Float64Array(buffer) });
  }

  /** Paints the layer behind what `out` holds; answers with the bytes it took besides, or −1: the slow path must do it. */
  paint(job: VectorJob, layer: VectorJobLayer, out: Out, slow: Slow): number {
    if (!this.#begin(job, layer)) return NOT_FOR_IT;
    slow.pen.begin(job, layer);
    const { offsets, lengths } = layer;
    let longest = 0;
    for (let i = 0; i < offsets.length; ) {
      const next = Math.min(runEnd(offsets, lengths, i), i + this.#places.RUN_FEATURES_MAX);
      const first = offsets[i];
      const length = offsets[next - 1] + lengths[next - 1] - first;
      if (length + 8 > this.#places.RUN_BYTES) return NOT_FOR_IT;
      slow.check();
      // At the alignment of the file, for the doubles of the slow path.
      const base = this.#places.RUN + (first % 8);
      slow.read(first, this.#raw.subarray(base, base + length));
      if (length > longest) longest = length;
      if (!this.#run(layer, i, next, base - first, slow)) return NOT_FOR_IT;
      i = next;
    }
    return this.#finish(layer, out) ? longest + this.#used(slow.pen) : NOT_FOR_IT;
  }

  #used(pen: Pen): number {
    return Math.max(pen.used(), this.#wasm.largestPart() * POINT_BYTES) + this.#wasm.valueBytes();
  }

  /** False where the layer has something that only the slow path can do. */
  #begin(job: VectorJob, layer: VectorJobLayer): boolean {
    const { columns, extent, buffer, shifts, world, idName, idColumn } = layer;
    const form = closedForm(job, layer);
    if (form === null || shifts.some(shift => shift !== 0)) return false;
    if (layer.counts !== null || layer.dust !== null || layer.clusters !== null) return false;
    if (columns.length > this.#places.COLUMNS_MAX || !Number.isInteger(buffer) || !Number.isInteger(extent))
      return false;
    if (columns.some(({ wanted, as }) => wanted && as !== null && as !== 'number')) return false;
    const wasm = this.#wasm;
    if (form.kind === 'affine') wasm.setAffine(form.kx, form.bx, form.ky, form.by);
    else {
      const { middle, scale, c0, c1, c2, c3, c4 } = form.near;
      this.#row = form.row;
      wasm.setMercator(form.kx, form.bx, middle, scale, c0, c1, c2, c3, c4);
    }
    wasm.setTile(layer.geometryType, buffer, extent, pixelSide(extent), world);
    wasm.setSimplify(layer.tolerance, buffer, extent);
    this.#putColumns(layer);
    wasm.begin(columns.length, idColumn, idName !== null);
    return true;
  }

  #putColumns({ columns }: VectorJobLayer): void {
    const byName = new Map<string, number>();
    for (const [i, { name, type, wanted }] of columns.entries()) {
      const at = this.#places.COLUMNS + i * 16;
      if (!byName.has(name)) byName.set(name, i);
      this.#raw[at] = type;
      // Bytes as they are have no value in a tile.
      this.#raw[at + 1] = wanted && type !== BINARY ? 1 : 0;
      this.#view.setInt32(at + 4, byName.get(name) as number, true);
    }
  }

  #run(layer: VectorJobLayer, from: number, to: number, base: number, slow: Slow): boolean {
    const { offsets, lengths, ordinals } = layer;
    const view = this.#view;
    const n = to - from;
    for (let i = 0; i < n; i++) {
      const at = offsets[from + i] + base;
      view.setUint32(this.#places.OFFSETS + i * 4, at - this.#places.RUN, true);
      view.setUint32(this.#places.LENGTHS + i * 4, lengths[from + i], true);
      view.setFloat64(this.#places.IDS + i * 8, ordinals[from + i] + 1, true);
      if (layer.crcs !== null) slow.vet(this.#framed(at, lengths[from + i]), from + i);
    }
    for (let i = 0; i < n; i++) {
      i = this.#wasm.paint(i, n);
      if (i === n) return true;
      if (this.#wasm.reason() !== DRAW) return false;
      if (!this.#drawn(this.#framed(offsets[from + i] + base, lengths[from + i]), from + i, i, slow)) return false;
    }
    return true;
  }

  #framed(start: number, length: number): Frame {
    this.#frame.start = start;
    this.#frame.end = start + length;
    return this.#frame;
  }

  /** Feature i, which is the k-th of the run, by the slow path; false where there is no room for it. */
  #drawn(frame: Frame, i: number, k: number, slow: Slow): boolean {
    if (!slow.draw(frame, i)) return true;
    const tagged = this.#wasm.tag(k);
    if (tagged === CORRUPT) slow.explain(frame, i);
    if (tagged === CORRUPT || tagged === FULL) return false;
    const { points, lines, polygons } = slow.pen;
    return this.#put(k, POINT, points) && this.#put(k, LINESTRING, lines) && this.#put(k, POLYGON, polygons);
  }

  #put(k: number, type: number, commands: Out): boolean {
    if (commands.at === 0) return true;
    if (commands.at > this.#places.COMMANDS_BYTES) return false;
    this.#raw.set(commands.bytes.subarray(0, commands.at), this.#places.COMMANDS);
    return this.#wasm.write(k, type, commands.at) !== 0;
  }

  #finish(layer: VectorJobLayer, out: Out): boolean {
    const bytes = this.#wasm.outBytes();
    if (bytes === 0) return true;
    const end = this.#wasm.finish();
    if (end < 0) return false;
    const start = beginLayer(out, Buffer.from(layer.id));
    this.#append(out, this.#places.OUT, this.#places.OUT + bytes);
    for (let key = 0; key < this.#wasm.keyCount(); key++) {
      const name = Buffer.from(layer.columns[this.#view.getInt32(this.#places.COLUMNS + key * 16 + 12, true)].name);
      putBytes(out, 0x1a, name, 0, name.length);
    }
    this.#append(out, this.#places.OUT + bytes, this.#places.OUT + end);
    endLayer(out, start, layer.extent);
    return true;
  }

  /** The tile as gzip, about as small as zlib's level 1 makes it in two thirds of the time; null where it is too large for that. */
  gzip(tile: Uint8Array): Uint8Array | null {
    const n = tile.length;
    if (2 * n + (n >> 10) + 128 > this.#places.OUT_BYTES) return null;
    this.#raw.set(tile, this.#places.OUT);
    const from = this.#places.OUT + n + 64;
    const deflated = this.#wasm.deflate(this.#places.OUT, n, from);
    const body = new Uint8Array(GZIP_HEAD.length + deflated + 8);
    body.set(GZIP_HEAD);
    body.set(this.#raw.subarray(from, from + deflated), GZIP_HEAD.length);
    const view = new DataView(body.buffer);
    view.setUint32(body.length - 8, crc32(tile), true);
    view.setUint32(body.length - 4, n, true);
    return body;
  }

  #append(out: Out, from: number, to: number): void {
    ensure(out, to - from);
    out.bytes.set(this.#raw.subarray(from, to), out.at);
    out.at += to - from;
  }
}
