#!/usr/bin/env python3
"""Makes what the overload tests serve, into FOLDER: large four-band COGs of bytes and of floats, a dense layer, headers that lie.

Usage: make-data.py FOLDER [SIDE]              Needs rasterio (GDAL with the COG driver), pyogrio, shapely, numpy.
"""
import os
import struct
import sys
import zlib

import numpy as np
import pyogrio
import rasterio
import shapely
from rasterio.shutil import copy
from rasterio.transform import from_origin

folder = sys.argv[1]
side = int(sys.argv[2]) if len(sys.argv) > 2 else 4096


def big(name, width, dtype):
    """Smooth with a little noise, so that neither reading, decoding nor encoding is free."""
    path = os.path.join(folder, name)
    plain = path + '.part'
    noise = np.random.default_rng(1).integers(0, 6, (512, 512), dtype=np.uint8)
    ramp = np.add.outer(np.arange(512) // 8, np.arange(512) // 8).astype(np.uint8) + noise
    profile = dict(driver='GTiff', width=width, height=width, count=4, dtype=dtype, crs='EPSG:3857', tiled=True,
                   blockxsize=512, blockysize=512, interleave='pixel', transform=from_origin(0, width, 1, 1))
    with rasterio.open(plain, 'w', **profile) as out:
        for row in range(0, width, 512):
            for column in range(0, width, 512):
                block = np.stack([ramp + np.uint8(40 * band + row // 512 + column // 512) for band in range(4)])
                out.write(block.astype(dtype), window=rasterio.windows.Window(column, row, 512, 512))
    copy(plain, path, driver='COG', compress='deflate', level=1, blocksize=512, overviews='AUTO', num_threads=2)
    os.remove(plain)


def dense(count=150_000):
    """Squares of some 30 m over two degrees, heaped where towns are."""
    rng = np.random.default_rng(2)
    towns = rng.uniform(0.2, 1.8, (40, 2))
    centre = towns[rng.integers(0, 40, count)] + rng.normal(0, 0.08, (count, 2))
    half = rng.uniform(1e-4, 2e-4, count)
    boxes = shapely.box(*(centre - half[:, None]).T, *(centre + half[:, None]).T)
    pyogrio.raw.write(
        os.path.join(folder, 'dense.fgb'), shapely.to_wkb(boxes), [np.arange(count)], ['n'],
        geometry_type='Polygon', crs='EPSG:4326', driver='FlatGeobuf',
    )


def tiff(tags, data):
    """A classic little-endian TIFF of one directory. tags: {tag: (type, values)}; 273/324 is set to where data begins."""
    sizes = {3: ('H', 2), 4: ('I', 4), 12: ('d', 8)}
    at = 8 + 2 + 12 * len(tags) + 4
    extra = b''
    entries = b''
    data_at = at + sum(len(v) * sizes[t][1] for t, v in tags.values() if len(v) * sizes[t][1] > 4)
    for tag in sorted(tags):
        kind, values = tags[tag]
        if tag == 324:
            values = [data_at + v for v in values]
        code, size = sizes[kind]
        packed = struct.pack(f'<{len(values)}{code}', *values)
        if len(packed) <= 4:
            entries += struct.pack('<HHI', tag, kind, len(values)) + packed.ljust(4, b'\0')
        else:
            entries += struct.pack('<HHII', tag, kind, len(values), at + len(extra))
            extra += packed
    head = b'II*\0' + struct.pack('<I', 8) + struct.pack('<H', len(tags)) + entries + struct.pack('<I', 0)
    return head + extra + data


def base(width, height, tile, offsets, counts):
    return {
        256: (4, [width]), 257: (4, [height]), 258: (3, [8]), 259: (3, [8]), 262: (3, [1]), 277: (3, [1]),
        322: (4, [tile]), 323: (4, [tile]), 324: (4, offsets), 325: (4, counts),
        33550: (12, [1.0, 1.0, 0.0]), 33922: (12, [0.0, 0.0, 0.0, 0.0, float(height), 0.0]),
        34735: (3, [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 3857]),
    }


def write(name, content):
    with open(os.path.join(folder, name), 'wb') as out:
        out.write(content)


def liars():
    # One tile of 256² by the header; 512 MiB by the deflate stream in it.
    packer = zlib.compressobj(9)
    bomb = b''.join(packer.compress(bytes(1 << 20)) for _ in range(512)) + packer.flush()
    write('bomb.tif', tiff(base(256, 256, 256, [0], [len(bomb)]), bomb))
    # One tile of 32768² (1 GiB decoded) out of 1 MiB of deflate: true, and more than any request may hold.
    packer = zlib.compressobj(9)
    huge = b''.join(packer.compress(bytes(1 << 20)) for _ in range(1024)) + packer.flush()
    write('huge-tile.tif', tiff(base(32768, 32768, 32768, [0], [len(huge)]), huge))
    # 2³⁰ tiles by the header, in a file of a few hundred bytes.
    tags = base(16 * 32768, 16 * 32768, 16, [0], [100])
    content = bytearray(tiff(tags, zlib.compress(bytes(256))))
    for i in range(struct.unpack('<H', content[8:10])[0]):
        at = 10 + 12 * i
        if struct.unpack('<H', content[at:at + 2])[0] in (324, 325):
            content[at + 4:at + 8] = struct.pack('<I', 1 << 30)
    write('many-tiles.tif', bytes(content))


big('bytes.tif', side, 'uint8')
big('floats.tif', 2048, 'float32')
dense()
liars()
