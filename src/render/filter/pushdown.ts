/**
 * Where features that match can be, from the spatial predicates that all of them must fulfil: boxes for the index query.
 * What is no box, or under a NOT, says nothing; AND takes what its parts have in common, OR what any of them has.
 */
import { resolveCrs } from '../../crs/index.ts';
import { type CallNode, isOneOf, type Node, SPATIAL } from '../../kernels/cql2/ast.ts';
import { ShapeBuilder } from '../../kernels/relate/shape.ts';
import type { VectorLayer } from '../../layers/types.ts';
import type { BBox } from '../../tile.ts';
import { BOXES_MAX, commonBoxes, layerBoxes } from '../layer-boxes.ts';
import { GEOMETRY_NAMES } from './compile.ts';
import { type FilterSpec, filterSchema, treeOf } from './filter.ts';
import { boxesOf, literalShape, type Planes } from './spatial.ts';

/** Room around a box that went through a projection, as a share of its size: rounding must not lose a feature at its edge. */
const ROOM = 1e-9;

/** Boxes in the layer's CRS; null: anywhere. */
export function filterBoxes(spec: FilterSpec, layer: VectorLayer): readonly BBox[] | null {
  const { crs } = spec;
  const same = crs.id === layer.source.crs;
  const isGeometry = (node: Node) =>
    node.kind === 'property' &&
    GEOMETRY_NAMES.includes(node.name) &&
    !filterSchema(layer).columns.some(({ name }) => name === node.name);
  const toLayer = (boxes: readonly BBox[] | null) => {
    if (boxes === null || same) return boxes;
    const moved = boxes.map(box => layerBoxes(box, crs.id, layer));
    return moved.some(one => one === null) ? null : moved.flatMap(one => (one as readonly BBox[]).map(roomy));
  };
  const planes: Planes = {
    builder: new ShapeBuilder(),
    move: null,
    northFirst: crs.northFirst,
    geographic: resolveCrs(crs.id).geographic,
    geometryType: 0,
  };
  return toLayer(boxesOfNode(treeOf(spec), planes, isGeometry));
}

function roomy([minx, miny, maxx, maxy]: BBox): BBox {
  const x = (maxx - minx + Math.abs(minx) + Math.abs(maxx)) * ROOM;
  const y = (maxy - miny + Math.abs(miny) + Math.abs(maxy)) * ROOM;
  return [minx - x, miny - y, maxx + x, maxy + y];
}

/** In the filter's plane. */
function boxesOfNode(node: Node, planes: Planes, isGeometry: (node: Node) => boolean): readonly BBox[] | null {
  if (node.kind !== 'call') return null;
  if (node.op === 'and') {
    return node.args.reduce<readonly BBox[] | null>(
      (found, arg) => commonBoxes(found, boxesOfNode(arg, planes, isGeometry)),
      null,
    );
  }
  if (node.op === 'or') {
    const all = node.args.map(arg => boxesOfNode(arg, planes, isGeometry));
    const boxes = all.flatMap(one => one ?? []);
    return all.includes(null) || boxes.length > BOXES_MAX ? null : boxes;
  }
  return isOneOf(SPATIAL, node.op) && node.op !== 's_disjoint' ? boxesOfPredicate(node, planes, isGeometry) : null;
}

function boxesOfPredicate(
  { args }: CallNode,
  planes: Planes,
  isGeometry: (node: Node) => boolean,
): readonly BBox[] | null {
  const [a, b] = args;
  const other = isGeometry(a) ? b : isGeometry(b) ? a : null;
  if (other?.kind === 'bbox') return boxesOf(other, planes);
  if (other?.kind !== 'geometry') return null;
  const { minx, miny, maxx, maxy } = literalShape(other, planes);
  return [[minx, miny, maxx, maxy]];
}
