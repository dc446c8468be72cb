"""The units of a network in the reader's hand: columns joined by lines, and what the order makes of the function.

The browser computes all of it by itself. It tells the order once the reader rests, so that links hold it, and asks for
the engine's matching, which a process of its own finds.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.permutation.orders import Orders, as_trained, sound
from pages.shared.show.picture_corner import CORNER_CSS, CORNER_JS
from pages.shared.show.scripts import scripts
from softmerge_core.figures.style import THEMES, class_colours, colour

KEY = "permutation-hand"
KEPT, SEEN = "permutation:orders", "permutation:seen"
_HERE = Path(__file__).parent
_SCRIPTS = (
    "network.js",
    "words.js",
    "columns.js",
    "planes.js",
    "plane_files.js",
    "hand.js",
)  # the last one is the component
_BUTTONS = {  # name -> (label, help)
    "all": ("Shuffle all", "Put all units in an order drawn by the seed; the same seed draws the same order."),
    "three": ("Shuffle 3", "Let three units, drawn by the seed, change places in a circle."),
    "undo": ("Undo", "Take back the last move."),
    "reset": ("Reset", "Put every unit back where it was trained."),
    "align": ("Align", "Let weight matching look for the order in which the second network is nearest to the first."),
}
PALETTES = {
    theme: {name: colour(name, theme) for name in ("background", "text", "quiet", "axis", "soft")}
    | {"classes": class_colours(theme)}
    for theme in THEMES
}


def _button(name: str) -> str:
    label, about = _BUTTONS[name]
    return f'<button type="button" name="{name}" title="{about}">{label}</button>'


_HTML = (
    '<div class="sm-hand"><p class="sm-summary"></p>'
    '<div class="sm-top"><div class="sm-tools" role="group" aria-label="Shuffle and align">'
    + "".join(_button(name) for name in ("all", "three"))
    + '<label title="Which layers the buttons beside this shuffle.">in <select name="layers"></select></label>'
    '<label title="Draws the next shuffle, and then counts on.">Seed '
    '<input name="seed" type="number" min="0" max="999999" step="1" value="1"></label>'
    + "".join(_button(name) for name in ("undo", "reset", "align"))
    + '</div><p class="sm-matched" role="status"></p></div>'
    '<div class="sm-both"><div class="sm-left"><div class="sm-layers"></div><p class="sm-note">'
    "Drag a unit to another place, or click two to swap them. On the keyboard, ↑ and ↓ move the unit, ← and → go to "
    "the one above or below, Enter marks it for a swap. The bar is the norm of its incoming weights.</p></div>"
    '<div class="sm-right"><div class="sm-planes"></div><p class="sm-note sm-key"></p></div></div>'
    '<div class="sm-said" role="status"></div></div>'
)
_component = st.components.v2.component(
    "softmerge_permutation",
    html=_HTML,
    css=(_HERE / "hand.css").read_text(encoding="utf-8") + CORNER_CSS,
    js=f"{CORNER_JS}\n{scripts(_HERE, *_SCRIPTS)}",
)


def hand(data: Mapping[str, Any], orders: Orders, answer: Mapping[str, Any] | None) -> None:
    """Draw the networks in ``data`` with units in these ``orders`` at first; ``answer``: what a matching found."""
    _component(
        key=KEY,
        data={**data, "orders": orders, "answer": dict(answer) if answer else None, "palettes": PALETTES},
        on_orders_change=_nothing,
        on_asked_change=_nothing,
    )


def standing(sizes: Sequence[int]) -> Orders:
    """The orders in which the reader has left the units of hidden layers of these ``sizes``."""
    told = newest("orders", sizes)
    if told and told["count"] > st.session_state.get(SEEN, 0):
        st.session_state[SEEN], st.session_state[KEPT] = told["count"], told["orders"]
    return sound(st.session_state.get(KEPT), sizes) or as_trained(sizes)


def newest(name: str, sizes: Sequence[int]) -> dict[str, Any] | None:
    """The ``count`` and ``orders`` that the browser has told last under ``name``; None for what it would not send."""
    told = (st.session_state.get(KEY) or {}).get(name)
    if not isinstance(told, dict) or type(told.get("count")) is not int or not 0 <= told["count"] < 2**53:
        return None
    return told if sound(told.get("orders"), sizes) else None


def _nothing() -> None:
    """A state key is only reported when it has a callback."""
