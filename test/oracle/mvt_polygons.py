"""Rings of a vector tile to polygons: an outer one turns the way of MVT, and the holes behind it are its own."""
import numpy as np, shapely


def polygons_of(rings):
    """(shell, holes) of each polygon, the first point of a ring not repeated."""
    polygons = []
    for ring in rings:
        a = np.asarray(ring, dtype=float)
        x, y = a[:, 0], a[:, 1]
        if (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() > 0:
            polygons.append((ring, []))
        else:
            polygons[-1][1].append(ring)
    return polygons


def multipolygon(rings):
    return shapely.MultiPolygon(polygons_of(rings))
