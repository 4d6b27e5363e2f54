/**
 * Where a feature's label is, and whether this tile owns it: the pole of inaccessibility of its largest polygon, else the middle of
 * its longest line, else its first point. Found in units of the grid, out of the whole geometry, by sums that do not know the tile:
 * all tiles of a zoom come to the same point, and the one tile that it lies in has it.
 */
import { clipLine, clipRing, newClipScratch } from '../../kernels/clip.ts';
import { newPoleScratch, poleBytes, poleOf } from '../../kernels/pole.ts';
import type { GeometryPen } from './geometry.ts';
import type { LabelPlace, Projection, VectorJob, VectorJobLayer } from './job.ts';
import { boundsMeet, ownedBy, roundsApart } from './label-place.ts';
import { Placed } from './placed.ts';
import { gridProjector, type Projector } from './project.ts';

/** What a label may be off the best place, as a share of the tile's side: half a pixel of a map of 512. */
const TOLERANCE_SHARE = 1 / 1024;
/** A point projected, clipped twice and kept. */
const POINT_BYTES = 16 + 16 + 24 + 24;

const AREA = 2;
const LINE = 1;
const POINT = 0;
const NOTHING = -1;

/** y goes down, as in tiles. */
export class LabelPen implements GeometryPen {
  /** The label in units of the tile, x and y, once owned() says that it is this tile's. */
  readonly units = new Int32Array(2);
  /** And in those of the grid; good after finish(). */
  readonly at = new Float64Array(2);
  /** Whether labels of other tiles are found as well. */
  everywhere = false;
  #place!: LabelPlace;
  #extent = 0;
  #project!: Projector;
  #projection: Projection = 'same';
  #placed = new Placed();
  #clip = newClipScratch(512);
  #ends = new Int32Array(64);
  #scratch = newPoleScratch();
  /** The rings or the line that the label will be of. */
  #xy = new Float64Array(1024);
  #ringEnds = new Int32Array(64);
  #rings = 0;
  #n = 0;
  #rank = NOTHING;
  /** Twice the area or the length of what is kept. */
  #size = 0;
  /** Whether any of it is drawn: lines that round to one place are not. */
  #shows = false;
  /** Whether holes are those of the polygon that is kept. */
  #keeping = false;
  /** What the grid has, in its own units: minx, miny, maxx, maxy. */
  #world = new Float64Array(4);
  #largest = 0;

  begin(job: VectorJob, layer: VectorJobLayer, place: LabelPlace): void {
    const { originX, originY, spanX, spanY, cols, rows, wraps } = place;
    this.#place = place;
    this.#extent = layer.extent;
    this.#project = gridProjector(job, layer);
    this.#projection = layer.projection;
    this.#placed.begin({ buffer: 0, extent: 1 }, layer.world === 0 ? 0 : spanX * cols, 0);
    // What rounds to the edge lies on it.
    const [dx, dy] = [spanX / layer.extent / 2, spanY / layer.extent / 2];
    this.#world[0] = wraps ? Number.NEGATIVE_INFINITY : originX - dx;
    this.#world[1] = -originY - dy;
    this.#world[2] = wraps ? Number.POSITIVE_INFINITY : originX + spanX * cols + dx;
    this.#world[3] = spanY * rows - originY + dy;
    this.#largest = 0;
  }

  reset(): void {
    this.#rank = NOTHING;
    this.#size = -1;
    this.#keeping = false;
    this.#shows = false;
    this.#n = 0;
    this.#rings = 0;
  }

  putPoints(xy: Float64Array, from: number, n: number): void {
    if (this.#rank > NOTHING) return;
    this.#room(n);
    const m = this.#placed.project(this.#project, xy, from, n);
    const { points } = this.#placed;
    const [minx, miny, maxx, maxy] = this.#world;
    for (let i = 0; i < m * 2; i += 2) {
      if (!(points[i] >= minx && points[i] <= maxx && points[i + 1] >= miny && points[i + 1] <= maxy)) continue;
      this.#rank = POINT;
      this.#shows = true;
      this.#keep(points, i, 1, 0);
      return;
    }
  }

  putLine(xy: Float64Array, from: number, n: number): void {
    if (this.#rank > LINE || n === 0) return;
    this.#room(n);
    const placed = this.#placed;
    const m = placed.project(this.#project, xy, from, n);
    if (m === 0) return;
    placed.unroll();
    if (!placed.bound()) return;
    if (!this.#shows) this.#shows = roundsApart(this.#place, this.#extent, this.#projection, placed.box);
    if (this.#inWorld()) return this.#keepLonger(placed.points, 0, m);
    const [minx, miny, maxx, maxy] = this.#world;
    if (this.#clip.a.length < m * 4) this.#clip.a = new Float64Array(m * 4);
    if (this.#ends.length < m * 2) this.#ends = new Int32Array(m * 2);
    const pieces = clipLine(placed.points, 0, m, minx, miny, maxx, maxy, this.#clip.a, this.#ends);
    for (let i = 0, first = 0; i < pieces; first = this.#ends[i++])
      this.#keepLonger(this.#clip.a, first * 2, this.#ends[i] - first);
  }

  #keepLonger(xy: Float64Array, from: number, n: number): void {
    let length = 0;
    for (let i = from + 2; i < from + n * 2; i += 2) length += Math.hypot(xy[i] - xy[i - 2], xy[i + 1] - xy[i - 1]);
    if (this.#rank === LINE && !(length > this.#size)) return;
    this.#rank = LINE;
    this.#size = length;
    this.#keep(xy, from, n, 0);
  }

  /** False for an outer ring whose polygon is not wanted: its holes need not be shown. */
  putRing(xy: Float64Array, from: number, n: number, outer: boolean): boolean {
    if (!outer && !this.#keeping) return false;
    if (outer) this.#keeping = false;
    this.#room(n);
    const placed = this.#placed;
    if (placed.project(this.#project, xy, from, n) === 0) return false;
    placed.open();
    if (!placed.bound()) return false;
    let points: Float64Array = placed.points;
    let m = placed.n;
    if (!this.#inWorld()) {
      const [minx, miny, maxx, maxy] = this.#world;
      m = clipRing(points, m, placed.box, minx, miny, maxx, maxy, this.#clip);
      points = this.#clip.ring;
    }
    if (m === 0) return false;
    if (!outer) {
      if (m > 2) this.#keep(points, 0, m, this.#n);
      return true;
    }
    const size = Math.abs(area2(points, m));
    if (this.#rank === AREA && !(size > this.#size)) return false;
    this.#rank = AREA;
    this.#shows = true;
    this.#size = size;
    this.#rings = 0;
    this.#keep(points, 0, m, 0);
    this.#keeping = true;
    return true;
  }

  /** Finds the label, where the part that it will be of may lie in this tile. */
  finish(): void {
    if (this.#rank === NOTHING) return;
    if (!this.#shows || (!this.everywhere && !boundsMeet(this.#place, this.#xy, this.#n))) this.#rank = NOTHING;
    else if (this.#rank === AREA) this.#pole();
    else if (this.#rank === LINE) this.#middle();
    else this.at.set(this.#xy.subarray(0, 2));
  }

  drew(): boolean {
    return this.#rank !== NOTHING;
  }

  /** Whether that point of the grid is in this tile; `units` say where then. */
  owned(x: number, y: number): boolean {
    return ownedBy(this.#place, this.#extent, x, y, this.units);
  }

  #pole(): void {
    const rings = { xy: this.#xy, ends: this.#ringEnds, count: this.#rings };
    const tolerance = TOLERANCE_SHARE * Math.min(this.#place.spanX, this.#place.spanY);
    // Where there is no area, its first point.
    if (!poleOf(rings, tolerance, this.#scratch, this.at)) this.at.set(this.#xy.subarray(0, 2));
  }

  #middle(): void {
    const xy = this.#xy;
    let left = this.#size / 2;
    this.at.set(xy.subarray(0, 2));
    for (let i = 2; i < this.#n * 2; i += 2) {
      const [dx, dy] = [xy[i] - xy[i - 2], xy[i + 1] - xy[i - 1]];
      const length = Math.hypot(dx, dy);
      if (length >= left) {
        const t = length > 0 ? left / length : 0;
        this.at[0] = xy[i - 2] + dx * t;
        this.at[1] = xy[i - 1] + dy * t;
        return;
      }
      left -= length;
    }
  }

  #inWorld(): boolean {
    const { box } = this.#placed;
    const world = this.#world;
    return box[0] >= world[0] && box[1] >= world[1] && box[2] <= world[2] && box[3] <= world[3];
  }

  /** Keeps n points behind the first `after`, as one more ring. */
  #keep(xy: Float64Array, from: number, n: number, after: number): void {
    const needed = (after + n) * 2;
    if (this.#xy.length < needed) {
      const grown = new Float64Array(needed + (needed >> 1));
      grown.set(this.#xy.subarray(0, after * 2));
      this.#xy = grown;
    }
    this.#xy.set(xy.subarray(from, from + n * 2), after * 2);
    this.#n = after + n;
    if (this.#rings === this.#ringEnds.length) {
      const grown = new Int32Array(this.#rings * 2);
      grown.set(this.#ringEnds);
      this.#ringEnds = grown;
    }
    if (after === 0) this.#rings = 0;
    this.#ringEnds[this.#rings++] = this.#n;
    if (this.#n > this.#largest) this.#largest = this.#n;
  }

  #room(n: number): void {
    if (n > this.#largest) this.#largest = n;
  }

  /** What the largest geometry since begin() took; pooled buffers may be larger. */
  used(): number {
    return this.#largest * POINT_BYTES + poleBytes(this.#largest);
  }

  trim(maxBytes: number): void {
    if (this.#placed.points.byteLength + this.#xy.byteLength + this.#clip.a.byteLength <= maxBytes) return;
    this.#placed.trim();
    this.#clip = newClipScratch(512);
    this.#ends = new Int32Array(64);
    this.#scratch = newPoleScratch();
    this.#xy = new Float64Array(1024);
    this.#ringEnds = new Int32Array(64);
  }
}

function area2(xy: Float64Array, n: number): number {
  const x0 = xy[0];
  const y0 = xy[1];
  let sum = 0;
  let px = xy[n * 2 - 2] - x0;
  let py = xy[n * 2 - 1] - y0;
  for (let i = 0; i < n * 2; i += 2) {
    const x = xy[i] - x0;
    const y = xy[i + 1] - y0;
    sum += px * y - x * py;
    px = x;
    py = y;
  }
  return sum;
}
