"""What rio-tiler, color-operations and titiler make of small arrays. One JSON case a line on stdin, one answer a line.

Case: {"kind": "expression", "text": …, "bands": [[…], …]}                 doubles, bands of equal length
      {"kind": "formula", "text": …, "bands": [[…], [[…], [[…]]}            bytes
      {"kind": "algorithm", "name": …, "params": {…}, "bands": […], "width": w, "height": h, "res": metres}
"""
import json
import sys
import warnings

import numpy as np
from color_operations import parse_operations, scale_dtype, to_math_type
from rasterio.transform import from_origin, array_bounds
from rio_tiler.expression import apply_expression, get_expression_blocks
from rio_tiler.models import ImageData
from titiler.core.algorithm import algorithms

warnings.filterwarnings('ignore')


def expression(case):
    data = np.array(case['bands'], dtype='float64')
    names = [f'b{i + 1}' for i in range(len(data))]
    return apply_expression(list(get_expression_blocks(case['text'])), names, data).data


def formula(case):
    out = np.array(case['bands'], dtype='uint8')[:, None, :]
    for operation in parse_operations(case['text']):
        out = scale_dtype(operation(to_math_type(out)), np.uint8)
    return out[:, 0]


def algorithm(case):
    w, h, res = case['width'], case['height'], case['res']
    data = np.ma.MaskedArray(np.array(case['bands'], dtype=case['dtype']).reshape(-1, h, w), mask=False)
    image = ImageData(data, crs='EPSG:32631', bounds=array_bounds(h, w, from_origin(0, 0, res, res)))
    return algorithms.get(case['name'])(**case['params'])(image).array.data.reshape(-1, 1)


for line in sys.stdin:
    case = json.loads(line)
    values = dict(expression=expression, formula=formula, algorithm=algorithm)[case['kind']](case)
    print(json.dumps(np.nan_to_num(np.asarray(values, dtype='float64')).reshape(-1).tolist()), flush=True)
