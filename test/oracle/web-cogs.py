"""COGs whose blocks are web mercator tiles, for test/raster/pass.test.ts.

    python web-cogs.py OUTDIR

Writes NAME.tif for each of the kinds below, of the same smooth picture over 2 x 2 tiles of zoom 10 (a raster of 512 px), and
prints their names as JSON.
"""

import json
import sys
import warnings

import numpy
import rasterio
from rasterio.io import MemoryFile
from rasterio.shutil import copy
from rasterio.transform import Affine

warnings.filterwarnings('ignore')

HALF = 20037508.342789244
SIDE = 2 * HALF / 2**10
SIZE = 1024

KINDS = {
    'jpeg': (3, None, {'compress': 'JPEG', 'quality': 85}),
    'jpeg-gray': (1, None, {'compress': 'JPEG', 'quality': 85}),
    'jpeg-512': (3, None, {'compress': 'JPEG', 'quality': 85, 'blocksize': 512}),
    'jpeg-mask': (3, 'mask', {'compress': 'JPEG', 'quality': 85}),
    'webp': (3, None, {'compress': 'WEBP', 'quality': 75}),
    'webp-lossless': (3, None, {'compress': 'WEBP', 'quality': 100}),
    'webp-alpha': (4, 'alpha', {'compress': 'WEBP', 'quality': 75, 'add_mask': 'NO'}),
    'webp-512': (3, None, {'compress': 'WEBP', 'quality': 75, 'blocksize': 512}),
    # Blocks at its right and lower edge are not full.
    'jpeg-edge': (3, 'edge', {'compress': 'JPEG', 'quality': 85}),
    # Pixels a little too wide: its first blocks are tiles within a millionth of a pixel, its last ones are not.
    'jpeg-drift': (3, 'drift', {'compress': 'JPEG', 'quality': 85}),
    'webp-nodata': (3, 'nodata', {'compress': 'WEBP', 'quality': 75}),
}


def picture(bands):
    y, x = numpy.mgrid[0:SIZE, 0:SIZE].astype('float64') / SIZE
    planes = [128 + 90 * numpy.sin((5 + 3 * b) * x + b) * numpy.cos((4 + 2 * b) * y) for b in range(3)]
    planes.append(numpy.where((x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.2, 255, 0))
    return numpy.stack(planes[:bands]).round().astype('uint8')


# 2 x 2 tiles of 512 px at zoom 10 are 4 x 4 of 256 px at zoom 11.
TRANSFORM = Affine(2 * SIDE / SIZE, 0, 0, 0, -2 * SIDE / SIZE, 2 * SIDE)

for name, (bands, special, options) in KINDS.items():
    width, height = (900, 700) if special == 'edge' else (SIZE, SIZE)
    values = picture(bands)[:, :height, :width]
    profile = {
        'driver': 'GTiff',
        'width': width,
        'height': height,
        'count': bands,
        'dtype': 'uint8',
        'crs': 'EPSG:3857',
        'transform': TRANSFORM * Affine.scale(1 + 3e-9) if special == 'drift' else TRANSFORM,
        'photometric': 'MINISBLACK' if bands == 1 else 'RGB',
        **({'alpha': 'YES'} if special == 'alpha' else {}),
        **({'nodata': 0} if special == 'nodata' else {}),
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as made:
            made.write(values)
            if special == 'mask':
                made.write_mask(picture(4)[3])
        with memory.open() as source:
            copy(source, f'{sys.argv[1]}/{name}.tif', driver='COG', **{'blocksize': 256, **options})

print(json.dumps(list(KINDS)))
