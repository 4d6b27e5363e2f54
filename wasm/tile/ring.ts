// AssemblyScript.
/** One small ring: valid or not, without its spikes, or what stands for it; as src/kernels/rings.ts and polygon.ts have it. */
import { put, xAt, yAt } from './simplify';

/** Rings of more points are swept by the slow path. */
export const VALID_POINTS_MAX: i32 = 64;

/** Whether no two edges of the n points in INTS meet but neighbours at their common point, and none doubles back. */
export function ringValid(n: i32): bool {
  let ax: i64 = xAt(n - 1);
  let ay: i64 = yAt(n - 1);
  for (let i = 0; i < n; i++) {
    const bx: i64 = xAt(i);
    const by: i64 = yAt(i);
    const k = i + 1 < n ? i + 1 : 0;
    const ux = bx - ax;
    const uy = by - ay;
    let cx: i64 = xAt(k);
    let cy: i64 = yAt(k);
    const vx = cx - bx;
    const vy = cy - by;
    if (ux * vy == uy * vx && ux * vx + uy * vy < 0) return false;
    const last = i == 0 ? n - 2 : n - 1;
    let cSide = ux * (cy - ay) - uy * (cx - ax);
    for (let j = i + 2; j <= last; j++) {
      const dx: i64 = xAt(j);
      const dy: i64 = yAt(j);
      const dSide = ux * (dy - ay) - uy * (dx - ax);
      if (!((cSide > 0 && dSide > 0) || (cSide < 0 && dSide < 0)) && crosses(ax, ay, bx, by, cx, cy, dx, dy)) {
        return false;
      }
      cx = dx;
      cy = dy;
      cSide = dSide;
    }
    ax = bx;
    ay = by;
  }
  return true;
}

/** c and d are not both on one side of a–b: do the segments meet? */
function crosses(ax: i64, ay: i64, bx: i64, by: i64, cx: i64, cy: i64, dx: i64, dy: i64): bool {
  if ((ax < cx && ax < dx && bx < cx && bx < dx) || (ax > cx && ax > dx && bx > cx && bx > dx)) return false;
  if ((ay < cy && ay < dy && by < cy && by < dy) || (ay > cy && ay > dy && by > cy && by > dy)) return false;
  const a = (dx - cx) * (ay - cy) - (dy - cy) * (ax - cx);
  const b = (dx - cx) * (by - cy) - (dy - cy) * (bx - cx);
  return !((a > 0 && b > 0) || (a < 0 && b < 0));
}

/** Takes out points where the ring doubles back on itself, and the repeated points that this leaves. */
export function dropSpikes(n: i32): i32 {
  let count = n;
  for (let before = 0; before != count && count >= 3; ) {
    before = count;
    let m = 0;
    for (let i = 0; i < count; i++) {
      const p = m > 0 ? m - 1 : count - 1;
      const q = i + 1 < count ? i + 1 : 0;
      const x = xAt(i);
      const y = yAt(i);
      const ux = i64(x) - xAt(p);
      const uy = i64(y) - yAt(p);
      const vx = i64(xAt(q)) - x;
      const vy = i64(yAt(q)) - y;
      if ((ux == 0 && uy == 0) || (ux * vy == uy * vx && ux * vx + uy * vy < 0)) continue;
      put(m++, x, y);
    }
    count = m;
  }
  return count;
}

/** A triangle a unit wide from the first of n points to the farthest from it; a square of one unit where all are one. */
export function sliver(n: i32): i32 {
  const ax = xAt(0);
  const ay = yAt(0);
  let far = 0;
  let farthest = 0;
  for (let i = 1; i < n; i++) {
    const d = abs(xAt(i) - ax) + abs(yAt(i) - ay);
    if (d <= farthest) continue;
    far = i;
    farthest = d;
  }
  if (far == 0) {
    put(0, ax, ay);
    put(1, ax + 1, ay);
    put(2, ax + 1, ay + 1);
    put(3, ax, ay + 1);
    return 4;
  }
  const bx = xAt(far);
  const by = yAt(far);
  const upright = abs(by - ay) > abs(bx - ax);
  put(0, ax, ay);
  put(1, bx, by);
  put(2, bx + i32(upright), by + i32(!upright));
  return 3;
}
