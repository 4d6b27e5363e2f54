/** A smooth function over a short range as a polynomial, and how far that may be off. */

export interface Nearly {
  /** Where it holds. */
  readonly from: number;
  readonly to: number;
  /** At most, many times over what was seen between the places where it is exact. */
  readonly error: number;
  at(x: number): number;
}

/** It is exact at so many places. */
const NODES = 6;
const SAFETY = 16;
/** What rounding makes of either, in units of the function. */
const ROUNDING = 1e-6;

/** Null where no polynomial of that degree is within `tolerance`. */
export function nearly(f: (x: number) => number, from: number, to: number, tolerance: number): Nearly | null {
  const middle = (from + to) / 2;
  const half = (to - from) / 2;
  if (!(half > 0) || !Number.isFinite(half)) return null;
  // Chebyshev's nodes: the error is about the same everywhere between them, and largest where `extreme` is.
  const place = (i: number, n: number) => middle + half * Math.cos((i * Math.PI) / n);
  const nodes = Array.from({ length: NODES }, (_, i) => place(i + 0.5, NODES));
  const [c0, c1, c2, c3, c4, c5] = dividedDifferences(nodes, nodes.map(f));
  const [x0, x1, x2, x3, x4] = nodes;
  const at = (x: number) => c0 + (x - x0) * (c1 + (x - x1) * (c2 + (x - x2) * (c3 + (x - x3) * (c4 + (x - x4) * c5))));
  let worst = 0;
  for (let i = 0; i <= NODES; i++) {
    const extreme = place(i, NODES);
    worst = Math.max(worst, Math.abs(at(extreme) - f(extreme)));
  }
  const error = SAFETY * worst + ROUNDING;
  return error <= tolerance ? { from, to, error, at } : null;
}

/** Newton's coefficients. */
function dividedDifferences(nodes: readonly number[], values: readonly number[]): number[] {
  const c = [...values];
  for (let order = 1; order < c.length; order++)
    for (let i = c.length - 1; i >= order; i--) c[i] = (c[i] - c[i - 1]) / (nodes[i] - nodes[i - order]);
  return c;
}
