"""Which features of a file an expression of Python, numpy and shapely is true for: the oracle of CQL2 filters."""

import json
import sys

import numpy as np
import pyogrio
import shapely
from shapely.geometry import box  # noqa: F401 (expressions use it)

jobs, out = sys.argv[1:3]
answers = []
cache = {}
for path, expression in json.load(open(jobs)):
    if path not in cache:
        meta, _, wkb, fields = pyogrio.raw.read(path)
        columns = dict(zip(meta["fields"], fields))
        cache[path] = (columns, shapely.from_wkb(wkb))
    columns, g = cache[path]

    def c(name):
        """A column; texts that are missing are the empty text, numbers NaN."""
        values = columns[name]
        if values.dtype == object:
            return np.array([v if isinstance(v, str) else "" for v in values], dtype=object)
        return values

    def has(name):
        values = columns[name]
        if values.dtype == object:
            return np.array([v is not None for v in values])
        return ~np.isnan(values.astype(float)) if values.dtype.kind == "f" else np.ones(len(values), bool)

    def each(name, test):
        return np.array([bool(test(v)) for v in c(name)])

    scope = dict(np=np, shapely=shapely, box=box, g=g, c=c, has=has, each=each)
    found = np.asarray(eval(expression, scope))
    answers.append([int(i) for i in np.flatnonzero(found)])
json.dump(answers, open(out, "w"))
