"""Pairs of geometries on a small grid, so that all the ways to touch come up, and how GEOS says that they lie."""

import json
import random
import sys

import shapely
from shapely.geometry import LineString, MultiLineString, MultiPoint, Point, Polygon, box, mapping

out, count = sys.argv[1], int(sys.argv[2])
random.seed(11)


def spot(n):
    return (random.randint(0, n), random.randint(0, n))


def line(n):
    """Without crossing itself: where it ends on its own inside, GEOS and the mod-2 rule are of two minds."""
    for _ in range(50):
        one = LineString([spot(n) for _ in range(random.randint(2, 5))])
        if one.is_simple and one.length > 0 and not one.is_closed:
            return one
    return LineString([(0, 0), (1, 1)])


def polygon(n):
    """Corners on the grid: holes and parts come from boxes, so that none is rounded."""
    for _ in range(50):
        one = Polygon([spot(n) for _ in range(random.randint(3, 7))])
        if one.is_valid and one.area > 0:
            return one
    return box(0, 0, 2, 2)


def boxes(n):
    parts = []
    for _ in range(3):
        (x1, y1), (x2, y2) = spot(n), spot(n)
        if x1 != x2 and y1 != y2:
            parts.append(box(min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)))
    whole = shapely.union_all(parts[:2]) if parts else box(0, 0, 1, 1)
    cut = shapely.difference(whole, parts[2]) if len(parts) > 2 else whole
    return cut if cut.area > 0 and cut.geom_type in ("Polygon", "MultiPolygon") else box(0, 0, 1, 1)


def geometry():
    n = random.choice([3, 5, 8])
    kind = random.random()
    if kind < 0.1:
        return Point(spot(n))
    if kind < 0.2:
        return MultiPoint(list({spot(n) for _ in range(3)}))
    if kind < 0.45:
        return line(n)
    if kind < 0.55:
        lines = MultiLineString([line(n), line(n)])
        return lines if lines.is_simple else line(n)
    return polygon(n) if kind < 0.75 else boxes(n)


NAMES = "intersects disjoint equals touches within contains overlaps crosses".split()
rows = []
for _ in range(count):
    a, b = geometry(), geometry()
    holds = "".join(str(int(getattr(shapely, name)(a, b))) for name in NAMES)
    rows.append(dict(a=mapping(a), b=mapping(b), matrix=shapely.relate(a, b), holds=holds))
json.dump(rows, open(out, "w"))
