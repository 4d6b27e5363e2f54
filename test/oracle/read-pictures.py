"""What GDAL reads of pictures, PICTURE…: bytes of their bands, pixel by pixel, to PICTURE.pixels."""
import sys
import warnings

import numpy as np
import rasterio

warnings.filterwarnings('ignore', category=rasterio.errors.NotGeoreferencedWarning)
for path in sys.argv[1:]:
    with rasterio.open(path) as picture:
        np.moveaxis(picture.read(), 0, -1).tofile(path + '.pixels')
