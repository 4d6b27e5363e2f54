"""A map of layers as one HTML document. Its library comes from the Plimsoll server itself: nothing else is loaded."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from typing import Any

from .client import Layer, Plimsoll

PALETTE = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")

_PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><link rel="stylesheet" href="%(base)s/viewer/maplibre-gl.css">
<style>html,body,#map{height:100%%;margin:0}.maplibregl-popup-content{font:13px/1.4 system-ui;max-height:14em;overflow:auto}
th{text-align:left;padding-right:1em;font-weight:600}</style></head>
<body><div id="map"></div><script type="application/json" id="setup">%(setup)s</script><script type="module">
import { Map, NavigationControl, Popup } from '%(base)s/viewer/maplibre-gl.mjs';
const { style, view, clickable } = JSON.parse(document.getElementById('setup').textContent);
const map = new Map({ container: 'map', style, ...view });
map.addControl(new NavigationControl());
map.on('click', event => {
  const [feature] = map.queryRenderedFeatures(event.point, { layers: clickable.filter(id => map.getLayer(id)) });
  if (!feature) return;
  // Attributes go in as text: they are data, never markup.
  const table = document.createElement('table');
  for (const [name, value] of Object.entries(feature.properties)) {
    const row = table.insertRow();
    row.append(Object.assign(document.createElement('th'), { textContent: name }));
    row.insertCell().textContent = value;
  }
  new Popup({ maxWidth: '320px' }).setLngLat(event.lngLat).setDOMContent(table).addTo(map);
});
map.on('load', () => { document.body.dataset.loaded = 'true'; });
map.on('idle', () => { document.body.dataset.idle = 'true'; });
</script></body></html>
"""


class Map:
    """Layers over each other, the first at the bottom. Shows itself in notebooks and in Panel; ``html()`` is for the rest.

    ``styles`` gives MapLibre style layers for a layer's id, each with ``type``, ``paint`` and what else you like; ``source`` and
    ``source-layer`` are filled in. Without, geometry decides: fills, lines or circles, in a colour for each layer.
    """

    def __init__(
        self,
        plimsoll: Plimsoll,
        layers: Iterable[Layer | str],
        *,
        styles: Mapping[str, list[dict]] | None = None,
        bounds: tuple[float, float, float, float] | None = None,
        height: int = 480,
    ) -> None:
        self.plimsoll = plimsoll
        self.layers = [layer if isinstance(layer, Layer) else plimsoll.layer(layer) for layer in layers]
        self.styles = dict(styles or {})
        self.bounds = bounds or _union(self.layers)
        self.height = height

    def style(self) -> dict:
        """The MapLibre style."""
        sources: dict[str, Any] = {}
        drawn: list[dict] = [{"id": "ground", "type": "background", "paint": {"background-color": "#e9eef1"}}]
        for index, layer in enumerate(self.layers):
            kind = "raster" if layer.kind == "raster" else "vector"
            sources[layer.id] = {"type": kind, "tiles": [layer.tiles], "minzoom": layer.minzoom, "maxzoom": layer.maxzoom}
            if kind == "raster":
                sources[layer.id]["tileSize"] = 256
            given = self.styles.get(layer.id) or _style(layer, PALETTE[index % len(PALETTE)])
            for number, painting in enumerate(given):
                made = {"id": f"{layer.id}:{number}", "source": layer.id, **painting}
                if kind == "vector":
                    made.setdefault("source-layer", layer.id)
                drawn.append(made)
        return {"version": 8, "sources": sources, "layers": drawn}

    def html(self) -> str:
        style = self.style()
        view: dict[str, Any] = {"center": [0, 20], "zoom": 1}
        if self.bounds is not None:
            west, south, east, north = self.bounds
            view = {"bounds": [[west, max(south, -85)], [east, min(north, 85)]], "fitBoundsOptions": {"padding": 20, "maxZoom": 16}}
        clickable = [layer["id"] for layer in style["layers"] if layer["type"] not in ("background", "raster")]
        setup = json.dumps({"style": style, "view": view, "clickable": clickable})
        # Inside <script> only "</" and "<!--" could end it.
        return _PAGE % {"base": html.escape(self.plimsoll.public_url), "setup": setup.replace("<", "\\u003c")}

    def _repr_html_(self) -> str:
        page = html.escape(self.html(), quote=True)
        return f'<iframe srcdoc="{page}" style="width:100%;height:{self.height}px;border:0"></iframe>'


def _style(layer: Layer, colour: str) -> list[dict]:
    if layer.kind == "raster":
        return [{"type": "raster"}]
    of_type = lambda name: ["==", ["geometry-type"], name]  # noqa: E731
    fill = {"type": "fill", "filter": of_type("Polygon"), "paint": {"fill-color": colour, "fill-opacity": 0.35}}
    outline = {"type": "line", "filter": ["!", of_type("Point")], "paint": {"line-color": colour, "line-width": 1.2}}
    circle = {
        "type": "circle",
        "filter": of_type("Point"),
        "paint": {"circle-color": colour, "circle-radius": 4, "circle-stroke-color": "#ffffff", "circle-stroke-width": 1},
    }
    return [fill, outline, circle]


def _union(layers: list[Layer]) -> tuple[float, float, float, float] | None:
    boxes = [layer.bounds for layer in layers if layer.bounds is not None]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes)
    return (min(west), min(south), max(east), max(north))
