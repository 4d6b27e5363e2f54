/**
 * Paints a planned vector tile in a worker: reads the runs of features, walks their flatbuffers without making objects of
 * them, projects, clips, simplifies, rounds and writes MVT in one pass, and compresses once. One painter a thread; what it
 * pools is its own, and lives as long as the thread.
 */

import type { Bytes } from '../../io/bytes.ts';
import { openBytes } from '../../io/bytes.ts';
import { newOut, type Out } from '../../kernels/bytes-out.ts';
import { beginLayer, endLayer, LINESTRING, POINT, POLYGON, putFeature } from '../../kernels/mvt.ts';
import type { BytesRef, Encoding, Painted, TaskContext } from '../../plan.ts';
import { compress } from '../transcode.ts';
import { Attributes } from './attributes.ts';
import { paintClusters } from './cluster-paint.ts';
import { FastPath, NOT_FOR_IT, type Slow } from './fast.ts';
import { GeometryWalker } from './geometry.ts';
import { runEnd, type VectorJob, type VectorJobLayer } from './job.ts';
import { LabelPainter } from './labels.ts';
import { passesHere } from './matches.ts';
import { type Narrowed, narrowing } from './narrowing.ts';
import { Pen } from './pen.ts';
import { putDictionary } from './properties.ts';
import { enter, type Frame, frameOf, geometryOf, newRun, readInto, saying, vet } from './run.ts';

/** A layer of a job whose features are in memory: as it is drawn, and where they are read. */
export interface Ready {
  readonly drawn: Narrowed;
  readonly bytes: Bytes;
}

export interface VectorPainter {
  /** `ready`: layers whose files other servers have (far.ts). */
  paint(job: VectorJob, context: TaskContext, ready?: ReadonlyMap<VectorJobLayer, Ready>): Painted;
  close(): void;
}

const CONTENT_TYPE = 'application/vnd.mapbox-vector-tile';
/** Files kept open by one thread. */
const OPEN_MAX = 64;
/** Features between two looks at the cancel flag. */
const CHECK_EVERY = 256;
/** Pooled buffers above this are given back after the tile that needed them. */
const POOL_BYTES_MAX = 2 * 1024 * 1024;

/** `fast` false: without WebAssembly, as the oracle of the fast path is. */
export function createVectorPainter(fast = true): VectorPainter {
  return new Painter(fast);
}

class Painter implements VectorPainter {
  #open = new Map<string, Bytes>();
  #run = newRun(1024 * 1024);
  #layer: Out = newOut(256 * 1024);
  #attributes = new Attributes();
  #pen = new Pen();
  #walker = new GeometryWalker(this.#pen);
  #labels = new LabelPainter();
  readonly #fast: FastPath | null;
  #frame = frameOf(this.#run);
  #square = new Float64Array(8);
  /** Features of the layer that is painted, where they are in memory. */
  #there: Bytes | null = null;

  constructor(fast: boolean) {
    this.#fast = fast ? new FastPath() : null;
  }

  paint(job: VectorJob, context: TaskContext, ready?: ReadonlyMap<VectorJobLayer, Ready>): Painted {
    const started = performance.now();
    const tile = this.#layer;
    tile.at = 0;
    let peak = 0;
    let dropped = 0;
    for (const layer of job.layers) {
      const there = ready?.get(layer);
      this.#there = there?.bytes ?? null;
      const drawn = there?.drawn ?? this.#narrow(layer, context);
      dropped += drawn.dropped;
      const painted = this.#paintLayer(job, drawn.layer, context);
      peak = Math.max(peak, drawn.heldBytes, painted + this.#paintLabels(job, drawn.layer, context));
    }
    this.#there = null;
    const plain = tile.bytes.subarray(0, tile.at);
    const body = tile.at === 0 ? null : this.#encoded(plain, job.encoding);
    const peakBytes = peak + tile.at + (body?.length ?? 0);
    this.#trim();
    return {
      body,
      contentType: CONTENT_TYPE,
      encoding: body === null ? 'identity' : job.encoding,
      headers: dropped > 0 ? { 'x-tile-dropped': String(dropped) } : {},
      peakBytes,
      ms: performance.now() - started,
    };
  }

  #encoded(plain: Uint8Array, encoding: Encoding): Uint8Array {
    if (encoding === 'identity') return plain.slice();
    return (encoding === 'gzip' ? this.#fast?.gzip(plain) : null) ?? compress(plain, encoding);
  }

  /** A filtered layer as one of those features that match, and one that is clustered by reading as its clusters and single points. */
  #narrow(layer: VectorJobLayer, context: TaskContext): Narrowed {
    if (layer.filter === null && layer.toCluster === null) return { layer, dropped: 0, heldBytes: 0 };
    const bytes = this.#bytesOf(layer.ref);
    const read = (offset: number, length: number) => {
      const base = this.#read(bytes, offset, length);
      return { view: this.#run.view, base };
    };
    return passesHere(narrowing(layer), { read, check: () => context.check() });
  }

  /** Answers with the bytes that it took, the tile itself apart. */
  #paintLayer(job: VectorJob, layer: VectorJobLayer, context: TaskContext): number {
    const bytes = this.#bytesOf(layer.ref);
    const took = this.#fast?.paint(job, layer, this.#layer, this.#slow(layer, bytes, context)) ?? NOT_FOR_IT;
    return took >= 0 ? took : this.#paintSlowly(job, layer, bytes, context);
  }

  #paintSlowly(job: VectorJob, layer: VectorJobLayer, bytes: Bytes, context: TaskContext): number {
    const { offsets, lengths } = layer;
    const out = this.#layer;
    const before = out.at;
    this.#attributes.begin(layer);
    this.#pen.begin(job, layer);
    const start = beginLayer(out, Buffer.from(layer.id));
    const empty = out.at;
    let since = 0;
    let longest = 0;
    for (let i = 0; i < offsets.length; ) {
      const next = runEnd(offsets, lengths, i);
      const first = offsets[i];
      const length = offsets[next - 1] + lengths[next - 1] - first;
      const base = this.#read(bytes, first, length);
      Object.assign(this.#frame, this.#run);
      if (length > longest) longest = length;
      for (; i < next; i++) {
        if (++since % CHECK_EVERY === 0) context.check();
        this.#paintFeature(layer, i, base + offsets[i] - first);
      }
    }
    if (layer.clusters !== null) paintClusters(layer.clusters, this.#pen, this.#attributes, out, () => context.check());
    if (out.at === empty) {
      out.at = before;
    } else {
      putDictionary(out, this.#attributes.dictionary);
      endLayer(out, start, layer.extent);
    }
    return longest + this.#pen.used() + this.#attributes.dictionary.values.at;
  }

  /** The layer's labels, where it has them; answers with the bytes that they took. */
  #paintLabels(job: VectorJob, layer: VectorJobLayer, context: TaskContext): number {
    if (layer.labels === null) return 0;
    const bytes = this.#bytesOf(layer.ref);
    const read = (offset: number, length: number) => {
      const base = this.#read(bytes, offset, length);
      return { ...this.#run, base };
    };
    return this.#labels.paint(job, layer, layer.labels, this.#layer, read, context);
  }

  #slow(layer: VectorJobLayer, bytes: Bytes, context: TaskContext): Slow {
    return {
      pen: this.#pen,
      read: (offset, into) => readInto(bytes, offset, into),
      vet: (frame, i) => vet(layer, frame, i),
      draw: (frame, i) => saying(layer, i, () => this.#draw(layer, frame, i) !== 0),
      explain: (frame, i) =>
        saying(layer, i, () => {
          this.#attributes.begin(layer);
          this.#attributes.take(frame, enter(frame), i);
        }),
      check: () => context.check(),
    };
  }

  /** Reads a run into the pooled buffer, at the file's alignment; answers where it begins there. */
  #read(bytes: Bytes, offset: number, length: number): number {
    const base = offset % 8;
    if (this.#run.raw.length < length + 8) this.#run = newRun(length + 8);
    readInto(bytes, offset, this.#run.raw.subarray(base, base + length));
    return base;
  }

  #paintFeature(layer: VectorJobLayer, i: number, at: number): void {
    const frame = this.#frame;
    frame.start = at;
    frame.end = at + layer.lengths[i];
    vet(layer, frame, i);
    saying(layer, i, () => this.#paintChecked(layer, i));
  }

  #paintChecked(layer: VectorJobLayer, i: number): void {
    const root = this.#draw(layer, this.#frame, i);
    if (root === 0) return;
    const pen = this.#pen;
    const id = this.#attributes.take(this.#frame, root, i);
    const { tags } = this.#attributes;
    if (pen.points.at > 0) putFeature(this.#layer, id, tags, POINT, pen.points);
    if (pen.lines.at > 0) putFeature(this.#layer, id, tags, LINESTRING, pen.lines);
    if (pen.polygons.at > 0) putFeature(this.#layer, id, tags, POLYGON, pen.polygons);
  }

  /** Has the pen draw feature i, whose bytes the frame has; answers with its root table, or 0 where nothing of it shows. */
  #draw(layer: VectorJobLayer, frame: Frame, i: number): number {
    const root = enter(frame);
    const table = geometryOf(frame, root);
    if (table === 0) return 0;
    const { dust } = layer;
    if (dust !== null && dust.counts[i] > 1) return this.#drawSquare(dust.squares, i * 4) ? root : 0;
    return this.#walker.walk(frame, table, layer.geometryType) ? root : 0;
  }

  /** False where nothing of it shows in the tile. */
  #drawSquare(squares: Float64Array, at: number): boolean {
    const [minx, miny, maxx, maxy] = squares.subarray(at, at + 4);
    this.#square.set([minx, miny, maxx, miny, maxx, maxy, minx, maxy]);
    this.#pen.reset();
    this.#pen.putExact(this.#square, 4);
    this.#pen.finish();
    return this.#pen.drew();
  }

  #bytesOf(ref: BytesRef): Bytes {
    if (this.#there) return this.#there;
    const key = `${ref.href}\n${ref.version}`;
    const known = this.#open.get(key);
    if (known) {
      this.#open.delete(key);
      this.#open.set(key, known);
      return known;
    }
    const bytes = openBytes(ref);
    this.#open.set(key, bytes);
    if (this.#open.size > OPEN_MAX) {
      const [oldest, file] = this.#open.entries().next().value as [string, Bytes];
      this.#open.delete(oldest);
      file.close();
    }
    return bytes;
  }

  /** One giant tile must not leave its buffers with the thread for ever. */
  #trim(): void {
    if (this.#run.raw.length > POOL_BYTES_MAX) this.#run = newRun(1024 * 1024);
    if (this.#layer.bytes.length > POOL_BYTES_MAX) this.#layer = newOut(256 * 1024);
    this.#attributes.trim(POOL_BYTES_MAX);
    this.#labels.trim(POOL_BYTES_MAX);
    this.#pen.trim(POOL_BYTES_MAX);
    this.#walker.trim(POOL_BYTES_MAX);
  }

  close(): void {
    for (const bytes of this.#open.values()) bytes.close();
    this.#open.clear();
  }
}
