/** Circular strings as polylines: three points an arc, start, any point on it, end, as ISO SQL/MM has them. */
import type { Position } from 'geojson';

/** Chords of an arc, so that a quarter of a circle has 24: within 0.06 % of the radius. */
const CHORDS_PER_RADIAN = 24 / (Math.PI / 2);

/** The arcs drawn out. Fewer than three points, or points on one line, stay as they are. */
export function arcPoints(points: readonly Position[]): Position[] {
  if (points.length < 3) return [...points];
  const out: Position[] = [points[0]];
  for (let i = 0; i + 2 < points.length; i += 2) appendArc(out, points[i], points[i + 1], points[i + 2]);
  if (points.length % 2 === 0) out.push(points[points.length - 1]);
  return out;
}

function appendArc(out: Position[], a: Position, b: Position, c: Position): void {
  const full = a[0] === c[0] && a[1] === c[1];
  const centre = full ? [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] : circumcentre(a, b, c);
  if (!centre) {
    out.push(b, c);
    return;
  }
  const [x, y] = centre;
  const radius = Math.hypot(a[0] - x, a[1] - y);
  const from = Math.atan2(a[1] - y, a[0] - x);
  const turn = full ? 2 * Math.PI : sweep(from, Math.atan2(b[1] - y, b[0] - x), Math.atan2(c[1] - y, c[0] - x));
  const chords = Math.max(2, Math.ceil(Math.abs(turn) * CHORDS_PER_RADIAN));
  for (let k = 1; k < chords; k++) {
    const angle = from + (turn * k) / chords;
    out.push([
      x + radius * Math.cos(angle),
      y + radius * Math.sin(angle),
      ...a.slice(2).map((z, d) => z + ((c[d + 2] - z) * k) / chords),
    ]);
  }
  out.push(c);
}

/** The signed angle from a over b to c. */
function sweep(a: number, b: number, c: number): number {
  const turn = 2 * Math.PI;
  const ab = (((b - a) % turn) + turn) % turn;
  const ac = (((c - a) % turn) + turn) % turn;
  return ab <= ac ? ac : ac - turn;
}

function circumcentre(a: Position, b: Position, c: Position): [number, number] | null {
  const bx = b[0] - a[0];
  const by = b[1] - a[1];
  const cx = c[0] - a[0];
  const cy = c[1] - a[1];
  const d = 2 * (bx * cy - by * cx);
  if (!Number.isFinite(d) || Math.abs(d) <= 1e-12 * (bx * bx + by * by + cx * cx + cy * cy)) return null;
  const bb = bx * bx + by * by;
  const cc = cx * cx + cy * cy;
  return [a[0] + (cy * bb - by * cc) / d, a[1] + (bx * cc - cx * bb) / d];
}
