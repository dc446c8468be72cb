"""A step of training as frames that the browser goes through by itself: Back, Next and Play."""

from collections.abc import Sequence
from pathlib import Path

import plotly.colors
import streamlit as st

from softmerge_core.experiments.merge.slow_motion import Frame, as_plain
from softmerge_core.figures.style import SCALES, colour

_HERE = Path(__file__).parent
_ICONS = {
    "back": "M15 5v14L5 12z",
    "on": "M9 5l10 7-10 7z",
    "held": "M8 5v14l11-7z",
    "playing": "M6 5h4v14H6zM14 5h4v14h-4z",
}
SHADES = 64  # of the scale of probabilities


def _icon(name: str) -> str:
    return f'<svg viewBox="0 0 24 24" aria-hidden="true" class="sm-step-{name}"><path d="{_ICONS[name]}"/></svg>'


def _button(name: str, label: str, about: str, *icons: str) -> str:
    drawn = "".join(map(_icon, icons))
    return f'<button type="button" name="{name}" title="{about}">{drawn}<span>{label}</span></button>'


_component = st.components.v2.component(
    "softmerge_stepper",
    html='<div class="sm-step" role="group" aria-label="The step, frame by frame"><div class="sm-step-bar-of">'
    + _button("back", "Back", "To the frame before; so does the left arrow key.", "back")
    + _button("play", "Play", "Let the frames follow each other, or hold them.", "held", "playing")
    + _button("on", "Next", "To the next frame; so does the right arrow key.", "on")
    + '<ol class="sm-step-places"></ol><span class="sm-step-said" role="status"></span></div>'
    '<div class="sm-step-stage"></div></div>',
    css=(_HERE / "stepper.css").read_text(encoding="utf-8"),
    js=(_HERE / "stepper.js").read_text(encoding="utf-8"),
)


def stepper(frames: Sequence[Frame], *, key: str) -> None:
    """Draw ``frames``, one at a time; which one is shown only the browser knows."""
    colours = {
        "cividis": plotly.colors.sample_colorscale("Cividis", SHADES),
        "sources": [_both(name) for name in SCALES["sources"]],
        **{name: _both(name) for name in ("task", "penalty", "total")},
    }
    _component(key=key, data={"frames": as_plain(frames), "colours": colours})


def _both(name: str) -> str:
    """A colour of both themes: the reader's device may change to the other without asking the server."""
    return f"light-dark({colour(name, 'light')}, {colour(name, 'dark')})"
