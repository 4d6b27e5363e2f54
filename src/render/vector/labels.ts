/**
 * The layer of labels beside a layer of a tile: one point a feature, in the one tile that it lies in, with the feature's attributes.
 * Made in a pass of its own, behind the features.
 */
import { newOut, type Out } from '../../kernels/bytes-out.ts';
import { beginLayer, type Commands, endLayer, POINT, putFeature, putPoints, resetCommands } from '../../kernels/mvt.ts';
import type { TaskContext } from '../../plan.ts';
import { Attributes } from './attributes.ts';
import { type FeatureFrame, GeometryWalker } from './geometry.ts';
import { type LabelPlace, runEnd, type VectorJob, type VectorJobLayer } from './job.ts';
import { LabelPen } from './label-pen.ts';
import { putDictionary } from './properties.ts';
import { enter, frameOf, geometryOf, newRun, type Run, saying } from './run.ts';

/** A run of the file in a buffer that the next may take over; it begins at `base`. */
export interface LabelRun extends Run {
  readonly base: number;
}

/** Features of more bytes are large: where their labels are is remembered, since many tiles ask for it. */
const LARGE_BYTES = 16 * 1024;
/** Labels that a thread remembers: 100 KB or so. */
const REMEMBERED_MAX = 512;
/** Features between two looks at the cancel flag. */
const CHECK_EVERY = 256;

interface Label {
  readonly x: number;
  readonly y: number;
}

/** One a thread; its buffers are pooled. */
export class LabelPainter {
  #attributes = new Attributes();
  #point: Commands = { ...newOut(16), x: 0, y: 0 };
  #pen = new LabelPen();
  #walker = new GeometryWalker(this.#pen);
  #frame = frameOf(newRun(0));
  /** What a label depends on beside the feature. */
  #key = '';
  #remembered = new Map<string, Label>();

  /** Writes the layer of labels behind what is in `out`, where it has any; answers with the bytes that it took, `out` apart. */
  paint(
    job: VectorJob,
    layer: VectorJobLayer,
    place: LabelPlace,
    out: Out,
    read: (offset: number, length: number) => LabelRun,
    context: TaskContext,
  ): number {
    const { offsets, lengths } = layer;
    this.#key = keyOf(job, layer, place);
    this.#pen.begin(job, layer, place);
    this.#attributes.begin(layer);
    const before = out.at;
    const start = beginLayer(out, Buffer.from(place.id));
    const empty = out.at;
    let longest = 0;
    for (let i = 0; i < offsets.length; ) {
      const next = runEnd(offsets, lengths, i);
      const first = offsets[i];
      const length = offsets[next - 1] + lengths[next - 1] - first;
      if (length > longest) longest = length;
      const { base, view, raw, doubles } = read(first, length);
      Object.assign(this.#frame, { view, raw, doubles });
      for (; i < next; i++) {
        if (i % CHECK_EVERY === 0) context.check();
        // A square of dust has no name of its own.
        if (layer.dust !== null && layer.dust.counts[i] > 1) continue;
        const at = base + offsets[i] - first;
        this.#frame.start = at;
        this.#frame.end = at + lengths[i];
        const one = i;
        saying(layer, one, () => this.#label(layer, one, out));
      }
    }
    if (out.at === empty) {
      out.at = before;
    } else {
      putDictionary(out, this.#attributes.dictionary);
      endLayer(out, start, layer.extent);
    }
    return longest + this.#attributes.dictionary.values.at + this.#pen.used();
  }

  #label(layer: VectorJobLayer, i: number, out: Out): void {
    const frame = this.#frame;
    const root = enter(frame);
    const table = geometryOf(frame, root);
    if (table === 0 || !this.#owns(frame, table, layer, i)) return;
    const id = this.#attributes.take(frame, root, i);
    resetCommands(this.#point);
    putPoints(this.#point, this.#pen.units, 1);
    putFeature(out, id, this.#attributes.tags, POINT, this.#point);
  }

  /** Whether the label of feature i, whose geometry is that table, lies in this tile; the pen knows where then. */
  #owns(frame: FeatureFrame, table: number, layer: VectorJobLayer, i: number): boolean {
    const pen = this.#pen;
    const large = frame.end - frame.start > LARGE_BYTES;
    const key = large ? `${layer.ordinals[i]}\n${this.#key}` : '';
    const known = large ? this.#remembered.get(key) : undefined;
    if (known) return pen.owned(known.x, known.y);
    pen.everywhere = large;
    if (!this.#walker.walk(frame, table, layer.geometryType)) return false;
    const x = pen.at[0];
    const y = pen.at[1];
    if (large) this.#remember(key, { x, y });
    return pen.owned(x, y);
  }

  #remember(key: string, label: Label): void {
    this.#remembered.set(key, label);
    if (this.#remembered.size <= REMEMBERED_MAX) return;
    const [oldest] = this.#remembered.keys();
    this.#remembered.delete(oldest);
  }

  trim(maxBytes: number): void {
    this.#attributes.trim(maxBytes);
    this.#pen.trim(maxBytes);
    this.#walker.trim(maxBytes);
  }
}

function keyOf({ gridCrs }: VectorJob, { ref, crs, world }: VectorJobLayer, place: LabelPlace): string {
  const { originX, originY, spanX, spanY, cols, rows } = place;
  return [ref.href, ref.version, crs, gridCrs, world, originX, originY, spanX, spanY, cols, rows].join('\n');
}
