/**
 * One feature's geometry, from its flatbuffer table to MVT commands. A collection may hold points, lines and polygons; each
 * kind is collected apart and becomes a feature of its own with the same id.
 */
import type { Geometry, Position } from 'geojson';
import { clipLine, clipRing, clipRoom } from '../kernels/clip.ts';
import { newOut } from '../kernels/bytes-out.ts';
import { type Commands, putLine, putPoints, putRing, resetCommands } from '../kernels/mvt.ts';
import { area2, newSimplifyScratch, openRing, quantise, simplifyLine, simplifyRing } from '../kernels/simplify.ts';
import { decodeGeometryAt } from '../source/fgb-feature.ts';
import * as layout from '../source/fgb-layout.ts';
import { type Projector, projector } from './vector-project.ts';
import type { VectorJob, VectorJobLayer } from './vector-job.ts';

/** A feature in the pooled run: its bytes are start … end − 1. */
export interface FeatureFrame {
  readonly view: DataView;
  readonly raw: Uint8Array;
  readonly doubles: Float64Array;
  readonly start: number;
  readonly end: number;
}

export interface GeometryPainter {
  readonly points: Commands;
  readonly lines: Commands;
  readonly polygons: Commands;
  begin(job: VectorJob, layer: VectorJobLayer): void;
  /** False where nothing of it shows in the tile. */
  paint(frame: FeatureFrame, table: number, headerType: number): boolean;
  bytes(): number;
  trim(maxBytes: number): void;
}

/** Side of what stands for a polygon too small to have an area, as a share of the extent: a pixel of a map of 512. */
const PIXEL_SHARE = 512;
const CURVES_FIRST = 8;
const CURVES_LAST = 14;

export function createGeometryPainter(): GeometryPainter {
  return new Painter();
}

function newCommands(): Commands {
  return { ...newOut(16 * 1024), x: 0, y: 0 };
}

class Painter implements GeometryPainter {
  points = newCommands();
  lines = newCommands();
  polygons = newCommands();
  #project!: Projector;
  #shifts: readonly number[] = [0];
  #min = 0;
  #max = 0;
  #tolerance2 = 0;
  #pixel = 8;
  /** Coordinates of a part as they lie in the file, when they cannot be viewed there. */
  #copied = new Float64Array(1024);
  #projected = new Float64Array(1024);
  #a = new Float64Array(clipRoom(512));
  #b = new Float64Array(clipRoom(512));
  #ends = new Int32Array(512);
  #ints = new Int32Array(4096);
  #simplify = newSimplifyScratch(512);
  #box = new Float64Array(4);

  begin(job: VectorJob, layer: VectorJobLayer): void {
    this.#project = projector(job, layer);
    this.#shifts = layer.shifts.length > 0 ? layer.shifts : [0];
    this.#min = -layer.buffer;
    this.#max = layer.extent + layer.buffer;
    this.#tolerance2 = layer.tolerance * layer.tolerance;
    this.#pixel = Math.max(1, Math.round(layer.extent / PIXEL_SHARE));
  }

  paint(frame: FeatureFrame, table: number, headerType: number): boolean {
    resetCommands(this.points);
    resetCommands(this.lines);
    resetCommands(this.polygons);
    this.#table(frame, table, headerType, 0);
    return this.points.at + this.lines.at + this.polygons.at > 0;
  }

  #table(frame: FeatureFrame, table: number, fallback: number, depth: number): void {
    const { view, start, end } = frame;
    if (depth > layout.DEPTH_MAX) throw layout.corrupt(`geometries nest deeper than ${layout.DEPTH_MAX}`);
    const own = layout.field(view, table, layout.GEOMETRY_TYPE, start, end);
    const type = (own ? view.getUint8(own) : 0) || fallback;
    if (type >= CURVES_FIRST && type <= CURVES_LAST) return this.#curve(frame, table, type);
    switch (type) {
      case 1:
      case 4:
        return this.#pointsOf(frame, table);
      case 2:
      case 5:
        return this.#linesOf(frame, table);
      case 3:
      case 17:
        return this.#polygonOf(frame, table);
      case 6:
      case 15:
      case 16:
        return this.#parts(frame, table, type === 16 ? 17 : 3, depth);
      case 7:
        return this.#parts(frame, table, 0, depth);
      default:
        throw layout.corrupt(`geometry type ${type} does not exist`);
    }
  }

  #parts(frame: FeatureFrame, table: number, type: number, depth: number): void {
    const { view, start, end } = frame;
    const parts = layout.vector(view, table, layout.GEOMETRY_PARTS, 4, start, end);
    // A writer may put the only polygon of a multipolygon straight into its table.
    if (parts === 0) return type === 3 ? this.#polygonOf(frame, table) : undefined;
    const n = view.getUint32(parts, true);
    for (let i = 0; i < n; i++) {
      this.#table(frame, layout.follow(view, parts + 4 + i * 4, start, end), type, depth + 1);
    }
  }

  /** Rare: linearised as GeoJSON is, then painted from its positions. */
  #curve(frame: FeatureFrame, table: number, type: number): void {
    this.#geojson(decodeGeometryAt(frame, table, type));
  }

  #geojson(geometry: Geometry | null): void {
    if (geometry === null) return;
    if (geometry.type === 'GeometryCollection') for (const part of geometry.geometries) this.#geojson(part);
    else if (geometry.type === 'LineString') this.#line(this.#flat(geometry.coordinates), 0, geometry.coordinates.length);
    else if (geometry.type === 'MultiLineString') for (const line of geometry.coordinates) this.#line(this.#flat(line), 0, line.length);
    else if (geometry.type === 'Polygon') this.#rings(geometry.coordinates);
    else if (geometry.type === 'MultiPolygon') for (const rings of geometry.coordinates) this.#rings(rings);
  }

  #rings(rings: readonly Position[][]): void {
    let outer = true;
    for (const ring of rings) {
      if (!this.#ring(this.#flat(ring), 0, ring.length, outer) && outer) return;
      outer = false;
    }
  }

  #flat(positions: readonly Position[]): Float64Array {
    if (this.#copied.length < positions.length * 2) this.#copied = new Float64Array(positions.length * 4);
    for (let i = 0; i < positions.length; i++) {
      this.#copied[i * 2] = positions[i][0];
      this.#copied[i * 2 + 1] = positions[i][1];
    }
    return this.#copied;
  }

  /** The xy vector of a table as doubles: in place where it is aligned, else copied. */
  #coordinates(frame: FeatureFrame, table: number): { xy: Float64Array; from: number; n: number } {
    const { view, doubles, start, end } = frame;
    const at = layout.vector(view, table, layout.GEOMETRY_XY, 8, start, end);
    if (at === 0) return { xy: doubles, from: 0, n: 0 };
    const n = view.getUint32(at, true) >> 1;
    if (((at + 4) & 7) === 0) return { xy: doubles, from: (at + 4) >> 3, n };
    if (this.#copied.length < n * 2) this.#copied = new Float64Array(n * 4);
    for (let i = 0; i < n * 2; i++) this.#copied[i] = view.getFloat64(at + 4 + i * 8, true);
    return { xy: this.#copied, from: 0, n };
  }

  #pointsOf(frame: FeatureFrame, table: number): void {
    const { xy, from, n } = this.#coordinates(frame, table);
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

  /** Calls `each` with the pieces that `ends` cuts the coordinates into; without ends it is one piece. */
  #pieces(frame: FeatureFrame, table: number, each: (xy: Float64Array, from: number, n: number, index: number) => boolean): void {
    const { view, start, end } = frame;
    const { xy, from, n } = this.#coordinates(frame, table);
    const ends = layout.vector(view, table, layout.GEOMETRY_ENDS, 4, start, end);
    const count = ends === 0 ? 0 : view.getUint32(ends, true);
    if (count === 0) {
      if (n > 0) each(xy, from, n, 0);
      return;
    }
    let at = 0;
    for (let i = 0; i < count; i++) {
      const stop = view.getUint32(ends + 4 + i * 4, true);
      if (stop < at || stop > n) throw layout.corrupt(`part ${i} ends at point ${stop} of ${n}, after ${at}`);
      if (!each(xy, from + at * 2, stop - at, i)) return;
      at = stop;
    }
  }

  #linesOf(frame: FeatureFrame, table: number): void {
    this.#pieces(frame, table, (xy, from, n) => {
      this.#line(xy, from, n);
      return true;
    });
  }

  #polygonOf(frame: FeatureFrame, table: number): void {
    // Without its outer ring there is nothing for the holes to be in.
    this.#pieces(frame, table, (xy, from, n, i) => this.#ring(xy, from, n, i === 0) || i > 0);
  }

  #room(n: number): void {
    if (this.#projected.length < n * 2) {
      this.#projected = new Float64Array(n * 3);
      this.#a = new Float64Array(clipRoom(n + (n >> 1)));
      this.#b = new Float64Array(clipRoom(n + (n >> 1)));
      this.#ends = new Int32Array(n * 2);
    }
    if (this.#ints.length < this.#a.length) this.#ints = new Int32Array(this.#a.length);
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

  #line(xy: Float64Array, from: number, points: number): void {
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
      const pieces = clipLine(this.#projected, 0, n, min - shift, min, max - shift, max, this.#a, this.#ends);
      let at = 0;
      for (let i = 0; i < pieces; i++) {
        this.#putLine(this.#a, at * 2, this.#ends[i] - at, shift);
        at = this.#ends[i];
      }
    }
  }

  #putLine(src: Float64Array, from: number, n: number, shift: number): void {
    const rounded = quantise(src, from, n, shift, this.#ints);
    const kept = simplifyLine(this.#ints, rounded, this.#tolerance2, this.#simplify);
    if (kept >= 2) putLine(this.lines, this.#ints, kept);
  }

  /** True where at least one image of the ring was drawn. */
  #ring(xy: Float64Array, from: number, points: number, outer: boolean): boolean {
    this.#room(points);
    let n = this.#project(xy, from, points, this.#projected);
    const p = this.#projected;
    while (n > 1 && p[n * 2 - 2] === p[0] && p[n * 2 - 1] === p[1]) n--;
    if (n === 0) return false;
    this.#bounds(n);
    let drawn = false;
    for (const shift of this.#shifts) {
      if (this.#misses(shift)) continue;
      let src = this.#projected;
      let m = n;
      if (!this.#inside(shift)) {
        m = clipRing(src, 0, n, this.#min - shift, this.#min, this.#max - shift, this.#max, this.#a, this.#b);
        src = this.#a;
      }
      if (m > 0 && this.#putRing(src, m, shift, outer)) drawn = true;
    }
    return drawn;
  }

  #putRing(src: Float64Array, n: number, shift: number, outer: boolean): boolean {
    const ints = this.#ints;
    let m = openRing(ints, quantise(src, 0, n, shift, ints));
    const before = m;
    if (m > 4 && this.#tolerance2 > 0) m = simplifyRing(ints, m, this.#tolerance2, this.#simplify);
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

  bytes(): number {
    const { points, lines, polygons } = this;
    const commands = points.bytes.length + lines.bytes.length + polygons.bytes.length;
    return commands + this.#projected.byteLength + this.#a.byteLength * 2 + this.#ints.byteLength + this.#copied.byteLength;
  }

  trim(maxBytes: number): void {
    if (this.bytes() <= maxBytes) return;
    this.points = newCommands();
    this.lines = newCommands();
    this.polygons = newCommands();
    this.#copied = new Float64Array(1024);
    this.#projected = new Float64Array(1024);
    this.#a = new Float64Array(clipRoom(512));
    this.#b = new Float64Array(clipRoom(512));
    this.#ends = new Int32Array(512);
    this.#ints = new Int32Array(4096);
    this.#simplify = newSimplifyScratch(512);
  }
}
