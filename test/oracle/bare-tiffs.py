"""TIFFs that lack overviews, and the same ones with overviews that GDAL made, for test/shadow.

    python bare-tiffs.py OUTDIR [FACTOR ...] [NAME ...]

Writes NAME.tif for each of the kinds below, or those named, and, where factors are given, with/NAME.tif, which has overviews of these factors by
`average` (a palette by `nearest`). Prints the names as JSON. Sizes are odd, so that pixels of an overview cover parts of pixels.
"""

import json
import os
import shutil
import sys
import warnings

import numpy
import rasterio
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.shutil import copy
from rasterio.transform import Affine

warnings.filterwarnings('ignore')

WIDTH, HEIGHT = 2301, 1203
HALF = 20037508.342789244
# About four tiles of zoom 4 across, not on their edges.
TRANSFORM = Affine(2 * HALF / 2**4 / 700, 0, -3_111_111, 0, -2 * HALF / 2**4 / 700, 4_222_222)
TILED = {'tiled': True, 'blockxsize': 256, 'blockysize': 256, 'compress': 'DEFLATE', 'zlevel': 1}

y, x = numpy.mgrid[0:HEIGHT, 0:WIDTH].astype('float64')
noise = numpy.random.default_rng(7).normal(0, 12, (HEIGHT, WIDTH))
hole = ((x - 900) ** 2 + (y - 600) ** 2 < 500**2) | (x + y < 500)


def band(n):
    return 128 + 80 * numpy.sin(x / (90 + 40 * n) + n) * numpy.cos(y / (120 - 20 * n)) + noise


def rgb():
    return numpy.clip(numpy.stack([band(n) for n in range(3)]), 1, 255).astype('uint8')


def holed(values, nodata):
    values = values.copy()
    values[..., hole] = nodata
    return values


KINDS = {
    'tiled': (rgb, TILED, {}),
    'stripped': (rgb, {'compress': 'LZW', 'blockysize': 16, 'tiled': False}, {}),
    'planar': (rgb, {**TILED, 'interleave': 'band'}, {}),
    'cog': (rgb, None, {}),
    'nodata': (lambda: holed((band(0)[None] * 20 - 2500).astype('int16'), -9999), {**TILED, 'nodata': -9999}, {}),
    'float': (lambda: holed(band(1)[None].astype('float32'), numpy.nan), {**TILED, 'nodata': float('nan')}, {}),
    'mask': (rgb, {**TILED, 'photometric': 'RGB'}, {'mask': ~hole}),
    'alpha': (
        lambda: numpy.concatenate([rgb(), numpy.where(hole, 0, 255).astype('uint8')[None]]),
        {**TILED, 'photometric': 'RGB', 'alpha': 'YES'},
        {},
    ),
    'palette': (
        lambda: ((x // 97 + y // 61) % 7).astype('uint8')[None],
        {**TILED, 'photometric': 'palette'},
        {'colours': {i: (37 * i % 256, 91 * i % 256, 255 - 30 * i, 255) for i in range(256)}},
    ),
}


def write(path, name):
    make, options, extra = KINDS[name]
    values = make()
    profile = {
        'driver': 'GTiff',
        'width': WIDTH,
        'height': HEIGHT,
        'count': values.shape[0],
        'dtype': values.dtype.name,
        'crs': 'EPSG:3857',
        'transform': TRANSFORM,
        **(options or TILED),
    }
    if options is None:
        with MemoryFile() as memory:
            with memory.open(**profile) as made:
                made.write(values)
            with memory.open() as source:
                copy(source, path, driver='COG', overviews='NONE', compress='DEFLATE', blocksize=256)
        return
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK='YES'):
        with rasterio.open(path, 'w', **profile) as made:
            made.write(values)
            if 'colours' in extra:
                made.write_colormap(1, extra['colours'])
            if 'mask' in extra:
                made.write_mask(extra['mask'])


out = sys.argv[1]
factors = [int(text) for text in sys.argv[2:] if text.isdigit()]
wanted = [text for text in sys.argv[2:] if not text.isdigit()] or list(KINDS)
for name in wanted:
    path = os.path.join(out, f'{name}.tif')
    write(path, name)
    if not factors:
        continue
    os.makedirs(os.path.join(out, 'with'), exist_ok=True)
    whole = os.path.join(out, 'with', f'{name}.tif')
    shutil.copy(path, whole)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK='YES'):
        with rasterio.open(whole, 'r+', IGNORE_COG_LAYOUT_BREAK='YES') as made:
            made.build_overviews(factors, Resampling.nearest if name == 'palette' else Resampling.average)

print(json.dumps(wanted))
