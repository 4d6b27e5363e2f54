"""Which EPSG systems of src/crs/table.json count north (or latitude) first: OGC APIs name a CRS by its URI and mean its own order.

    python scripts/make-crs-axes.py      (needs pyproj) writes src/crs/axes-table.ts

Not a matter of names: PROJ is asked for the same point in the authority's order and in x, y order. As ranges of codes of the
table, so that the list stays short.
"""

import json
import os
import sys
import warnings

import pyproj
from pyproj import CRS, Transformer

warnings.filterwarnings("ignore")
pyproj.network.set_network_enabled(False)
ROOT = os.path.join(os.path.dirname(__file__), "..")
OUT = os.path.join(ROOT, "src", "crs", "axes-table.ts")


def north_first(code):
    crs = CRS.from_epsg(code)
    area = crs.area_of_use
    lon, lat = area.west + 0.3 * ((area.east - area.west) % 360), area.south + 0.4 * (area.north - area.south)
    source = crs.geodetic_crs.to_2d() if crs.is_projected else CRS.from_epsg(4326)
    if crs.is_geographic:
        return crs.axis_info[0].direction == "north"
    own = Transformer.from_crs(source, crs)
    plain = Transformer.from_crs(source, crs, always_xy=True)
    geodetic_swapped = source.axis_info[0].direction == "north"
    a = own.transform(lat, lon) if geodetic_swapped else own.transform(lon, lat)
    b = plain.transform(lon, lat)
    if abs(b[0] - b[1]) < 1e-6:
        sys.exit(f"EPSG:{code}: the point does not tell its axes apart")
    return abs(a[0] - b[0]) > 1e-6


def main():
    with open(os.path.join(ROOT, "src", "crs", "table.json"), encoding="utf-8") as file:
        systems = json.load(file)["systems"].split("\n")
    # 3857 is known without the table, and must not fall into a range of its neighbours.
    codes = sorted({3857, *(int(line.split("\t")[0]) for line in systems if "\t!" not in line)})
    flags = [north_first(code) for code in codes]
    ranges = []
    for code, flag, before in zip(codes, flags, [False, *flags]):
        if flag and before:
            ranges[-1][1] = code
        elif flag:
            ranges.append([code, code])
    text = " ".join(str(a) if a == b else f"{a}-{b}" for a, b in ranges)
    with open(OUT, "w", encoding="utf-8") as file:
        file.write("/** Made by scripts/make-crs-axes.py: EPSG codes of the table whose first axis points north, as ranges within the table. */\n")
        file.write(f"export const NORTH_FIRST =\n  '{text}';\n")
    print(sum(flags), "of", len(codes), len(text), "bytes")


main()
