"""Rasters across the antimeridian, from 0° to 360° and over the poles, and what their tiles must show.

    meridian.py make DIR    writes them
    meridian.py check DIR   JSON lines on stdin: {"name", "crs", "box", "npy"}; one JSON line out for each

The truth is not GDAL's, whose warper leaves a half empty (awkward-tiffs.md): each pixel's centre is taken by pyproj to the raster's own
system, there by whole worlds into the raster, and the pixel it lies in is the answer (nearest).
"""
import json
import sys

import numpy as np
import pyproj
import rasterio
from rasterio.transform import Affine, from_bounds

WORLD = 2 * np.pi * 6378137
DEGREES = 'EPSG:4326'
# name: system, transform, columns, rows, width of the world in its units (None: it has no such thing)
RASTERS = {
    'east': (DEGREES, from_bounds(170, -20, 190, 20, 400, 800), 400, 800, 360),
    'west': (DEGREES, from_bounds(-190, 30, -170, 60, 400, 600), 400, 600, 360),
    'turn': (DEGREES, from_bounds(0, -90, 360, 90, 720, 360), 720, 360, 360),
    'turn-points': (DEGREES, from_bounds(-0.25, -90.25, 359.75, 90.25, 720, 361), 720, 361, 360),
    'shifted': (DEGREES, from_bounds(-180.5, -90, 179.5, 90, 360, 180), 360, 180, 360),
    'beyond': (DEGREES, from_bounds(-200, -60, 200, 60, 800, 240), 800, 240, 360),
    'mercator': ('EPSG:3857', from_bounds(WORLD / 2 - 1e6, -2e6, WORLD / 2 + 1e6, 2e6, 500, 1000), 500, 1000, WORLD),
    'pacific': ('EPSG:3832', from_bounds(1e6, -3e6, 6e6, 3e6, 500, 600), 500, 600, WORLD),
    'pacific-whole': ('EPSG:3832', from_bounds(-WORLD / 2, -8e6, WORLD / 2, 8e6, 800, 320), 800, 320, WORLD),
    'plate': ('+proj=eqc +lon_0=180 +datum=WGS84 +units=m', from_bounds(-WORLD / 2, -9e6, WORLD / 2, 9e6, 800, 360), 800, 360, WORLD),
    'utm60': ('EPSG:32660', from_bounds(600000, 1e6, 1100000, 2e6, 500, 1000), 500, 1000, None),
    'utm1': ('EPSG:32701', from_bounds(-100000, 7e6, 500000, 8e6, 600, 1000), 600, 1000, None),
    'arctic': ('EPSG:3413', from_bounds(-3e6, -3e6, 3e6, 3e6, 600, 600), 600, 600, None),
    'antarctic': ('EPSG:3031', from_bounds(-3e6, -3e6, 3e6, 3e6, 600, 600), 600, 600, None),
    'arctic-3995': ('EPSG:3995', from_bounds(-4e6, -1e6, 2e6, 3e6, 600, 400), 600, 400, None),
    'arctic-laea': ('EPSG:3573', from_bounds(-3e6, -3e6, 3e6, 3e6, 600, 600), 600, 600, None),
    'ups': ('EPSG:5041', from_bounds(1e6, 1e6, 3e6, 3e6, 500, 500), 500, 500, None),
}


def make(folder):
    for name, (crs, transform, width, height, _) in RASTERS.items():
        rows, columns = np.mgrid[0:height, 0:width]
        # Neighbours differ much, so that a pixel that is taken for its neighbour shows.
        values = ((columns * 37 + rows * 101) % 9973 + 1).astype('uint16')
        shape = {'width': width, 'height': height, 'count': 1, 'dtype': 'uint16', 'nodata': 0}
        blocks = {'tiled': True, 'blockxsize': 128, 'blockysize': 128, 'compress': 'deflate'}
        with rasterio.open(f'{folder}/{name}.tif', 'w', driver='GTiff', crs=crs, transform=transform, **shape, **blocks) as out:
            out.write(values, 1)


def candidates(source, values, period, crs, box, width, height):
    """Values of every pixel, 0 where there is none, of each world that the raster may show it in; and how far, in pixels of the source,
    its place is from the next pixel's."""
    xs = box[0] + (np.arange(width) + 0.5) * (box[2] - box[0]) / width
    ys = box[3] - (np.arange(height) + 0.5) * (box[3] - box[1]) / height
    x, y = np.meshgrid(xs, ys)
    to_degrees = pyproj.Transformer.from_crs(crs, DEGREES, always_xy=True)
    to_source = pyproj.Transformer.from_crs(DEGREES, source.crs.to_wkt(), always_xy=True)
    lon, lat = to_degrees.transform(x, y) if pyproj.CRS(crs) != pyproj.CRS(DEGREES) else (x, y)
    lon = (lon + 180) % 360 - 180
    sx, sy = to_source.transform(lon, lat) if period != 360 else (lon, lat)
    found = []
    edge = np.full((height, width), np.inf)
    for turns in (0, 1, -1) if period else (0,):
        with np.errstate(invalid='ignore'):
            columns, rows = ~source.transform * (sx + turns * (period or 0), sy)
            inside = (columns >= 0) & (rows >= 0) & (columns < source.width) & (rows < source.height)
            near = np.minimum(np.abs(columns - np.round(columns)), np.abs(rows - np.round(rows)))
        i, j = np.where(inside, rows, 0).astype(int), np.where(inside, columns, 0).astype(int)
        found.append(np.where(inside, values[i, j], 0))
        edge = np.where(np.isfinite(near), np.minimum(edge, near), edge)
    return found, edge


def check(folder):
    for line in sys.stdin:
        ask = json.loads(line)
        got = np.load(ask['npy'])
        with rasterio.open(f"{folder}/{ask['name']}.tif") as source:
            crs, _, _, _, period = RASTERS[ask['name']]
            found, edge = candidates(source, source.read(1), period, ask['crs'], ask['box'], got.shape[2], got.shape[1])
        # Where the raster has a place twice, either is right.
        valid, shown = np.max(found, axis=0) > 0, got[-1] > 0
        same = np.any([each == got[0] for each in found], axis=0)
        # What lies within an eighth of a pixel of an edge may fall to either side: the transformer's bound.
        clear = edge > 0.13
        print(json.dumps({
            'valid': int(valid.sum()),
            'mask': int((shown != valid)[clear].sum()),
            'wrong': int((~same & valid & shown)[clear].sum()),
            'unclear': int((~same & valid & shown & ~clear).sum() + ((shown != valid) & ~clear).sum()),
        }))


if sys.argv[1] == 'make':
    make(sys.argv[2])
else:
    check(sys.argv[2])
