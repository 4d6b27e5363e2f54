/**
 * What draws one feature into a tile: projected coordinates, clipped to the buffered box, rounded, simplified and written as
 * MVT commands. Its buffers are pooled, and grow with the largest ring.
 *
 * Neighbouring tiles draw alike what both of them see. Small parts are simplified whole and clipped then; large ones are clipped
 * first, and their points at the lines where tiles begin and buffers end are held fast (Seams).
 */
import { newOut } from '../../kernels/bytes-out.ts';
import { clipLine, clipRing, newClipScratch } from '../../kernels/clip.ts';
import { type Commands, putLine, putPoints, resetCommands } from '../../kernels/mvt.ts';
import { area2, openRing, quantise, type Seams } from '../../kernels/simplify.ts';
import type { GeometryPen } from './geometry.ts';
import type { VectorJob, VectorJobLayer } from './job.ts';
import { Placed } from './placed.ts';
import { Polygon, sliver, unitSquare } from './polygon.ts';
import { type Projector, projector } from './project.ts';
import { Rounder } from './rounder.ts';

/** A point projected, clipped twice, rounded, with its marks for simplifying: see the buffers below. */
export const POINT_BYTES = 20 + 30 + 30 + 12 + 10;

function newCommands(): Commands {
  return { ...newOut(16 * 1024), x: 0, y: 0 };
}

/** Coordinates come in the layer's CRS. A collection may hold points, lines and polygons: each kind is collected apart. */
export class Pen implements GeometryPen {
  points = newCommands();
  lines = newCommands();
  polygons = newCommands();
  #polygon = new Polygon();
  #project!: Projector;
  #shifts: readonly number[] = [0];
  #rounder = new Rounder();
  #largest = 0;
  #placed = new Placed();
  #whole = new Float64Array(256);
  #clip = newClipScratch(512);
  #ends = new Int32Array(512);
  #dots = new Int32Array(64);
  #dotCount = 0;
  #intBox = new Float64Array(4);

  begin(job: VectorJob, layer: VectorJobLayer): void {
    this.#project = projector(job, layer);
    this.#largest = 0;
    this.#shifts = layer.shifts.length > 0 ? layer.shifts : [0];
    const seams: Seams = { buffer: layer.buffer, extent: layer.extent };
    this.#rounder.begin(layer.tolerance, seams);
    this.#placed.begin(seams, layer.world, (job.top * layer.extent) / job.height);
    this.#polygon.begin(layer.extent);
  }

  /** Begins the next feature. */
  reset(): void {
    resetCommands(this.points);
    resetCommands(this.lines);
    resetCommands(this.polygons);
    this.#polygon.reset();
    this.#dotCount = 0;
  }

  /** Ends the feature: its points and rings are written. */
  finish(): void {
    putPoints(this.points, this.#dots, this.#dotCount);
    if (this.#polygon.hasSpecks()) {
      this.#polygon.specks(this.#rounder.ints, n => {
        const m = this.#clipInts(n);
        const area = m >= 3 ? area2(this.#rounder.ints, m) : 0;
        if (area !== 0) this.#polygon.add(this.#rounder.ints, m, true, area, 0);
      });
    }
    this.#polygon.finish(this.polygons);
  }

  /** Whether anything of the feature shows in the tile. */
  drew(): boolean {
    return this.points.at + this.lines.at + this.polygons.at > 0;
  }

  /** Takes n points, x y x y …, that begin at xy[from]; a tile has all points of a feature in one command, so finish() draws. */
  putPoints(xy: Float64Array, from: number, n: number): void {
    this.#room(n);
    const { min, max } = this.#placed;
    const m = this.#placed.project(this.#project, xy, from, n);
    for (const shift of this.#shifts) {
      for (let i = 0; i < m; i++) {
        const x = this.#placed.points[i * 2] + shift;
        const y = this.#placed.points[i * 2 + 1];
        if (!(x >= min && x <= max && y >= min && y <= max)) continue;
        if (this.#dotCount * 2 === this.#dots.length) this.#growDots();
        this.#dots[this.#dotCount * 2] = Math.round(x);
        this.#dots[this.#dotCount++ * 2 + 1] = Math.round(y);
      }
    }
  }

  #growDots(): void {
    const grown = new Int32Array(this.#dots.length * 2);
    grown.set(this.#dots);
    this.#dots = grown;
  }

  #room(n: number): void {
    if (n > this.#largest) this.#largest = n;
    this.#rounder.room(n);
  }

  /** Draws the open line of so many points that begins at xy[from]. */
  putLine(xy: Float64Array, from: number, points: number): void {
    this.#room(points);
    const placed = this.#placed;
    const n = placed.project(this.#project, xy, from, points);
    if (n < 2) return;
    placed.unroll();
    if (!placed.bound()) return;
    for (const shift of this.#shifts) {
      if (placed.misses(shift)) continue;
      this.#rounder.seamed = placed.seamed(shift);
      if (placed.inside(shift)) this.#writeLine(this.#rounder.line(placed.points, 0, n, shift));
      else if (placed.small()) this.#putSmallLine(this.#rounder.line(placed.points, 0, n, shift));
      else {
        const pieces = this.#cutLine(placed.points, n, shift);
        for (let i = 0, at = 0; i < pieces; at = this.#ends[i++]) {
          this.#writeLine(this.#rounder.line(this.#clip.a, at * 2, this.#ends[i] - at, shift));
        }
      }
    }
  }

  /** Clips the small line in #ints: its pieces are straight, so they need no simplifying. */
  #putSmallLine(n: number): void {
    if (n < 2) return;
    this.#toDoubles(n);
    const pieces = this.#cutLine(this.#whole, n, 0);
    for (let i = 0, at = 0; i < pieces; at = this.#ends[i++]) {
      this.#writeLine(quantise(this.#clip.a, at * 2, this.#ends[i] - at, 0, this.#rounder.ints));
    }
  }

  #cutLine(src: Float64Array, n: number, shift: number): number {
    const { min, max } = this.#placed;
    if (this.#clip.a.length < n * 4) this.#clip.a = new Float64Array(n * 4);
    if (this.#ends.length < n * 2) this.#ends = new Int32Array(n * 2);
    return clipLine(src, 0, n, min - shift, min, max - shift, max, this.#clip.a, this.#ends);
  }

  #writeLine(n: number): void {
    if (n >= 2) putLine(this.lines, this.#rounder.ints, n);
  }

  /** Takes a ring, closed or open; true where at least one image of it shows. finish() draws it. */
  putRing(xy: Float64Array, from: number, points: number, outer: boolean): boolean {
    this.#room(points);
    const placed = this.#placed;
    if (placed.project(this.#project, xy, from, points) === 0) return false;
    placed.open();
    if (!placed.bound()) return false;
    if (outer) this.#polygon.outer(placed.width, placed.height);
    let drawn = false;
    for (const shift of this.#shifts) {
      if (placed.misses(shift)) continue;
      this.#rounder.seamed = placed.seamed(shift);
      const inside = placed.inside(shift);
      if (inside || placed.small() ? this.#putWhole(shift, outer, inside) : this.#putClipped(shift, outer))
        drawn = true;
    }
    return drawn;
  }

  /** A ring that is all inside, or so small that it is simplified before it is clipped: all tiles that see it do the same. */
  #putWhole(shift: number, outer: boolean, inside: boolean): boolean {
    const { points, n, width, height } = this.#placed;
    let m = this.#rounder.ring(points, n, shift);
    let area = m >= 3 ? area2(this.#rounder.ints, m) : 0;
    if (area === 0) {
      m = outer ? this.#polygon.collapsed(this.#rounder.ints, m, width, height) : 0;
      if (m === 0) return false;
      area = area2(this.#rounder.ints, m);
    }
    if (!inside) {
      m = this.#clipInts(m);
      area = m >= 3 ? area2(this.#rounder.ints, m) : 0;
      if (area === 0) return false;
    }
    this.#polygon.add(this.#rounder.ints, m, outer, area, shift);
    return true;
  }

  /**
   * A convex ring of so few points that rounding is all it takes: not simplified, so that its area stays, and at least a unit wide. No
   * pixel stands in for it where it is small, which would be more than it is.
   */
  putExact(xy: Float64Array, points: number): void {
    this.#room(points);
    const placed = this.#placed;
    if (placed.project(this.#project, xy, 0, points) === 0) return;
    placed.open();
    if (!placed.bound()) return;
    this.#polygon.outer(placed.width, placed.height);
    const { ints } = this.#rounder;
    for (const shift of this.#shifts) {
      if (placed.misses(shift)) continue;
      let m = openRing(ints, quantise(placed.points, 0, placed.n, shift, ints));
      if (m < 3 || area2(ints, m) === 0) {
        const { box } = placed;
        m = unitSquare(ints, Math.floor((box[0] + box[2]) / 2 + shift), Math.floor((box[1] + box[3]) / 2));
      }
      if (!placed.inside(shift)) m = this.#clipInts(m);
      const area = m >= 3 ? area2(ints, m) : 0;
      if (area !== 0) this.#polygon.add(ints, m, true, area, shift);
    }
  }

  #putClipped(shift: number, outer: boolean): boolean {
    const { points, n, box, min, max } = this.#placed;
    const clipped = clipRing(points, n, box, min - shift, min, max - shift, max, this.#clip);
    if (clipped === 0) return false;
    let m = this.#rounder.ring(this.#clip.ring, clipped, shift);
    let area = m >= 3 ? area2(this.#rounder.ints, m) : 0;
    if (area === 0) {
      // What only grazes the box, or is flat out in the buffer, is the neighbour's to draw.
      if (!outer || !this.#rounder.inSight(m)) return false;
      m = sliver(this.#rounder.ints, m);
      area = area2(this.#rounder.ints, m);
    }
    this.#polygon.add(this.#rounder.ints, m, outer, area, shift);
    return true;
  }

  #toDoubles(n: number): void {
    if (this.#whole.length < n * 2) this.#whole = new Float64Array(n * 4);
    for (let i = 0; i < n * 2; i++) this.#whole[i] = this.#rounder.ints[i];
  }

  /** Clips the small ring in #ints to the box. */
  #clipInts(n: number): number {
    this.#toDoubles(n);
    const box = this.#intBox;
    const { min, max } = this.#placed;
    box[0] = box[1] = Number.POSITIVE_INFINITY;
    box[2] = box[3] = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < n * 2; i += 2) {
      box[0] = Math.min(box[0], this.#whole[i]);
      box[1] = Math.min(box[1], this.#whole[i + 1]);
      box[2] = Math.max(box[2], this.#whole[i]);
      box[3] = Math.max(box[3], this.#whole[i + 1]);
    }
    const m = clipRing(this.#whole, n, box, min, min, max, max, this.#clip);
    this.#rounder.room(m);
    return openRing(this.#rounder.ints, quantise(this.#clip.ring, 0, m, 0, this.#rounder.ints));
  }

  /** What the largest ring or line since begin() took, with the feature's commands; pooled buffers may be larger. */
  used(): number {
    return this.#largest * POINT_BYTES + this.#polygon.used() + this.points.at + this.lines.at + this.polygons.at;
  }

  #held(): number {
    const { points, lines, polygons } = this;
    const commands = points.bytes.length + lines.bytes.length + polygons.bytes.length + this.#polygon.heldBytes();
    const { a, b } = this.#clip;
    const doubles = this.#placed.points.byteLength + this.#whole.byteLength + a.byteLength + b.byteLength;
    return commands + doubles + this.#rounder.ints.byteLength + this.#dots.byteLength + this.#ends.byteLength;
  }

  /** Gives the pooled buffers back where they are larger than that. */
  trim(maxBytes: number): void {
    if (this.#held() <= maxBytes) return;
    this.points = newCommands();
    this.lines = newCommands();
    this.polygons = newCommands();
    this.#polygon.trim();
    this.#placed.trim();
    this.#whole = new Float64Array(256);
    this.#clip = newClipScratch(512);
    this.#ends = new Int32Array(512);
    this.#rounder.trim();
    this.#dots = new Int32Array(64);
  }
}
