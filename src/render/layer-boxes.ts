/** A box of some CRS as boxes of a layer's own, for its index: never smaller, sometimes larger. */
import { isLonLat, resolveCrs, transformBounds } from '../crs/index.ts';
import type { VectorLayer } from '../layers/types.ts';
import { type BBox, intersection } from '../tile.ts';

type Placed = Pick<VectorLayer, 'source' | 'lonLatBounds'>;

/** null: everything; none: nothing. In degrees minx > maxx crosses the antimeridian, which is two boxes to a planar index. */
export function layerBoxes(box: BBox, crs: string, layer: Placed): readonly BBox[] | null {
  if (resolveCrs(crs).geographic) return lonLatBoxes(box, layer, crs);
  const moved = crs === layer.source.crs ? box : transformBounds(crs, layer.source.crs as string, box);
  return moved ? [moved] : [];
}

function lonLatBoxes(box: BBox, layer: Placed, crs: string): readonly BBox[] | null {
  const [west, south, east, north] = box;
  const boxes: BBox[] =
    west > east
      ? [
          [west, south, 180, north],
          [-180, south, east, north],
        ]
      : [box];
  if (isLonLat(layer.source.crs as string)) return named(boxes, layer.source.bounds);
  const home = layer.lonLatBounds;
  const crosses = home !== null && home[0] > home[2];
  if (crosses && boxes.some(([w, s, e, n]) => w <= -180 && e >= 180 && s <= home[1] && n >= home[3])) return null;
  const asked = crosses ? boxes.flatMap(one => halvesAt(one, home)) : boxes;
  const moved = asked.map(one => toLayer(one, layer, crs)).filter(one => one !== 'none');
  return moved.includes(null) ? null : (moved as BBox[]);
}

/** By all names that the layer has for them: longitudes may go beyond 180. */
function named(boxes: readonly BBox[], bounds: BBox | null): readonly BBox[] {
  if (bounds === null || (bounds[0] >= -180 && bounds[2] <= 180)) return boxes;
  const there = [0, 360, -360].flatMap(turn => boxes.map(([w, s, e, n]): BBox => [w + turn, s, e + turn, n]));
  return there.filter(box => box[0] <= bounds[2] && box[2] >= bounds[0]);
}

/** Room around the layer's bounds, as a share of their size, since edges bend on the way to another CRS. */
const BOUNDS_ROOM = 0.05;

/** What of the box lies near a layer across the antimeridian, a side each: in one piece its image may go the other way round. */
function halvesAt(box: BBox, [west, south, east, north]: BBox): BBox[] {
  const dx = (east + 360 - west) * BOUNDS_ROOM + 1e-9;
  const dy = (north - south) * BOUNDS_ROOM + 1e-9;
  const [low, high] = [Math.max(-90, south - dy), Math.min(90, north + dy)];
  const sides: BBox[] = [
    [west - dx, low, 180, high],
    [-180, low, east + dx, high],
  ];
  return sides.map(side => intersection(box, side)).filter(part => part !== null);
}

/** The box in the layer's CRS; cut to where the layer is, since a projection may be nonsense far from its home. */
function toLayer(box: BBox, { source, lonLatBounds: home }: Placed, crs: string): BBox | null | 'none' {
  if (!home) return 'none';
  let cut: BBox | null = box;
  if (home[0] <= home[2]) {
    if (box[0] <= home[0] && box[1] <= home[1] && box[2] >= home[2] && box[3] >= home[3]) return null;
    const dx = (home[2] - home[0]) * BOUNDS_ROOM + 1e-9;
    const dy = (home[3] - home[1]) * BOUNDS_ROOM + 1e-9;
    cut = intersection(box, [home[0] - dx, Math.max(-90, home[1] - dy), home[2] + dx, Math.min(90, home[3] + dy)]);
  }
  if (!cut) return 'none';
  return transformBounds(crs, source.crs as string, cut) ?? 'none';
}

/** More boxes than this cost more to ask than they save. */
export const BOXES_MAX = 8;

/**
 * Boxes of which a feature meets one if it meets one of both lists; null is everything. Where two boxes have something in
 * common, what meets both meets that; where they have nothing, what meets both (a large country) meets the smaller.
 */
export function commonBoxes(a: readonly BBox[] | null, b: readonly BBox[] | null): readonly BBox[] | null {
  if (a === null) return b;
  if (b === null) return a;
  const common: BBox[] = [];
  for (const one of a) {
    for (const two of b) {
      const box = intersection(one, two) ?? (areaOf(one) < areaOf(two) ? one : two);
      if (!common.some(known => known.every((value, i) => value === box[i]))) common.push(box);
    }
  }
  return common.length <= BOXES_MAX ? common : a.length < b.length ? a : b;
}

function areaOf([minx, miny, maxx, maxy]: BBox): number {
  return (maxx - minx) * (maxy - miny);
}
