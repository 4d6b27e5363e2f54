"""Whether GEOS holds the polygons of tiles for valid.

  vector-valid.py < tiles.jsonl    a line a tile: {"name", "polygons": [[id, rings]…]}, rings in tile units, the first point not
                                   repeated, an outer one turning the way of MVT; prints a JSON line for each that is not
                                   valid, then the totals
"""
import json, sys
import numpy as np, shapely
from mvt_polygons import polygons_of

totals = dict(tiles=0, polygons=0, invalid=0)
for line in sys.stdin:
    tile = json.loads(line)
    totals["tiles"] += 1
    ids, made = [], []
    for id, rings in tile["polygons"]:
        polygons = polygons_of(rings)
        ids.append(id)
        made.append(shapely.MultiPolygon(polygons) if len(polygons) > 1 else shapely.Polygon(*polygons[0]))
    if not made:
        continue
    totals["polygons"] += len(made)
    for i in np.flatnonzero(~shapely.is_valid(made)):
        totals["invalid"] += 1
        print(json.dumps(dict(name=tile["name"], id=ids[i], reason=shapely.is_valid_reason(made[i]))))
print(json.dumps(totals))
