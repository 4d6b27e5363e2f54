"""Damaged, forged, hostile: served as libtiff does, or refused; never believed."""
import struct
import zlib

import numpy as np

from .base import case, patched, pixels, setter, write
from .surgery import Tiff, image, raw_tiff

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


patched('ifd-loop', loop, told=dict(notes=['tiff-ifd-loop']))


def pages(t):
    """A second image that is not reduced, not a mask: a page."""
    at, n = t.ifds()[0]
    struct.pack_into('<I', t.b, at + 2 + 12 * n, len(t.b))
    t.b += bytes(t.b[at:at + 2 + 12 * n]) + b'\0\0\0\0'


patched('pages', pages, told=dict(notes=['tiff-pages-ignored']))
patched('overlong-count', lambda t: (t.set(325, 4, [600] * 12), t.b.extend(bytes(100))))
patched('short-byte-counts', setter(325, 3, [512] * 12))


def without_counts(path):
    """libtiff guesses for one strip and refuses more; uncompressed data has only one answer."""
    for at in (path.replace('.tif', '.whole'), path):
        write(at, pixels('uint8'), tiled=False, blockysize=7)
    t = Tiff(path)
    t.drop(279)
    t.save()


case('no-byte-counts', told=dict(oracle='no-byte-counts.whole'), make=without_counts)


def truncated(path):
    write(path, pixels('uint8', 1, 200, 200), compress='DEFLATE')
    b = open(path, 'rb').read()
    open(path, 'wb').write(b[:len(b) // 2])


case('truncated', '*', make=truncated)
for n, body in {'html': b'<!DOCTYPE html><title>404</title>', 'zip': b'PK\x03\x04' + b'\0' * 40, 'jp2': b'\0\0\0\x0cjP  \r\n\x87\n' + b'\0' * 40, 'png': b'\x89PNG\r\n\x1a\n' + b'\0' * 40, 'empty': b'', 'one-byte': b'I'}.items():
    case(f'not-a-tiff-{n}', 'tiff-not-a-tiff', make=lambda p, body=body: open(p, 'wb').write(body))
case('header-only', '*', make=lambda p: open(p, 'wb').write(b'II*\0\x08\0\0\0'))

# ---- blocks that lie: the file opens, the read of the block is refused -----------------------------


def one_block(path, compression, block, **kw):
    raw_tiff(path, [(image(64, 64, compression=compression, tile=(64, 64), **kw), [block])])


def sof(width, height):
    """The first two segments of a JPEG of that size; no more is needed to be refused."""
    return b'\xff\xd8\xff\xc0' + struct.pack('>HBHHB', 11, 8, height, width, 1) + b'\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00' + b'\0' * 64


def lerc(rows, columns):
    """A header that promises a raster of one value."""
    blob = struct.pack('<6siIiiiiii', b'Lerc2 ', 4, 0, rows, columns, 1, rows * columns, 8, 94) + struct.pack('<iddd', 1, 0.5, 7, 7)
    return blob.ljust(94, b'\0')


def webp(width, height):
    chunk = b'VP8L' + struct.pack('<IBI', 5, 0x2f, (width - 1) | (height - 1) << 14) + b'\0' * 16
    return b'RIFF' + struct.pack('<I', len(chunk) + 4) + b'WEBP' + chunk


LIES = dict(read='corrupt-data')
case('bomb-deflate', told=LIES, make=lambda p: one_block(p, 8, zlib.compress(bytes(64 << 20), 9)))
case('bomb-jpeg', told=LIES, make=lambda p: one_block(p, 7, sof(65500, 65500)))
case('bomb-lerc', told=LIES, make=lambda p: one_block(p, 34887, lerc(8000, 8000), more={50674: (4, [4, 0])}))
case('bomb-lerc-deflate', told=LIES, make=lambda p: one_block(p, 34887, zlib.compress(bytes(64 << 20), 9), more={50674: (4, [4, 1])}))
case('bomb-webp', told=LIES, make=lambda p: raw_tiff(p, [(image(64, 64, 3, compression=50001, tile=(64, 64)), [webp(16383, 16383)])]))
case('short-deflate', told=LIES, make=lambda p: one_block(p, 8, zlib.compress(bytes(1000))))
case('short-none', told=LIES, make=lambda p: one_block(p, 1, bytes(1000)))
case('short-packbits', told=LIES, make=lambda p: one_block(p, 32773, b'\x81\0' * 20))
case('short-lzw', told=LIES, make=lambda p: one_block(p, 5, b'\x80\x40\x20\x10'))
case('noise-zstd', told=LIES, make=lambda p: one_block(p, 50000, bytes(range(200))))
case('noise-jpeg', told=LIES, make=lambda p: one_block(p, 7, bytes(range(200))))
case('noise-deflate', told=LIES, make=lambda p: one_block(p, 8, bytes(range(200))))


def big_zstd(path):
    """A block of 4 MiB in a file that says 4 KiB."""
    write(path, np.zeros((1, 2048, 2048), 'uint8'), compress='ZSTD', blockxsize=2048, blockysize=2048)
    t = Tiff(path)
    for tag in (256, 257, 322, 323):
        t.set(tag, 4, [64])
    t.save()


case('bomb-zstd', told=LIES, make=big_zstd)
