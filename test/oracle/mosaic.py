"""Overlapping COGs, and what rio-tiler's mosaics and a GDAL VRT make of them.

mosaic.py FOLDER [files]: writes rgb/*.tif, dem/*.tif, sheets/*.tif and, unless only files are wanted, a .npy a case, band after
band with the mask last; cases.json lists them.
"""

import json
import os
import sys

import numpy as np
import rasterio
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform, transform_bounds
from rio_tiler.errors import PointOutsideBounds
from rio_tiler.io import Reader
from rio_tiler.mosaic import mosaic_point_reader, mosaic_reader
from rio_tiler.mosaic.methods import defaults

folder = sys.argv[1]
only_files = len(sys.argv) > 2
cases = []


def west_north(crs, lon, lat):
    x, y = transform("EPSG:4326", crs, [lon], [lat])
    return x[0], y[0]


def save(name, data, crs, lon, lat, res, nodata=None):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    x, y = west_north(crs, lon, lat)
    profile = dict(driver="GTiff", count=data.shape[0], height=data.shape[1], width=data.shape[2], dtype=data.dtype)
    profile.update(crs=crs, transform=Affine(res, 0, x, 0, -res, y), nodata=nodata)
    profile.update(tiled=True, blockxsize=128, blockysize=128, compress="deflate")
    if data.shape[0] == 3:
        profile.update(photometric="rgb")
    with rasterio.open(path, "w", **profile) as out:
        out.write(data)
    with rasterio.open(path, "r+") as out:
        out.build_overviews([2, 4], Resampling.nearest)
    return path


def pattern(bands, height, width, seed, low, high, dtype):
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for band in range(bands):
        # Gentle slopes: which overview is nearest to a pixel is not what is compared here, but which file.
        wave = np.sin((x + seed * 500 + band * 90) / 250) * np.cos((y + seed * 300) / (200 + band * 50))
        planes.append(low + (wave + 1) / 2 * (high - low))
    return np.stack(planes).astype(dtype)


def holes(data, nodata):
    data[:, 60:140, 80:220] = nodata
    data[:, 300:330, :] = nodata
    return data


rgb = [
    save("rgb/a.tif", holes(pattern(3, 500, 500, 1, 10, 250, "uint8"), 0), "EPSG:3857", 9.00, 47.00, 20, 0),
    save("rgb/b.tif", pattern(3, 400, 500, 2, 10, 250, "uint8"), "EPSG:3857", 9.05, 47.02, 20),
    save("rgb/c.tif", holes(pattern(3, 500, 450, 3, 10, 250, "uint8"), 0), "EPSG:32632", 8.97, 46.99, 15, 0),
]
dem = [
    save("dem/a.tif", holes(pattern(1, 500, 500, 4, -50, 3000, "int16"), -9999), "EPSG:3857", 9.00, 47.00, 20, -9999),
    save("dem/b.tif", holes(pattern(1, 400, 500, 5, -50, 3000, "int16"), -32768), "EPSG:3857", 9.05, 47.02, 30, -32768),
    save("dem/c.tif", holes(pattern(1, 500, 450, 6, -50, 3000, "int16"), -9999), "EPSG:4326", 8.97, 46.99, 0.0002, -9999),
]
WAYS = {
    "first": (defaults.FirstMethod, 1),
    "last": (defaults.FirstMethod, -1),
    "highest": (defaults.HighestMethod, 1),
    "lowest": (defaults.LowestMethod, 1),
    "mean": (defaults.MeanMethod, 1),
}


def write(name, array, **case):
    # The mask is the picture's: where all bands are there.
    there = np.where(np.ma.getmaskarray(array).any(axis=0), 0, 255)
    out = np.concatenate([np.ma.getdata(array), there[np.newaxis]]).astype("float64")
    np.save(os.path.join(folder, name + ".npy"), out)
    cases.append(dict(name=name, **case))


def tile_of(asset, x, y, z, **options):
    with Reader(asset) as src:
        return src.tile(x, y, z, tilesize=256, **options)


def tiles_of(zoom, bounds):
    import morecantile

    return morecantile.tms.get("WebMercatorQuad").tiles(*bounds, zooms=[zoom])


box = (8.985, 46.93, 9.12, 47.01)
for layer, assets, expression in () if only_files else (("rgb", rgb, "b1/2+b2/2;b3"), ("dem", dem, "b1*2+1")):
    for way, (method, order) in WAYS.items():
        for zoom in (9, 11, 13):
            for tile in list(tiles_of(zoom, box))[:2]:
                for text in (None, expression):
                    options = {} if text is None else {"expression": text}
                    image, used = mosaic_reader(
                        assets[::order], tile_of, tile.x, tile.y, tile.z, pixel_selection=method(), threads=1, **options
                    )
                    name = f"{layer}-{way}-{tile.z}-{tile.x}-{tile.y}-{'plain' if text is None else 'made'}"
                    path = f"{tile.z}/{tile.x}/{tile.y}"
                    write(name, image.array, kind="tile", layer=layer, way=way, tile=path, expression=text)


def point_of(asset, lon, lat):
    with Reader(asset) as src:
        return src.point(lon, lat)


points = []
for way, (method, order) in WAYS.items():
    for lon, lat in ((9.03, 46.98), (9.06, 46.97), (9.08, 46.95), (8.98, 46.97), (9.02, 46.983)):
        point, _ = mosaic_point_reader(dem[::order], point_of, lon, lat, pixel_selection=method(), threads=1)
        data = point.array
        values = [None if masked else float(v) for v, masked in zip(np.ma.getdata(data), np.ma.getmaskarray(data))]
        points.append(dict(way=way, lon=lon, lat=lat, values=values))


def vrt_of(paths, name):
    """As gdalbuildvrt writes it: of sources that overlap the last one is on top."""
    opened = [rasterio.open(path) for path in paths]
    res = opened[0].res[0]
    left = min(o.bounds.left for o in opened)
    top = max(o.bounds.top for o in opened)
    width = int(np.ceil((max(o.bounds.right for o in opened) - left) / res))
    height = int(np.ceil((top - min(o.bounds.bottom for o in opened)) / res))
    lines = [f'<VRTDataset rasterXSize="{width}" rasterYSize="{height}"><SRS>EPSG:3857</SRS>']
    lines.append(f"<GeoTransform>{left}, {res}, 0, {top}, 0, {-res}</GeoTransform>")
    for band in range(1, opened[0].count + 1):
        lines.append(f'<VRTRasterBand dataType="Byte" band="{band}"><NoDataValue>0</NoDataValue>')
        for o in reversed(opened):
            at = ((o.bounds.left - left) / res, (top - o.bounds.top) / res)
            lines.append(
                f'<ComplexSource><SourceFilename relativeToVRT="0">{o.name}</SourceFilename>'
                f"<SourceBand>{band}</SourceBand>"
                f'<SrcRect xOff="0" yOff="0" xSize="{o.width}" ySize="{o.height}"/>'
                f'<DstRect xOff="{at[0]}" yOff="{at[1]}" xSize="{o.width}" ySize="{o.height}"/>'
                f"{'' if o.nodata is None else f'<NODATA>{o.nodata:g}</NODATA>'}</ComplexSource>"
            )
        lines.append("</VRTRasterBand>")
    lines.append("</VRTDataset>")
    path = os.path.join(folder, name)
    with open(path, "w") as out:
        out.write("\n".join(lines))
    return path


# Whole pixels apart, so that the VRT has nothing to resample: its grid is that of the files.
sheets = []
for i in range(3):
    data = pattern(3, 300, 300, 10 + i, 10, 250, "uint8")
    if i == 0:
        data[:, 100:200, 100:250] = 0
    x, y = west_north("EPSG:3857", 10, 50)
    lon, lat = transform("EPSG:3857", "EPSG:4326", [x + i * 100 * 20], [y - i * 80 * 20])
    sheets.append(save(f"sheets/s{i}.tif", data, "EPSG:3857", lon[0], lat[0], 20, 0 if i == 0 else None))
with rasterio.open(vrt_of(sheets, "sheets.vrt")) as src:
    bounds = [float(v) for v in src.bounds]
    window = [bounds[0] + 333, bounds[1] + 777, bounds[2] - 1111, bounds[3] - 555]
    size = (300, 260)
    res = ((window[2] - window[0]) / size[0], (window[3] - window[1]) / size[1])
    grid = Affine(res[0], 0, window[0], 0, -res[1], window[3])
    with WarpedVRT(src, crs="EPSG:3857", transform=grid, width=size[0], height=size[1]) as warped:
        write("vrt", warped.read(masked=True), kind="window", layer="sheets", way="first", box=window, size=size)

with open(os.path.join(folder, "cases.json"), "w") as out:
    edges = [transform_bounds(CRS.from_user_input(o.crs), "EPSG:4326", *o.bounds) for o in map(rasterio.open, dem)]
    union = [min(e[0] for e in edges), min(e[1] for e in edges), max(e[2] for e in edges), max(e[3] for e in edges)]
    json.dump(dict(cases=cases, points=points, union=union), out)
