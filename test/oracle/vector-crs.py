"""Files in many CRSs, and where their coordinates lie in web mercator by PROJ.

  vector-crs.py make DIR CODE…         writes DIR/CODE.fgb (points, a line, a polygon in the area of use), prints a JSON line each:
                                       {"code", "points": [[lon, lat, X, Y]…]} with X, Y in EPSG:3857
  vector-crs.py read FILE.fgb…         the same for files that exist: {"file", "crs", "points": [[ordinal, X, Y]…]} for a sample
"""
import json, os, sys
import numpy as np, pyogrio, pyproj, shapely

R = 6378137.0


def mercator(lon, lat):
    """Spherical, as web mercator is; PROJ's own EPSG:3857 agrees to the nanometre but ends at the poles."""
    return np.radians(lon) * R, np.arctanh(np.sin(np.radians(np.clip(lat, -89.9, 89.9)))) * R


def moved(crs, xy):
    # As the server: no grids, so ballpark or Helmert alone; the one PROJ uses without network.
    lon, lat = pyproj.Transformer.from_crs(crs, "OGC:CRS84", always_xy=True).transform(xy[:, 0], xy[:, 1])
    return mercator(np.asarray(lon), np.asarray(lat))


def make(folder, codes):
    for code in codes:
        crs = pyproj.CRS.from_epsg(int(code))
        west, south, east, north = crs.area_of_use.bounds
        if west > east:
            east += 360
        south, north = max(south, -84), min(north, 84)
        rnd = np.random.default_rng(int(code))
        # In the middle of the area of use, where every projection is at home.
        lon = west + (east - west) * (0.15 + 0.7 * rnd.random(400))
        lat = south + (north - south) * (0.15 + 0.7 * rnd.random(400))
        there = pyproj.Transformer.from_crs("OGC:CRS84", crs, always_xy=True)
        x, y = there.transform((lon + 180) % 360 - 180, lat)
        xy = np.column_stack([x, y])
        xy = xy[np.isfinite(xy).all(axis=1)]
        file = os.path.join(folder, f"{code}.fgb")
        pyogrio.raw.write(file, shapely.to_wkb(shapely.points(xy)), [np.arange(len(xy), dtype=np.int32)], ["n"], geometry_type="Point", crs=f"EPSG:{code}", driver="FlatGeobuf")
        print(json.dumps(sample(file) | dict(code=int(code))))


def sample(file):
    meta, _, wkb, _ = pyogrio.raw.read(file)
    geometries = shapely.from_wkb(wkb)
    step = max(1, len(geometries) // 400)
    ordinals = np.arange(0, len(geometries), step)
    first = np.array([shapely.get_coordinates(geometries[i])[0] for i in ordinals])
    X, Y = moved(meta["crs"], first)
    rows = [[int(o), float(a), float(b)] for o, a, b in zip(ordinals, X, Y) if np.isfinite(a) and np.isfinite(b)]
    return dict(file=file, crs=meta["crs"], points=rows)


if sys.argv[1] == "make":
    make(sys.argv[2], sys.argv[3:])
else:
    for file in sys.argv[2:]:
        print(json.dumps(sample(file)))
