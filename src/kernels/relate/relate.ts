/**
 * How two shapes lie to each other: the nine intersections of interior, boundary and exterior (DE-9IM). Which side a point is
 * on is decided exactly; where edges cross is rounded, and is only used to pick a place between two crossings.
 */
import { BOUNDARY, EXTERIOR, INTERIOR, keyOf, locate, type Prepared, side, stripRange } from './prepared.ts';
import { LINE, POINT, RING } from './shape.ts';

/** Nine dimensions, row a, column b, each interior, boundary, exterior; −1 where they do not meet. */
export type Matrix = Int8Array;

/** What other edges do to an edge: where they cut it (0 … 1), and where they run along with it. */
interface Cuts {
  readonly at: number[];
  /** [from, to, direction, kind of the other edge] of stretches in common. */
  readonly shared: [number, number, number, number][];
}

export function relate(a: Prepared, b: Prepared): Matrix {
  const matrix = new Int8Array(9).fill(-1);
  matrix[8] = 2;
  const cutsA = new Map<number, Cuts>();
  const cutsB = new Map<number, Cuts>();
  crossEdges(a, b, (i, j) => {
    cutBoth(a, i, b, j, cutsA, cutsB, matrix);
    return false;
  });
  observe(a, b, cutsA, (own, other, dimension) => raise(matrix, own * 3 + other, dimension));
  observe(b, a, cutsB, (own, other, dimension) => raise(matrix, other * 3 + own, dimension));
  if (a.shape.dimension === 2 && b.shape.dimension < 2) raise(matrix, 2, 2);
  if (b.shape.dimension === 2 && a.shape.dimension < 2) raise(matrix, 6, 2);
  return matrix;
}

function raise(matrix: Matrix, cell: number, dimension: number): void {
  if (matrix[cell] < dimension) matrix[cell] = dimension;
}

/** Every pair of edges whose boxes meet, once; ends as soon as `visit` says true. */
export function crossEdges(a: Prepared, b: Prepared, visit: (i: number, j: number) => boolean): boolean {
  const { xy } = a.shape;
  const { minx, maxx, miny, maxy, xy: other } = b.shape;
  for (let i = 0; i < a.edges.length; i++) {
    const e = a.edges[i] * 2;
    const left = Math.min(xy[e], xy[e + 2]);
    const right = Math.max(xy[e], xy[e + 2]);
    const low = Math.min(xy[e + 1], xy[e + 3]);
    const high = Math.max(xy[e + 1], xy[e + 3]);
    if (right < minx || left > maxx || high < miny || low > maxy) continue;
    const [first, last] = stripRange(b, low, high);
    for (let s = first; s <= last; s++) {
      for (let k = b.strips[s]; k < b.strips[s + 1]; k++) {
        const j = b.entries[k];
        const f = b.edges[j] * 2;
        const bottom = Math.min(other[f + 1], other[f + 3]);
        if (Math.max(other[f + 1], other[f + 3]) < low || bottom > high) continue;
        if (Math.max(other[f], other[f + 2]) < left || Math.min(other[f], other[f + 2]) > right) continue;
        // An edge in many strips is met in the first that both are in.
        if (s > first && stripRange(b, bottom, bottom)[0] < s) continue;
        if (visit(i, j)) return true;
      }
    }
  }
  return false;
}

/** The ends of an edge, and the sides of the ends of another to it. */
function ends({ shape: { xy }, edges }: Prepared, i: number): [number, number, number, number] {
  const e = edges[i] * 2;
  return [xy[e], xy[e + 1], xy[e + 2], xy[e + 3]];
}

function kindOf({ shape, paths }: Prepared, i: number): number {
  return shape.kinds[paths[i]];
}

function cutsOf(all: Map<number, Cuts>, i: number): Cuts {
  let cuts = all.get(i);
  if (!cuts) {
    cuts = { at: [], shared: [] };
    all.set(i, cuts);
  }
  return cuts;
}

function cutBoth(
  a: Prepared,
  i: number,
  b: Prepared,
  j: number,
  cutsA: Map<number, Cuts>,
  cutsB: Map<number, Cuts>,
  matrix: Matrix,
): void {
  const [ax, ay, bx, by] = ends(a, i);
  const [cx, cy, dx, dy] = ends(b, j);
  const c = side(ax, ay, bx, by, cx, cy);
  const d = side(ax, ay, bx, by, dx, dy);
  if ((c > 0 && d > 0) || (c < 0 && d < 0)) return;
  const p = side(cx, cy, dx, dy, ax, ay);
  const q = side(cx, cy, dx, dy, bx, by);
  if ((p > 0 && q > 0) || (p < 0 && q < 0)) return;
  if (c === 0 && d === 0) return shareBoth(a, i, b, j, cutsA, cutsB);
  // Numbered so that 0 is the edge's beginning and 1 its end, exactly, where the other only touches it there.
  const onA = p === 0 ? 0 : q === 0 ? 1 : between(p / (p - q));
  const onB = c === 0 ? 0 : d === 0 ? 1 : between(c / (c - d));
  cutsOf(cutsA, i).at.push(onA);
  cutsOf(cutsB, j).at.push(onB);
  const proper = p !== 0 && q !== 0 && c !== 0 && d !== 0;
  if (proper) raise(matrix, (kindOf(a, i) === RING ? 3 : 0) + (kindOf(b, j) === RING ? 1 : 0), 0);
}

/** A crossing close to an end is still not at the end. */
function between(place: number): number {
  return Math.max(Number.EPSILON / 2, Math.min(1 - Number.EPSILON / 2, place));
}

/** On one line: cut at each other's ends, and the stretch in common, if there is one. */
function shareBoth(
  a: Prepared,
  i: number,
  b: Prepared,
  j: number,
  cutsA: Map<number, Cuts>,
  cutsB: Map<number, Cuts>,
): void {
  const one = ends(a, i);
  const two = ends(b, j);
  const axis = Math.abs(one[2] - one[0]) >= Math.abs(one[3] - one[1]) ? 0 : 1;
  const place = (edge: readonly number[], value: number) => (value - edge[axis]) / (edge[axis + 2] - edge[axis]);
  const low = Math.max(Math.min(one[axis], one[axis + 2]), Math.min(two[axis], two[axis + 2]));
  const high = Math.min(Math.max(one[axis], one[axis + 2]), Math.max(two[axis], two[axis + 2]));
  if (low > high) return;
  const along = one[axis + 2] > one[axis] === two[axis + 2] > two[axis] ? 1 : -1;
  for (const [cuts, edge, kind] of [
    [cutsOf(cutsA, i), one, kindOf(b, j)],
    [cutsOf(cutsB, j), two, kindOf(a, i)],
  ] as const) {
    const from = Math.min(place(edge, low), place(edge, high));
    const to = Math.max(place(edge, low), place(edge, high));
    cuts.at.push(from, to);
    if (low < high) cuts.shared.push([from, to, along, kind]);
  }
}

/** Of a meeting: part of the own shape, part of the other, and its dimension. */
type Tell = (own: number, other: number, dimension: number) => void;

/** What each path of `own` meets in `other`: its points, and its edges between them. */
function observe(own: Prepared, other: Prepared, cuts: ReadonlyMap<number, Cuts>, tell: Tell): void {
  const { shape, edges, paths } = own;
  for (let k = 0, i = 0; k < shape.kinds.length; k++) {
    const first = i;
    while (i < edges.length && paths[i] === k) i++;
    if (first === i) tellPoint(own, other, shape.starts[k], tell, k);
    else observePath(own, other, k, first, i, cuts, tell);
  }
}

/** A point, or a line or ring without length, which is one. */
function tellPoint(own: Prepared, other: Prepared, point: number, tell: Tell, path: number): void {
  const { xy, kinds } = own.shape;
  if (kinds[path] !== POINT && kinds[path] !== LINE) return;
  tell(INTERIOR, locate(other, xy[point * 2], xy[point * 2 + 1]), 0);
}

function observePath(
  own: Prepared,
  other: Prepared,
  path: number,
  first: number,
  last: number,
  cuts: ReadonlyMap<number, Cuts>,
  tell: Tell,
): void {
  const { shape, edges } = own;
  const { xy } = shape;
  const ring = shape.kinds[path] === RING;
  const tellVertex = (point: number) => {
    const odd = !ring && (own.lineEnds?.get(keyOf(xy, point)) ?? 0) % 2 === 1;
    tell(ring || odd ? BOUNDARY : INTERIOR, locate(other, xy[point * 2], xy[point * 2 + 1]), 0);
  };
  // Along edges that nothing cuts the place does not change: it is looked up once for all of them.
  let known = -1;
  for (let i = first; i < last; i++) {
    const cut = cuts.get(i);
    if (cut) {
      tellVertex(edges[i]);
      tellVertex(edges[i] + 1);
      tellPieces(own, other, i, cut, ring, tell);
      known = -1;
    } else if (known < 0) {
      const point = edges[i];
      tellVertex(point);
      known = locate(other, xy[point * 2], xy[point * 2 + 1], false);
      tellEdge(ring, known, 0, other, tell);
    }
  }
  if (!ring) {
    tellVertex(edges[first]);
    tellVertex(edges[last - 1] + 1);
  }
}

function tellPieces(own: Prepared, other: Prepared, i: number, { at, shared }: Cuts, ring: boolean, tell: Tell): void {
  const [ax, ay, bx, by] = ends(own, i);
  const places = [...at, 0, 1].sort((x, y) => x - y);
  for (let k = 1; k < places.length; k++) {
    if (places[k] <= places[k - 1]) continue;
    const middle = (places[k - 1] + places[k]) / 2;
    // An end that touches nothing says it exactly; a place between two crossings is rounded.
    const said = places[k - 1] === 0 && !at.includes(0) ? 0 : places[k] === 1 && !at.includes(1) ? 1 : middle;
    const along = shared.filter(([from, to]) => from <= middle && middle <= to);
    const area = along.find(([, , , kind]) => kind === RING);
    if (area) tellEdge(ring, BOUNDARY, area[2], other, tell);
    else {
      const found = locate(
        other,
        said === 1 ? bx : ax + (bx - ax) * said,
        said === 1 ? by : ay + (by - ay) * said,
        false,
      );
      tellEdge(ring, found, along.length > 0 ? LINE : 0, other, tell);
    }
  }
}

/**
 * A stretch of an edge lies in that part of the other shape. For a ring it says what is on its sides as well: its own inside
 * on the left, its outside on the right. `along`: on a boundary, 1 in the same direction and −1 against it; in an
 * interior, LINE where that is a line.
 */
function tellEdge(ring: boolean, at: number, along: number, other: Prepared, tell: Tell): void {
  if (!ring)
    return tell(
      INTERIOR,
      at === BOUNDARY && along === 0 ? EXTERIOR : along === LINE && at === EXTERIOR ? INTERIOR : at,
      1,
    );
  if (at === BOUNDARY && along !== 0) {
    tell(BOUNDARY, BOUNDARY, 1);
    if (along > 0) return tell(INTERIOR, INTERIOR, 2);
    tell(INTERIOR, EXTERIOR, 2);
    return tell(EXTERIOR, INTERIOR, 2);
  }
  const inside = at === INTERIOR || along === LINE;
  tell(BOUNDARY, inside ? INTERIOR : EXTERIOR, 1);
  if (at === EXTERIOR || at === BOUNDARY) return tell(INTERIOR, EXTERIOR, 2);
  if (other.shape.dimension < 2 || along === LINE) return;
  tell(INTERIOR, INTERIOR, 2);
  tell(EXTERIOR, INTERIOR, 2);
}
