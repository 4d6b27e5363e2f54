// AssemblyScript.
/**
 * The geometry of one feature to commands, for what most features are: points, one line, or a polygon of one ring. Everything
 * else is left to the slow path, src/render/vector/geometry.ts and pen.ts, which this follows step by step.
 */
import { clipBox, clipRing, ring } from './clip';
import { beginCommands, commandBytes, putLine, putPoints, putRing } from './commands';
import { broken, field, follow, vector } from './flat';
import { PART_POINTS_MAX, POINTS } from './memory';
import { maxx, maxy, minx, miny, opened, project } from './project';
import { dropSpikes, ringValid, sliver, VALID_POINTS_MAX } from './ring';
import { area2, openRing, put, quantise, roundLine, roundRing, xAt, yAt } from './simplify';

const ENDS = 4;
const XY = 6;
const TYPE = 16;
const PARTS = 18;

/** A part as long as this is drawn, as a sliver if need be. */
const SIZEABLE: f64 = 2;

let headerType: i32 = 0;
let min: f64 = 0;
let max: f64 = 0;
let near: f64 = 0;
let far: f64 = 0;
let small: f64 = 0;
let reach: f64 = 0;
/** Half the world in tile units, where a jump of as much is the antimeridian; else infinite. */
let halfWorld: f64 = f64.POSITIVE_INFINITY;

/** MVT's type of what was drawn. */
export let drawn: i32 = 0;
/** Most points of a part since the layer began. */
export let largest: i32 = 0;

export function setTile(type: i32, buffer: f64, extent: f64, pixel: f64, world: f64): void {
  headerType = type;
  min = -buffer;
  max = extent + buffer;
  near = buffer;
  far = extent - buffer;
  small = extent / 32;
  reach = pixel;
  halfWorld = world == 0 ? f64.POSITIVE_INFINITY : world / 2;
  largest = 0;
}

export const SLOW = -1;

/** Bytes of commands for the geometry table; 0: nothing of it shows; SLOW. */
export function draw(table: usize): i32 {
  beginCommands();
  const own = field(table, TYPE);
  let type = own == 0 ? 0 : i32(load<u8>(own));
  if (type == 0) type = headerType;
  if (broken) return SLOW;
  let at = table;
  if (type == 6) {
    const parts = vector(table, PARTS, 4);
    if (parts != 0) {
      if (load<u32>(parts) != 1) return SLOW;
      at = follow(parts + 4);
      if (at == 0) return SLOW;
      const ofPart = field(at, TYPE);
      if (broken) return SLOW;
      if (ofPart != 0 && load<u8>(ofPart) != 3 && load<u8>(ofPart) != 0) return SLOW;
    }
    type = 3;
  }
  if (type != 1 && type != 2 && type != 3 && type != 4) return SLOW;
  return part(at, type);
}

function part(table: usize, type: i32): i32 {
  const xy = vector(table, XY, 8);
  if (broken) return SLOW;
  let n = xy == 0 ? 0 : i32(load<u32>(xy) >> 1);
  if (n > PART_POINTS_MAX) return SLOW;
  if (type == 2 || type == 3) {
    const ends = vector(table, ENDS, 4);
    if (broken) return SLOW;
    if (ends != 0 && load<u32>(ends) != 0) {
      if (load<u32>(ends) != 1 || load<u32>(ends, 4) > u32(n)) return SLOW;
      n = i32(load<u32>(ends, 4));
    }
  }
  if (n == 0) return 0;
  if (n > largest) largest = n;
  const sane = project(xy + 4, n);
  if (type == 1 || type == 4) return points(n);
  if (!sane || maxx - minx >= halfWorld) return SLOW;
  return type == 2 ? line(n) : polygon(n);
}

@inline
function misses(): bool {
  return !(minx <= max + reach && maxx >= min - reach && miny <= max + reach && maxy >= min - reach);
}

@inline
function inside(): bool {
  return minx >= min && maxx <= max && miny >= min && maxy <= max;
}

@inline
function seamed(): bool {
  return !(minx > near && miny > near && maxx < far && maxy < far);
}

/** Half up, as Math.round of JavaScript. */
@inline
function round(v: f64): i32 {
  const down = Math.floor(v);
  return i32(v - down >= 0.5 ? down + 1 : down);
}

function points(n: i32): i32 {
  let m = 0;
  for (let i = 0; i < n; i++) {
    const at = POINTS + (usize(i) << 4);
    const x = load<f64>(at);
    const y = load<f64>(at, 8);
    if (x >= min && x <= max && y >= min && y <= max) put(m++, round(x), round(y));
  }
  putPoints(m);
  drawn = 1;
  return commandBytes();
}

function line(n: i32): i32 {
  if (n < 2 || misses()) return 0;
  if (!inside()) return SLOW;
  const m = roundLine(POINTS, n, seamed());
  if (m < 2) return 0;
  putLine(m);
  drawn = 2;
  return commandBytes();
}

function polygon(points: i32): i32 {
  const n = opened(points);
  if (misses()) return 0;
  const whole = inside();
  const m = whole || (maxx - minx <= small && maxy - miny <= small) ? wholeRing(n, whole) : clippedRing(n);
  return m <= 0 ? m : writeRing(m);
}

/** Points in INTS of a ring that is simplified before it is clipped; 0: none. */
function wholeRing(n: i32, whole: bool): i32 {
  let m = roundRing(POINTS, n, seamed());
  if (m < 3 || area2(m) == 0) {
    if (maxx - minx < SIZEABLE && maxy - miny < SIZEABLE) return speck();
    m = sliver(m);
  }
  if (whole) return m;
  m = clipInts(m);
  return m >= 3 && area2(m) != 0 ? m : 0;
}

/** The pixel that stands for a polygon too small to have an area. */
function speck(): i32 {
  const side = i32(reach);
  const x = round(f64(xAt(0)) - reach / 2);
  const y = round(f64(yAt(0)) - reach / 2);
  put(0, x, y);
  put(1, x + side, y);
  put(2, x + side, y + side);
  put(3, x, y + side);
  const m = clipInts(4);
  return m >= 3 && area2(m) != 0 ? m : 0;
}

/** Clips the small ring of n points in INTS. */
function clipInts(n: i32): i32 {
  let x0 = f64(xAt(0));
  let y0 = f64(yAt(0));
  let x1 = x0;
  let y1 = y0;
  for (let i = 0; i < n; i++) {
    const x = f64(xAt(i));
    const y = f64(yAt(i));
    store<f64>(POINTS + (usize(i) << 4), x);
    store<f64>(POINTS + (usize(i) << 4), y, 8);
    if (x < x0) x0 = x;
    if (x > x1) x1 = x;
    if (y < y0) y0 = y;
    if (y > y1) y1 = y;
  }
  const m = clipBox(POINTS, n, min, max, x0, y0, x1, y1);
  return openRing(quantise(ring, m));
}

/** A large ring is clipped first. */
function clippedRing(n: i32): i32 {
  const clipped = clipRing(POINTS, n, min, max);
  if (clipped == 0) return 0;
  if (clipped > PART_POINTS_MAX) return SLOW;
  const m = roundRing(ring, clipped, seamed());
  if (m >= 3 && area2(m) != 0) return m;
  // What only grazes the box, or is flat out in the buffer, is the neighbour's to draw.
  return inSight(m) ? sliver(m) : 0;
}

function inSight(n: i32): bool {
  const extent = i32(far + near);
  for (let i = 0; i < n; i++) {
    const x = xAt(i);
    const y = yAt(i);
    if (x >= 0 && x <= extent && y >= 0 && y <= extent) return true;
  }
  return false;
}

/** Writes the ring of n points in INTS, freed of its spikes where it is not valid with them. */
function writeRing(n: i32): i32 {
  let m = n;
  if (m > VALID_POINTS_MAX) return SLOW;
  if (!ringValid(m)) {
    m = dropSpikes(m);
    if (m < 3 || area2(m) == 0 || !ringValid(m)) return SLOW;
  }
  putRing(m, area2(m) < 0);
  drawn = 3;
  return commandBytes();
}
