"""Statistics of every band of rasters as numpy has them, with rasterio's dataset mask. Paths as arguments, one JSON line each."""
import json
import sys

import numpy as np
import rasterio
from rasterio.enums import ColorInterp

for path in sys.argv[1:]:
    with rasterio.open(path) as source:
        mask = source.dataset_mask() > 0
        out = {}
        for band in source.indexes:
            if source.colorinterp[band - 1] == ColorInterp.alpha:
                continue
            data = source.read(band)
            values = data[mask & np.isfinite(data)]
            ordered = np.sort(values)
            rank = lambda share: float(ordered[max(0, int(np.ceil(share * len(ordered) - 1e-9)) - 1)])
            sums = values.astype('float64')
            out[f'b{band}'] = {
                'min': float(values.min()), 'max': float(values.max()), 'count': len(values), 'sum': float(sums.sum()),
                'mean': float(sums.mean()), 'std': float(sums.std()), 'median': rank(0.5),
                'percentile_2': rank(0.02), 'percentile_98': rank(0.98),
                'histogram': np.histogram(values)[0].tolist(), 'masked_pixels': int(mask.size - len(values)),
            }
        print(json.dumps(out))
