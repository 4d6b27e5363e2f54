/**
 * One feature's geometry, from its flatbuffer table to the pen. A collection may hold points, lines and polygons; each kind is
 * collected apart and becomes a feature of its own with the same id.
 */
import type { Geometry, Position } from 'geojson';
import { decodeGeometryAt } from '../../source/fgb/feature.ts';
import * as layout from '../../source/fgb/layout.ts';

/** A feature in the pooled run: its bytes are start … end − 1. */
export interface FeatureFrame {
  readonly view: DataView;
  readonly raw: Uint8Array;
  readonly doubles: Float64Array;
  readonly start: number;
  readonly end: number;
}

/** Takes a feature part by part; coordinates are x y x y … from xy[from] on, n points, and only good until it returns. */
export interface GeometryPen {
  reset(): void;
  putPoints(xy: Float64Array, from: number, n: number): void;
  putLine(xy: Float64Array, from: number, n: number): void;
  /** False for an outer ring whose holes do not matter. */
  putRing(xy: Float64Array, from: number, n: number, outer: boolean): boolean;
  finish(): void;
  /** Whether anything came of it. */
  drew(): boolean;
}

const CURVES_FIRST = 8;
const CURVES_LAST = 14;

/** Walks a feature's geometry table and has the pen draw what it finds there. */
export class GeometryWalker {
  readonly #pen: GeometryPen;
  /** Coordinates of a part as they lie in the file, when they cannot be viewed there. */
  #copied = new Float64Array(1024);
  /** The coordinates of the table at hand: n points, from xy[from] on. Fields, because an object a part is garbage. */
  #xy: Float64Array = this.#copied;
  #from = 0;
  #n = 0;
  #walked: layout.Walked = { left: 0 };

  constructor(pen: GeometryPen) {
    this.#pen = pen;
  }

  /** False where nothing of it shows in the tile. */
  walk(frame: FeatureFrame, table: number, headerType: number): boolean {
    this.#pen.reset();
    this.#walked.left = frame.end - frame.start;
    this.#table(frame, table, headerType, 0);
    this.#pen.finish();
    return this.#pen.drew();
  }

  #table(frame: FeatureFrame, table: number, fallback: number, depth: number): void {
    const { view, start, end } = frame;
    if (depth > layout.DEPTH_MAX) throw layout.corrupt(`geometries nest deeper than ${layout.DEPTH_MAX}`);
    const own = layout.field(view, table, layout.GEOMETRY_TYPE, start, end);
    const type = (own ? view.getUint8(own) : 0) || fallback;
    if (type >= CURVES_FIRST && type <= CURVES_LAST) return this.#linearised(frame, table, type);
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
    // A writer may put the only polygon of a multipolygon straight into its table; GDAL puts all triangles of a TIN there.
    if (parts === 0 && type === 17) return this.#linearised(frame, table, 16);
    if (parts === 0) return type === 3 ? this.#polygonOf(frame, table) : undefined;
    const n = view.getUint32(parts, true);
    layout.spend(this.#walked, n * 8);
    for (let i = 0; i < n; i++) {
      this.#table(frame, layout.follow(view, parts + 4 + i * 4, start, end), type, depth + 1);
    }
  }

  /** Rare: linearised as GeoJSON is, then painted from its positions. */
  #linearised(frame: FeatureFrame, table: number, type: number): void {
    this.#geojson(decodeGeometryAt(frame, table, type, this.#walked));
  }

  #geojson(geometry: Geometry | null): void {
    if (geometry === null) return;
    if (geometry.type === 'GeometryCollection') for (const part of geometry.geometries) this.#geojson(part);
    else if (geometry.type === 'LineString')
      this.#pen.putLine(this.#flat(geometry.coordinates), 0, geometry.coordinates.length);
    else if (geometry.type === 'MultiLineString')
      for (const line of geometry.coordinates) this.#pen.putLine(this.#flat(line), 0, line.length);
    else if (geometry.type === 'Polygon') this.#rings(geometry.coordinates);
    else if (geometry.type === 'MultiPolygon') for (const rings of geometry.coordinates) this.#rings(rings);
  }

  #rings(rings: readonly Position[][]): void {
    let outer = true;
    for (const ring of rings) {
      if (!this.#pen.putRing(this.#flat(ring), 0, ring.length, outer) && outer) return;
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

  /** Finds the xy vector of a table, as doubles: in place where it is aligned, else copied. */
  #coordinates(frame: FeatureFrame, table: number): void {
    const { view, doubles, start, end } = frame;
    const at = layout.vector(view, table, layout.GEOMETRY_XY, 8, start, end);
    this.#xy = doubles;
    this.#from = (at + 4) >> 3;
    this.#n = at === 0 ? 0 : view.getUint32(at, true) >> 1;
    layout.spend(this.#walked, this.#n * 16);
    if (at === 0 || ((at + 4) & 7) === 0) return;
    if (this.#copied.length < this.#n * 2) this.#copied = new Float64Array(this.#n * 4);
    for (let i = 0; i < this.#n * 2; i++) this.#copied[i] = view.getFloat64(at + 4 + i * 8, true);
    this.#xy = this.#copied;
    this.#from = 0;
  }

  #pointsOf(frame: FeatureFrame, table: number): void {
    this.#coordinates(frame, table);
    this.#pen.putPoints(this.#xy, this.#from, this.#n);
  }

  /** Where the vector of ends has its length; 0: the coordinates are one piece. */
  #ends({ view, start, end }: FeatureFrame, table: number): number {
    const ends = layout.vector(view, table, layout.GEOMETRY_ENDS, 4, start, end);
    return ends === 0 || view.getUint32(ends, true) === 0 ? 0 : ends;
  }

  /** The end of piece i, in points, which must come after the piece before. */
  #endOf(view: DataView, ends: number, i: number, after: number): number {
    const stop = view.getUint32(ends + 4 + i * 4, true);
    if (stop < after || stop > this.#n) {
      throw layout.corrupt(`part ${i} ends at point ${stop} of ${this.#n}, after ${after}`);
    }
    return stop;
  }

  #linesOf(frame: FeatureFrame, table: number): void {
    this.#coordinates(frame, table);
    const ends = this.#ends(frame, table);
    if (ends === 0) {
      if (this.#n > 0) this.#pen.putLine(this.#xy, this.#from, this.#n);
      return;
    }
    const count = frame.view.getUint32(ends, true);
    for (let i = 0, at = 0; i < count; i++) {
      const stop = this.#endOf(frame.view, ends, i, at);
      this.#pen.putLine(this.#xy, this.#from + at * 2, stop - at);
      at = stop;
    }
  }

  #polygonOf(frame: FeatureFrame, table: number): void {
    this.#coordinates(frame, table);
    const ends = this.#ends(frame, table);
    if (ends === 0) {
      if (this.#n > 0) this.#pen.putRing(this.#xy, this.#from, this.#n, true);
      return;
    }
    const count = frame.view.getUint32(ends, true);
    for (let i = 0, at = 0; i < count; i++) {
      const stop = this.#endOf(frame.view, ends, i, at);
      // Without its outer ring there is nothing for the holes to be in.
      if (!this.#pen.putRing(this.#xy, this.#from + at * 2, stop - at, i === 0) && i === 0) return;
      at = stop;
    }
  }

  trim(maxBytes: number): void {
    if (this.#copied.byteLength > maxBytes) this.#copied = new Float64Array(1024);
  }
}
