"""What a dashboard holds, as GeoJSON text in longitude and latitude."""

from __future__ import annotations

import json
import math
from os import PathLike
from typing import Any


def to_geojson(data: Any) -> bytes:
    """GeoDataFrame or GeoSeries, anything with ``__geo_interface__``, a GeoJSON ``dict``, its text, or the path of a file.

    A frame with a CRS is reprojected; one without is refused unless its coordinates can be degrees.
    """
    if isinstance(data, (bytes, bytearray)):
        return bytes(data)
    if isinstance(data, PathLike):
        with open(data, "rb") as file:
            return file.read()
    if isinstance(data, str):
        return data.encode()
    if hasattr(data, "to_crs") and hasattr(data, "total_bounds"):
        return _frame(data)
    if hasattr(data, "__geo_interface__"):
        data = data.__geo_interface__
    if isinstance(data, dict):
        return _dump(data)
    raise TypeError(f"{type(data).__name__} is neither a GeoDataFrame nor GeoJSON")


def _frame(frame: Any) -> bytes:
    if frame.crs is not None:
        frame = frame.to_crs(4326)
    else:
        west, south, east, north = (float(edge) for edge in frame.total_bounds)
        if west < -180 or east > 180 or south < -90 or north > 90:
            raise ValueError(
                f"the frame has no CRS and its bounds are {west:g}, {south:g}, {east:g}, {north:g}: "
                "set it with set_crs(), GeoJSON is in degrees"
            )
    # Through the interface and not to_json(), which stumbles over timestamps and decimals.
    return _dump(frame.__geo_interface__)


def _dump(value: dict) -> bytes:
    try:
        # The usual case costs nothing: only what JSON lacks is looked at.
        return json.dumps(value, allow_nan=False, default=_plain, separators=(",", ":")).encode()
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False, default=_plain, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    """Timestamps, decimals, numpy scalars: what JSON has no word for."""
    if value is None or type(value).__name__ in ("NaTType", "NAType"):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "item"):
        return _finite(value.item())
    if hasattr(value, "tolist"):
        return _finite(value.tolist())
    return str(value)


def _finite(value: Any) -> Any:
    """NaN and infinity, which JSON has not, as null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
