"""Streamlit: one Plimsoll session for each session of a visitor, kept over reruns, and maps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit

from .client import Layer, Plimsoll, PlimsollError, Session
from .maps import Map

_KEY = "plimsoll session"


def st_session(plimsoll: Plimsoll) -> Session:
    """The visitor's session: made at the first run of the script, touched at every other, and made anew once it has ended.

    Streamlit tells nobody when a visitor leaves; the server ends the session after its idle time.
    """
    session = streamlit.session_state.get(_KEY)
    if session is not None:
        try:
            session.touch()
            return session
        except PlimsollError as error:
            if error.status not in (404, 410):
                raise
    session = plimsoll.session()
    streamlit.session_state[_KEY] = session
    return session


def st_plimsoll_map(plimsoll: Plimsoll, layers: Iterable[Layer | str], **options: Any) -> Map:
    """Shows a :class:`Map` at this place of the page; ``options`` are the map's."""
    shown = Map(plimsoll, layers, **options)
    if hasattr(streamlit, "iframe"):  # the newer name; it takes a document as well as an address
        streamlit.iframe(shown.html(), height=shown.height)
    else:
        import streamlit.components.v1 as components

        components.html(shown.html(), height=shown.height)
    return shown
