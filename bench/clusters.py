"""Points around 400 towns of very different sizes, with a name and a number each, as FlatGeobuf: for bench/clusters.ts.

    .venv/bin/python bench/clusters.py COUNT OUT.fgb
"""
import sys

import numpy as np
import pyogrio.raw
import shapely

count, out = int(sys.argv[1]), sys.argv[2]
rng = np.random.default_rng(7)
towns = 400
x, y = rng.uniform(-170, 170, towns), rng.uniform(-55, 68, towns)
spread = 10 ** rng.uniform(-2.5, 0.7, towns)
share = rng.pareto(1.0, towns) + 0.05
town = rng.choice(towns, size=count, p=share / share.sum())
lon = np.clip(x[town] + rng.normal(size=count) * spread[town], -180, 180)
lat = np.clip(y[town] + rng.normal(size=count) * spread[town] * 0.7, -84, 84)
name = np.array([f"place {i}" for i in range(count)], dtype=object)
value = rng.integers(0, 10**6, count)
pyogrio.raw.write(
    out,
    shapely.to_wkb(shapely.points(lon, lat)),
    [name, value],
    ["name", "value"],
    geometry_type="Point",
    crs="EPSG:4326",
    driver="FlatGeobuf",
)
