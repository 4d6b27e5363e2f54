"""What of each feature lies in a tile of any grid, by pyproj and shapely.

  grid-tiles.py REQUESTS.json    [{"file", "crs" (of the grid), "box": [left, bottom, right, top], "extent", "buffer", "world"}…]
                                 prints a JSON line each: {id: [area, length, box, core]} in tile units, y down; core is the box
                                 of what is left where polygons lose 3/4 of a unit all round: slivers do not outlive rounding;
                                 features with a vertex that has no image, or lies farther off than doubles are good for, are null

`world` is the width of the world in grid units where the grid wraps, else 0. Ids are places in the file from 1.
"""
import json, sys
import numpy as np, pyogrio, pyproj, shapely

files = {}


def load(file):
    if file not in files:
        meta, _, wkb, _ = pyogrio.raw.read(file)
        files[file] = meta["crs"], shapely.make_valid(shapely.force_2d(shapely.from_wkb(wkb)))
    return files[file]


def union(box, shape):
    if shape.is_empty:
        return box
    w, n, e, s = shapely.bounds(shape)
    return [w, n, e, s] if box is None else [min(box[0], w), min(box[1], n), max(box[2], e), max(box[3], s)]


def answer(r):
    crs, shapes = load(r["file"])
    move = pyproj.Transformer.from_crs(crs, r["crs"], always_xy=True).transform
    back = pyproj.Transformer.from_crs(r["crs"], "OGC:CRS84", always_xy=True).transform
    degrees = pyproj.Transformer.from_crs(crs, "OGC:CRS84", always_xy=True).transform
    left, bottom, right, top = r["box"]
    sx, sy = r["extent"] / (right - left), r["extent"] / (top - bottom)
    b = r["buffer"]
    frame = shapely.box(-b, -b, r["extent"] + b, r["extent"] + b)
    out = {}
    for i, shape in enumerate(shapes):
        xy = shapely.get_coordinates(shape)
        if len(xy) == 0:
            continue
        X, Y = move(xy[:, 0], xy[:, 1])
        # Beyond its horizon a transverse Mercator folds back into the map.
        lon, lat = back(X, Y)
        if (~np.isfinite(lon)).any() or (np.abs(lat - degrees(xy[:, 0], xy[:, 1])[1]) > 1e-3).any():
            out[i + 1] = None
            continue
        units = np.column_stack([(np.asarray(X) - left) * sx, (top - np.asarray(Y)) * sy])
        if not (np.abs(units) < 1e7).all():
            out[i + 1] = None
            continue
        for shift in (0, r["world"] * sx, -r["world"] * sx) if r["world"] else (0,):
            moved = shapely.set_coordinates(shapely.from_wkb(shapely.to_wkb(shape)), units + [shift, 0])
            part = shapely.intersection(shapely.make_valid(moved), frame)
            if part.is_empty:
                continue
            core = part.buffer(-0.75) if shapely.area(part) > 0 else part
            row = out.setdefault(i + 1, [0, 0, None, None])
            row[0] += shapely.area(part)
            row[1] += shapely.length(part)
            row[2] = union(row[2], part)
            row[3] = union(row[3], core)
    return out


for request in json.load(open(sys.argv[1])):
    print(json.dumps(answer(request)))
