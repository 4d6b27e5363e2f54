"""Answers of GDAL for test/raster/oracle.test.ts.

    python raster_oracle.py FILE.npy

A request a line on stdin: {path, level, crs, originX, originY, resX, resY, width, height, resampling, bands}. FILE.npy then
holds float64 (bands + 1, height, width): the values of a WarpedVRT from that level onto that grid, and the mask (0 or 255) last.
Kernels are placed within 0.001 source pixels; where whole source pixels are picked or counted every position is computed by itself,
as gdalwarp -et 0 does: on the edges of source pixels, where grids of round numbers put them, GDAL's interpolated positions fall to
either side. Without a crs it is the level as it is read. A line on stdout says that it is there: "ok", or what went wrong.
"""

import json
import re
import sys
import warnings

import numpy
import rasterio
import rasterio.shutil
from rasterio.enums import ColorInterp, Resampling
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT

warnings.filterwarnings('ignore')
KERNELS = ('bilinear', 'cubic')
APPROXIMATE = re.compile('<ApproxTransformer>.*<BaseTransformer>(.*)</BaseTransformer>.*</ApproxTransformer>', re.DOTALL)
NODATA = re.compile('(NoDataReal>)[^<]+(?=</)')


def exact(vrt):
    """The same without its approximation, which rasterio cannot leave out: it refuses a tolerance of 0."""
    with rasterio.io.MemoryFile(ext='.vrt') as file:
        rasterio.shutil.copy(vrt, file.name, driver='VRT')
        described = APPROXIMATE.sub(r'\1', file.read().decode())
    # In 16 digits the least of all doubles is none any more.
    return rasterio.open(NODATA.sub(lambda found: found[1] + repr(vrt.nodata), described))


def answer(request):
    options = {'OVERVIEW_LEVEL': request['level'] - 1} if request['level'] > 0 else {}
    transform = Affine(request['resX'], 0, request['originX'], 0, -request['resY'], request['originY'])
    with rasterio.open(request['path'], **options) as source:
        if request['crs'] is None:
            return numpy.concatenate([source.read(request['bands']).astype('float64'), source.read_masks(request['bands']).max(0)[None]])
        has_alpha = ColorInterp.alpha in source.colorinterp
        add_alpha = source.nodata is None and not has_alpha
        with WarpedVRT(
            source,
            crs=request['crs'],
            transform=transform,
            width=request['width'],
            height=request['height'],
            resampling=Resampling[request['resampling']],
            add_alpha=add_alpha,
            tolerance=0.001,
            **({'XSCALE': 1 / request['radiusX'], 'YSCALE': 1 / request['radiusY']} if 'radiusX' in request else {}),
        ) as near, (near if request['resampling'] in KERNELS else exact(near)) as vrt:
            values = vrt.read(request['bands']).astype('float64')
            # The mask of an added alpha band is wrong for floats (dataset_mask says 255 everywhere), the band itself is not.
            mask = (vrt.read(vrt.count) > 0) * 255.0 if add_alpha else vrt.dataset_mask().astype('float64')
    return numpy.concatenate([values, mask[None]])


with rasterio.Env(GDAL_CACHEMAX=64 << 20):
    for line in sys.stdin:
        try:
            numpy.save(sys.argv[1], answer(json.loads(line)))
            print('ok', flush=True)
        except Exception as error:
            print(f'{type(error).__name__}: {error}'.replace('\n', ' '), flush=True)
