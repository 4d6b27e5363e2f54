/** The geometry of a feature as a shape in the filter's plane, straight from its bytes. */
import { LINE, POINT, RING, type Shape, type ShapeBuilder, shapeOf } from '../../kernels/relate/shape.ts';
import { decodeGeometryAt } from '../../source/fgb/feature.ts';
import {
  corrupt,
  field,
  follow,
  GEOMETRY_ENDS,
  GEOMETRY_PARTS,
  GEOMETRY_TYPE,
  GEOMETRY_XY,
  spend,
  vector,
  type Walked,
} from '../../source/fgb/layout.ts';
import type { Row } from './row.ts';

/** From the layer's CRS to the filter's; false: no image. null: the same plane. */
export type Move = ((x: number, y: number, out: Float64Array) => boolean) | null;

/** null: none, or with a point that has no image in the filter's CRS. `type`: the header's, for features that say none. */
export function shapeAt(row: Row, type: number, builder: ShapeBuilder, move: Move): Shape | null {
  if (row.geometry === 0) return null;
  const walked = { left: row.end - row.start };
  const own = typeOf(row, row.geometry, type);
  if (own < 1 || own > 6) {
    const geometry = decodeGeometryAt(row, row.geometry, own, walked);
    const shape = geometry && shapeOf(geometry, builder, move ?? undefined);
    return shape && shape.dimension >= 0 ? shape : null;
  }
  builder.begin();
  const reader = new Reader(row, builder, move, walked);
  const fine = own === 6 ? reader.polygons(row.geometry) : reader.simple(row.geometry, own);
  if (!fine) return null;
  const shape = builder.end();
  return shape.dimension >= 0 ? shape : null;
}

function typeOf({ view, start, end }: Row, table: number, fallback: number): number {
  const at = field(view, table, GEOMETRY_TYPE, start, end);
  return (at ? view.getUint8(at) : 0) || fallback;
}

class Reader {
  readonly #row: Row;
  readonly #builder: ShapeBuilder;
  readonly #move: Move;
  readonly #walked: Walked;
  readonly #at = new Float64Array(2);

  constructor(row: Row, builder: ShapeBuilder, move: Move, walked: Walked) {
    this.#row = row;
    this.#builder = builder;
    this.#move = move;
    this.#walked = walked;
  }

  polygons(table: number): boolean {
    const { view, start, end } = this.#row;
    const parts = vector(view, table, GEOMETRY_PARTS, 4, start, end);
    const n = parts ? view.getUint32(parts, true) : 0;
    spend(this.#walked, n * 8);
    for (let i = 0; i < n; i++) {
      if (!this.simple(follow(view, parts + 4 + i * 4, start, end), 3)) return false;
    }
    return true;
  }

  /** Points, a line, lines, or the rings of a polygon. */
  simple(table: number, type: number): boolean {
    const { view, start, end } = this.#row;
    const xy = vector(view, table, GEOMETRY_XY, 8, start, end);
    const n = xy ? view.getUint32(xy, true) >> 1 : 0;
    spend(this.#walked, n * 16);
    if (n === 0) return true;
    if (type === 1 || type === 4) {
      for (let i = 0; i < (type === 1 ? 1 : n); i++) if (!this.#path(POINT, xy, i, i + 1)) return false;
      return true;
    }
    if (type === 2) return this.#path(LINE, xy, 0, n);
    const ends = vector(view, table, GEOMETRY_ENDS, 4, start, end);
    const count = ends ? view.getUint32(ends, true) : 0;
    for (let k = 0, from = 0; k < Math.max(1, count); k++) {
      const to = count === 0 ? n : view.getUint32(ends + 4 + k * 4, true);
      if (to < from || to > n) throw corrupt(`part ${k} ends at coordinate ${to} of ${n}`);
      if (to > from && !this.#path(type === 3 ? RING : LINE, xy, from, to)) return false;
      if (type === 3 && to > from) this.#builder.endRing(k > 0);
      from = to;
    }
    return true;
  }

  #path(kind: number, xy: number, from: number, to: number): boolean {
    const { view } = this.#row;
    this.#builder.path(kind);
    for (let i = from; i < to; i++) {
      const x = view.getFloat64(xy + 4 + i * 16, true);
      const y = view.getFloat64(xy + 12 + i * 16, true);
      if (this.#move === null) this.#builder.point(x, y);
      else if (this.#move(x, y, this.#at)) this.#builder.point(this.#at[0], this.#at[1]);
      else return false;
    }
    return true;
  }
}
