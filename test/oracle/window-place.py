"""Windows and previews of rasters in systems that no number names, or that are turned.

    window-place.py make DIR             writes the rasters: DIR/laea.tif, DIR/turned.tif, DIR/south-up.tif
    window-place.py check SOURCE GOT     one JSON line: what the answer has of the source's place; boxes are compared by xarray too, where it is
"""
import json
import sys

import numpy as np
import rasterio
from rasterio.transform import Affine

LAEA = '+proj=laea +lat_0=-12.5 +lon_0=131.25 +x_0=100000 +y_0=200000 +ellps=GRS80 +units=m +no_defs'
NEAR = Affine(250, 0, 90000, 0, -250, 260000)
PLACES = {
    'laea': (LAEA, NEAR),
    'turned': ('EPSG:25832', Affine(10, 3, 400000, 2, -9, 5700000)),
    'south-up': ('EPSG:25832', Affine(10, 0, 400000, 0, 10, 5700000)),
}


def make(folder):
    values = (np.arange(96 * 128).reshape(96, 128) % 500 - 40).astype('int16')
    values[10:20, 30:50] = -999
    for name, (crs, transform) in PLACES.items():
        shape = {'width': 128, 'height': 96, 'count': 1, 'dtype': 'int16', 'nodata': -999}
        with rasterio.open(f'{folder}/{name}.tif', 'w', driver='GTiff', tiled=True, blockxsize=64, blockysize=64, compress='deflate', crs=crs, transform=transform, **shape) as out:
            out.write(values, 1)


def by_xarray(path, source):
    """None where rioxarray is not installed."""
    try:
        import rioxarray
    except ImportError:
        return None
    array = rioxarray.open_rasterio(path)
    return array.rio.crs == source.crs and array.rio.nodata == source.nodata and str(array.dtype) == source.dtypes[0]


def check(source_path, got_path):
    with rasterio.open(source_path) as source, rasterio.open(got_path) as got:
        across, down = source.width / got.width, source.height / got.height
        whole = source.transform * Affine.scale(across, down)
        print(json.dumps({
            'crs': got.crs == source.crs,
            'nodata': got.nodata == source.nodata,
            'dtype': got.dtypes == source.dtypes,
            'whole': bool(np.allclose(got.transform, whole, rtol=1e-12, atol=1e-6)),
            'box': list(got.bounds),
            'xarray': by_xarray(got_path, source),
        }))


if sys.argv[1] == 'make':
    make(sys.argv[2])
else:
    check(sys.argv[2], sys.argv[3])
