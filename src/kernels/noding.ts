/** Cuts the edges of rings where they meet, until they meet at ends only. */
import { type SweepScratch, segmentsMeet, sweepPairs, turn } from './segments.ts';

/** Each edge once, from its lesser to its greater end (by x, then y), with how often the rings go that way, net. Never 0. */
export interface Edges {
  readonly ax: Int32Array;
  readonly ay: Int32Array;
  readonly bx: Int32Array;
  readonly by: Int32Array;
  readonly weight: Int32Array;
}

/** A cut is rounded to the grid, which moves its edges a little, so that they may meet others: then once more. */
const ROUNDS_MAX = 40;

export function cutEdges(rings: readonly Int32Array[], sweep: SweepScratch): Edges {
  let segments: number[] = [];
  let weights: number[] = [];
  for (const ring of rings) {
    for (let i = 0; i < ring.length; i += 2) {
      const k = (i + 2) % ring.length;
      segments.push(ring[i], ring[i + 1], ring[k], ring[k + 1]);
      weights.push(1);
    }
  }
  let all = merge(segments, weights);
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const cuts = findCuts(all.segments, sweep);
    if (cuts.size === 0) break;
    segments = [];
    weights = [];
    for (let s = 0; s < all.weights.length; s++) {
      const [ax, ay, bx, by] = all.segments.subarray(s * 4, s * 4 + 4);
      let [px, py] = [ax, ay];
      for (const [x, y] of inOrder(cuts.get(s) ?? [], ax, ay)) {
        if (x === px && y === py) continue;
        segments.push(px, py, x, y);
        weights.push(all.weights[s]);
        [px, py] = [x, y];
      }
      if (px === bx && py === by) continue;
      segments.push(px, py, bx, by);
      weights.push(all.weights[s]);
    }
    all = merge(segments, weights);
  }
  return columnsOf(all);
}

type Point = readonly [number, number];

function inOrder(points: Point[], ax: number, ay: number): Point[] {
  const far = ([x, y]: Point) => (x - ax) * (x - ax) + (y - ay) * (y - ay);
  return points.sort((p, q) => far(p) - far(q));
}

interface Merged {
  readonly segments: Int32Array;
  readonly weights: number[];
}

/** Every edge towards its greater end; equal ones added up, and those left out that are gone along as often as back. */
function merge(segments: readonly number[], weights: readonly number[]): Merged {
  const points = new Map<number, number>();
  const idOf = (x: number, y: number) => {
    const key = (x + 8388608) * 16777216 + y + 8388608;
    const known = points.get(key);
    if (known !== undefined) return known;
    points.set(key, points.size);
    return points.size - 1;
  };
  const net = new Map<number, number>();
  const first = new Map<number, number>();
  for (let s = 0; s < weights.length; s++) {
    const [ax, ay, bx, by] = [segments[s * 4], segments[s * 4 + 1], segments[s * 4 + 2], segments[s * 4 + 3]];
    const forward = ax < bx || (ax === bx && ay < by);
    const a = idOf(ax, ay);
    const b = idOf(bx, by);
    const key = forward ? a * 67108864 + b : b * 67108864 + a;
    net.set(key, (net.get(key) ?? 0) + (forward ? weights[s] : -weights[s]));
    if (!first.has(key)) first.set(key, forward ? s : -s - 1);
  }
  const kept = [...net].filter(([, weight]) => weight !== 0);
  const out = new Int32Array(kept.length * 4);
  kept.forEach(([key], i) => {
    const s = first.get(key) as number;
    const p = (s >= 0 ? s : -s - 1) * 4;
    out[i * 4] = segments[s >= 0 ? p : p + 2];
    out[i * 4 + 1] = segments[s >= 0 ? p + 1 : p + 3];
    out[i * 4 + 2] = segments[s >= 0 ? p + 2 : p];
    out[i * 4 + 3] = segments[s >= 0 ? p + 3 : p + 1];
  });
  return { segments: out, weights: kept.map(([, weight]) => weight) };
}

function findCuts(segments: Int32Array, sweep: SweepScratch): Map<number, Point[]> {
  const cuts = new Map<number, Point[]>();
  const cut = (s: number, x: number, y: number) => {
    const p = s * 4;
    if ((x === segments[p] && y === segments[p + 1]) || (x === segments[p + 2] && y === segments[p + 3])) return;
    const others = cuts.get(s);
    if (others) others.push([x, y]);
    else cuts.set(s, [[x, y]]);
  };
  sweepPairs(segments, segments.length >> 2, sweep, (a, b) => {
    if (a !== b && segmentsMeet(segments, a * 4, b * 4)) meeting(segments, a, b, cut);
    return false;
  });
  return cuts;
}

/** Where two segments that meet must be cut: at ends that lie on the other, else where they cross. */
function meeting(s: Int32Array, a: number, b: number, cut: (s: number, x: number, y: number) => void): void {
  const [ax, ay, bx, by] = s.subarray(a * 4, a * 4 + 4);
  const [cx, cy, dx, dy] = s.subarray(b * 4, b * 4 + 4);
  let crossing = true;
  const onto = (other: number, px: number, py: number, qx: number, qy: number, x: number, y: number) => {
    if (turn(px, py, qx, qy, x, y) !== 0) return;
    crossing = false;
    if (Math.min(px, qx) <= x && x <= Math.max(px, qx) && Math.min(py, qy) <= y && y <= Math.max(py, qy))
      cut(other, x, y);
  };
  onto(a, ax, ay, bx, by, cx, cy);
  onto(a, ax, ay, bx, by, dx, dy);
  onto(b, cx, cy, dx, dy, ax, ay);
  onto(b, cx, cy, dx, dy, bx, by);
  if (!crossing) return;
  const u = turn(cx, cy, dx, dy, ax, ay);
  const v = turn(cx, cy, dx, dy, bx, by);
  const t = u / (u - v);
  const x = Math.round(ax + (bx - ax) * t);
  const y = Math.round(ay + (by - ay) * t);
  cut(a, x, y);
  cut(b, x, y);
}

function columnsOf({ segments, weights }: Merged): Edges {
  const pick = (offset: number) => Int32Array.from(weights, (_, i) => segments[i * 4 + offset]);
  return { ax: pick(0), ay: pick(1), bx: pick(2), by: pick(3), weight: Int32Array.from(weights) };
}
