"""Containers, blocks, overviews, masks."""
import numpy as np
import rasterio
from rasterio.enums import Resampling

from .base import TILE, UTM, case, patched, pixels, setter, write
from .surgery import Tiff, cut, image, raw_tiff

case('bigtiff', data=pixels('uint16'), BIGTIFF='YES', compress='DEFLATE')
case('bigtiff-big-endian', data=pixels('uint16', 3), BIGTIFF='YES', ENDIANNESS='BIG', compress='LZW', predictor=2)
case('one-strip', data=pixels('uint8', 3, 300, 900), tiled=False, blockysize=900)
case('one-strip-big', data=pixels('uint16', 3, 700, 901), tiled=False, blockysize=901)
case('strip-planar-split', data=pixels('uint16', 3, 700, 900), tiled=False, blockysize=900, interleave='BAND')
case('strip-one-row', data=pixels('uint8'), tiled=False, blockysize=1, compress='LZW')
case('tile-larger-than-image', data=pixels('uint8', 3, 20, 10), blockxsize=256, blockysize=256, compress='DEFLATE')
case('float16', data=pixels('float32'), NBITS=16, compress='DEFLATE')
case('float16-predictor-3', data=pixels('float32', 2), NBITS=16, compress='ZSTD', predictor=3, interleave='PIXEL')
case('float16-big-endian', data=pixels('float32'), NBITS=16, ENDIANNESS='BIG')


def sparse(path, dtype='uint8', nodata=None, **kw):
    with rasterio.open(path, 'w', driver='GTiff', width=96, height=64, count=1, dtype=dtype, nodata=nodata, SPARSE_OK='TRUE', **{**UTM, **TILE, 'compress': 'DEFLATE', **kw}) as d:
        d.write(pixels(dtype, 1, 32, 16)[0], 1, window=rasterio.windows.Window(32, 16, 32, 16))


case('sparse', make=sparse)
case('sparse-nodata', make=lambda p: sparse(p, nodata=7))
case('sparse-nan', make=lambda p: sparse(p, 'float32', float('nan')))
case('sparse-none', make=lambda p: sparse(p, compress='NONE', nodata=3))
case('sparse-negative', make=lambda p: sparse(p, 'int16', nodata=-9999, compress='LZW'))
case('sparse-out-of-range', make=lambda p: sparse(p, 'float32', nodata=-3.4028234663852886e+38))


def overviews(path, data, config=None, levels=(2, 4), **kw):
    write(path, data, **kw)
    with rasterio.Env(**(config or {})):
        with rasterio.open(path, 'r+') as d:
            d.build_overviews(list(levels), Resampling.nearest)


big3 = pixels('uint8', 3, 301, 203)
case('overviews', make=lambda p: overviews(p, big3, compress='DEFLATE'))
case('overviews-odd', make=lambda p: overviews(p, big3, levels=(3, 7), compress='LZW', predictor=2))
case('overviews-other-codec', make=lambda p: overviews(p, big3, config=dict(COMPRESS_OVERVIEW='ZSTD', GDAL_TIFF_OVR_BLOCKSIZE='64'), compress='NONE'))


def external_overviews(path, **kw):
    write(path, big3, **kw)
    with rasterio.Env(TIFF_USE_OVR='YES', COMPRESS_OVERVIEW='DEFLATE', GDAL_TIFF_OVR_BLOCKSIZE='64'):
        with rasterio.open(path, 'r+') as d:
            d.build_overviews([2, 4], Resampling.nearest)


case('overviews-external', make=external_overviews)


def mask_of(w, h):
    y, x = np.mgrid[0:h, 0:w]
    return np.where((x - w / 2) ** 2 + (y - h / 2) ** 2 < (min(w, h) * 0.45) ** 2, 255, 0).astype('uint8')


def masked(path, internal, ov=True, **kw):
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=internal, GDAL_TIFF_OVR_BLOCKSIZE='64'):
        write(path, big3, after=lambda d: d.write_mask(mask_of(301, 203)), **kw)
        if ov:
            with rasterio.open(path, 'r+') as d:
                d.build_overviews([2, 4], Resampling.nearest)


case('mask-internal', make=lambda p: masked(p, True, compress='DEFLATE'))
# GDAL's reader lets the mask beat nodata, its warper hides what either of them hides.
BY_READER = dict(warped=False)
case('mask-internal-nodata', told=BY_READER, make=lambda p: masked(p, True, nodata=100, compress='DEFLATE'))
case('mask-internal-jpeg', make=lambda p: masked(p, True, compress='JPEG', photometric='RGB'))
case('mask-external', make=lambda p: masked(p, False, ov=False, compress='DEFLATE'))
case('mask-external-nodata', told=BY_READER, make=lambda p: masked(p, False, ov=False, nodata=100, compress='LZW'))


def masked_with_external_overviews(path):
    """FILE.ovr with overviews of image and mask."""
    masked(path, True, ov=False, compress='DEFLATE')
    with rasterio.Env(TIFF_USE_OVR='YES', GDAL_TIFF_OVR_BLOCKSIZE='64', GDAL_TIFF_INTERNAL_MASK=True):
        with rasterio.open(path, 'r+') as d:
            d.build_overviews([2, 4], Resampling.nearest)


# GDAL forgets the mask in these overviews, and would show what it hides.
case('mask-overviews-external', told=dict(levels=1, notes=['tiff-overview-ignored']), make=masked_with_external_overviews)


def external_mask_and_overviews(path):
    """FILE.msk and FILE.msk.ovr beside FILE.ovr."""
    masked(path, False, ov=False, compress='DEFLATE')
    with rasterio.Env(TIFF_USE_OVR='YES', GDAL_TIFF_OVR_BLOCKSIZE='64'):
        with rasterio.open(path, 'r+') as d:
            d.build_overviews([2, 4], Resampling.nearest)


case('mask-and-overviews-external', make=external_mask_and_overviews)

# ---- by hand ------------------------------------------------------------------------------------


def by_hand(path, data, tile, overview=None, mask=None, sub=False):
    bands, h, w = data.shape
    directories = [(image(w, h, bands, tile=tile), [b.tobytes() for b in cut(data, tile)])]
    if overview:
        small = np.ascontiguousarray(data[:, ::overview[1], ::overview[0]])
        reduced = image(small.shape[2], small.shape[1], bands, tile=tile, more={254: (4, [1])})
        directories.append((reduced, [b.tobytes() for b in cut(small, tile)]))
    if mask is not None:
        directories.append(mask)
    if sub:
        raw_tiff(path, directories[:1], sub_ifds=directories[1:])
    else:
        raw_tiff(path, directories)


case('tiles-not-of-16', make=lambda p: by_hand(p, pixels('uint8', 3, 90, 70), (20, 12)))
case('overview-anisotropic', make=lambda p: by_hand(p, pixels('uint8', 1, 192, 160), (32, 32), overview=(4, 2)))
# GDAL shows images of SubIFDs as overviews; here they are not looked at, and the verdict says so.
case('overview-in-sub-ifd', told=dict(levels=1, notes=['tiff-sub-ifds']), make=lambda p: by_hand(p, pixels('uint8', 1, 192, 160), (32, 32), overview=(2, 2), sub=True))


def byte_mask(path):
    """A mask of eight bits, in strips, beside an image in tiles."""
    values = (pixels('uint8', 1, 192, 160, seed=3) > 100) * np.uint8(255)
    by_hand(path, pixels('uint8', 3, 192, 160), (64, 32), mask=(image(192, 160, photometric=4, more={254: (4, [4])}), [values.tobytes()]))


case('mask-of-bytes-in-strips', make=byte_mask)


def separate_overview(path):
    """An image whose samples stand together, its overview with a plane a band and in strips."""
    data = pixels('uint8', 3, 192, 160)
    small = np.ascontiguousarray(data[:, ::2, ::2])
    reduced = image(96, 80, 3, rows=80, more={254: (4, [1]), 284: (3, [2])})
    raw_tiff(path, [(image(192, 160, 3, tile=(64, 32)), [b.tobytes() for b in cut(data, (64, 32))]), (reduced, [band.tobytes() for band in small])])


case('overview-other-planar', make=separate_overview)


def endless_sub_ifd(path):
    """Tag 330 names the directory that it stands in."""
    by_hand(path, pixels('uint8', 1, 64, 32), (32, 32), overview=(2, 2), sub=True)
    t = Tiff(path)
    t.set(330, 4, [t.ifds()[0][0]])
    t.save()


case('sub-ifd-endless', told=dict(levels=1, notes=['tiff-sub-ifds']), make=endless_sub_ifd)


def sparse_masked(path, nodata=None):
    """Blocks that are not there under a mask that says all is well: 0, or nodata, and valid."""
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True):
        with rasterio.open(path, 'w', driver='GTiff', width=96, height=64, count=1, dtype='uint8', nodata=nodata, SPARSE_OK='TRUE', **{**UTM, **TILE, 'compress': 'DEFLATE'}) as d:
            d.write(pixels('uint8', 1, 32, 16)[0], 1, window=rasterio.windows.Window(32, 16, 32, 16))
            d.write_mask(mask_of(96, 64))


case('sparse-mask', make=sparse_masked)
case('sparse-nodata-mask', told=BY_READER, make=lambda p: sparse_masked(p, 7))


def bit_mask(path):
    """Uncompressed bits, rows padded to bytes."""
    rows = b''.join(np.packbits(row).tobytes() for row in mask_of(190, 160))
    by_hand(path, pixels('uint8', 3, 190, 160), (64, 32), mask=(image(190, 160, bits=1, photometric=4, rows=160, more={254: (4, [4])}), [rows]))


case('mask-of-bits-plain', make=bit_mask)
