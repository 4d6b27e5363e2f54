"""Layers and maps of a Plimsoll server for Python dashboards."""

from .client import Layer, Plimsoll, PlimsollError, Session, Window
from .geojson import to_geojson
from .maps import Map

__all__ = ["Layer", "Map", "Plimsoll", "PlimsollError", "Session", "Window", "to_geojson"]
__version__ = "0.1.0"
