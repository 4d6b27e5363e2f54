"""Byte surgery and a small writer, for TIFFs that GDAL will not write."""
import struct

import numpy as np

TYPES = {1: 'B', 2: 's', 3: 'H', 4: 'I', 7: 's', 11: 'f', 12: 'd', 16: 'Q'}
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1, 11: 4, 12: 8, 16: 8}
# Where UTM zone 31 fixtures are: the same place as base.UTM.
UTM_TAGS = {33550: (12, [10, 10, 0]), 33922: (12, [0, 0, 0, 500000, 5000000, 0]),
            34735: (3, [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32631])}


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


def image(width, height, samples=1, bits=8, compression=1, photometric=None, tile=None, rows=None, more=None):
    """The tags of one directory, without its block tables."""
    tags = {256: (4, [width]), 257: (4, [height]), 258: (3, [bits] * samples), 259: (3, [compression]),
            262: (3, [photometric if photometric is not None else (2 if samples == 3 else 1)]), 277: (3, [samples]), 284: (3, [1])}
    if tile:
        tags.update({322: (4, [tile[0]]), 323: (4, [tile[1]])})
    else:
        tags[278] = (4, [rows or height])
    return {**tags, **UTM_TAGS, **(more or {})}


def raw_tiff(path, directories, e='<', sub_ifds=()):
    """Writes [(tags, blocks)] as a classic TIFF. `sub_ifds` are written likewise and named by tag 330 of the first."""
    out = bytearray((b'II' if e == '<' else b'MM') + struct.pack(e + 'HI', 42, 0))

    def put(data):
        out.extend(b'\0' * (len(out) % 2))
        at = len(out)
        out.extend(data)
        return at

    def directory(tags, blocks):
        offsets = [put(block) if block else 0 for block in blocks]
        tiled = 322 in tags
        tables = {324 if tiled else 273: (4, offsets), 325 if tiled else 279: (4, [len(b) for b in blocks])}
        entries = b''
        for tag, (kind, values) in sorted({**tags, **tables}.items()):
            data = values if isinstance(values, bytes) else struct.pack(f'{e}{len(values)}{TYPES[kind]}', *values)
            entries += struct.pack(e + 'HHI', tag, kind, len(data) // SIZES[kind])
            entries += data.ljust(4, b'\0') if len(data) <= 4 else struct.pack(e + 'I', put(data))
        return put(struct.pack(e + 'H', len(entries) // 12) + entries + b'\0' * 4)

    subs = [directory(*each) for each in sub_ifds]
    link = 4
    for i, (tags, blocks) in enumerate(directories):
        at = directory({**tags, **({330: (4, subs)} if subs and i == 0 else {})}, blocks)
        struct.pack_into(e + 'I', out, link, at)
        link = len(out) - 4
    open(path, 'wb').write(out)


def cut(data, tile):
    """(bands, h, w) into chunky tiles of (w, h), edges padded by repeating."""
    bands, h, w = data.shape
    tw, th = tile
    padded = np.pad(data, [(0, 0), (0, -h % th), (0, -w % tw)], mode='edge').transpose(1, 2, 0)
    return [np.ascontiguousarray(padded[y:y + th, x:x + tw]) for y in range(0, h, th) for x in range(0, w, tw)]


def old_lzw(data):
    """LZW of before TIFF 5.0: bits from the low end, and codes widen one code later."""
    bits, have, out = 0, 0, bytearray()
    table, width, word = {bytes([i]): i for i in range(256)}, 9, b''

    def emit(code):
        nonlocal bits, have
        bits |= code << have
        have += width
        while have >= 8:
            out.append(bits & 255)
            bits >>= 8
            have -= 8

    emit(256)
    size = 258
    for byte in data:
        longer = word + bytes([byte])
        if longer in table:
            word = longer
            continue
        emit(table[word])
        if size < 4094:
            table[longer] = size
            size += 1
            # The decoder is one entry behind the encoder.
            if size - 1 > (1 << width) - 1 and width < 12:
                width += 1
        else:
            emit(256)
            table, width, size = {bytes([i]): i for i in range(256)}, 9, 258
        word = bytes([byte])
    emit(table[word])
    emit(257)
    if have:
        out.append(bits & 255)
    return bytes(out)
