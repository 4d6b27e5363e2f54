"""What every fixture is made with: pixels, a writer, the list of cases."""
import warnings

import numpy as np
import rasterio
from rasterio.transform import from_origin

from .surgery import Tiff

warnings.filterwarnings('ignore')
UTM = dict(crs='EPSG:32631', transform=from_origin(500000, 5000000, 10, 10))
TILE = dict(tiled=True, blockxsize=32, blockysize=16)
cases = []
# GDAL reads it, so its remedy can be tried.
SOUND = dict(sound=True)


def pixels(dtype, bands=1, w=70, h=50, seed=0):
    """Smooth with noise, whole range, both signs, so that predictors and byte order matter."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:h, 0:w]
    base = np.stack([np.sin(x / 9 + b) * np.cos(y / 7) + rng.normal(0, 0.02, (h, w)) for b in range(bands)])
    base = (base - base.min()) / (base.max() - base.min())
    kind = np.dtype(dtype)
    if kind.kind == 'f':
        return ((base - 0.3) * 1234.5).astype(kind)
    info = np.iinfo(kind)
    low, high = max(info.min, -2**52), min(info.max, 2**52)
    return (low + base * (high - low)).astype(kind)


def write(path, data, **kw):
    bands, h, w = data.shape
    tags = kw.pop('file_tags', None)
    after = kw.pop('after', None)
    profile = {**UTM, **TILE, **kw}
    if not profile['tiled']:
        profile.pop('blockxsize')
    env = profile.pop('env', {})
    with rasterio.Env(**env):
        with rasterio.open(path, 'w', driver='GTiff', width=w, height=h, count=bands, dtype=data.dtype.name, **profile) as d:
            d.write(data)
            if tags:
                d.update_tags(**tags)
            if after:
                after(d)


def case(name, expect='served', tolerance=0, *, told=None, make=None, **how):
    """`told`: what the manifest says beyond that, such as notes=[codes], nodata=…, levels=n, place=metres, oracle=FILE."""
    cases.append((name, dict(expect=expect, tolerance=tolerance, **(told or {})), make or (lambda path: write(path, **how))))


def patched(name, edit, expect='served', tolerance=0, data=None, told=None, **kw):
    def make(path):
        write(path, data if data is not None else pixels('uint8'), **kw)
        t = Tiff(path)
        edit(t)
        t.save()
    case(name, expect, tolerance, told=told, make=make)


def setter(tag, type_, values, **kw):
    return lambda t: t.set(tag, type_, values, **kw)


