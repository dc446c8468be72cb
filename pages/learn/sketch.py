"""A curve that the reader draws by hand, with the pointer or the arrow keys, and the true one drawn over it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.show.theme import type_scale
from pages.shared.teach.lesson import Sketch
from pages.shared.teach.progress import numbers

HEIGHT = 300  # px, at the usual size of type
START = 0.5  # where the curve lies before it is drawn
_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "softmerge_sketch",
    html='<div class="sm-sketch" role="group"><p class="sm-sketch-legend"></p><div class="sm-sketch-area"><svg></svg>'
    '<div class="sm-sketch-points"></div></div></div>',
    css=(_HERE / "sketch.css").read_text(encoding="utf-8"),
    js=(_HERE / "sketch.js").read_text(encoding="utf-8"),
)


def draw_by_hand(
    sketch: Sketch, *, key: str, given: Sequence[float] = (), drawn: Sequence[float] = (), truth: Sequence[float] = ()
) -> tuple[float, ...]:
    """Draw the place for the curve; returns its heights (0-1) at the points, or nothing before it was drawn.

    With ``truth`` that lies over ``drawn``, which can be changed no more. ``given``: as in the sketch. Both have any
    number of heights, evenly along the axis.
    """
    data: dict[str, Any] = {
        "places": [f"{sketch.place(number):g}" for number in range(sketch.points)],
        "along": sketch.along,
        "height": f"{sketch.height} (%)",
        "start": list(drawn) or [START] * sketch.points,
        "locked": bool(truth),
        "truth": list(truth),
        "given": list(given),
        "given_name": sketch.given_name,
        "px": round(HEIGHT * type_scale()),
    }
    result = _component(key=key, data=data, on_drawn_change=_nothing)
    found = numbers(result.get("drawn"))
    return found if len(found) == sketch.points and all(0 <= one <= 1 for one in found) else ()


def _nothing() -> None:
    """A state key is only reported when it has a callback."""
