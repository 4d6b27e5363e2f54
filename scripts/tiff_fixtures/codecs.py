"""Compressions, predictors, sample types and byte orders."""
import io
import itertools
import random
import zlib

import numpy as np

from .base import case, patched, pixels, setter, write
from .surgery import cut, image, old_lzw, raw_tiff

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

# ---- JPEG and WebP ------------------------------------------------------

for n, kw in {
    'rgb': dict(photometric='RGB', bands=3),
    'gray': dict(bands=1),
    'two': dict(bands=2, interleave='PIXEL'),
    'rgba': dict(photometric='RGB', bands=4),
    'planar': dict(photometric='RGB', bands=3, interleave='BAND'),
}.items():
    case(f'jpeg-{n}', data=pixels('uint8', kw.pop('bands'), 150, 117), compress='JPEG', **{**dict(blockxsize=64, blockysize=64), **kw})
case('webp-lossy', tolerance=0, data=pixels('uint8', 3, 150, 117), compress='WEBP', WEBP_LEVEL=75, blockxsize=64, blockysize=64)
case('webp-lossless', data=pixels('uint8', 3, 150, 117), compress='WEBP', WEBP_LOSSLESS='TRUE')
case('webp-rgba', data=rgba, compress='WEBP', WEBP_LOSSLESS='TRUE')
case('webp-strips', data=pixels('uint8', 3, 150, 117), compress='WEBP', WEBP_LOSSLESS='TRUE', tiled=False, blockysize=32)
opaque = pixels('uint8', 4)
opaque[3] = 255
case('webp-opaque-alpha', data=opaque, compress='WEBP', WEBP_LOSSLESS='TRUE')


def plain_twin(path, told):
    """What Pillow (libjpeg-turbo, as in most builds of GDAL) reads: rasterio's wheel has libjpeg 9, which enlarges halved
    chroma in another way."""
    from PIL import Image
    picture = np.asarray(Image.open(path))
    data = picture.transpose(2, 0, 1) if picture.ndim == 3 else picture[None]
    photometric = 'RGB' if data.shape[0] == 3 else 'MINISBLACK'
    write(path.replace('.tif', told), np.ascontiguousarray(data), photometric=photometric, tiled=False)


def jpeg_by_gdal(path, **kw):
    write(path, pixels('uint8', 3, 150, 117), compress='JPEG', photometric='YCBCR', **{**dict(blockxsize=64, blockysize=64), **kw})
    plain_twin(path, '.plain')


for n, kw in {
    'ycbcr': {}, 'no-tables': dict(JPEGTABLESMODE=0), 'strips': dict(tiled=False, blockysize=16), 'big-endian': dict(ENDIANNESS='BIG'),
    'q95': dict(JPEG_QUALITY=95), 'one-strip': dict(tiled=False, blockysize=117),
}.items():
    case(f'jpeg-{n}', told=dict(oracle=f'jpeg-{n}.plain'), make=lambda p, kw=kw: jpeg_by_gdal(p, **kw))


def jpeg_by_pillow(path, mode='RGB', tile=(64, 48), **how):
    """Every tile is a stream of its own, with its tables and a JFIF header."""
    from PIL import Image
    data = pixels('uint8', 3 if mode == 'RGB' else 1, 150, 117)
    blocks, plain = [], []
    for block in cut(data, tile):
        stream = io.BytesIO()
        Image.fromarray(block if mode == 'RGB' else block[..., 0]).save(stream, 'JPEG', **how)
        blocks.append(stream.getvalue())
        plain.append(np.asarray(Image.open(io.BytesIO(blocks[-1]))))
    sub = {0: [1, 1], 1: [2, 1], 2: [2, 2]}.get(how.get('subsampling'), [1, 1])
    samples, photometric = (3, 6) if mode == 'RGB' else (1, 1)
    raw_tiff(path, [(image(150, 117, samples, compression=7, photometric=photometric, tile=tile, more={530: (3, sub)} if samples == 3 else {}), blocks)])
    raw_tiff(path.replace('.tif', '.plain'), [(image(150, 117, samples, tile=tile), [p.tobytes() for p in plain])])


for n, how in {
    '444': dict(subsampling=0, quality=90), '422': dict(subsampling=1, quality=80), '420-jfif': dict(subsampling=2), 'progressive': dict(subsampling=2, progressive=True),
    'restarts': dict(subsampling=0, restart_marker_rows=1), 'optimised': dict(subsampling=0, optimize=True, quality=30), 'gray-jfif': dict(mode='L'),
    'gray-progressive': dict(mode='L', progressive=True),
}.items():
    case(f'jpeg-{n}', told=dict(oracle=f'jpeg-{n}.plain'), make=lambda p, how=how: jpeg_by_pillow(p, **how))

# ---- by hand ----------------------------------------------------------------------------------

patched('deflate-other-number', setter(259, 3, [32946]), compress='DEFLATE', predictor=2)


def old_style(path, e='<', **kw):
    data = pixels('uint8', 3, 90, 70)
    raw_tiff(path, [(image(90, 70, 3, compression=5, tile=(48, 32), **kw), [old_lzw(b.tobytes()) for b in cut(data, (48, 32))])], e)


case('lzw-old-style', make=old_style)
case('lzw-old-style-big-endian', make=lambda p: old_style(p, '>'))


def long_table(path):
    """Noise and then a plain: the table of 4,096 codes fills up and is cleared, and then strings grow long."""
    data = np.random.default_rng(5).integers(0, 256, (1, 128, 128), dtype='uint8')
    data[:, 64:] = 77
    raw_tiff(path, [(image(128, 128, compression=5, tile=(128, 128)), [old_lzw(b.tobytes()) for b in cut(data, (128, 128))])])


case('lzw-old-style-full-table', make=long_table)
reverse = bytes(int(f'{i:08b}'[::-1], 2) for i in range(256))


def mirrored(path, compression, coder):
    """FillOrder 2: the bits of each encoded byte are mirrored."""
    rows = [np.packbits(row).tobytes() for row in (pixels('uint8', 1, 70, 50)[0] > 128)]
    block = coder(b''.join(rows)).translate(reverse)
    raw_tiff(path, [(image(70, 50, bits=1, compression=compression, more={266: (3, [2])}), [block])])


case('fill-order-none', make=lambda p: mirrored(p, 1, bytes))
case('fill-order-deflate', make=lambda p: mirrored(p, 8, zlib.compress))


patched('lerc-predictor-ignored', setter(317, 3, [2]), data=pixels('int16'), compress='LERC')
case('float16-predictor-2', data=pixels('float32', 3), NBITS=16, compress='DEFLATE', predictor=2, interleave='PIXEL')
case('bands-100', data=pixels('uint8', 100), compress='DEFLATE', interleave='PIXEL')
case('bands-100-planar', data=pixels('int16', 100), compress='LZW', interleave='BAND')
