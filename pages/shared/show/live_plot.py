"""A plotly chart that updates in place: its node, zoom and hover label outlive the arrival of data."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.shared.show import plotly_script
from pages.shared.show.drawn_figure import DrawnFigure, drawn_figure
from pages.shared.show.figure_csv import hand_out
from pages.shared.show.scripts import scripts
from pages.shared.show.theme import current_theme, type_scale
from softmerge_core.figures.style import THEMES, palette

SENT = 0.2  # seconds in which what was drawn is surely sent; shorter than a poll, so none waits for it
_HERE = Path(__file__).parent
_HTML = (
    '<div class="sm-plot" role="figure"><div class="sm-plot-chart"></div>'
    '<div class="sm-plot-moment" hidden></div>'
    '<div class="sm-plot-cell" hidden></div><div class="sm-plot-told" aria-live="polite"></div>'
    '<button type="button" class="sm-plot-values" aria-expanded="false" hidden>Values</button>'
    '<div class="sm-plot-table" role="region" tabindex="0" hidden></div>'
    '<div class="sm-plot-save"><button type="button" value="png">PNG</button>'
    '<button type="button" value="svg">SVG</button>'
    '<button type="button" value="csv">CSV</button></div>'
    '<div class="sm-plot-note" role="status"></div></div>'
)
# The last one is the component, of the others' parts.
_SCRIPTS = (
    "cell_cursor.js",
    "values_table.js",
    "film_moment.js",
    "save_file.js",
    "print_files.js",
    "save_picture.js",
    "live_plot.js",
)
_PALETTES = {theme: palette(theme) for theme in THEMES}
_component = st.components.v2.component(
    "softmerge_live_plot",
    html=_HTML,
    css=(_HERE / "live_plot.css").read_text(encoding="utf-8"),
    js=scripts(_HERE, *_SCRIPTS),
    isolate_styles=False,  # plotly writes its own styles into the page's head
)


MOST = {
    "count": 2**53,
    "curve": 2**31,
    "point": 2**31,
    "row": 2**31,
    "col": 2**31,
}  # a count begins with the time in ms


@dataclass(frozen=True)
class Click:
    """What was clicked: the curve and its name; ``row`` and ``col`` of a heatmap's cell, else ``point``."""

    count: int
    curve: int
    name: str
    point: int | None
    row: int | None
    col: int | None
    x: Any
    y: Any
    customdata: Any


@dataclass(frozen=True)
class LivePlotResult:
    """``click``: the last click, None before the first; ``fresh``: this run is the first to see it."""

    click: Click | None
    fresh: bool


def live_plot(
    figure: go.Figure | DrawnFigure | None,
    *,
    key: str,
    height: int,
    alt: str,
    waiting: str = "Waiting for the first data",
    clickable: bool = False,
    file: str = "",
) -> LivePlotResult:
    """Draw ``figure`` in the chart called ``key``, or the text ``waiting`` while it is None.

    The chart keeps its place in the page, and what its reader did to it, as long as the key stays the same.
    ``height`` in px, at the usual size of type; ``alt`` is the accessible name. Clicks are reported where
    ``clickable``. ``file``: what the files of the picture and of its values are called, without their endings.
    """
    scale = type_scale()
    drawn = drawn_figure(figure, key) if isinstance(figure, go.Figure) else figure
    if drawn is not None:
        hand_out(drawn)
    data = {
        "figure": drawn.text if drawn else None,
        "values": drawn.values if drawn else "",
        "theme": (drawn.theme if drawn else None) or current_theme(),
        "height": height,
        "scale": scale,
        "alt": alt,
        "waiting": waiting,
        "clickable": clickable,
        "plotly": plotly_script.NAME,
        "chart": key,
        "file": file or key,
        "palettes": _PALETTES,
    }
    result = _component(key=key, data=data, height=round(height * scale), on_click_change=_nothing)
    return _read_click(result.get("click"), f"{key}:last-click")


def let_it_be_sent() -> None:
    """To end a script with whose polling fragment draws live plots: wait until what was drawn is sent.

    Streamlit forgets what a fragment drew if its next run begins before that was sent to the browser, but still tells
    it that the script is through: the plots would be taken away and drawn anew.
    """
    time.sleep(SENT)


def newest_click(key: str) -> Click | None:
    """The newest click on the chart called ``key``, before it is drawn again; None before the first."""
    return _click((st.session_state.get(key) or {}).get("click"))


def _read_click(value: Any, last: str) -> LivePlotResult:
    click = _click(value)
    if click is None:
        return LivePlotResult(None, fresh=False)
    fresh = st.session_state.get(last) != click.count
    st.session_state[last] = click.count
    return LivePlotResult(click, fresh)


def _click(value: Any) -> Click | None:
    """The click that the chart's script sent; None before the first, and for what another program may send."""
    if not isinstance(value, Mapping) or set(value) != set(Click.__dataclass_fields__):
        return None
    for name, most in MOST.items():
        place, needed = value[name], name in ("count", "curve")
        if not (place is None and not needed) and not (isinstance(place, int) and 0 <= place <= most):
            return None
    if not isinstance(value["name"], str):
        return None
    return Click(**value)


def _nothing() -> None:
    """A state key is only reported when it has a callback."""
