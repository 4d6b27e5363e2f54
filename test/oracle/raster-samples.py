"""What GDAL says of rasters: metadata, and samples of random windows at every level. JSON lines on stdout.

Usage: raster-samples.py WINDOWS SEED FILE...
"""
import base64
import json
import math
import random
import sys
import warnings

import rasterio
from rasterio.windows import Window

warnings.filterwarnings('ignore')
SIDE = 48


def packed(array):
    return base64.b64encode(array.astype(array.dtype.newbyteorder('<')).tobytes()).decode()


def windows_of(width, height, count, rng):
    spots = [(0, 0), (max(0, width - SIDE), max(0, height - SIDE))]
    spots += [(rng.randrange(max(1, width - SIDE)), rng.randrange(max(1, height - SIDE))) for _ in range(max(0, count - 2))]
    return [(x, y, min(SIDE, width - x), min(SIDE, height - y)) for x, y in dict.fromkeys(spots)]


def level_of(path, level, count, rng):
    opened = rasterio.open(path) if level is None else rasterio.open(path, overview_level=level)
    with opened as d:
        samples = []
        for x, y, w, h in windows_of(d.width, d.height, count, rng):
            window = Window(x, y, w, h)
            try:
                data, mask = d.read(window=window), d.dataset_mask(window=window)
                samples.append(dict(x=x, y=y, w=w, h=h, dtype=data.dtype.name, data=packed(data), mask=packed(mask)))
            except Exception as error:
                samples.append(dict(x=x, y=y, w=w, h=h, error=str(error)))
        return dict(width=d.width, height=d.height, windows=samples)


def number(value):
    if value is None or math.isfinite(value):
        return value
    return str(value)


def facts_of(path, count, rng):
    with rasterio.open(path) as d:
        palette = None
        try:
            palette = [v for k, v in sorted(d.colormap(1).items())]
        except ValueError:
            pass
        lonlat = None
        if d.crs:
            corner = [d.transform * (c, r) for c in (0, d.width / 3, d.width) for r in (0, d.height / 2, d.height)]
            from pyproj import Transformer
            move = Transformer.from_crs(d.crs, 'OGC:CRS84', always_xy=True)
            lonlat = [[p[0], p[1], *map(number, move.transform(*p))] for p in corner]
        levels = [None, *range(len(d.overviews(1)))]
        return dict(
            width=d.width, height=d.height, count=d.count, dtype=d.dtypes[0], transform=list(d.transform)[:6],
            epsg=d.crs.to_epsg() if d.crs else None, points=lonlat, nodata=number(d.nodata),
            interp=[c.name for c in d.colorinterp], scales=d.scales, offsets=d.offsets, units=d.units,
            descriptions=d.descriptions, palette=palette, tags=d.tags(), bounds=list(d.bounds),
            levels=[level_of(path, level, count, rng) for level in levels],
        )


def main():
    count, rng = int(sys.argv[1]), random.Random(int(sys.argv[2]))
    for path in sys.argv[3:]:
        try:
            facts = facts_of(path, count, rng)
        except Exception as error:
            facts = dict(error=f'{type(error).__name__}: {error}')
        print(json.dumps(dict(file=path, **facts)), flush=True)


main()
