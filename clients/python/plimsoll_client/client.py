"""The server as Python sees it: its layers, values of them, and sessions that hold layers of your own."""

from __future__ import annotations

import gzip
import io
import json
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from .geojson import to_geojson

GZIP_FROM_BYTES = 4096
"""Smaller bodies are sent as they are."""


class PlimsollError(Exception):
    """An answer of 4xx or 5xx: its status, its stable code, and what the server says about it."""

    def __init__(self, status: int, code: str, detail: str, retry_after: float | None = None) -> None:
        super().__init__(f"{status} {code}: {detail}")
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after = retry_after


@dataclass(frozen=True)
class Layer:
    """A layer and where its tiles are, in URLs that a browser can use."""

    id: str
    kind: str
    tiles: str
    tilejson: str
    bounds: tuple[float, float, float, float] | None = None
    minzoom: int = 0
    maxzoom: int = 22
    geometry: str | None = None
    info: dict = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, eq=False)
class Window:
    """Part of a raster: ``data`` of bands, rows and columns, ``mask`` (False: no data), and where it lies."""

    data: Any
    mask: Any
    bounds: tuple[float, float, float, float]
    """Left, bottom, right, top; x before y, in units of ``crs``."""
    crs: str
    """``EPSG:25832`` or a PROJ string: rasterio and pyproj take it as it is, less a leading ``PROJ:``."""
    nodata: float | None = None
    """What the raster itself writes where it has no data. In ``data`` those pixels are 0: ``mask`` tells."""

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """Pixels to places, in the order of ``rasterio.Affine(*transform)``."""
        left, bottom, right, top = self.bounds
        _, rows, columns = self.data.shape
        return ((right - left) / columns, 0.0, left, 0.0, (bottom - top) / rows, top)

    def masked(self) -> Any:
        """A numpy masked array."""
        import numpy

        return numpy.ma.MaskedArray(self.data, numpy.broadcast_to(~self.mask, self.data.shape))

    def filled(self) -> Any:
        """``data`` in its own type, with ``nodata`` where there is none; as it is where the raster has no such value."""
        import numpy

        if self.nodata is None:
            return self.data
        return numpy.where(self.mask, self.data, self.data.dtype.type(self.nodata))

    def to_xarray(self, *, masked: bool = True) -> Any:
        """A DataArray with the centres of its pixels for coordinates. Has ``.rio`` where rioxarray is installed.

        ``masked``: floats, NaN where there is no data; otherwise :meth:`filled`, in the raster's own type.
        """
        import numpy
        import xarray

        across, _, left, _, down, top = self.transform
        _, rows, columns = self.data.shape
        nodata = numpy.nan if masked else self.nodata
        floats = numpy.promote_types(self.data.dtype, numpy.float32)
        values = numpy.where(self.mask, self.data.astype(floats), numpy.nan) if masked else self.filled()
        array = xarray.DataArray(
            values,
            dims=("band", "y", "x"),
            coords={
                "band": numpy.arange(1, len(values) + 1),
                "y": top + (numpy.arange(rows) + 0.5) * down,
                "x": left + (numpy.arange(columns) + 0.5) * across,
            },
            attrs={"crs": self.crs, "transform": self.transform},
        )
        try:
            import rioxarray  # noqa: F401
        except ImportError:
            return array
        # The same system, which rasterio knows as a number by this name only.
        crs = "EPSG:4326" if self.crs == "OGC:CRS84" else self.crs.removeprefix("PROJ:")
        placed = array.rio.write_crs(crs)
        return placed if nodata is None else placed.rio.write_nodata(nodata)


class Plimsoll:
    """A server. ``public_url`` is how browsers reach it, where that differs from how this process does.

    Answers of 429 and 503 are asked again after the ``Retry-After`` they carry, until ``patience`` seconds have gone.
    """

    def __init__(self, url: str, *, public_url: str | None = None, timeout: float = 30, patience: float = 10) -> None:
        self.url = url.rstrip("/")
        self.public_url = (public_url or url).rstrip("/")
        self.timeout = timeout
        self.patience = patience

    def layers(self) -> list[Layer]:
        """Those that are served."""
        found = json.loads(self.request("GET", "/layers"))["layers"]
        return [self._layer(info) for info in found if info["servable"]]

    def layer(self, id: str) -> Layer:
        return self._layer(json.loads(self.request("GET", f"/layers/{quote(id, safe='')}")))

    def point(self, layer: Layer | str, lon: float, lat: float, **parameters: Any) -> dict:
        """Values of a raster at a place."""
        query = _query({"url": _id(layer), **parameters})
        return json.loads(self.request("GET", f"/cog/point/{float(lon)},{float(lat)}?{query}"))

    def window(self, layer: Layer | str, bbox: tuple[float, float, float, float], width: int, height: int, **parameters: Any):
        """Part of a raster as a numpy array of bands, rows and columns; the last band is the mask (0: no data)."""
        import numpy

        body = self.request("GET", self._window_path(layer, bbox, width, height, {"return_mask": True, **parameters}))
        return numpy.load(io.BytesIO(body), allow_pickle=False)

    def read(
        self,
        layer: Layer | str,
        bbox: tuple[float, float, float, float],
        width: int | None = None,
        height: int | None = None,
        **parameters: Any,
    ) -> Window:
        """Part of a raster with its place: :class:`Window`. ``coord_crs`` is the box's system (degrees where absent), ``dst_crs`` the window's.

        Without a size it is the raster's own resolution, or what ``max_size`` leaves of it; one side gives the other.
        """
        import numpy

        body, headers = self._exchange("GET", self._window_path(layer, bbox, width, height, {**parameters, "return_mask": True}))
        bands = numpy.load(io.BytesIO(body), allow_pickle=False)
        box = tuple(float(edge) for edge in headers["x-raster-bbox"].split(","))
        nodata = headers.get("x-raster-nodata")
        return Window(bands[:-1], bands[-1] > 0, box, headers["x-raster-crs"], None if nodata is None else float(nodata))

    @staticmethod
    def _window_path(layer: Layer | str, bbox: Any, width: int | None, height: int | None, parameters: dict[str, Any]) -> str:
        box = ",".join(str(float(edge)) for edge in bbox)
        sides = {name: int(side) for name, side in (("width", width), ("height", height)) if side is not None}
        return f"/cog/bbox/{box}.npy?{_query({'url': _id(layer), **sides, **parameters})}"

    def features(self, layer: Layer | str, *, page: int = 1000, **parameters: Any) -> Iterator[dict]:
        """GeoJSON features of a vector layer, page by page; ``bbox=(w, s, e, n)`` and attribute filters as the API has them."""
        if isinstance(parameters.get("bbox"), (tuple, list)):
            parameters["bbox"] = ",".join(str(float(edge)) for edge in parameters["bbox"])
        path: str | None = f"/collections/{quote(_id(layer), safe='')}/items?{_query({'limit': page, **parameters})}"
        while path is not None:
            answer = json.loads(self.request("GET", path))
            yield from answer["features"]
            following = next((link["href"] for link in answer["links"] if link["rel"] == "next"), None)
            path = None if following is None else self._inner(following)

    def session(self) -> Session:
        """A place for layers of your own, gone when it is closed, idle too long, or the server needs the memory."""
        return Session(self, json.loads(self.request("POST", "/sessions")))

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> bytes:
        """One request, asked again while the server says that it is busy. Raises :class:`PlimsollError`."""
        return self._exchange(method, path, body, headers)[0]

    def _exchange(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[bytes, dict[str, str]]:
        deadline = time.monotonic() + self.patience
        while True:
            request = Request(self.url + path, data=body, method=method, headers=headers or {})
            try:
                with urlopen(request, timeout=self.timeout) as response:
                    return response.read(), {name.lower(): value for name, value in response.headers.items()}
            except HTTPError as error:
                with error:
                    problem = _problem(error)
                wait = problem.retry_after
                if problem.status not in (429, 503) or wait is None or time.monotonic() + wait > deadline:
                    raise problem from None
                time.sleep(wait)

    def public(self, url: str) -> str:
        """A URL the server wrote for us, as browsers reach it."""
        return self.public_url + self._inner(url)

    def _inner(self, url: str) -> str:
        """The path below the server's root. A server with --public-url writes that, any other what we called it by."""
        for base in (self.url, self.public_url):
            if url.startswith(base + "/"):
                return url[len(base) :]
        if url.startswith("/"):
            return url
        return "/" + url.split("//", 1)[-1].split("/", 1)[-1]

    def _layer(self, info: dict) -> Layer:
        path = f"/tiles/{quote(info['id'], safe='')}"
        extension = "png" if info.get("kind") == "raster" else "mvt"
        bounds = info.get("bounds")
        return Layer(
            id=info["id"],
            kind=info.get("kind", "session"),
            tiles=f"{self.public_url}{path}/{{z}}/{{x}}/{{y}}.{extension}",
            tilejson=f"{self.public_url}{path}",
            bounds=tuple(bounds) if bounds else None,
            minzoom=info.get("minzoom") or 0,
            maxzoom=info.get("maxzoom") or 22,
            geometry=info.get("geometry"),
            info=info,
        )


class Session:
    """Layers that you put, under a secret that only this object has. Use it in ``with``, or close it.

    One that is neither used nor touched ends after the server's idle time; :meth:`keep_alive` touches it from a thread.
    """

    def __init__(self, plimsoll: Plimsoll, created: dict) -> None:
        self.plimsoll = plimsoll
        self.id: str = created["id"]
        self.expires: str = created["expires"]
        self._headers = {"Authorization": f"Bearer {created['secret']}"}
        self._versions: dict[str, tuple[Any, Layer]] = {}
        self._stop = threading.Event()
        self._end = weakref.finalize(self, _end, plimsoll, self.id, self._headers, self._stop)

    def put(self, name: str, data: Any, *, version: Any = None) -> Layer:
        """Uploads a layer, or replaces the one of that name. ``data`` is what :func:`to_geojson` takes.

        With a ``version`` an upload is left out where the last one of this name had the same: for frameworks that run the
        whole script at every click.
        """
        had = self._versions.get(name)
        if had is not None and version is not None and had[0] == version:
            self.touch()
            return had[1]
        body = to_geojson(data)
        headers = {**self._headers, "Content-Type": "application/geo+json"}
        if len(body) >= GZIP_FROM_BYTES:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        answer = self.plimsoll.request("PUT", f"{self._path}/layers/{quote(name, safe='')}", body, headers)
        layer = self.plimsoll._layer({"kind": "session", **json.loads(answer)})
        self._versions[name] = (version, layer)
        return layer

    def remove(self, name: str) -> None:
        self._versions.pop(name, None)
        self.plimsoll.request("DELETE", f"{self._path}/layers/{quote(name, safe='')}", headers=self._headers)

    def touch(self) -> dict:
        """Starts the idle time anew, and tells what the session holds."""
        return json.loads(self.plimsoll.request("POST", f"{self._path}/touch", b"", self._headers))

    def state(self) -> dict:
        return json.loads(self.plimsoll.request("GET", self._path))

    def keep_alive(self, every: float = 300) -> Session:
        """Touches the session every so many seconds until it is closed or collected."""
        reference = weakref.ref(self)

        stop = self._stop

        def beat() -> None:
            while not stop.wait(every):
                session = reference()
                if session is None:
                    return
                try:
                    session.touch()
                except PlimsollError as error:
                    if error.status in (401, 403, 404, 410):
                        return
                except OSError:
                    pass  # unreachable for now; the next beat tries again
                del session

        threading.Thread(target=beat, name=f"plimsoll-{self.id}", daemon=True).start()
        return self

    def close(self) -> None:
        """Ends the session and frees what it holds. Closing twice, or after it ended by itself, is no error."""
        self._end()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        return not self._end.alive

    @property
    def _path(self) -> str:
        return f"/sessions/{quote(self.id, safe='')}"


def _end(plimsoll: Plimsoll, id: str, headers: dict[str, str], stop: threading.Event) -> None:
    """By close(), by the collector, or when the interpreter exits: without the session object itself."""
    stop.set()
    try:
        plimsoll.request("DELETE", f"/sessions/{quote(id, safe='')}", headers=headers)
    except PlimsollError as error:
        if error.status not in (404, 410):
            raise
    except OSError:
        pass  # a server that is gone holds no session either


def _id(layer: Layer | str) -> str:
    return layer if isinstance(layer, str) else layer.id


def _query(parameters: dict[str, Any]) -> str:
    return urlencode({key: value for key, value in parameters.items() if value is not None})


def _problem(error: HTTPError) -> PlimsollError:
    try:
        body = json.loads(error.read())
    except ValueError:
        body = {}
    wait = error.headers.get("Retry-After", "")
    return PlimsollError(
        error.code,
        str(body.get("code") or "error"),
        str(body.get("detail") or body.get("title") or error.reason),
        float(wait) if wait.isdigit() else None,
    )
