"""What a notebook sees of a window. JSON on stdin: {"tif": path, "npy": path, "source": path, "box": [w, s, e, n]}; one JSON line out.

The window lies on the source's own pixels, so that its values must be the source's.
"""
import json
import sys

import numpy as np
import rasterio
from rasterio.windows import from_bounds

case = json.load(sys.stdin)
array = np.load(case['npy'])
with rasterio.open(case['source']) as source, rasterio.open(case['tif']) as got:
    window = from_bounds(*case['box'], transform=source.transform).round_offsets().round_lengths()
    expected = source.read(window=window)
    valid = source.dataset_mask(window=window)
    values = got.read()
    seen = got.dataset_mask()
    shown = np.broadcast_to(valid > 0, expected.shape)
    print(json.dumps({
        'crs': got.crs == source.crs,
        'transform': np.allclose(got.transform, source.window_transform(window), rtol=0, atol=1e-9 * max(map(abs, case['box']))),
        'dtype': [got.dtypes[0], str(array.dtype)] == [source.dtypes[0]] * 2,
        'nodata': got.nodata == source.nodata,
        'values': bool(np.array_equal(values[shown], expected[shown])),
        'mask': bool(np.array_equal(seen > 0, valid > 0)),
        'npy': bool(np.array_equal(array[:-1][shown], expected[shown])) and bool(np.array_equal(array[-1] > 0, valid > 0)),
        'pixels': list(values.shape),
        'invalid': int((valid == 0).sum()),
    }))
