"""A notebook over HTTP: windows and previews of many kinds of rasters, as rasterio, rioxarray, NumPy and the client of clients/python have them.

    notebook.py make DIR     writes the rasters: DIR/rgb.tif …
    notebook.py check DIR URL    asks a server that has them; one JSON line: {"checks": n, "wrong": ["…"]}

What is right is said by the source as rasterio reads it, at the places where PROJ puts the centres of the answer's pixels.
"""
import io
import json
import sys
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import rasterio
from rasterio.enums import ColorInterp
from rasterio.io import MemoryFile
from rasterio.transform import Affine, from_bounds
from rasterio.warp import transform as transform_places
from rasterio.warp import transform_bounds

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'clients/python'))
from plimsoll_client import Plimsoll  # noqa: E402

try:
    import rioxarray
except ImportError:
    rioxarray = None

WIDTH, HEIGHT = 192, 160
UTM = ('EPSG:32632', Affine(10, 0, 500000, 0, -10, 5600000))
DEGREES = ('EPSG:4326', Affine(0.01, 0, 9, 0, -0.01, 50.5))
MERCATOR = ('EPSG:3857', Affine(40, 0, 1000000, 0, -40, 6500000))
TURNED = ('EPSG:25832', Affine(10, 3, 500000, 2, -9, 5600000))
# name: (place, type, bands, nodata)
RASTERS = {
    'rgb': (UTM, 'uint8', 3, None),
    'dem': (UTM, 'int16', 1, -999),
    'heights': (DEGREES, 'float32', 1, float('nan')),
    'masked': (UTM, 'uint8', 3, None),
    'bands': (MERCATOR, 'uint16', 5, 0),
    'palette': (UTM, 'uint8', 1, None),
    'scaled': (DEGREES, 'int16', 2, -32768),
    'wide': (UTM, 'float64', 1, -1e30),
    'turned': (TURNED, 'int16', 1, -999),
}


def make(folder):
    random = np.random.default_rng(6)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    hole = (rows // 20 + columns // 30) % 5 == 0
    for name, ((crs, transform), dtype, count, nodata) in RASTERS.items():
        high = 16 if name == 'palette' else 250
        values = random.integers(1, high, (count, HEIGHT, WIDTH)).astype(dtype)
        if np.dtype(dtype).kind == 'f':
            values += random.random(values.shape).astype(dtype)
        if nodata is not None:
            values[:, hole] = nodata
        shape = {'width': WIDTH, 'height': HEIGHT, 'count': count, 'dtype': dtype, 'nodata': nodata, 'crs': crs, 'transform': transform}
        layout = {'driver': 'GTiff', 'tiled': True, 'blockxsize': 64, 'blockysize': 64, 'compress': 'deflate'}
        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(f'{folder}/{name}.tif', 'w', **layout, **shape) as out:
            out.write(values)
            if name == 'masked':
                out.write_mask(~hole)
            if name == 'palette':
                out.write_colormap(1, {n: (n * 16, 255 - n * 16, 40, 255) for n in range(16)})
            if name == 'scaled':
                out.scales, out.offsets = (0.5, 0.25), (10, -3)


def asked_boxes(name, source):
    """(label, box, its system, query, system of the answer, size)"""
    crs = source.crs.to_string()
    res = abs(source.transform.a)
    x, y = (source.transform * (48, 112)) if name != 'turned' else (500700, 5599300)
    box = (x, y, x + 96 * res, y + 72 * res)
    beyond = (x - 80 * res, y - 80 * res, x + 200 * res, y + 180 * res)
    square = {'coord_crs': crs}
    native = None if name == 'turned' else (72, 96)
    yield 'own pixels', box, crs, square, crs, native
    yield 'beyond the raster', beyond, crs, square, crs, None if name == 'turned' else (260, 280)
    yield 'max_size', box, crs, {**square, 'max_size': 32}, crs, (24, 32) if native else None
    yield 'width and height', box, crs, {**square, 'width': 57, 'height': 31}, crs, (31, 57)
    for other in ('EPSG:3857', 'EPSG:4326', 'EPSG:32632'):
        if other != crs:
            yield f'in {other}', box, crs, {**square, 'dst_crs': other, 'width': 57, 'height': 61}, other, (61, 57)
    degrees = transform_bounds(crs, 'EPSG:4326', *box)
    yield 'box of degrees', degrees, 'EPSG:4326', {'width': 40, 'height': 50}, 'EPSG:4326', (50, 40)


class Checks:
    def __init__(self):
        self.count, self.wrong = 0, []

    def that(self, fine, what):
        self.count += 1
        if not fine:
            self.wrong.append(what)


def fetch(base, path, query):
    with urlopen(f'{base}{path}?{urlencode(query)}', timeout=60) as answer:
        return answer.read(), answer.headers


def expected_of(path, crs, bounds, shape):
    """Values at the centres of the pixels, and where they are valid: nearest neighbour, with PROJ's own transform of every centre."""
    rows, columns = shape
    with rasterio.open(path) as source:
        values, valid = source.read(), source.dataset_mask() > 0
        x, y = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
        grid = from_bounds(*bounds, columns, rows)
        moved = transform_places(crs, source.crs, (grid.c + x * grid.a).ravel(), (grid.f + y * grid.e).ravel())
        back, (xs, ys) = ~source.transform, map(np.asarray, moved)
        at = np.floor(back.a * xs + back.b * ys + back.c).astype(int), np.floor(back.d * xs + back.e * ys + back.f).astype(int)
    inside = (at[0] >= 0) & (at[0] < WIDTH) & (at[1] >= 0) & (at[1] < HEIGHT)
    column, row = np.clip(at[0], 0, WIDTH - 1), np.clip(at[1], 0, HEIGHT - 1)
    return values[:, row, column].reshape(-1, rows, columns), (inside & valid[row, column]).reshape(rows, columns)


def equal(a, b):
    return (a == b) | (np.isnan(a) & np.isnan(b)) if a.dtype.kind == 'f' else a == b


def nodata_equal(a, b):
    return a == b or (a is not None and b is not None and np.isnan(a) and np.isnan(b))


def check_window(checks, base, client, folder, name, case):
    label, box, box_crs, query, crs, shape = case
    what = f'{name}, {label}'
    path = f'{folder}/{name}.tif'
    query = {'url': name, 'resampling': 'nearest', 'reproject': 'nearest', **query}
    place = '/cog/bbox/' + ','.join(repr(float(edge)) for edge in box)
    body, headers = fetch(base, place + '.tif', query)
    told = tuple(float(edge) for edge in headers['X-Raster-Bbox'].split(','))
    with rasterio.open(path) as source, MemoryFile(body) as file, file.open() as got:
        dtype, nodata, count = source.dtypes[0], source.nodata, source.count
        whole, valid = got.read(), got.dataset_mask() > 0
        # Where something is invalid that no value can say there is an alpha band, as titiler has it.
        alpha = [kind == ColorInterp.alpha for kind in got.colorinterp]
        checks.that(alpha == [False] * count + [True] * (nodata is None and not valid.all()), f'{what}: bands {got.colorinterp}')
        values = whole[:count]
        checks.that(got.crs == rasterio.CRS.from_string(crs), f'{what}: {got.crs}')
        checks.that(set(got.dtypes) == set(source.dtypes), f'{what}: {got.dtypes}')
        checks.that(nodata_equal(got.nodata, nodata), f'{what}: nodata {got.nodata}')
        checks.that(shape is None or got.shape == shape, f'{what}: {got.shape}')
        if box_crs == crs:
            checks.that(np.allclose(got.bounds, box, rtol=1e-12, atol=0), f'{what}: {got.bounds} of {box}')
        else:
            moved = transform_bounds(box_crs, crs, *box)
            checks.that(np.allclose(got.bounds, moved, rtol=0, atol=(moved[2] - moved[0]) * 1e-4), f'{what}: {got.bounds} of {moved}')
        checks.that(np.allclose(got.bounds, told, rtol=1e-12, atol=0), f'{what}: header {told} of {got.bounds}')
        bounds, shape = got.bounds, got.shape
        transform = got.transform
        # GDAL says the same of every way to open it.
        if rioxarray is not None:
            array = rioxarray.open_rasterio(file.name)
            checks.that(array.rio.crs == got.crs and array.rio.transform() == transform, f'{what}: place in rioxarray')
            checks.that(nodata_equal(array.rio.nodata, nodata) and str(array.dtype) == dtype, f'{what}: type in rioxarray')
            checks.that(equal(array.values, whole).all(), f'{what}: values in rioxarray')
            across, down = np.arange(shape[1]) + 0.5, np.arange(shape[0]) + 0.5
            near = {'rtol': 0, 'atol': 1e-6 * transform.a}
            fine = np.allclose(array.x, transform.c + across * transform.a, **near) and np.allclose(array.y, transform.f + down * transform.e, **near)
            checks.that(fine, f'{what}: x and y')
            array.close()
    wanted, shown = expected_of(path, crs, bounds, shape)
    # Places are rounded to pixels; a position on the edge of one may fall to either side.
    few = 0 if label in ('own pixels', 'beyond the raster') and name != 'turned' else shape[0] * shape[1] * 0.02
    off = np.count_nonzero(valid != shown)
    checks.that(off <= few, f'{what}: {off} of {valid.size} masked otherwise')
    both = valid & shown
    wrong = np.count_nonzero(~equal(values[:, both], wanted[:, both]))
    checks.that(wrong <= few * count and np.count_nonzero(both) > 50, f'{what}: {wrong} of {np.count_nonzero(both) * count} values')
    check_array(checks, base, client, what, place, name, query, (values, valid, bounds, crs, nodata))


def check_array(checks, base, client, what, place, name, query, window):
    """The same window as .npy, and by the client."""
    values, valid, bounds, crs, nodata = window
    count, rows, columns = values.shape
    array = np.load(io.BytesIO(fetch(base, place + '.npy', query)[0]), allow_pickle=False)
    checks.that((array.dtype, array.shape) == (values.dtype, (count + 1, rows, columns)), f'{what}: npy {array.dtype} {array.shape}')
    checks.that(np.array_equal(array[-1] > 0, valid), f'{what}: mask of npy')
    checks.that(equal(array[:-1][:, valid], values[:, valid]).all(), f'{what}: values of npy')
    bare = np.load(io.BytesIO(fetch(base, place + '.npy', {**query, 'return_mask': 'false'})[0]), allow_pickle=False)
    checks.that(bare.shape == values.shape, f'{what}: npy without mask {bare.shape}')
    own = {key: value for key, value in query.items() if key != 'url'}
    got = client.read(name, [float(edge) for edge in place.rsplit('/', 1)[1].split(',')], **own)
    checks.that(np.allclose(got.bounds, bounds, rtol=1e-12, atol=0) and got.crs == ('OGC:CRS84' if what.endswith('box of degrees') else crs), f'{what}: place by the client')
    checks.that(nodata_equal(got.nodata, nodata), f'{what}: nodata by the client {got.nodata}')
    checks.that(np.allclose(got.transform, from_bounds(*bounds, columns, rows)[:6], rtol=1e-9, atol=1e-12), f'{what}: transform by the client')
    checks.that(got.data.dtype == values.dtype and np.array_equal(got.mask, valid), f'{what}: array by the client')
    if rioxarray is None:
        return
    plain, masked = got.to_xarray(masked=False), got.to_xarray()
    checks.that(plain.dtype == values.dtype and nodata_equal(plain.rio.nodata, nodata), f'{what}: to_xarray {plain.dtype} {plain.rio.nodata}')
    checks.that(np.allclose(plain.rio.bounds(), bounds, rtol=1e-9), f'{what}: bounds of to_xarray')
    checks.that(np.array_equal(np.isnan(masked.values), np.broadcast_to(~valid, values.shape)), f'{what}: NaN of to_xarray')
    if nodata is not None:
        again = plain.rio.write_nodata(nodata).values
        checks.that(equal(again[:, ~valid], np.full_like(again[:, ~valid], nodata)).all(), f'{what}: nodata of to_xarray')


def check_preview(checks, base, folder, name):
    body, _ = fetch(base, '/cog/preview.tif', {'url': name, 'max_size': 48, 'resampling': 'nearest'})
    with rasterio.open(f'{folder}/{name}.tif') as source, MemoryFile(body) as file, file.open() as got:
        whole = source.transform * Affine.scale(source.width / got.width, source.height / got.height)
        checks.that(got.crs == source.crs and got.transform.almost_equals(whole, 1e-9), f'{name}: place of the preview')
        checks.that(nodata_equal(got.nodata, source.nodata) and set(got.dtypes) == set(source.dtypes), f'{name}: type of the preview')


def check_by_url(checks, base, folder, name):
    """The URL itself is opened: a plain one GDAL reads in ranges."""
    with rasterio.open(f'{folder}/{name}.tif') as source:
        query = urlencode({'url': name, 'coord_crs': source.crs.to_string()})
        box = ','.join(repr(float(edge)) for edge in source.bounds)
        for way in ('', '/vsicurl_streaming/'):
            with rasterio.open(f'{way}{base}/cog/bbox/{box}.tif?{query}') as got:
                checks.that(got.crs == source.crs and got.shape == source.shape, f'{name}: opened by its URL {got.shape}')
                valid = source.dataset_mask() > 0
                checks.that(equal(got.read(range(1, source.count + 1))[:, valid], source.read()[:, valid]).all(), f'{name}: values by its URL')


def check(folder, base):
    checks, client = Checks(), Plimsoll(base)
    for name in RASTERS:
        with rasterio.open(f'{folder}/{name}.tif') as source:
            cases = list(asked_boxes(name, source))
        for case in cases:
            check_window(checks, base, client, folder, name, case)
        check_preview(checks, base, folder, name)
        if name != 'turned':
            check_by_url(checks, base, folder, name)
    print(json.dumps({'checks': checks.count, 'wrong': checks.wrong, 'xarray': rioxarray is not None}))


if sys.argv[1] == 'make':
    make(sys.argv[2])
else:
    check(sys.argv[2], sys.argv[3])
