"""Whether two tiles side by side agree in what both of them see: the strip a buffer to either side of their common edge.

  vector-seams.py < pairs.jsonl    a line a pair: {"name", "extent", "buffer", "dx", "dy", "a": [[id, type, parts]…], "b": […]}
                                   where b is (dx, dy) tiles from a; prints a JSON line a disagreement, then the totals
"""
import json, sys
import numpy as np, shapely
from mvt_polygons import multipolygon

TOLERANCE = 1.0 + 1e-6


def geometry(kind, parts):
    if kind == 1:
        return shapely.MultiPoint([p for part in parts for p in part])
    if kind == 2:
        return shapely.MultiLineString([part for part in parts if len(part) > 1])
    return multipolygon(parts)


def by_id(features, dx, dy, box):
    """What of the features may reach into the box: most do not, and are not made."""
    out = {}
    for id, kind, parts in features:
        moved = [np.asarray(part, dtype=float) + (dx, dy) for part in parts]
        every = np.concatenate(moved)
        low, high = every.min(axis=0), every.max(axis=0)
        if low[0] > box[2] or low[1] > box[3] or high[0] < box[0] or high[1] < box[1]:
            continue
        out.setdefault((id, kind), []).append(geometry(kind, moved))
    return {k: v[0] if len(v) == 1 else shapely.union_all(v) for k, v in out.items()}


def farthest(one, other, strip):
    """How far a point of `one` in the strip is from `other` (which is seen a little beyond the strip)."""
    inside = shapely.intersection(one, strip)
    if inside.is_empty:
        return 0.0
    if shapely.get_dimensions(one) == 2:
        # A slip of less than the tolerance is what rounding is allowed; what is left tells how much more it is.
        rest = shapely.difference(inside, shapely.buffer(other, TOLERANCE, cap_style="square", join_style="mitre")) if not other.is_empty else inside
        if rest.is_empty:
            return 0.0
        return float(max(shapely.distance(shapely.points(shapely.get_coordinates(rest)), other))) if not other.is_empty else 1e9
    rest = shapely.difference(inside, shapely.buffer(other, TOLERANCE)) if not other.is_empty else inside
    if rest.is_empty or (shapely.get_dimensions(one) == 1 and rest.length < 1e-3):
        return 0.0
    return float(max(shapely.distance(shapely.points(shapely.get_coordinates(rest)), other))) if not other.is_empty else 1e9


totals = dict(pairs=0, features=0, apart=0, worst=0.0)
for line in sys.stdin:
    pair = json.loads(line)
    e, b = pair["extent"], pair["buffer"]
    dx, dy = pair["dx"], pair["dy"]
    # A unit in from where either tile is clipped: there rounding may add or take a point.
    m = 1
    box = [-b + m, -b + m, e + b - m, e + b - m]
    if dx:
        box[0], box[2] = e - b + m, e + b - m
    if dy:
        box[1], box[3] = e - b + m, e + b - m
    strip = shapely.box(*box)
    one = by_id(pair["a"], 0, 0, box)
    two = by_id(pair["b"], dx * e, dy * e, box)
    totals["pairs"] += 1
    nothing = shapely.GeometryCollection()
    for key in one.keys() | two.keys():
        p, q = one.get(key, nothing), two.get(key, nothing)
        if not (shapely.intersects(p, strip) or shapely.intersects(q, strip)):
            continue
        totals["features"] += 1
        if shapely.equals(shapely.intersection(p, strip), shapely.intersection(q, strip)):
            continue
        d = max(farthest(p, q, strip), farthest(q, p, strip))
        if d > TOLERANCE:
            totals["apart"] += 1
            totals["worst"] = max(totals["worst"], min(d, 1e6))
            print(json.dumps(dict(name=pair["name"], id=key[0], type=key[1], distance=d)))
print(json.dumps(totals))
