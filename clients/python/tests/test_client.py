"""Against a running server that serves the demo data: PLIMSOLL_URL=http://localhost:9000 python -m unittest discover tests"""

from __future__ import annotations

import datetime
import gc
import json
import os
import sys
import unittest
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from plimsoll_client import Map, Plimsoll, PlimsollError, to_geojson  # noqa: E402

try:
    import geopandas
    import shapely
except ImportError:
    geopandas = None

URL = os.environ.get("PLIMSOLL_URL", "http://localhost:9000")
SQUARE = {
    "type": "Feature",
    "properties": {"name": "square", "share": 0.5},
    "geometry": {"type": "Polygon", "coordinates": [[[-40, -40], [40, -40], [40, 40], [-40, 40], [-40, -40]]]},
}
COLLECTION = {"type": "FeatureCollection", "features": [SQUARE]}


def fetch(template: str, z: int, x: int, y: int) -> bytes:
    url = template.replace("{z}", str(z)).replace("{x}", str(x)).replace("{y}", str(y))
    with urlopen(url, timeout=20) as response:
        return response.read()


class Values(unittest.TestCase):
    def setUp(self) -> None:
        self.plimsoll = Plimsoll(URL)

    def test_layers(self) -> None:
        layers = {layer.id: layer for layer in self.plimsoll.layers()}
        self.assertEqual(layers["countries"].kind, "vector")
        self.assertEqual(layers["world"].kind, "raster")
        self.assertGreater(len(fetch(layers["world"].tiles, 0, 0, 0)), 1000)
        self.assertEqual(self.plimsoll.layer("countries"), layers["countries"])

    def test_point(self) -> None:
        everest = self.plimsoll.point("elevation", 86.92, 27.99)["values"][0]
        self.assertGreater(everest, 3000)

    def test_features_over_pages(self) -> None:
        names = [feature["properties"]["name"] for feature in self.plimsoll.features("places", page=100)]
        self.assertEqual(len(names), 243)
        near = list(self.plimsoll.features("places", bbox=(4, 50, 8, 54)))
        self.assertTrue(0 < len(near) < 20)

    def test_window(self) -> None:
        try:
            import numpy  # noqa: F401
        except ImportError:
            self.skipTest("numpy is not installed")
        array = self.plimsoll.window("elevation", (80, 25, 90, 30), 64, 32)
        self.assertEqual(array.shape, (2, 32, 64))
        self.assertGreater(array[0].max(), 3000)

    def test_read_tells_the_place(self) -> None:
        try:
            import numpy
        except ImportError:
            self.skipTest("numpy is not installed")
        window = self.plimsoll.read("elevation", (80, 25, 90, 30), 64, 32)
        array = self.plimsoll.window("elevation", (80, 25, 90, 30), 64, 32)
        self.assertTrue(numpy.array_equal(window.data, array[:-1]))
        self.assertEqual((window.bounds, window.mask.shape, window.mask.dtype), ((80, 25, 90, 30), (32, 64), bool))
        self.assertIn(window.crs, ("OGC:CRS84", "EPSG:4326"))
        self.assertEqual(window.transform, (10 / 64, 0, 80, 0, -5 / 32, 30))
        self.assertGreater(window.masked().max(), 3000)
        self.assertEqual(window.filled().dtype, window.data.dtype)
        own = self.plimsoll.read("elevation", (80, 25, 90, 30), max_size=40)
        self.assertEqual(max(own.data.shape[1:]), 40)
        self.assertEqual(self.plimsoll.read("elevation", (80, 25, 90, 30), width=30).data.shape[1:], (15, 30))
        moved = self.plimsoll.read("elevation", (80, 25, 90, 30), 64, 32, dst_crs="EPSG:3857")
        self.assertEqual(moved.crs, "EPSG:3857")
        self.assertAlmostEqual(moved.bounds[0], 8905559.263, 2)

    def test_read_becomes_a_data_array(self) -> None:
        try:
            import xarray  # noqa: F401
        except ImportError:
            self.skipTest("xarray is not installed")
        array = self.plimsoll.read("elevation", (80, 25, 90, 30), 64, 32).to_xarray()
        self.assertEqual(array.dims, ("band", "y", "x"))
        self.assertEqual((float(array.x[0]), float(array.y[0])), (80 + 5 / 64, 30 - 5 / 64))
        self.assertGreater(float(array.max()), 3000)
        if hasattr(array, "rio"):
            self.assertEqual(array.rio.crs.to_epsg(), 4326)
            self.assertEqual([round(edge, 9) for edge in array.rio.bounds()], [80, 25, 90, 30])

    def test_errors_say_what_the_server_says(self) -> None:
        with self.assertRaises(PlimsollError) as caught:
            self.plimsoll.layer("nothing")
        self.assertEqual((caught.exception.status, caught.exception.code), (404, "layer-not-found"))
        self.assertIn("nothing", str(caught.exception))

    def test_public_url(self) -> None:
        plimsoll = Plimsoll(URL, public_url="https://maps.example.org/base/")
        self.assertTrue(plimsoll.layer("places").tiles.startswith("https://maps.example.org/base/tiles/places/"))


class Sessions(unittest.TestCase):
    def setUp(self) -> None:
        self.plimsoll = Plimsoll(URL)

    def test_put_tile_replace_remove_end(self) -> None:
        with self.plimsoll.session() as session:
            layer = session.put("mine", COLLECTION)
            self.assertEqual(layer.bounds, (-40, -40, 40, 40))
            self.assertIn(b"square", fetch(layer.tiles, 0, 0, 0))
            other = {**SQUARE, "properties": {"name": "circle"}}
            layer = session.put("mine", {"type": "FeatureCollection", "features": [other]})
            self.assertIn(b"circle", fetch(layer.tiles, 0, 0, 0))
            self.assertEqual([item["name"] for item in session.touch()["layers"]], ["mine"])
            session.remove("mine")
            self.assertEqual(session.state()["layers"], [])
        self.assertTrue(session.closed)
        session.close()
        with self.assertRaises(HTTPError) as caught:
            fetch(layer.tiles, 0, 0, 0)
        self.assertIn(caught.exception.code, (404, 410))

    def test_large_uploads_are_compressed_on_the_way(self) -> None:
        points = [
            {"type": "Feature", "properties": {"n": n}, "geometry": {"type": "Point", "coordinates": [n % 90, n % 80]}}
            for n in range(5000)
        ]
        with self.plimsoll.session() as session:
            layer = session.put("points", {"type": "FeatureCollection", "features": points})
            self.assertEqual(layer.info["count"], 5000)

    def test_the_same_version_is_sent_once(self) -> None:
        with self.plimsoll.session() as session:
            first = session.put("mine", COLLECTION, version=1)
            unreadable = object()
            self.assertIs(session.put("mine", unreadable, version=1), first)
            with self.assertRaises(TypeError):
                session.put("mine", unreadable, version=2)

    def test_a_forgotten_session_ends(self) -> None:
        session = self.plimsoll.session().keep_alive(3600)
        path = f"/sessions/{session.id}"
        self.plimsoll.request("GET", path)
        del session
        gc.collect()
        with self.assertRaises(PlimsollError) as caught:
            self.plimsoll.request("GET", path)
        self.assertIn(caught.exception.status, (404, 410))

    def test_keep_alive_touches(self) -> None:
        with self.plimsoll.session() as session:
            before = session.state()["idleExpires"]
            session.keep_alive(0.05)
            for _ in range(200):
                if session.state()["idleExpires"] > before:
                    break
            else:
                self.fail("never touched")

    def test_what_the_server_refuses_is_raised(self) -> None:
        with self.plimsoll.session() as session, self.assertRaises(PlimsollError) as caught:
            session.put("bad", b'{"type": "FeatureCollection", "features": [')
        self.assertEqual(caught.exception.status // 100, 4)


class GeoJson(unittest.TestCase):
    def test_text_paths_and_interfaces(self) -> None:
        class Place:
            __geo_interface__ = SQUARE

        self.assertEqual(json.loads(to_geojson(Place())), SQUARE)
        self.assertEqual(to_geojson("{}"), b"{}")
        self.assertEqual(to_geojson(b"{}"), b"{}")
        with self.assertRaisesRegex(TypeError, "int"):
            to_geojson(3)

    def test_what_json_lacks(self) -> None:
        odd = {"nan": float("nan"), "day": datetime.date(2024, 5, 1), "deep": [float("inf"), {"x": 1.5}]}
        expected = {"nan": None, "day": "2024-05-01", "deep": [None, {"x": 1.5}]}
        self.assertEqual(json.loads(to_geojson({"properties": odd})), {"properties": expected})

    @unittest.skipIf(geopandas is None, "geopandas is not installed")
    def test_frames(self) -> None:
        stamps = [datetime.datetime(2024, 5, 1, 12), None]
        columns = {"n": [1, 2], "share": [0.5, float("nan")], "at": stamps, "label": ["a", None]}
        places = geopandas.GeoSeries([shapely.Point(5, 52), shapely.Point(6, 53)], crs=4326)
        frame = geopandas.GeoDataFrame(columns, geometry=places)
        for crs in (4326, 28992, 3857):
            features = json.loads(to_geojson(frame.to_crs(crs)))["features"]
            lon, lat = features[0]["geometry"]["coordinates"]
            self.assertAlmostEqual(lon, 5, places=5)
            self.assertAlmostEqual(lat, 52, places=5)
            self.assertEqual(features[0]["properties"]["at"][:10], "2024-05-01")
            self.assertEqual([features[1]["properties"][name] for name in ("share", "at", "label")], [None, None, None])
        metres = frame.to_crs(28992).set_crs(None, allow_override=True)
        with self.assertRaisesRegex(ValueError, "no CRS"):
            to_geojson(metres)
        with Plimsoll(URL).session() as session:
            layer = session.put("frame", frame.to_crs(28992))
            self.assertIn(b"2024-05-01", fetch(layer.tiles, 0, 0, 0))


class Maps(unittest.TestCase):
    def test_the_style_names_tiles_and_layers(self) -> None:
        shown = Map(Plimsoll(URL), ["world", "countries"])
        style = shown.style()
        self.assertEqual(set(style["sources"]), {"world", "countries"})
        self.assertEqual([layer["type"] for layer in style["layers"]], ["background", "raster", "fill", "line", "circle"])
        self.assertTrue(all(layer["source-layer"] == "countries" for layer in style["layers"][2:]))
        self.assertIn("<iframe srcdoc=", shown._repr_html_())

    def test_nothing_in_a_name_ends_the_script(self) -> None:
        shown = Map(Plimsoll(URL), ["places"], styles={"places": [{"type": "circle", "metadata": "</script><b>"}]})
        self.assertEqual(shown.html().count("</script>"), 2)


if __name__ == "__main__":
    unittest.main()
