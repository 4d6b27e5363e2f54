"""What samples mean: colours, palettes, alpha, nodata, scale."""
from rasterio.enums import ColorInterp

from .base import case, patched, pixels, setter


def colormap(n):
    return lambda d: d.write_colormap(1, {i: (i * 7 % 256, 255 - i, i * 31 % 256, 255) for i in range(n)})


case('palette-8', data=pixels('uint8'), photometric='PALETTE', after=colormap(256), compress='DEFLATE')
case('palette-4', data=pixels('uint8') // 16, photometric='PALETTE', NBITS=4, after=colormap(16))
case('bits-1', data=pixels('uint8') // 128, NBITS=1, compress='DEFLATE')
case('bits-1-min-is-white', data=pixels('uint8') // 128, NBITS=1, photometric='MINISWHITE')
case('bits-1-strip', data=pixels('uint8') // 128, NBITS=1, tiled=False, blockysize=7, compress='PACKBITS')
case('bits-2', data=pixels('uint8') // 64, NBITS=2, compress='LZW')
case('bits-4-three', data=pixels('uint8', 3) // 16, NBITS=4, compress='LZW', interleave='PIXEL')
case('min-is-white-4', data=pixels('uint8') // 16, NBITS=4, photometric='MINISWHITE')
case('min-is-white-2', data=pixels('uint8') // 64, NBITS=2, photometric='MINISWHITE')
case('min-is-white-16', data=pixels('uint16'), photometric='MINISWHITE')
case('min-is-white-8', data=pixels('uint8'), photometric='MINISWHITE')
case('alpha', data=pixels('uint8', 4), photometric='RGB', alpha='YES', compress='DEFLATE')
case('alpha-premultiplied', data=pixels('uint8', 4), photometric='RGB', alpha='PREMULTIPLIED', compress='DEFLATE')
# Alpha weighs by 1/255 here, which shows where it is small: below 3/255 of the range.
case('alpha-16', told=dict(rough=771), data=pixels('uint16', 4), photometric='RGB', alpha='YES', compress='LZW', predictor=2)
case('alpha-nodata', data=pixels('uint8', 4), photometric='RGB', alpha='YES', nodata=200)
case('gray-alpha', data=pixels('uint8', 2), alpha='YES', interleave='PIXEL')


def describe(d):
    d.scales, d.offsets, d.units = (0.5, 2), (10, -3), ('m', 'K & <x>')
    d.descriptions = ('first "band"', 'second')
    d.update_tags(1, STATISTICS_MEAN='3')


case('scale-offset', data=pixels('int16', 2), after=describe, file_tags={'TIFFTAG_IMAGEDESCRIPTION': 'a picture', 'MINE': 'a & b'})
case('colorinterp', data=pixels('uint8', 3), photometric='MINISBLACK', after=lambda d: setattr(d, 'colorinterp', [ColorInterp.blue, ColorInterp.green, ColorInterp.red]))

# ---- nodata ----------

for n, (dtype, text) in {
    'u8-0': ('uint8', b'0'), 'u8-nan': ('uint8', b'nan'), 'u8-negative': ('uint8', b'-9999'), 'u8-256': ('uint8', b'256'), 'u8-1e400': ('uint8', b'1e400'),
    'f32-9999': ('float32', b'-9999'), 'f32-nan': ('float32', b'nan'), 'f32-rounded': ('float32', b'-3.4028234663852886e+38'), 'f32-tenth': ('float32', b'0.1'),
    'f64-big': ('float64', b'-1.7976931348623157e+308'), 'i16-spaces': ('int16', b' -32768 '), 'u16-trailing': ('uint16', b'12 '), 'f32-inf': ('float32', b'inf'),
}.items():
    patched(f'nodata-{n}', setter(42113, 2, text + b'\0'), data=pixels(dtype))

# GDAL takes text that is no number for 0, which hides good pixels; here it is ignored, with a note.
patched('nodata-garbage', setter(42113, 2, b'abc\0'), told=dict(nodata=None, hides=0, warped=False, notes=['tiff-nodata-ignored']))
# rasterio's warper loses nodata of 64-bit integers.
patched('nodata-int64', setter(42113, 2, b'-9007199254740991\0'), told=dict(warped=False), data=pixels('int64'))
patched('nodata-empty', setter(42113, 2, b'\0'))
# A colour map whose entries are bytes, not 16-bit values.
patched('palette-of-bytes', setter(320, 3, [i for c in (3, 5, 7) for i in [(c * n) % 256 for n in range(256)]]), photometric='PALETTE', after=colormap(256))
DTD = b'<!DOCTYPE x [<!ENTITY a "b">]><GDALMetadata><Item name="A">&a;</Item></GDALMetadata>'
patched('metadata-with-dtd', setter(42112, 2, DTD + b'\0'), told=dict(notes=['tiff-metadata-ignored']))
patched('metadata-torn', setter(42112, 2, b'<GDALMetadata><Item name="A" sample="0" role="scale">2</Item><Item name='), told=dict(notes=[]))
case('lossy-nodata', told=dict(notes=['tiff-lossy-nodata']), data=pixels('uint8'), compress='JPEG', nodata=0)
case('integers-of-64-bits', told=dict(notes=['tiff-64-bit']), data=pixels('uint64'))
