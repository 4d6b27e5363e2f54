/** Geometry literals, the geometry of the feature, and the eight spatial predicates, all in the plane of filter-crs. */
import type { Geometry } from 'geojson';
import { resolveCrs, transformer } from '../../crs/index.ts';
import {
  type BoxNode,
  type CallNode,
  fault,
  type GeometryNode,
  type Node,
  type Spatial,
} from '../../kernels/cql2/ast.ts';
import { holds } from '../../kernels/relate/predicates.ts';
import { type Prepared, prepare } from '../../kernels/relate/prepared.ts';
import { relate } from '../../kernels/relate/relate.ts';
import { boxesShape, type Shape, ShapeBuilder, shapeOf } from '../../kernels/relate/shape.ts';
import type { BBox } from '../../tile.ts';
import type { Compiler } from './compile.ts';
import { type Move, shapeAt } from './geometry.ts';
import type { Row } from './row.ts';
import { type Booleans, FALSE, type Geometries, KIND_NAMES, NULL, TRUE } from './values.ts';

/** Where geometries meet: features are moved to the CRS that the literals are in, so a literal's edges are straight there. */
export interface Planes {
  readonly builder: ShapeBuilder;
  readonly move: Move;
  /** Literals give north or latitude first. */
  readonly northFirst: boolean;
  readonly geographic: boolean;
  /** The header's geometry type. */
  readonly geometryType: number;
}

export interface FilterCrs {
  readonly id: string;
  readonly northFirst: boolean;
}

export function planesOf(layerCrs: string, { id, northFirst }: FilterCrs, geometryType: number): Planes {
  const same = layerCrs === id;
  const { forward } = transformer(layerCrs, id);
  return {
    builder: new ShapeBuilder(),
    move: same ? null : (x, y, out) => forward(x, y, out, 0),
    northFirst,
    geographic: resolveCrs(id).geographic,
    geometryType,
  };
}

/** The boxes of BBOX: two where it crosses the antimeridian. x before y. */
export function boxesOf(
  { value, at }: BoxNode,
  { northFirst, geographic }: Pick<Planes, 'northFirst' | 'geographic'>,
): BBox[] {
  const half = value.length / 2;
  const [a, b, c, d] = [value[0], value[1], value[half], value[half + 1]];
  const [minx, miny, maxx, maxy] = northFirst ? [b, a, d, c] : [a, b, c, d];
  if (miny > maxy) throw fault(at, `the lower edge ${miny} of the box is above its upper edge ${maxy}`);
  if (minx <= maxx) return [[minx, miny, maxx, maxy]];
  if (!geographic) throw fault(at, `the left edge ${minx} of the box is beyond its right edge ${maxx}`);
  return [
    [minx, miny, 180, maxy],
    [-180, miny, maxx, maxy],
  ];
}

export function literalShape(node: GeometryNode | BoxNode, planes: Planes): Shape {
  if (node.kind === 'bbox') return boxesShape(boxesOf(node, planes), planes.builder);
  const swap = (x: number, y: number, out: Float64Array) => {
    out[0] = y;
    out[1] = x;
    return true;
  };
  return shapeOf(node.value, planes.builder, planes.northFirst ? swap : undefined) as Shape;
}

export function geometryLiteral(node: GeometryNode | BoxNode, planes: Planes): Geometries {
  const shape = literalShape(node, planes);
  const prepared = prepare(shape);
  if (node.kind === 'geometry' && node.value.type === 'GeometryCollection') refuseOverlaps(node.value, planes, node);
  const rectangle = node.kind === 'bbox' && shape.kinds.length === 1 && shape.dimension === 2;
  return { kind: 'geometry', get: () => prepared, shape: () => shape, fixed: true, rectangle };
}

/** The union of areas that overlap has other boundaries than they have: such a collection would be judged wrong. */
function refuseOverlaps(
  { geometries }: Geometry & { type: 'GeometryCollection' },
  planes: Planes,
  node: GeometryNode,
): void {
  const areas = geometries
    .map(one => prepare(shapeOf(one, planes.builder) as Shape))
    .filter(({ shape }) => shape.dimension === 2);
  for (let i = 0; i < areas.length; i++) {
    for (let j = i + 1; j < areas.length; j++) {
      const matrix = relate(areas[i], areas[j]);
      if (matrix[0] >= 0 || matrix[4] > 0)
        throw fault(node.at, 'polygons of a collection must not overlap or share an edge');
    }
  }
}

export function geometryOfRow(row: Row, { builder, move, geometryType }: Planes): Geometries {
  let serial = -1;
  let shape: Shape | null = null;
  let prepared: Prepared | null = null;
  const shapeOfRow = () => {
    if (row.serial === serial) return shape;
    serial = row.serial;
    prepared = null;
    shape = shapeAt(row, geometryType, builder, move);
    return shape;
  };
  const get = () => {
    const found = shapeOfRow();
    prepared ??= found && prepare(found);
    return prepared;
  };
  return { kind: 'geometry', get, shape: shapeOfRow, fixed: false, rectangle: false };
}

export function spatialPredicate(op: Spatial, node: CallNode, compiler: Compiler): Booleans {
  const [a, b] = compiler.two(node).map(arg => geometry(op, arg, compiler));
  const simple = boxRule(op, a, b);
  const get = () => {
    const first = a.shape();
    const second = b.shape();
    if (first === null || second === null) return NULL;
    const known = simple?.(first, second) ?? NULL;
    if (known !== NULL) return known;
    return holds(op, a.get() as Prepared, b.get() as Prepared) ? TRUE : FALSE;
  };
  return { kind: 'boolean', get, fixed: a.fixed && b.fixed };
}

function geometry(op: Spatial, node: Node, compiler: Compiler): Geometries {
  const value = compiler.value(node);
  if (value.kind === 'geometry') return value;
  throw fault(node.at, `${op.toUpperCase()} takes geometries, not ${KIND_NAMES[value.kind]}`);
}

/** What boxes alone decide; NULL where the geometries must be looked at. */
function boxRule(op: Spatial, a: Geometries, b: Geometries): ((first: Shape, second: Shape) => number) | null {
  const apart = (x: Shape, y: Shape) => x.minx > y.maxx || y.minx > x.maxx || x.miny > y.maxy || y.miny > x.maxy;
  const inside = (x: Shape, y: Shape) => x.minx >= y.minx && x.maxx <= y.maxx && x.miny >= y.miny && x.maxy <= y.maxy;
  return (first, second) => {
    if (apart(first, second)) return op === 's_disjoint' ? TRUE : FALSE;
    if (op !== 's_intersects' && op !== 's_disjoint') return NULL;
    const whole = (b.rectangle && inside(first, second)) || (a.rectangle && inside(second, first));
    return whole ? (op === 's_intersects' ? TRUE : FALSE) : NULL;
  };
}
