/** The eight relations of simple features (OGC 06-103r4), as CQL2 names them. */

import type { Spatial } from '../cql2/ast.ts';
import { EXTERIOR, locate, type Prepared, side } from './prepared.ts';
import { crossEdges, type Matrix, relate } from './relate.ts';

const [II, IB, IE, BI, BB, BE, EI, EB] = [0, 1, 2, 3, 4, 5, 6, 7];

export function holds(relation: Spatial, a: Prepared, b: Prepared): boolean {
  if (a.shape.dimension < 0 || b.shape.dimension < 0) return relation === 's_disjoint';
  if (relation === 's_disjoint') return !meets(a, b);
  if (relation === 's_intersects') return meets(a, b);
  if (!boxesMeet(a, b)) return false;
  if (relation === 's_within') return covers(b, a) && within(relate(a, b));
  if (relation === 's_contains') return covers(a, b) && contains(relate(a, b));
  return said(relation, relate(a, b), a.shape.dimension, b.shape.dimension);
}

function said(relation: Spatial, m: Matrix, dimA: number, dimB: number): boolean {
  switch (relation) {
    case 's_equals':
      return dimA === dimB && within(m) && contains(m);
    case 's_touches':
      return m[II] < 0 && (m[IB] >= 0 || m[BI] >= 0 || m[BB] >= 0);
    case 's_crosses':
      if (dimA < dimB) return m[II] >= 0 && m[IE] >= 0;
      if (dimA > dimB) return m[II] >= 0 && m[EI] >= 0;
      return dimA === 1 && m[II] === 0;
    default:
      return dimA === dimB && m[IE] >= 0 && m[EI] >= 0 && (dimA === 1 ? m[II] === 1 : m[II] >= 0);
  }
}

function within(m: Matrix): boolean {
  return m[II] >= 0 && m[IE] < 0 && m[BE] < 0;
}

function contains(m: Matrix): boolean {
  return m[II] >= 0 && m[EI] < 0 && m[EB] < 0;
}

function boxesMeet({ shape: a }: Prepared, { shape: b }: Prepared): boolean {
  return a.minx <= b.maxx && b.minx <= a.maxx && a.miny <= b.maxy && b.miny <= a.maxy;
}

function covers({ shape: a }: Prepared, { shape: b }: Prepared): boolean {
  return a.minx <= b.minx && b.maxx <= a.maxx && a.miny <= b.miny && b.maxy <= a.maxy;
}

/** A point in common: two edges that meet, or else a path of one that lies in the other whole. */
function meets(a: Prepared, b: Prepared): boolean {
  if (!boxesMeet(a, b)) return false;
  return crossEdges(a, b, (i, j) => edgesMeet(a, i, b, j)) || anyPathIn(a, b) || anyPathIn(b, a);
}

function anyPathIn({ shape: { xy, starts, kinds } }: Prepared, other: Prepared): boolean {
  for (let k = 0; k < kinds.length; k++) {
    if (locate(other, xy[starts[k] * 2], xy[starts[k] * 2 + 1]) !== EXTERIOR) return true;
  }
  return false;
}

function edgesMeet(a: Prepared, i: number, b: Prepared, j: number): boolean {
  const e = a.edges[i] * 2;
  const f = b.edges[j] * 2;
  const { xy } = a.shape;
  const { xy: uv } = b.shape;
  const c = side(xy[e], xy[e + 1], xy[e + 2], xy[e + 3], uv[f], uv[f + 1]);
  const d = side(xy[e], xy[e + 1], xy[e + 2], xy[e + 3], uv[f + 2], uv[f + 3]);
  if ((c > 0 && d > 0) || (c < 0 && d < 0)) return false;
  // On one line: their boxes meet, so do they.
  if (c === 0 && d === 0) return true;
  const p = side(uv[f], uv[f + 1], uv[f + 2], uv[f + 3], xy[e], xy[e + 1]);
  const q = side(uv[f], uv[f + 1], uv[f + 2], uv[f + 3], xy[e + 2], xy[e + 3]);
  return !((p > 0 && q > 0) || (p < 0 && q < 0));
}
