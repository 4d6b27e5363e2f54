"""Panel: one Plimsoll session for each session of a visitor, ended with it, and maps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import panel

from .client import Layer, Plimsoll, Session
from .maps import Map


def panel_session(plimsoll: Plimsoll, *, every: float = 300) -> Session:
    """A session kept alive while the visitor's page is open, and ended when Panel says that it is gone."""
    session = plimsoll.session().keep_alive(every)
    if panel.state.curdoc is not None:
        panel.state.on_session_destroyed(lambda _context: session.close())
    return session


def panel_map(plimsoll: Plimsoll, layers: Iterable[Layer | str], **options: Any) -> panel.pane.HTML:
    """A :class:`Map` as a pane; ``options`` are the map's."""
    shown = Map(plimsoll, layers, **options)
    return panel.pane.HTML(shown._repr_html_(), height=shown.height, sizing_mode="stretch_width")
