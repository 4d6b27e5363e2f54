/** A part of a geometry in tile units, with its bounds and how it lies to the tile and its neighbours. */
import type { Seams } from '../../kernels/simplify.ts';
import { pixelSide } from './job.ts';
import type { Projector } from './project.ts';

/** Points that close a ring over a pole, and how far out in tile heights of zoom 0 that is: far beyond all tiles. */
const POLE_POINTS = 3;
const POLE_WORLDS = 4;

/** Parts up to this share of the extent are simplified before they are clipped. */
const SMALL_SHARE = 32;

export class Placed {
  /** x y x y …, the first n of them. */
  points = new Float64Array(1024);
  n = 0;
  /** minx, miny, maxx, maxy. */
  readonly box = new Float64Array(4);
  /** The tile with its buffer. */
  min = 0;
  max = 0;
  #world = 0;
  #equator = 0;
  #near = 0;
  #far = 0;
  #small = 0;
  /** How far beyond the box something may lie whose stand-in reaches into it. */
  #reach = 0;

  /** `world`: its width where points may jump across the antimeridian, else 0. `equator`: where that is, in tile units. */
  begin({ buffer, extent }: Seams, world: number, equator: number): void {
    this.#world = world;
    this.#equator = equator;
    this.min = -buffer;
    this.max = extent + buffer;
    this.#near = buffer;
    this.#far = extent - buffer;
    this.#small = extent / SMALL_SHARE;
    this.#reach = pixelSide(extent);
  }

  /** Projects `count` points from xy[from]; answers with how many have an image. */
  project(project: Projector, xy: Float64Array, from: number, count: number): number {
    if (this.points.length < count * 2 + POLE_POINTS * 2) this.points = new Float64Array(count * 3 + POLE_POINTS * 2);
    this.n = project(xy, from, count, this.points);
    return this.n;
  }

  /** Lines and rings across the antimeridian, in one piece: no step is longer than half the world. */
  unroll(): void {
    const world = this.#world;
    if (world === 0) return;
    const p = this.points;
    let turns = 0;
    let before = p[0];
    for (let i = 2; i < this.n * 2; i += 2) {
      turns -= Math.round((p[i] - before) / world);
      before = p[i];
      p[i] += turns * world;
    }
  }

  /** A ring once around the world does not close by itself: its pole is what it goes around. */
  #closeOverPole(): void {
    const world = this.#world;
    const p = this.points;
    const last = this.n * 2 - 2;
    const turns = world === 0 ? 0 : Math.round((p[last] - p[0]) / world);
    if (turns === 0) return;
    let sum = 0;
    for (let i = 1; i < this.n * 2; i += 2) sum += p[i];
    const y = sum / this.n < this.#equator ? -POLE_WORLDS * world : POLE_WORLDS * world;
    const ends = [p[0] + turns * world, p[1], p[0] + turns * world, y, p[0], y];
    p.set(ends, this.n * 2);
    this.n += POLE_POINTS;
  }

  /** A ring's last points that repeat its first. */
  open(): void {
    const p = this.points;
    this.unroll();
    this.#closeOverPole();
    while (this.n > 1 && p[this.n * 2 - 2] === p[0] && p[this.n * 2 - 1] === p[1]) this.n--;
  }

  /** Finds the bounds; false where a coordinate is not a number. */
  bound(): boolean {
    let sane = 0;
    let minx = Number.POSITIVE_INFINITY;
    let miny = minx;
    let maxx = -minx;
    let maxy = -minx;
    const { points, box } = this;
    for (let i = 0; i < this.n * 2; i += 2) {
      const x = points[i];
      const y = points[i + 1];
      sane += x - x + (y - y);
      if (x < minx) minx = x;
      if (x > maxx) maxx = x;
      if (y < miny) miny = y;
      if (y > maxy) maxy = y;
    }
    box[0] = minx;
    box[1] = miny;
    box[2] = maxx;
    box[3] = maxy;
    return sane === 0;
  }

  get width(): number {
    return this.box[2] - this.box[0];
  }

  get height(): number {
    return this.box[3] - this.box[1];
  }

  small(): boolean {
    return this.width <= this.#small && this.height <= this.#small;
  }

  misses(shift: number): boolean {
    const { box } = this;
    const min = this.min - this.#reach;
    const max = this.max + this.#reach;
    return !(box[0] + shift <= max && box[2] + shift >= min && box[1] <= max && box[3] >= min);
  }

  inside(shift: number): boolean {
    const { box, min, max } = this;
    return box[0] + shift >= min && box[2] + shift <= max && box[1] >= min && box[3] <= max;
  }

  /** Whether a neighbouring tile sees some of it too. */
  seamed(shift: number): boolean {
    const box = this.box;
    const [near, far] = [this.#near, this.#far];
    return !(box[0] + shift > near && box[1] > near && box[2] + shift < far && box[3] < far);
  }

  trim(): void {
    this.points = new Float64Array(1024);
  }
}
