/**
 * What draws one feature into a tile: projected coordinates, clipped to the buffered box, rounded, simplified and written as
 * MVT commands. Its buffers are pooled, and grow with the largest ring.
 */
import { newOut } from '../../kernels/bytes-out.ts';
import { clipLine, clipRing, newClipScratch } from '../../kernels/clip.ts';
import { type Commands, putLine, putPoints, putRing, resetCommands } from '../../kernels/mvt.ts';
import { area2, newSimplifyScratch, openRing, quantise, simplifyLine, simplifyRing } from '../../kernels/simplify.ts';
import type { VectorJob, VectorJobLayer } from './job.ts';
import { type Projector, projector } from './project.ts';

/** Side of what stands for a polygon too small to have an area, as a share of the extent: a pixel of a map of 512. */
const PIXEL_SHARE = 512;
/** A point projected, clipped twice, rounded, with its marks for simplifying: see the buffers below. */
const POINT_BYTES = 20 + 30 + 30 + 12 + 10;

function newCommands(): Commands {
  return { ...newOut(16 * 1024), x: 0, y: 0 };
}

/** Coordinates come in the layer's CRS. A collection may hold points, lines and polygons: each kind is collected apart. */
export class Pen {
  points = newCommands();
  lines = newCommands();
  polygons = newCommands();
  #project!: Projector;
  #shifts: readonly number[] = [0];
  #min = 0;
  #max = 0;
  #tolerance2 = 0;
  #pixel = 8;
  #largest = 0;
  #projected = new Float64Array(1024);
  #clip = newClipScratch(512);
  #ends = new Int32Array(512);
  #ints = new Int32Array(4096);
  #simplify = newSimplifyScratch(512);
  #box = new Float64Array(4);

  begin(job: VectorJob, layer: VectorJobLayer): void {
    this.#project = projector(job, layer);
    this.#largest = 0;
    this.#shifts = layer.shifts.length > 0 ? layer.shifts : [0];
    this.#min = -layer.buffer;
    this.#max = layer.extent + layer.buffer;
    this.#tolerance2 = layer.tolerance * layer.tolerance;
    this.#pixel = Math.max(1, Math.round(layer.extent / PIXEL_SHARE));
  }

  /** Begins the next feature. */
  reset(): void {
    resetCommands(this.points);
    resetCommands(this.lines);
    resetCommands(this.polygons);
  }

  /** Whether anything of the feature shows in the tile. */
  drew(): boolean {
    return this.points.at + this.lines.at + this.polygons.at > 0;
  }

  /** Draws n points, x y x y …, that begin at xy[from]. */
  putPoints(xy: Float64Array, from: number, n: number): void {
    this.#room(n);
    const m = this.#project(xy, from, n, this.#projected);
    let kept = 0;
    for (const shift of this.#shifts) {
      for (let i = 0; i < m; i++) {
        const x = this.#projected[i * 2] + shift;
        const y = this.#projected[i * 2 + 1];
        if (!(x >= this.#min && x <= this.#max && y >= this.#min && y <= this.#max)) continue;
        if (kept * 2 + 2 > this.#ints.length) this.#growInts();
        this.#ints[kept * 2] = Math.round(x);
        this.#ints[kept * 2 + 1] = Math.round(y);
        kept++;
      }
    }
    if (kept > 0) putPoints(this.points, this.#ints, kept);
  }

  #growInts(): void {
    const grown = new Int32Array(this.#ints.length * 2);
    grown.set(this.#ints);
    this.#ints = grown;
  }

  #room(n: number): void {
    if (n > this.#largest) this.#largest = n;
    if (this.#projected.length < n * 2) this.#projected = new Float64Array(n * 2 + (n >> 1));
    this.#roomForInts(n);
  }

  /** Rounded points; what is in there already is not kept. */
  #roomForInts(n: number): void {
    if (this.#ints.length < n * 2 + 8) this.#ints = new Int32Array(n * 2 + (n >> 1) + 8);
  }

  /** Bounds of the projected points; false where they miss the tile at every shift. */
  #bounds(n: number): void {
    let minx = Number.POSITIVE_INFINITY;
    let miny = minx;
    let maxx = -minx;
    let maxy = -minx;
    for (let i = 0; i < n * 2; i += 2) {
      const x = this.#projected[i];
      const y = this.#projected[i + 1];
      if (x < minx) minx = x;
      if (x > maxx) maxx = x;
      if (y < miny) miny = y;
      if (y > maxy) maxy = y;
    }
    this.#box[0] = minx;
    this.#box[1] = miny;
    this.#box[2] = maxx;
    this.#box[3] = maxy;
  }

  #misses(shift: number): boolean {
    const [minx, miny, maxx, maxy] = this.#box;
    return !(minx + shift <= this.#max && maxx + shift >= this.#min && miny <= this.#max && maxy >= this.#min);
  }

  #inside(shift: number): boolean {
    const [minx, miny, maxx, maxy] = this.#box;
    return minx + shift >= this.#min && maxx + shift <= this.#max && miny >= this.#min && maxy <= this.#max;
  }

  /** Draws the open line of so many points that begins at xy[from]. */
  putLine(xy: Float64Array, from: number, points: number): void {
    this.#room(points);
    const n = this.#project(xy, from, points, this.#projected);
    if (n < 2) return;
    this.#bounds(n);
    for (const shift of this.#shifts) {
      if (this.#misses(shift)) continue;
      const min = this.#min;
      const max = this.#max;
      if (this.#inside(shift)) {
        this.#putLine(this.#projected, 0, n, shift);
        continue;
      }
      if (this.#clip.a.length < n * 4) this.#clip.a = new Float64Array(n * 4);
      if (this.#ends.length < n * 2) this.#ends = new Int32Array(n * 2);
      const out = this.#clip.a;
      const pieces = clipLine(this.#projected, 0, n, min - shift, min, max - shift, max, out, this.#ends);
      let at = 0;
      for (let i = 0; i < pieces; i++) {
        this.#putLine(out, at * 2, this.#ends[i] - at, shift);
        at = this.#ends[i];
      }
    }
  }

  #putLine(src: Float64Array, from: number, n: number, shift: number): void {
    const rounded = quantise(src, from, n, shift, this.#ints);
    let kept = simplifyLine(this.#ints, rounded, this.#tolerance2, this.#simplify);
    // A small loop whose ends meet: drawn as it was rounded.
    if (kept < 2 && rounded >= 3) kept = quantise(src, from, n, shift, this.#ints);
    if (kept >= 2) putLine(this.lines, this.#ints, kept);
  }

  /** Draws a ring, closed or open; true where at least one image of it was drawn. */
  putRing(xy: Float64Array, from: number, points: number, outer: boolean): boolean {
    this.#room(points);
    let n = this.#project(xy, from, points, this.#projected);
    const p = this.#projected;
    while (n > 1 && p[n * 2 - 2] === p[0] && p[n * 2 - 1] === p[1]) n--;
    if (n === 0) return false;
    this.#bounds(n);
    let drawn = false;
    for (const shift of this.#shifts) {
      if (this.#misses(shift)) continue;
      let src: Float64Array = this.#projected;
      let m = n;
      if (!this.#inside(shift)) {
        m = clipRing(src, n, this.#box, this.#min - shift, this.#min, this.#max - shift, this.#max, this.#clip);
        src = this.#clip.ring;
      }
      if (m > 0 && this.#putRing(src, m, shift, outer)) drawn = true;
    }
    return drawn;
  }

  #putRing(src: Float64Array, n: number, shift: number, outer: boolean): boolean {
    this.#roomForInts(n);
    const ints = this.#ints;
    let m = openRing(ints, quantise(src, 0, n, shift, ints));
    const before = m;
    if (m > 4 && this.#tolerance2 > 0) m = openRing(ints, simplifyRing(ints, m, this.#tolerance2, this.#simplify));
    let area = m >= 3 ? area2(ints, m) : 0;
    if (area === 0 && m < before) {
      // What simplifying flattened is drawn as it was rounded.
      m = openRing(ints, quantise(src, 0, n, shift, ints));
      area = m >= 3 ? area2(ints, m) : 0;
    }
    if (area === 0) return outer && this.#putSpeck(m);
    putRing(this.polygons, ints, m, outer !== area > 0);
    return true;
  }

  /** A polygon without area after rounding: a pixel where it is small, a sliver along it where it is long. */
  #putSpeck(n: number): boolean {
    const ints = this.#ints;
    let far = 0;
    for (let i = 1; i < n; i++) {
      const d = Math.abs(ints[i * 2] - ints[0]) + Math.abs(ints[i * 2 + 1] - ints[1]);
      if (d > Math.abs(ints[far * 2] - ints[0]) + Math.abs(ints[far * 2 + 1] - ints[1])) far = i;
    }
    const [ax, ay, bx, by] = [ints[0], ints[1], ints[far * 2], ints[far * 2 + 1]];
    const side = this.#pixel;
    if (Math.abs(bx - ax) <= side && Math.abs(by - ay) <= side) {
      const x = Math.round((ax + bx - side) / 2);
      const y = Math.round((ay + by - side) / 2);
      ints.set([x, y, x + side, y, x + side, y + side, x, y + side]);
      putRing(this.polygons, ints, 4, false);
      return true;
    }
    const upright = Math.abs(by - ay) > Math.abs(bx - ax);
    ints.set([ax, ay, bx, by, bx + (upright ? 1 : 0), by + (upright ? 0 : 1)]);
    putRing(this.polygons, ints, 3, area2(ints, 3) < 0);
    return true;
  }

  /** What the largest ring or line since begin() took, with the feature's commands; pooled buffers may be larger. */
  used(): number {
    return this.#largest * POINT_BYTES + this.points.at + this.lines.at + this.polygons.at;
  }

  #held(): number {
    const { points, lines, polygons } = this;
    const commands = points.bytes.length + lines.bytes.length + polygons.bytes.length;
    const { a, b } = this.#clip;
    const { keep, stack } = this.#simplify;
    const doubles = this.#projected.byteLength + a.byteLength + b.byteLength;
    return commands + doubles + this.#ints.byteLength + this.#ends.byteLength + keep.byteLength + stack.byteLength;
  }

  /** Gives the pooled buffers back where they are larger than that. */
  trim(maxBytes: number): void {
    if (this.#held() <= maxBytes) return;
    this.points = newCommands();
    this.lines = newCommands();
    this.polygons = newCommands();
    this.#projected = new Float64Array(1024);
    this.#clip = newClipScratch(512);
    this.#ends = new Int32Array(512);
    this.#ints = new Int32Array(4096);
    this.#simplify = newSimplifyScratch(512);
  }
}
