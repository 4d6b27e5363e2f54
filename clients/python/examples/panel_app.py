"""panel serve panel_app.py, beside `npm start`"""

import os

import panel as pn
from plimsoll_client import Plimsoll
from plimsoll_client.panel import panel_map, panel_session

pn.extension()
plimsoll = Plimsoll(os.environ.get("PLIMSOLL_URL", "http://localhost:9000"))
session = panel_session(plimsoll)
places = list(plimsoll.features("places"))
least = pn.widgets.IntSlider(name="Least population, millions", end=30, value=5)


def cities(millions: int) -> pn.pane.HTML:
    chosen = [city for city in places if (city["properties"]["population"] or 0) >= millions * 1e6]
    layer = session.put("cities", {"type": "FeatureCollection", "features": chosen})
    return panel_map(plimsoll, ["world", layer])


pn.Column(least, pn.bind(cities, least.param.value_throttled)).servable(title="Cities")
