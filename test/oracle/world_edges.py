"""Smooth rasters across the edges of the world and of their own projections, and what pictures of them must show.

    world_edges.py make DIR    writes them, prints their names as JSON
    world_edges.py zones DIR   writes round zones as ZONE.fgb and prints what a raster's pixels in each are: {zone, crs, ring, raster, count, mean}
    world_edges.py check DIR   cases on stdin, a line each: {label, name, npy, crs, originX, originY, resX, resY, width, height,
                               resampling, level}; prints what is wrong, a line each, and totals as JSON

All hold one field, a polynomial of the point on the unit sphere: smooth at the seam and at the poles, and the same wherever it is asked.
Nearest must be the value of the pixel that pyproj says (within EDGE of its side the neighbour's too), bilinear the field's own. GDAL's
warper would not do: it leaves one side of the seam empty.
"""

import functools
import json
import sys

import numpy
import pyogrio
import rasterio
import shapely
from pyproj import CRS, Transformer
from rasterio.enums import Resampling
from rasterio.transform import Affine

HALF = 20037508.342789244
WGS84 = 'EPSG:4326'
PLATE = '+proj=eqc +lat_ts=30 +lon_0=180 +datum=WGS84 +units=m +no_defs'

# CRS, left, top, width of a pixel, its height, columns, rows
KINDS = {
    'deg-170-190': (WGS84, 170, 80, 0.1, 0.2, 200, 450),
    'deg-minus-190': (WGS84, -190, 80, 0.1, 0.2, 200, 450),
    'deg-0-360': (WGS84, 0, 90, 1, 1, 360, 180),
    'deg-0-360-hole': (WGS84, 0, 90, 0.5, 1, 720, 180),
    'deg-shifted': (WGS84, -180.5, 90.5, 1, 1, 360, 181),
    'deg-centres': (WGS84, -0.5, 90.5, 1, 1, 361, 181),
    'deg-whole': (WGS84, -180, 90, 0.5, 0.5, 720, 360),
    'deg-levels': (WGS84, 20, 90, 0.25, 0.25, 1440, 720),
    'merc-3857': ('EPSG:3857', HALF - 1e6, 9e6, 5000, 20000, 400, 500),
    'merc-3832': ('EPSG:3832', -HALF, 12e6, 2 * HALF / 600, 60000, 600, 400),
    'merc-3832-edge': ('EPSG:3832', HALF - 2e6, 9e6, 10000, 30000, 400, 400),
    'merc-3994': ('EPSG:3994', 5e6, 6e6, 20000, 20000, 450, 500),
    'merc-3395': ('EPSG:3395', HALF - 2e6, 9e6, 10000, 30000, 400, 500),
    'eqc-4087': ('EPSG:4087', HALF - 2e6, 8e6, 10000, 30000, 400, 400),
    'eqc-180': (PLATE, -17e6, 9e6, 50000, 50000, 680, 360),
    'cea-6933': ('EPSG:6933', 15e6, 7e6, 25000, 25000, 300, 560),
    'utm-60': ('EPSG:32660', 500000, 7900000, 2000, 4000, 300, 400),
    'utm-1': ('EPSG:32601', -100000, 7900000, 2000, 4000, 300, 400),
    'polar-3413': ('EPSG:3413', -4e6, 4e6, 20000, 20000, 400, 400),
    'polar-3031': ('EPSG:3031', -4e6, 4e6, 20000, 20000, 400, 400),
    'polar-3995': ('EPSG:3995', -1e6, 2.6e6, 10000, 10000, 300, 350),
    'polar-3571': ('EPSG:3571', -5e6, 5e6, 25000, 25000, 400, 400),
    'polar-3976': ('EPSG:3976', 3e5, 4e6, 10000, 10000, 350, 350),
    'polar-5041': ('EPSG:5041', -2e6, 6e6, 20000, 20000, 400, 400),
}

# CRS, middle and radius, and rasters that have them. The first crosses 180 degrees, the second has the pole in it, the last one is at the
# edge of EPSG:3832.
ZONES = {
    'zone-utm': ('EPSG:32660', 680000, 7.0e6, 150000, ['deg-170-190', 'deg-minus-190', 'deg-whole', 'merc-3395', 'eqc-180', 'utm-1']),
    'zone-pole': ('EPSG:3413', 2e5, -1e5, 1.8e6, ['deg-0-360', 'deg-whole', 'deg-levels', 'polar-3571']),
    'zone-degrees': (WGS84, 180, 20, 4, ['deg-170-190', 'deg-whole', 'deg-shifted', 'merc-3395', 'eqc-4087', 'cea-6933']),
    'zone-atlantic': (WGS84, -30, 5, 4, ['merc-3832-edge', 'merc-3832', 'deg-0-360']),
}

# Source pixels that a position may be off: a hundredth. GDAL allows itself an eighth.
EDGE = 0.01
CYLINDERS = {'merc', 'eqc', 'mill', 'cea', 'webmerc'}


def field(lon, lat):
    a, b = numpy.radians(lon), numpy.radians(lat)
    x, y, z = numpy.cos(b) * numpy.cos(a), numpy.cos(b) * numpy.sin(a), numpy.sin(b)
    return 120 + 60 * x + 40 * y * z + 30 * z * z + 20 * y


@functools.lru_cache(maxsize=None)
def mover(a, b):
    return Transformer.from_crs(a, b, always_xy=True)


def moved(a, b, x, y):
    """Degrees are degrees: pyproj would bring longitudes back into one world."""
    return (x, y) if a == b else mover(a, b).transform(x, y)


def make(path, crs, left, top, dx, dy, width, height):
    columns, rows = numpy.meshgrid(numpy.arange(width) + 0.5, numpy.arange(height) + 0.5)
    x, y = left + columns * dx, top - rows * dy
    turn = period(crs)
    if turn is not None and crs != WGS84:
        x = (x + turn / 2) % turn - turn / 2
    # Beyond a pole a row of degrees says what lies on the other side of it.
    values = field(*moved(crs, WGS84, x, y)).astype('float32')
    assert numpy.isfinite(values).all(), path
    profile = {'driver': 'GTiff', 'width': width, 'height': height, 'count': 1, 'dtype': 'float32', 'crs': crs}
    if path.endswith('-hole.tif'):
        values[(x > 176) & (x < 183.2) & (y < 40) | (y < -70)] = -9999
        profile['nodata'] = -9999
    layout = {'tiled': True, 'blockxsize': 128, 'blockysize': 128, 'compress': 'deflate'}
    with rasterio.open(path, 'w', transform=Affine(dx, 0, left, 0, -dy, top), **profile, **layout) as target:
        target.write(values, 1)
    if path.endswith('-levels.tif'):
        with rasterio.open(path, 'r+') as target:
            target.build_overviews([2, 4, 8], Resampling.average)


@functools.lru_cache(maxsize=None)
def raster(path, level):
    with rasterio.open(path) as whole:
        full = whole.transform
        size = (whole.width, whole.height)
    with rasterio.open(path, **({'OVERVIEW_LEVEL': level - 1} if level else {})) as source:
        scaled = full * Affine.scale(size[0] / source.width, size[1] / source.height)
        return source.read(1).astype('float64'), ~scaled, source.nodata


@functools.lru_cache(maxsize=None)
def period(crs):
    if crs == WGS84:
        return 360.0
    parts = CRS(crs).to_dict()
    if parts.get('proj') not in CYLINDERS and crs != 'EPSG:3857':
        return None
    lon = parts.get('lon_0', 0)
    return 4 * (moved(WGS84, crs, lon + 90, 0)[0] - moved(WGS84, crs, lon, 0)[0])


def positions(case, crs, inverse):
    """Degrees of each pixel's centre, and where that is in the level, by the easternmost name that is not left of it."""
    i, j = numpy.meshgrid(numpy.arange(case['width']) + 0.5, numpy.arange(case['height']) + 0.5)
    x, y = case['originX'] + i * case['resX'], case['originY'] - j * case['resY']
    degrees = WGS84 if case['crs'] == 'OGC:CRS84' else case['crs']
    lon, lat = moved(degrees, WGS84, x, y)
    here = numpy.isfinite(lon) & numpy.isfinite(lat) & (numpy.abs(lat) <= 90)
    lon, lat = numpy.where(here, lon, 0), numpy.where(here, lat, 0)
    sx, sy = moved(WGS84, crs, lon, lat)
    column, row = inverse * (sx, sy)
    here &= numpy.isfinite(column) & numpy.isfinite(row)
    column, row = numpy.where(here, column, -9), numpy.where(here, row, -9)
    turn = period(crs)
    if turn is not None:
        step = turn * inverse.a
        column = numpy.where(here, column - step * numpy.floor((column + 2 * EDGE) / step), column)
    return lon, lat, column, row


def zones(folder):
    angles = numpy.linspace(0, 2 * numpy.pi, 721)
    found = []
    for zone, (crs, x, y, radius, rasters) in ZONES.items():
        ring = numpy.column_stack([x + radius * numpy.cos(angles), y + radius * numpy.sin(angles)])
        ring[-1] = ring[0]
        wkb = shapely.to_wkb(shapely.polygons([ring]))
        one = [numpy.array([1], dtype='int32')]
        pyogrio.raw.write(f'{folder}/{zone}.fgb', wkb, one, ['n'], geometry_type='Polygon', crs=crs, driver='FlatGeobuf')
        for name in rasters:
            values, inside = pixels_in(name, folder, crs, x, y, radius)
            about = {'zone': zone, 'crs': crs, 'ring': ring.tolist(), 'raster': name}
            found.append({**about, 'count': int(inside.sum()), 'mean': float(values[inside].mean())})
    return found


def pixels_in(name, folder, crs, x, y, radius):
    own, left, top, dx, dy, width, height = KINDS[name]
    values = raster(f'{folder}/{name}.tif', 0)[0]
    columns, rows = numpy.meshgrid(numpy.arange(width) + 0.5, numpy.arange(height) + 0.5)
    lon, lat = moved(own, WGS84, left + columns * dx, top - rows * dy)
    turn = period(crs)
    with numpy.errstate(invalid='ignore'):
        px, py = moved(WGS84, crs, (lon + 180) % 360 - 180, lat)
        px = px if turn is None else px - turn * numpy.round((px - x) / turn)
        return values, numpy.hypot(px - x, py - y) < radius


def rim(shown):
    out = numpy.zeros(shown.shape, bool)
    for axis in (0, 1):
        for step in (1, -1):
            beside = numpy.roll(shown, step, axis)
            edge = [slice(None), slice(None)]
            edge[axis] = 0 if step == 1 else -1
            beside[tuple(edge)] = True
            out |= ~beside
    return out


def judge(case, folder):
    crs = KINDS[case['name']][0]
    values, inverse, nodata = raster(f'{folder}/{case["name"]}.tif', case['level'])
    height, width = values.shape
    lon, lat, column, row = positions(case, crs, inverse)
    cube = numpy.load(case['npy']).astype('float64')
    ours, mask = cube[0], cube[-1] > 0
    match, sure = numpy.zeros(ours.shape, bool), numpy.ones(ours.shape, bool)
    truth = None
    for dx, dy in [(0, 0)] + [(a, b) for a in (EDGE, 0, -EDGE) for b in (EDGE, 0, -EDGE) if a or b]:
        c, r = numpy.floor(column + dx).astype(int), numpy.floor(row + dy).astype(int)
        if period(crs) is not None:
            turn = period(crs) * inverse.a
            c = numpy.where(c >= width, numpy.floor(column + dx - turn), numpy.where(c < 0, numpy.floor(column + dx + turn), c)).astype(int)
        on = (c >= 0) & (c < width) & (r >= 0) & (r < height)
        value = values[numpy.clip(r, 0, height - 1), numpy.clip(c, 0, width - 1)]
        valid = on & (value != nodata)
        truth = valid if truth is None else truth
        sure &= valid == truth
        match |= valid & (numpy.abs(value - ours) < 1e-3)
    both = truth & mask
    differs = (truth != mask) & sure
    # Beside the raster's own edge a wide triangle has but one side.
    inner = both & ~rim(both)
    span = values[values != nodata]
    error = numpy.abs(ours - field(lon, lat)) / (span.max() - span.min()) * 255
    east = (lon + 540) % 360 - 180
    result = {
        'truth': int(truth.sum()),
        'lost': int((differs & truth).sum()),
        'invented': int((differs & mask).sum()),
        'wrong': int((both & ~match).sum()),
        'mean': round(float(error[inner].mean()), 4) if inner.any() else 0,
        'worst': round(float(error[inner].max()), 2) if inner.any() else 0,
        'east': int((truth & (east > 150)).sum()),
        'west': int((truth & (east < -150)).sum()),
    }
    bad = result['lost'] + result['invented'] > 0.001 * ours.size
    # Where two names of a place are both on the raster, either will do.
    bad |= result['wrong'] > 0 if case['resampling'] == 'nearest' else result['mean'] > 1
    return result, bool(bad)


def check(folder):
    totals = {'cases': 0, 'bad': 0, 'pixels': 0, 'east': 0, 'west': 0, 'mean': 0, 'worst': 0}
    for line in sys.stdin:
        case = json.loads(line)
        result, bad = judge(case, folder)
        totals['cases'] += 1
        totals['bad'] += bad
        totals['pixels'] += result['truth']
        totals['east'] += result['east'] > 0
        totals['west'] += result['west'] > 0
        if case['resampling'] != 'nearest':
            totals['mean'] = max(totals['mean'], result['mean'])
            totals['worst'] = max(totals['worst'], result['worst'])
        if bad:
            print(f'{case["label"]}: {json.dumps(result)}')
    print(json.dumps(totals))


if sys.argv[1] == 'make':
    for name, kind in KINDS.items():
        make(f'{sys.argv[2]}/{name}.tif', *kind)
    print(json.dumps(list(KINDS)))
elif sys.argv[1] == 'zones':
    print(json.dumps(zones(sys.argv[2])))
else:
    check(sys.argv[2])
