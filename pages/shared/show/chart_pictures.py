"""Pictures of the charts on a page, SVG and PNG, made by the reader's own browser: a server needs none for them."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from threading import Event, Lock
from typing import Any

import streamlit as st

from softmerge_core.errors import BundleError
from softmerge_core.export.bundle.pictures import MOST, checked

WAIT = 30.0  # seconds for a browser that draws them; a phone takes a few
PREFIXES = "data:image/png;base64,", "data:image/svg+xml;base64,"
_component = st.components.v2.component(
    "softmerge_chart_pictures",
    html="<span hidden></span>",
    js=(Path(__file__).parent / "chart_pictures.js").read_text(encoding="utf-8"),
    isolate_styles=False,
)


class Pictures:
    """Pictures that one browser sends and another thread waits for."""

    def __init__(self) -> None:
        self._there, self._lock = Event(), Lock()
        self._found: dict[str, bytes] = {}

    def put(self, found: Mapping[str, bytes]) -> None:
        """Let whoever waits have these."""
        with self._lock:
            self._found = dict(found)
            self._there.set()

    def take(self) -> dict[str, bytes]:
        """The pictures that come within WAIT seconds, by file name, once; none after that."""
        self._there.wait(WAIT)
        with self._lock:
            self._there.clear()
            found, self._found = self._found, {}
        return found


def chart_pictures(pictures: Pictures, *, asked_by: str, key: str) -> bool:
    """Let the browser put pictures of all its charts into ``pictures`` when a button in the container is pressed.

    ``asked_by``: the key of that container. Draws nothing; returns whether they have just come, for which the script
    runs again. It does so only after the run that the button itself began: that one must not wait for them.
    """

    def sent() -> None:
        st.session_state[f"{key}:came"] = True
        pictures.put(read_pictures((st.session_state.get(key) or {}).get("pictures")))

    _component(key=key, data={"asked_by": asked_by}, on_pictures_change=sent)
    return bool(st.session_state.pop(f"{key}:came", False))


def read_pictures(sent: Any) -> dict[str, bytes]:
    """The pictures in what a browser sent, which may be anything; what is none is left out."""
    found: dict[str, bytes] = {}
    for name, url in list(sent.items())[:MOST] if isinstance(sent, Mapping) else ():
        content = _content(url) if isinstance(url, str) else b""
        try:
            found[str(name)] = checked(str(name), content)
        except BundleError:
            continue
    return found


def _content(url: str) -> bytes:
    prefix = next(filter(url.startswith, PREFIXES), None)
    try:
        return b"" if prefix is None else base64.b64decode(url.removeprefix(prefix), validate=True)
    except (binascii.Error, ValueError):
        return b""
