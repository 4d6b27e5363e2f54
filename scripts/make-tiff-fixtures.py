#!/usr/bin/env python3
"""Makes awkward TIFFs, one line a case, into a folder, with a manifest of what is to be expected of each.

Usage: make-tiff-fixtures.py FOLDER            Needs rasterio (GDAL >= 3.7) and numpy.
manifest.json: [{"file", "expect": "served" | a refusal code, "tolerance", "note"}]
"""
import itertools
import json
import os
import random
import struct
import sys
import warnings

import numpy as np
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.enums import ColorInterp, Resampling
from rasterio.transform import Affine, from_origin

warnings.filterwarnings('ignore')
UTM = dict(crs='EPSG:32631', transform=from_origin(500000, 5000000, 10, 10))
TILE = dict(tiled=True, blockxsize=32, blockysize=16)
TYPES = {1: 'B', 2: 's', 3: 'H', 4: 'I', 11: 'f', 12: 'd', 16: 'Q'}
cases = []


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


def case(name, expect='served', tolerance=0, **how):
    cases.append((name, expect, tolerance, how))


# ---- byte surgery, for what GDAL will not write -------------------------------------------------

class Tiff:
    def __init__(self, path):
        self.path, self.b = path, bytearray(open(path, 'rb').read())
        self.e = '<' if self.b[:2] == b'II' else '>'
        self.big = struct.unpack_from(self.e + 'H', self.b, 2)[0] == 43
        self.ifd = struct.unpack_from(self.e + ('Q' if self.big else 'I'), self.b, 8 if self.big else 4)[0]

    def ifds(self):
        at, out = self.ifd, []
        while at:
            n = struct.unpack_from(self.e + 'H', self.b, at)[0]
            out.append((at, n))
            at = struct.unpack_from(self.e + 'I', self.b, at + 2 + 12 * n)[0]
        return out

    def entry(self, tag, ifd=0):
        at, n = self.ifds()[ifd]
        return next((at + 2 + 12 * i for i in range(n) if struct.unpack_from(self.e + 'H', self.b, at + 2 + 12 * i)[0] == tag), None)

    def set(self, tag, type_, values, ifd=0, count=None):
        at = self.entry(tag, ifd)
        data = values if isinstance(values, bytes) else struct.pack(f'{self.e}{len(values)}{TYPES[type_]}', *values)
        n = count if count is not None else (len(data) if isinstance(values, bytes) else len(values))
        if at is None:
            self.insert(tag, ifd)
            at = self.entry(tag, ifd)
        struct.pack_into(self.e + 'HHI', self.b, at, tag, type_, n)
        if len(data) <= 4:
            self.b[at + 8:at + 12] = data.ljust(4, b'\0')
        else:
            struct.pack_into(self.e + 'I', self.b, at + 8, len(self.b))
            self.b += data

    def insert(self, tag, ifd):
        """Copies the directory to the end of the file with one entry more."""
        at, n = self.ifds()[ifd]
        entries = [bytes(self.b[at + 2 + 12 * i:at + 14 + 12 * i]) for i in range(n)] + [struct.pack(self.e + 'HHI4x', tag, 1, 1)]
        entries.sort(key=lambda x: struct.unpack_from(self.e + 'H', x)[0])
        link = 4 if ifd == 0 else self.ifds()[ifd - 1][0] + 2 + 12 * self.ifds()[ifd - 1][1]
        following = bytes(self.b[at + 2 + 12 * n:at + 6 + 12 * n])
        self.b += b'\0' * (len(self.b) % 2)
        struct.pack_into(self.e + 'I', self.b, link, len(self.b))
        if ifd == 0:
            self.ifd = len(self.b)
        self.b += struct.pack(self.e + 'H', n + 1) + b''.join(entries) + following

    def drop(self, tag):
        """Renames a tag to one that means nothing."""
        struct.pack_into(self.e + 'H', self.b, self.entry(tag), 65000)

    def save(self):
        open(self.path, 'wb').write(self.b)


def patched(name, edit, expect='served', tolerance=0, data=None, **kw):
    def make(path):
        write(path, data if data is not None else pixels('uint8'), **kw)
        t = Tiff(path)
        edit(t)
        t.save()
    case(name, expect, tolerance, make=make)


def setter(tag, type_, values, **kw):
    return lambda t: t.set(tag, type_, values, **kw)


# ---- codec × type × predictor × interleave × endianness × layout ---------------------------------

LOSSLESS = ['NONE', 'DEFLATE', 'LZW', 'PACKBITS', 'ZSTD']
DTYPES = ['uint8', 'int8', 'uint16', 'int16', 'uint32', 'int32', 'uint64', 'int64', 'float32', 'float64']


def matrix():
    every = []
    for codec, dtype, bands, endian, tiled in itertools.product(LOSSLESS, DTYPES, [('1', 1, 'PIXEL'), ('3c', 3, 'PIXEL'), ('5c', 5, 'PIXEL'), ('3p', 3, 'BAND')], ['LITTLE', 'BIG'], [True, False]):
        predictors = [1] if codec in ('NONE', 'PACKBITS') else [1, 2, 3] if dtype.startswith('f') else [1, 2]
        every += [(codec, dtype, bands, endian, tiled, p) for p in predictors]
    random.Random(7).shuffle(every)
    must, seen = [], set()
    for c in every:  # every codec × predictor × type at least once, every endianness × predictor × type too
        keys = {('a', c[0], c[5], c[1]), ('b', c[3], c[5], c[1], c[2][0]), ('c', c[0], c[4], c[3])}
        if keys - seen:
            must.append(c)
            seen |= keys
    for codec, dtype, (tag, bands, interleave), endian, tiled, predictor in must:
        kw = dict(compress=codec, interleave=interleave, ENDIANNESS=endian, tiled=tiled)
        if predictor > 1:
            kw['predictor'] = predictor
        if not tiled:
            kw['blockysize'] = 7
        name = f'm-{codec}-{dtype}-{tag}-{endian}-{"tile" if tiled else "strip"}-p{predictor}'.lower()
        case(name, data=pixels(dtype, bands), **kw)


matrix()
for codec in ('LERC', 'LERC_DEFLATE', 'LERC_ZSTD'):
    for dtype in ('uint8', 'int16', 'uint16', 'int32', 'float32', 'float64'):
        case(f'lerc-{codec.lower()}-{dtype}', data=pixels(dtype), compress=codec)
    case(f'lerc-{codec.lower()}-3', data=pixels('uint8', 3), compress=codec)
    case(f'lerc-{codec.lower()}-3-planar', data=pixels('int16', 3), compress=codec, interleave='BAND')
    case(f'lerc-{codec.lower()}-strip', data=pixels('float32'), compress=codec, tiled=False, blockysize=9)
holes = pixels('float32')
holes[0, 10:30, 5:40] = np.nan
case('lerc-nan-holes', data=holes, compress='LERC', nodata=float('nan'))
case('lerc-lossy', data=pixels('float32'), compress='LERC', MAX_Z_ERROR=0.5)
rgba = pixels('uint8', 4)
rgba[3] = np.where(rgba[3] > 128, 255, 0)
case('lerc-rgba', data=rgba, compress='LERC', photometric='RGB', alpha='YES')

# ---- containers, layouts -----------------------------------------------------------------------

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
case('mask-internal-nodata', make=lambda p: masked(p, True, nodata=100, compress='DEFLATE'))
case('mask-internal-jpeg', tolerance=4, make=lambda p: masked(p, True, compress='JPEG', photometric='YCBCR'))
case('mask-external', make=lambda p: masked(p, False, ov=False, compress='DEFLATE'))

# ---- colours ------------------------------------------------------------------------------------


def colormap(n):
    return lambda d: d.write_colormap(1, {i: (i * 7 % 256, 255 - i, i * 31 % 256, 255) for i in range(n)})


case('palette-8', data=pixels('uint8'), photometric='PALETTE', after=colormap(256), compress='DEFLATE')
case('palette-4', data=pixels('uint8') // 16, photometric='PALETTE', NBITS=4, after=colormap(16))
case('bits-1', data=pixels('uint8') // 128, NBITS=1, compress='DEFLATE')
case('bits-1-min-is-white', data=pixels('uint8') // 128, NBITS=1, photometric='MINISWHITE')
case('bits-1-strip', data=pixels('uint8') // 128, NBITS=1, tiled=False, blockysize=7, compress='PACKBITS')
case('bits-2', data=pixels('uint8') // 64, NBITS=2, compress='LZW')
case('bits-4-three', data=pixels('uint8', 3) // 16, NBITS=4, compress='LZW', interleave='PIXEL')
case('min-is-white-8', data=pixels('uint8'), photometric='MINISWHITE')
case('alpha', data=pixels('uint8', 4), photometric='RGB', alpha='YES', compress='DEFLATE')
case('alpha-premultiplied', data=pixels('uint8', 4), photometric='RGB', alpha='PREMULTIPLIED', compress='DEFLATE')
case('alpha-16', data=pixels('uint16', 4), photometric='RGB', alpha='YES', compress='LZW', predictor=2)
case('gray-alpha', data=pixels('uint8', 2), alpha='YES', interleave='PIXEL')


def describe(d):
    d.scales, d.offsets, d.units = (0.5, 2), (10, -3), ('m', 'K & <x>')
    d.descriptions = ('first "band"', 'second')
    d.update_tags(1, STATISTICS_MEAN='3')


case('scale-offset', data=pixels('int16', 2), after=describe, file_tags={'TIFFTAG_IMAGEDESCRIPTION': 'a picture', 'MINE': 'a & b'})
case('colorinterp', data=pixels('uint8', 3), photometric='MINISBLACK', after=lambda d: setattr(d, 'colorinterp', [ColorInterp.blue, ColorInterp.green, ColorInterp.red]))

# ---- JPEG and WebP ----------------------------------------------------------------------------------

for n, kw in {
    'ycbcr': dict(photometric='YCBCR', bands=3),
    'rgb': dict(photometric='RGB', bands=3),
    'gray': dict(bands=1),
    'two': dict(bands=2, interleave='PIXEL'),
    'rgba': dict(photometric='RGB', bands=4),
    'planar': dict(photometric='RGB', bands=3, interleave='BAND'),
    'no-tables': dict(photometric='YCBCR', bands=3, JPEGTABLESMODE=0),
    'strips': dict(photometric='YCBCR', bands=3, tiled=False, blockysize=16),
    'big-endian': dict(photometric='YCBCR', bands=3, ENDIANNESS='BIG'),
    'q95': dict(photometric='YCBCR', bands=3, JPEG_QUALITY=95),
}.items():
    case(f'jpeg-{n}', tolerance=4, data=pixels('uint8', kw.pop('bands'), 150, 117), compress='JPEG', **{**dict(blockxsize=64, blockysize=64), **kw})
case('jpeg-444', tolerance=4, data=pixels('uint8', 3, 150, 117), compress='JPEG', photometric='YCBCR', JPEG_QUALITY=90, env=dict(JPEG_SUBSAMPLE='4:4:4'))
case('webp-lossy', tolerance=0, data=pixels('uint8', 3, 150, 117), compress='WEBP', WEBP_LEVEL=75, blockxsize=64, blockysize=64)
case('webp-lossless', data=pixels('uint8', 3, 150, 117), compress='WEBP', WEBP_LOSSLESS='TRUE')
case('webp-rgba', data=rgba, compress='WEBP', WEBP_LOSSLESS='TRUE')
case('webp-strips', data=pixels('uint8', 3, 150, 117), compress='WEBP', WEBP_LOSSLESS='TRUE', tiled=False, blockysize=32)
opaque = pixels('uint8', 4)
opaque[3] = 255
case('webp-opaque-alpha', data=opaque, compress='WEBP', WEBP_LOSSLESS='TRUE')

# ---- nodata ----------------------------------------------------------------------------------------

for n, (dtype, text) in {
    'u8-0': ('uint8', b'0'), 'u8-nan': ('uint8', b'nan'), 'u8-negative': ('uint8', b'-9999'), 'u8-256': ('uint8', b'256'), 'u8-1e400': ('uint8', b'1e400'),
    'f32-9999': ('float32', b'-9999'), 'f32-nan': ('float32', b'nan'), 'f32-rounded': ('float32', b'-3.4028234663852886e+38'), 'f32-tenth': ('float32', b'0.1'),
    'f64-big': ('float64', b'-1.7976931348623157e+308'), 'i16-spaces': ('int16', b' -32768 '), 'u16-trailing': ('uint16', b'12 '), 'f32-inf': ('float32', b'inf'),
}.items():
    patched(f'nodata-{n}', setter(42113, 2, text + b'\0'), data=pixels(dtype))

# ---- where it is -------------------------------------------------------------------------------------

case('point', data=pixels('uint8'), file_tags={'AREA_OR_POINT': 'Point'})
patched('tiepoint-offset', setter(33922, 12, [10.0, 20, 0, 500000, 5000000, 0]))
patched('negative-scale-y', setter(33550, 12, [10.0, -10, 0]))
case('rotated', data=pixels('uint8'), transform=Affine.translation(500000, 5000000) * Affine.rotation(30) * Affine.scale(10, -12))
case('rotated-point', data=pixels('uint8'), transform=Affine.translation(500000, 5000000) * Affine.rotation(-20) * Affine.scale(10, -12), file_tags={'AREA_OR_POINT': 'Point'})
case('south-up', data=pixels('uint8'), transform=Affine(10, 0, 500000, 0, 10, 4000000))
case('antimeridian', data=pixels('uint8'), crs='EPSG:4326', transform=from_origin(170, 10, 20 / 70, 0.4))
case('antimeridian-utm', data=pixels('uint8'), crs='EPSG:32660', transform=from_origin(600000, 5000000, 5000, 5000))
case('whole-world', data=pixels('uint8'), crs='EPSG:4326', transform=from_origin(-180, 90, 360 / 70, 180 / 50))
case('zero-to-360', data=pixels('uint8'), crs='EPSG:4326', transform=from_origin(0, 90, 360 / 70, 180 / 50))
case('south-pole', data=pixels('uint8'), crs='EPSG:3031', transform=from_origin(-3500000, 2500000, 100000, 100000))
for n, (crs, x, y) in {
    'laea': ('+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +ellps=GRS80 +units=m', 4000000, 3000000),
    'lcc-2sp': ('+proj=lcc +lat_1=33 +lat_2=45 +lat_0=39 +lon_0=-96 +x_0=0 +y_0=0 +datum=NAD83 +units=m', 1000, 1000),
    'lcc-1sp': ('+proj=lcc +lat_1=46.8 +lat_0=46.8 +lon_0=2.3 +k_0=0.99987742 +x_0=600000 +y_0=2200000 +ellps=GRS80 +units=m', 600000, 2200000),
    'tmerc': ('+proj=tmerc +lat_0=31 +lon_0=35 +k=1.0000067 +x_0=219529.584 +y_0=626907.39 +ellps=GRS80 +units=m', 219000, 626000),
    'tmerc-feet': ('+proj=tmerc +lat_0=40 +lon_0=-76 +k=0.9999 +x_0=249999.9998983998 +y_0=0 +datum=NAD83 +units=us-ft', 820000, 1000),
    'stere-ts': ('+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=10 +x_0=0 +y_0=0 +datum=WGS84 +units=m', 100000, 2000000),
    'stere-k': ('+proj=stere +lat_0=90 +lon_0=-45 +k=0.994 +x_0=2000000 +y_0=2000000 +datum=WGS84 +units=m', 2100000, 2900000),
    'aea': ('+proj=aea +lat_0=0 +lon_0=132 +lat_1=-18 +lat_2=-36 +x_0=0 +y_0=0 +ellps=GRS80 +units=m', 100000, -2000000),
    'sinu-sphere': ('+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m', 1000000, 4000000),
    'eqc': ('+proj=eqc +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84 +units=m', 1000000, 4000000),
    'merc-ts': ('+proj=merc +lat_ts=41 +lon_0=10 +x_0=0 +y_0=0 +datum=WGS84 +units=m', 100000, 4000000),
    'utm-wgs84': ('+proj=utm +zone=33 +datum=WGS84 +units=m', 500000, 5000000),
    'longlat-sphere': ('+proj=longlat +R=6371229', 10, 50),
    'longlat-wgs84': ('+proj=longlat +datum=WGS84', 10, 50),
}.items():
    step = 0.01 if 'longlat' in n else 100
    case(f'crs-{n}', data=pixels('uint8'), crs=rasterio.crs.CRS.from_string(crs), transform=from_origin(x, y, step, step))
case('crs-unknown-projection', 'tiff-crs-unsupported', data=pixels('uint8'), crs=rasterio.crs.CRS.from_string('+proj=robin +lon_0=0 +datum=WGS84 +units=m'))
case('no-crs', 'tiff-no-crs', data=pixels('uint8'), crs=None)


def no_georeference(path):
    write(path, pixels('uint8'), transform=Affine.identity())


case('no-georeference', 'tiff-no-georeference', make=no_georeference)


def gcps(path):
    points = [GroundControlPoint(row=r, col=c, x=500000 + c * 10 + r, y=5000000 - r * 10) for r in (0, 49) for c in (0, 69)]
    with rasterio.open(path, 'w', driver='GTiff', width=70, height=50, count=1, dtype='uint8') as d:
        d.write(pixels('uint8'))
        d.gcps = (points, rasterio.crs.CRS.from_epsg(32631))


case('gcps', 'tiff-gcp-only', make=gcps)

# ---- refused ------------------------------------------------------------------------------------------

case('ccitt', 'tiff-compression-unsupported', data=pixels('uint8') // 128, NBITS=1, compress='CCITTFAX4')
case('lzma', 'tiff-compression-unsupported', data=pixels('uint8'), compress='LZMA')
patched('jxl', setter(259, 3, [50002]), 'tiff-compression-unsupported')
patched('zstd-old-number', setter(259, 3, [34926]), 'tiff-compression-unsupported', compress='ZSTD')
patched('old-jpeg', setter(259, 3, [6]), 'tiff-old-jpeg', compress='JPEG')
case('bits-12', 'tiff-bits-unsupported', data=pixels('uint16') // 16, NBITS=12)
case('bits-5', 'tiff-bits-unsupported', data=pixels('uint8') // 8, NBITS=5)
case('complex', 'tiff-complex', data=pixels('float32').astype('complex64'))
case('cmyk', 'tiff-photometric-unsupported', data=pixels('uint8', 4), photometric='CMYK')
case('cielab', 'tiff-photometric-unsupported', data=pixels('uint8', 3), photometric='CIELAB')
patched('predictor-3-on-integer', setter(317, 3, [3]), 'tiff-predictor-on-integer', compress='DEFLATE', predictor=2)
patched('predictor-9', setter(317, 3, [9]), 'tiff-predictor-unsupported', compress='DEFLATE', predictor=2)
patched('predictor-ignored', setter(317, 3, [2]), compress='PACKBITS')
patched('planar-3', setter(284, 3, [3]), 'tiff-planar-invalid')
patched('table-short', setter(257, 4, [5000]), 'tiff-table-short')
patched('huge-dimensions', lambda t: (t.set(256, 4, [2**31 - 1]), t.set(257, 4, [2**31 - 1])), 'tiff-table-short')
patched('dimension-zero', setter(256, 4, [0]), 'tiff-tag-invalid')
patched('tile-2-30', lambda t: (t.set(322, 4, [2**30]), t.set(323, 4, [2**30])), 'tiff-block-too-large')
patched('samples-65535', setter(277, 3, [65535]), 'tiff-too-many-bands')
patched('offset-past-eof', setter(324, 4, [10**9] * 12), 'tiff-offset-past-eof', compress='DEFLATE')
patched('forged-count', lambda t: t.set(324, 4, b'\0' * 8, count=10**7), 'tiff-tag-invalid')
patched('forged-ascii', lambda t: t.set(42112, 2, b'x' * 8, count=2**32 - 1), 'served')
patched('mixed-bits', setter(258, 3, [8, 16, 8]), 'tiff-mixed-types', data=pixels('uint8', 3), interleave='PIXEL')


def loop(t):
    at, n = t.ifds()[0]
    struct.pack_into('<I', t.b, at + 2 + 12 * n, at)


patched('ifd-loop', loop)


def pages(t):
    """A second image that is not reduced, not a mask: a page."""
    at, n = t.ifds()[0]
    struct.pack_into('<I', t.b, at + 2 + 12 * n, len(t.b))
    t.b += bytes(t.b[at:at + 2 + 12 * n]) + b'\0\0\0\0'


patched('pages', pages)
patched('overlong-count', setter(325, 4, [600] * 12))
patched('short-byte-counts', setter(325, 3, [512] * 12))
patched('no-byte-counts', lambda t: t.drop(279), tiled=False, blockysize=7)


def truncated(path):
    write(path, pixels('uint8', 1, 200, 200), compress='DEFLATE')
    b = open(path, 'rb').read()
    open(path, 'wb').write(b[:len(b) // 2])


case('truncated', '*', make=truncated)
for n, body in {'html': b'<!DOCTYPE html><title>404</title>', 'png': b'\x89PNG\r\n\x1a\n' + b'\0' * 40, 'empty': b'', 'one-byte': b'I'}.items():
    case(f'not-a-tiff-{n}', 'tiff-not-a-tiff', make=lambda p, body=body: open(p, 'wb').write(body))
case('header-only', '*', make=lambda p: open(p, 'wb').write(b'II*\0\x08\0\0\0'))


def main(folder):
    os.makedirs(folder, exist_ok=True)
    manifest = []
    for name, expect, tolerance, how in cases:
        path = os.path.join(folder, f'{name}.tif')
        entry = dict(file=f'{name}.tif', expect=expect, tolerance=tolerance)
        try:
            if 'make' in how:
                how['make'](path)
            else:
                write(path, **how)
        except Exception as error:  # a GDAL without this codec: the case is skipped, and says so
            entry['unmade'] = str(error)[:200]
        manifest.append(entry)
    with open(os.path.join(folder, 'manifest.json'), 'w') as f:
        json.dump(manifest, f, indent=1)


if __name__ == '__main__':
    main(sys.argv[1])
