/** Rings from one system to another, also where they cross the edge of the world there or go around a pole. */
import { resolveCrs, transformer, xPeriod } from '../../crs/index.ts';
import { emptySpan, stretch } from './geometry.ts';

/**
 * Moves closed rings, flat x y lists. In a system whose x comes round they come out in one piece: a side is as long as it was, or
 * else takes the short way. A ring around a pole is cut at the edge of the world and closed over the pole. Corners without an image
 * are left out. `around`: of the names that a ring may have, the one nearest to it; null: that of its first corner.
 */
export function ringMover(
  from: string,
  to: string,
  around: number | null = null,
): (ring: readonly number[]) => number[] {
  const move = transformer(from, to);
  const there = xPeriod(to);
  const here = xPeriod(from);
  const worlds = there === null || here === null ? 0 : there / here;
  const over = resolveCrs(to).geographic ? 90 : (there ?? 0);
  const at = new Float64Array(2);
  return ring => {
    const out: number[] = [];
    let before = 0;
    for (let i = 0; i < ring.length; i += 2) {
      if (!move.forward(ring[i], ring[i + 1], at, 0)) continue;
      let [x] = at;
      if (there !== null && out.length > 0) {
        const expected = out[out.length - 2] + (ring[i] - before) * worlds;
        x += Math.round((expected - x) / there) * there;
      }
      before = ring[i];
      out.push(x, at[1]);
    }
    if (there === null || out.length <= 4) return out;
    const closed = closedOverPole(out, there, over);
    return around === null ? closed : nearest(closed, there, around);
  };
}

/** Of the names of a place the one nearest to `around`. */
export function nameNear(x: number, around: number, period: number): number {
  return x + Math.round((around - x) / period) * period;
}

function nearest(ring: number[], period: number, around: number): number[] {
  const span = emptySpan();
  for (let i = 0; i < ring.length; i += 2) stretch(span, ring[i], ring[i + 1]);
  const middle = (span.minX + span.maxX) / 2;
  const shift = nameNear(middle, around, period) - middle;
  return shift === 0 ? ring : ring.map((value, i) => (i % 2 === 0 ? value + shift : value));
}

/** `over`: how far up or down the poles are. */
function closedOverPole(ring: number[], period: number, over: number): number[] {
  const turns = Math.round((ring[ring.length - 2] - ring[0]) / period);
  if (Math.abs(turns) !== 1) return ring;
  const world = (x: number) => Math.floor(x / period + 0.5);
  let cut = 2;
  while (cut < ring.length - 2 && world(ring[cut]) === world(ring[cut - 2])) cut += 2;
  const [x0, y0, x1, y1] = ring.slice(cut - 2, cut + 2);
  const edge = (Math.max(world(x0), world(x1)) - 0.5) * period;
  const y = x1 === x0 ? y0 : y0 + ((edge - x0) / (x1 - x0)) * (y1 - y0);
  const shift = -period / 2 - (turns > 0 ? edge : edge - period);
  const out = [edge + shift, y];
  for (let i = cut; i < ring.length; i += 2) out.push(ring[i] + shift, ring[i + 1]);
  for (let i = 2; i < cut; i += 2) out.push(ring[i] + turns * period + shift, ring[i + 1]);
  const end = edge + turns * period + shift;
  let sum = 0;
  for (let i = 1; i < ring.length; i += 2) sum += ring[i];
  const pole = Math.sign(sum) * over;
  out.push(end, y, end, pole, edge + shift, pole, edge + shift, y);
  return out;
}
