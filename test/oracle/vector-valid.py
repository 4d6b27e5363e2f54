"""Whether GEOS holds the polygons of tiles for valid.

  vector-valid.py < tiles.jsonl    a line a tile: {"name", "polygons": [[id, rings]…]}, rings in tile units, the first point not
                                   repeated, an outer one turning the way of MVT; prints a JSON line for each that is not
                                   valid, then the totals
"""
import json, sys
import numpy as np, shapely

totals = dict(tiles=0, polygons=0, invalid=0)
for line in sys.stdin:
    tile = json.loads(line)
    totals["tiles"] += 1
    ids, made = [], []
    for id, rings in tile["polygons"]:
        polygons = []
        for ring in rings:
            a = np.asarray(ring, dtype=float)
            x, y = a[:, 0], a[:, 1]
            if (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() > 0:
                polygons.append((ring, []))
            else:
                polygons[-1][1].append(ring)
        ids.append(id)
        made.append(shapely.MultiPolygon(polygons) if len(polygons) > 1 else shapely.Polygon(*polygons[0]))
    if not made:
        continue
    totals["polygons"] += len(made)
    for i in np.flatnonzero(~shapely.is_valid(made)):
        totals["invalid"] += 1
        print(json.dumps(dict(name=tile["name"], id=ids[i], reason=shapely.is_valid_reason(made[i]))))
print(json.dumps(totals))
