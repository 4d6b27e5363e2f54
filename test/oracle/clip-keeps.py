"""For tiles of every zoom 0-14: the features (ordinal + 1) of which a clip to the tile keeps at least one pixel of 1/256.

  clip-keeps.py FILE.fgb   prints one JSON object a tile
"""
import json, math, random, sys
import numpy as np, pyogrio, shapely

HALF = math.pi * 6378137
_, _, wkb, _ = pyogrio.raw.read(sys.argv[1])
geometries = shapely.from_wkb(wkb)


def mercator(xy):
    lat = np.clip(xy[:, 1], -89.9, 89.9)
    return np.column_stack([xy[:, 0] * HALF / 180, 6378137 * np.log(np.tan(np.pi / 4 + np.radians(lat) / 2))])


geometries = shapely.make_valid(shapely.transform(geometries, mercator))
tree = shapely.STRtree(geometries)
rnd = random.Random(7)
for z in range(15):
    n = 2**z
    size = 2 * HALF / n
    tiles = [(x, y) for x in range(n) for y in range(n)] if z <= 3 else []
    while len(tiles) < 30:  # around vertices of real borders, where there is something to clip
        point = shapely.get_coordinates(geometries[rnd.randrange(len(geometries))])
        px, py = point[rnd.randrange(len(point))]
        x, y = int((px + HALF) / size), int((HALF - py) / size)
        if 0 <= x < n and 0 <= y < n:
            tiles.append((x, y))
    for x, y in tiles:
        box = shapely.box(-HALF + x * size, HALF - (y + 1) * size, -HALF + (x + 1) * size, HALF - y * size)
        hits = tree.query(box)
        area = shapely.area(shapely.intersection(geometries[hits], box))
        ids = sorted(int(i) + 1 for i in hits[area >= (size / 256) ** 2])
        print(json.dumps(dict(z=z, x=x, y=y, ids=ids)))
