"""Whether what a tile draws of a feature is what GEOS cuts out of it.

  vector-clip.py < features.jsonl    a line a feature: {"name", "extent", "buffer", "tolerance", "want": GeoJSON geometry in tile
                                     units, "parts": [[type, parts]…] as the tile has them}; prints a JSON line for each that is
                                     farther off than simplifying and rounding may be, then the totals
"""
import json, sys
import numpy as np, shapely
from shapely.geometry import shape
from mvt_polygons import multipolygon

ROUNDING = 1.0
totals = dict(features=0, points=0, lines=0, polygons=0, empty=0, off=0)


def drawn(parts):
    kinds = {1: [], 2: [], 3: []}
    for type, geometry in parts:
        if type == 1:
            kinds[1] += [shapely.Point(p) for part in geometry for p in part]
        elif type == 2:
            kinds[2] += [shapely.LineString(part) for part in geometry]
        else:
            kinds[3].append(multipolygon(geometry))
    return kinds


def far(one, other):
    """How far the farthest point of one is from the other."""
    if one.is_empty:
        return 0.0
    if other.is_empty:
        return 1e9
    points = shapely.get_coordinates(shapely.segmentize(one, 8.0))
    return float(shapely.distance(shapely.points(points), other).max())


def complaints(line, kinds):
    tolerance = line["tolerance"] + ROUNDING
    e, b = line["extent"], line["buffer"]
    box = shapely.box(-b, -b, e + b, e + b)
    want = shape(line["want"])
    parts = list(want.geoms) if hasattr(want, "geoms") else [want]
    flat = [g for p in parts for g in (p.geoms if hasattr(p, "geoms") else [p])]
    points = [p for p in flat if p.geom_type == "Point" and box.intersects(p)]
    totals["points"] += len(points)
    rounded = sorted((np.floor(p.x + 0.5), np.floor(p.y + 0.5)) for p in points)
    if rounded != sorted((p.x, p.y) for p in kinds[1]):
        yield f"{len(rounded)} points, drawn {len(kinds[1])}"
    lines = shapely.intersection(shapely.union_all([g for g in flat if g.geom_type == "LineString"]), box)
    totals["lines"] += not lines.is_empty
    got = shapely.union_all(kinds[2])
    # A piece of less than a unit, as at a corner of the box, rounds to one point and is nothing.
    long = shapely.union_all([p for p in shapely.get_parts(lines) if p.length > 2])
    if far(got, lines.buffer(0.01)) > tolerance or far(long, got) > tolerance + 1:
        yield f"line off by {far(got, lines):.2f} and {far(long, got):.2f}"
    whole = shapely.union_all([g for g in flat if g.geom_type == "Polygon"])
    area = shapely.intersection(whole, box)
    got = shapely.union_all(kinds[3]) if all(shapely.is_valid(kinds[3])) else None
    if got is None:
        yield "a polygon that is not valid"
        return
    totals["polygons"] += not got.is_empty
    # What has come to nothing is drawn as a sliver or as a pixel: as far off as that is large.
    speck = max(tolerance, e / 512) + 1
    if far(got, area.buffer(0.01)) > (tolerance if area.area > 64 else speck):
        yield f"polygon reaches {far(got, area):.2f} too far"
    # And of what is wider than the tolerance both ways nothing may be missing.
    core = area.buffer(-2 * tolerance)
    if far(core, got) > tolerance:
        yield f"polygon lacks {far(core, got):.2f}"
    if abs(got.area - area.area) > (area.length + 8) * tolerance + 80:
        yield f"area {got.area:.0f} of {area.area:.0f}"


for text in sys.stdin:
    line = json.loads(text)
    totals["features"] += 1
    kinds = drawn(line["parts"])
    totals["empty"] += not any(kinds.values())
    said = list(complaints(line, kinds))
    if said:
        totals["off"] += 1
        print(json.dumps(dict(name=line["name"], said=said, want=line["want"])))
print(json.dumps(totals))
