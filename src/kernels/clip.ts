/**
 * Clipping against an axis-aligned box: rings by Sutherland–Hodgman, one side after the other (its bridging edges run along
 * the box, which is the tile's buffer edge), lines by Liang–Barsky into as many pieces as are inside.
 */

/** Buffers that two sides hand the ring to and fro between, grown to what a side can leave; `ring` is where it ended. */
export interface ClipScratch {
  a: Float64Array;
  b: Float64Array;
  ring: Float64Array;
}

export function newClipScratch(points: number): ClipScratch {
  const a = new Float64Array(points * 2);
  return { a, b: new Float64Array(points * 2), ring: a };
}

/** A side leaves at most 1.5 n points: every other one outside. */
function roomAfter(held: Float64Array, n: number): Float64Array {
  const needed = 2 * (n + (n >> 1) + 4);
  return held.length >= needed ? held : new Float64Array(needed + (needed >> 2));
}

/**
 * Clips the closed ring of n points src (x, y, …; last point not repeated) to minx, miny, maxx, maxy. `box` is its bounds:
 * sides that it does not cross are passed over. The answer is in `scratch.ring`, from 0.
 */
export function clipRing(
  src: Float64Array,
  n: number,
  box: Float64Array,
  minx: number,
  miny: number,
  maxx: number,
  maxy: number,
  scratch: ClipScratch,
): number {
  scratch.ring = src;
  let count = n;
  if (box[0] < minx) count = clipTo(count, 0, minx, 1, scratch);
  if (box[2] > maxx) count = clipTo(count, 0, maxx, -1, scratch);
  if (box[1] < miny) count = clipTo(count, 1, miny, 1, scratch);
  if (box[3] > maxy) count = clipTo(count, 1, maxy, -1, scratch);
  return count;
}

function clipTo(n: number, axis: 0 | 1, limit: number, sign: 1 | -1, scratch: ClipScratch): number {
  const from = scratch.ring;
  if (from === scratch.a) {
    scratch.b = roomAfter(scratch.b, n);
    scratch.ring = scratch.b;
  } else {
    scratch.a = roomAfter(scratch.a, n);
    scratch.ring = scratch.a;
  }
  return clipSide(from, 0, n, axis, limit, sign, scratch.ring);
}

function clipSide(
  src: Float64Array,
  from: number,
  n: number,
  axis: 0 | 1,
  limit: number,
  sign: 1 | -1,
  out: Float64Array,
): number {
  if (n === 0) return 0;
  const other = 1 - axis;
  let m = 0;
  let p = from + (n - 1) * 2;
  let pv = src[p + axis];
  let po = src[p + other];
  let pIn = (pv - limit) * sign >= 0;
  for (let i = 0; i < n; i++) {
    p = from + i * 2;
    const v = src[p + axis];
    const o = src[p + other];
    const inside = (v - limit) * sign >= 0;
    if (inside !== pIn) {
      out[m + axis] = limit;
      out[m + other] = po + ((o - po) * (limit - pv)) / (v - pv);
      m += 2;
    }
    if (inside) {
      out[m + axis] = v;
      out[m + other] = o;
      m += 2;
    }
    pv = v;
    po = o;
    pIn = inside;
  }
  return m >> 1;
}

/**
 * Clips the open line of n points to the box. Points of the pieces go to `out`, the end of each piece (in points) to
 * `ends`; answers with the number of pieces. `out` needs room for 4 × n doubles, `ends` for 2 × n.
 */
export function clipLine(
  src: Float64Array,
  from: number,
  n: number,
  minx: number,
  miny: number,
  maxx: number,
  maxy: number,
  out: Float64Array,
  ends: Int32Array,
): number {
  let m = 0;
  let pieces = 0;
  let open = false;
  for (let i = 1; i < n; i++) {
    const p = from + i * 2 - 2;
    const x0 = src[p];
    const y0 = src[p + 1];
    const dx = src[p + 2] - x0;
    const dy = src[p + 3] - y0;
    let t0 = 0;
    let t1 = 1;
    // Liang–Barsky, side by side: q / d is where the segment meets the side's line.
    if (dx === 0 ? x0 < minx || x0 > maxx : false) t1 = -1;
    if (dy === 0 ? y0 < miny || y0 > maxy : false) t1 = -1;
    if (dx !== 0) {
      const a = (minx - x0) / dx;
      const b = (maxx - x0) / dx;
      t0 = Math.max(t0, Math.min(a, b));
      t1 = Math.min(t1, Math.max(a, b));
    }
    if (dy !== 0) {
      const a = (miny - y0) / dy;
      const b = (maxy - y0) / dy;
      t0 = Math.max(t0, Math.min(a, b));
      t1 = Math.min(t1, Math.max(a, b));
    }
    if (!(t0 <= t1)) {
      if (open) ends[pieces++] = m >> 1;
      open = false;
      continue;
    }
    if (!open || t0 > 0) {
      if (open) ends[pieces++] = m >> 1;
      out[m] = x0 + dx * t0;
      out[m + 1] = y0 + dy * t0;
      m += 2;
    }
    out[m] = t1 === 1 ? src[p + 2] : x0 + dx * t1;
    out[m + 1] = t1 === 1 ? src[p + 3] : y0 + dy * t1;
    m += 2;
    open = t1 === 1;
    if (!open) ends[pieces++] = m >> 1;
  }
  if (open) ends[pieces++] = m >> 1;
  return pieces;
}
