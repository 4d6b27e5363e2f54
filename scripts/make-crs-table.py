"""Candidates for src/crs/table.json out of PROJ's own database; scripts/check-crs-table.ts keeps what proj4 gets right.

    python scripts/make-crs-table.py candidates.json      (needs pyproj; reads no grid and no network)
    node scripts/check-crs-table.ts candidates.json src/crs/table.json

For every EPSG projected and geographic 2D CRS: the no-grid operation to WGS 84 that PROJ itself would take over the area
of use, written as a towgs84 shift, and points of that area computed by PROJ with that very operation. A CRS whose shift
is only known by a grid (no other operation of 10 m or better), or not known at all, is listed as refused.
"""

import json
import math
import sys
import warnings

import pyproj
from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType
from pyproj.transformer import TransformerGroup

warnings.filterwarnings("ignore")
pyproj.network.set_network_enabled(False)

ACCURACY_MAX_M = 10.0
SIDE = 4
DATUM_TOKENS = {"type", "no_defs", "datum", "ellps", "a", "b", "rf", "R", "towgs84", "nadgrids", "wktext"}
UNSPECIFIED = ("not specified", "unspecified", "unknown", "authalic sphere")
HARMLESS_STEPS = {"axisswap", "unitconvert", "push", "pop", "cart", "noop", "longlat", "latlong", "set"}
ARCSEC = math.pi / 180 / 3600


def samples(area):
    """A grid of lon, lat over the area of use, a little inside it; a west beyond east means the antimeridian."""
    west, south, east, north = area.west, max(area.south, -89.5), area.east, min(area.north, 89.5)
    if west > east:
        east += 360
    points = []
    for i in range(SIDE):
        for j in range(SIDE):
            lon = west + (east - west) * (0.02 + 0.96 * i / (SIDE - 1))
            lat = south + (north - south) * (0.02 + 0.96 * j / (SIDE - 1))
            points.append((lon - 360 if lon > 180 else lon, lat))
    return points


def steps_of(definition):
    """The steps of a PROJ pipeline as dicts of their parameters; a flag without a value is True."""
    steps = [[]]
    for token in definition.replace("+", "").split():
        if token == "step":
            steps.append([])
        else:
            steps[-1].append(token)
    out = []
    for tokens in steps:
        step = {}
        for token in tokens:
            key, _, value = token.partition("=")
            step[key] = value if value else True
        if step and step.get("proj") != "pipeline":
            out.append(step)
    return out


def shift_of(operation):
    """[x y z rx ry rz ds] in the position vector convention from the CRS to WGS 84; None where it is no such shift."""
    total = [0.0] * 7
    projection_seen = False
    for step in steps_of(operation.definition):
        name = step.get("proj")
        if name in HARMLESS_STEPS:
            continue
        if name in ("helmert", "molobadekas"):
            values = [float(step.get(k, 0)) for k in ("x", "y", "z", "rx", "ry", "rz", "s")]
            if step.get("convention") == "coordinate_frame":
                values[3:6] = [-v for v in values[3:6]]
            if name == "molobadekas":
                values = about_origin(values, [float(step.get(k, 0)) for k in ("px", "py", "pz")])
            sign = -1 if step.get("inv") else 1
            total = [t + sign * v for t, v in zip(total, values)]
        elif step.get("inv") and not projection_seen:
            projection_seen = True
        else:
            return None
    return total


def about_origin(values, pivot):
    """Molodensky-Badekas turns about a pivot; the same turn about the earth's centre has another translation."""
    x, y, z, rx, ry, rz, s = values
    px, py, pz = pivot
    ax, ay, az = rx * ARCSEC, ry * ARCSEC, rz * ARCSEC
    m = 1 + s * 1e-6
    turned = (m * (px - az * py + ay * pz), m * (az * px + py - ax * pz), m * (-ay * px + ax * py + pz))
    return [x + px - turned[0], y + py - turned[1], z + pz - turned[2], rx, ry, rz, s]


def metres_apart(a, b):
    if not all(map(math.isfinite, (*a, *b))):
        return math.inf
    dlon = (a[0] - b[0] + 180) % 360 - 180
    return math.hypot(dlon * 111320 * math.cos(math.radians(a[1])), (a[1] - b[1]) * 110570)


def inverse_of(transformer, xy):
    return [transformer.transform(x, y) if math.isfinite(x) and math.isfinite(y) else (math.inf, math.inf) for x, y in xy]


def is_ballpark(operation):
    return "allpark" in operation.description


def covers(operation, point):
    area = operation.area_of_use
    if area is None:
        return True
    inside = area.west <= point[0] <= area.east
    if area.west > area.east:
        inside = point[0] >= area.west or point[0] <= area.east
    return inside and area.south <= point[1] <= area.north


def usable(group, unspecified):
    """(operation, shift, accuracy) of every operation that is a plain shift; a ballpark one only where none is meant."""
    for operation in group.transformers:
        if is_ballpark(operation) and not unspecified:
            continue
        shift = shift_of(operation)
        if shift is not None:
            yield operation, shift, operation.accuracy if operation.accuracy >= 0 else 0.0


def pick(crs, area, points):
    """(operation, shift, note, refusal): the no-grid operation nearest to what PROJ does by itself over the area.

    PROJ takes for every point the best operation of that place; one shift has to do here. So the one with the least
    mean distance to PROJ's own answers is taken, and the distance is told.
    """
    aoi = AreaOfInterest(area.west, area.south, area.east, area.north)
    group = TransformerGroup(crs, "OGC:CRS84", always_xy=True, area_of_interest=aoi)
    default = Transformer.from_crs(crs, "OGC:CRS84", always_xy=True)
    unspecified = any(w in str(crs.datum.name).lower() for w in UNSPECIFIED)
    ops = list(usable(group, unspecified))
    better = [o for o in group.unavailable_operations if o.accuracy >= 0]
    finest = min(better, key=lambda o: o.accuracy, default=None)
    grid = finest.grids[0].short_name if finest and finest.grids else ""
    if not ops:
        return None, None, None, ["needs-grid", grid] if grid else ["no-shift", ""]
    known = [p for p in points if any(covers(o, p) for o, _, _ in ops)] or points
    best = None
    for operation, shift, accuracy in ops:
        xy = [operation.transform(*p, direction="INVERSE") for p in known]
        off = [metres_apart(p, g) for p, g in zip(inverse_of(default, xy), known)]
        off = [o for o in off if math.isfinite(o)] or [math.inf]
        rank = (accuracy > ACCURACY_MAX_M, round(sum(off) / len(off), 1), accuracy)
        if best is None or rank < best[0]:
            best = (rank, operation, shift, accuracy, max(off))
    (_, mean, _), operation, shift, accuracy, spread = best
    note = {"accuracy": None if unspecified else accuracy, "spread": round(spread, 1)}
    if grid and finest.accuracy < accuracy:
        note |= {"grid": grid, "gridAccuracy": finest.accuracy}
    if "grid" in note and (accuracy > ACCURACY_MAX_M or mean > ACCURACY_MAX_M):
        return None, None, None, ["needs-grid", grid]
    if mean > ACCURACY_MAX_M:
        return None, None, None, ["many-shifts", ""]
    return operation, shift, note, None


def number(value):
    return f"{value:.10g}"


def datum_part(crs, shift, unspecified):
    ellipsoid = crs.ellipsoid
    a, rf = ellipsoid.semi_major_metre, ellipsoid.inverse_flattening
    if ellipsoid.name in ("WGS 84", "GRS 1980"):
        part = "ellps=WGS84" if ellipsoid.name == "WGS 84" else "ellps=GRS80"
    else:
        part = f"a={number(a)} " + (f"rf={repr(rf)}" if rf else f"b={number(a)}")
    if unspecified:
        return part
    values = [number(round(v, 9)) for v in shift]
    return part + " towgs84=" + ",".join("0" if v in ("0", "-0") else v for v in values)


def candidate(info):
    crs = CRS.from_epsg(info.code)
    row = {"code": int(info.code), "title": crs.name}
    area = crs.area_of_use
    definition = crs.to_proj4()
    if area is None or not definition:
        return {**row, "refused": ["unsupported", ""]}
    points = samples(area)
    operation, shift, note, refused = pick(crs, area, points)
    if refused:
        return {**row, "refused": refused}
    tokens = [t.lstrip("+") for t in definition.split()]
    kept = [t for t in tokens if t.partition("=")[0] not in DATUM_TOKENS and t != "units=m"]
    expected = []
    for lon, lat in points:
        x, y = operation.transform(lon, lat, direction="INVERSE")
        if math.isfinite(x) and math.isfinite(y):
            expected.append([lon, lat, x, y])
    unit = crs.axis_info[0].unit_conversion_factor if crs.is_projected else 1
    return {
        **row,
        "proj": " ".join(kept),
        "datum": datum_part(crs, shift, note["accuracy"] is None),
        "note": note,
        "unit": unit,
        "points": expected,
    }


def aliases():
    """Compound and geographic 3D systems stand for their horizontal part: heights are never transformed here."""
    found = {}
    for info in query_crs_info(auth_name="EPSG", pj_types=[PJType.COMPOUND_CRS], allow_deprecated=True):
        authority = CRS.from_epsg(info.code).sub_crs_list[0].to_authority()
        if authority and authority[0] == "EPSG":
            found[int(info.code)] = int(authority[1])
    for info in query_crs_info(auth_name="EPSG", pj_types=[PJType.GEOGRAPHIC_3D_CRS], allow_deprecated=False):
        code = CRS.from_epsg(info.code).to_2d().to_epsg(min_confidence=90)
        if code:
            found[int(info.code)] = code
    return found


def main():
    kinds = [PJType.PROJECTED_CRS, PJType.GEOGRAPHIC_2D_CRS]
    infos = query_crs_info(auth_name="EPSG", pj_types=kinds, allow_deprecated=True)
    only = {int(c) for c in sys.argv[2:]}
    by_code = {int(i.code): i for i in infos if not only or int(i.code) in only}
    rows = []
    for n, info in enumerate(by_code[c] for c in sorted(by_code)):
        try:
            rows.append(candidate(info))
        except Exception as error:  # noqa: BLE001 - one odd CRS must not end the run; it is listed as refused
            rows.append({"code": int(info.code), "title": info.name, "refused": ["unsupported", str(error)[:60]]})
        if n % 500 == 0:
            print(n, info.code, flush=True)
    out = {"proj": pyproj.proj_version_str, "rows": rows, "aliases": {} if only else aliases()}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(out, file, default=lambda v: None)


main()
