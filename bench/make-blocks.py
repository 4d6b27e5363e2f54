"""Web-optimised COGs of bench-rgb.tif whose blocks are the tiles, in JPEG and in WebP: what bench/raster.ts passes through.

    python bench/make-blocks.py DIR        (rasterio; the requirements of the tests are enough)
"""
import os
import sys

import rasterio
import rasterio.shutil

directory = sys.argv[1]
with rasterio.Env(GDAL_NUM_THREADS="2"):
    for name, compression in (("jpeg", "JPEG"), ("webp", "WEBP")):
        path = os.path.join(directory, f"bench-{name}.tif")
        if os.path.exists(path):
            continue
        rasterio.shutil.copy(
            os.path.join(directory, "bench-rgb.tif"),
            path + ".part",
            driver="COG",
            compress=compression,
            quality=75,
            blocksize=256,
            tiling_scheme="GoogleMapsCompatible",
            add_alpha="NO",
            resampling="AVERAGE",
        )
        os.rename(path + ".part", path)
        print(path, os.path.getsize(path))
