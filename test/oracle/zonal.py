"""Statistics of rasters in zones, by rasterio's mask and numpy. Usage: zonal.py ZONES RASTER [LIMIT]; JSON lines on stdout."""
import json
import sys
import warnings

import numpy as np
import pyogrio
import pyproj
import rasterio
import shapely
from rasterio.features import geometry_mask
from rasterio.windows import Window, from_bounds, transform as window_transform

warnings.filterwarnings('ignore')
zones, raster = sys.argv[1:3]
limit = int(sys.argv[3]) if len(sys.argv) > 3 else None
meta, _, wkb, _ = pyogrio.raw.read(zones, columns=[], max_features=limit)
with rasterio.open(raster) as d:
    move = pyproj.Transformer.from_crs(meta['crs'], d.crs, always_xy=True)
    for i, geometry in enumerate(shapely.from_wkb(wkb)):
        moved = shapely.transform(geometry, lambda xy: np.column_stack(move.transform(xy[:, 0], xy[:, 1])))
        if moved.is_empty or not np.isfinite(moved.bounds).all():
            print(json.dumps(dict(id=i + 1, bands=None)))
            continue
        window = from_bounds(*moved.bounds, transform=d.transform)
        x0, y0 = max(0, int(np.floor(window.col_off)) - 1), max(0, int(np.floor(window.row_off)) - 1)
        x1 = min(d.width, int(np.ceil(window.col_off + window.width)) + 1)
        y1 = min(d.height, int(np.ceil(window.row_off + window.height)) + 1)
        if x1 <= x0 or y1 <= y0:
            print(json.dumps(dict(id=i + 1, bands=[])))
            continue
        part = Window(x0, y0, x1 - x0, y1 - y0)
        data, valid = d.read(window=part), d.dataset_mask(window=part) > 0
        inside = geometry_mask([moved], (y1 - y0, x1 - x0), window_transform(part, d.transform), invert=True)
        bands = []
        for band in data:
            values = band[inside & valid].astype('float64')
            bands.append(dict(
                n=int(values.size), masked=int((inside & ~valid).sum()),
                **(dict(min=values.min(), max=values.max(), mean=values.mean(), sum=values.sum(), std=values.std()) if values.size else {}),
            ))
        print(json.dumps(dict(id=i + 1, bands=bands)))
