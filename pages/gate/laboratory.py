"""The gate laboratory: a hard-concrete gate that the browser computes, draws and lets its reader drag."""

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st
from plotly.colors import sequential

from pages.gate.states import LIMITS, PRESETS, State
from pages.shared.show.picture_corner import CORNER_CSS, CORNER_JS
from pages.shared.show.scripts import scripts
from softmerge_core.figures.style import THEMES, colour
from softmerge_core.settings import SoftMergeSettings

_HERE = Path(__file__).parent
_COLOURS = ("background", "text", "quiet", "axis", "soft", "penalty", "total")
# The last one is the component, of the others' parts.
_SCRIPTS = (
    "laboratory_maths.js",
    "laboratory_axes.js",
    "laboratory_pictures.js",
    "laboratory_rain.js",
    "laboratory_files.js",
    "laboratory.js",
)


@dataclass(frozen=True)
class _Slider:
    """One of the four numbers: its letter, what it is called, and what it does, in a sentence."""

    letter: str
    label: str
    about: str


_SLIDERS = {
    "log_alpha": _Slider("α", "Log alpha (log α)", "The number that training moves: the larger, the further open."),
    "temperature": _Slider("β", "Temperature (β)", "Lower values push draws to the ends, higher ones to the middle."),
    "gamma": _Slider("γ", "Lower end of the stretch (γ)", "Draws that are stretched below 0 become exactly 0."),
    "zeta": _Slider("ζ", "Upper end of the stretch (ζ)", "Draws that are stretched above 1 become exactly 1."),
}


def _handle(picture: str, name: str) -> str:
    about = escape(f"Drag: {_SLIDERS[name].label}")
    return (
        f'<span class="sm-handle" data-in="{picture}" data-name="{name}" aria-hidden="true" title="{about}">'
        f"<i>{_SLIDERS[name].letter}</i></span>"
    )


def _picture(name: str, title: str, alt: str, *handles: str, live: str = "") -> str:
    """A picture under its title and the sentence about it."""
    drags = "".join(_handle(name, handle) for handle in handles)
    return (
        f'<section class="sm-picture-{name}"><h2>{title}</h2><p data-said="{name}"></p>{live}<div class="sm-drawing">'
        f'<canvas data-picture="{name}" role="img" aria-label="{escape(alt)}"></canvas>{drags}</div>'
    )


def _legend(*entries: tuple[str, str, str]) -> str:
    items = "".join(f'<li><i class="sm-{kind}" data-ink="{ink}"></i>{text}</li>' for kind, ink, text in entries)
    return f'<ul class="sm-legend">{items}</ul></section>'


def _slider(name: str, slider: _Slider) -> str:
    return (
        f'<label title="{escape(slider.about)}"><span>{slider.label}<output data-said="value-{name}"></output></span>'
        f'<input type="range" name="{name}" aria-label="{slider.label}"></label>'
    )


_HTML = (
    '<div class="sm-gate" role="group" aria-label="Gate laboratory">'
    + _picture(
        "gate",
        "What a gate is",
        "Density of the gate z, with the exact probabilities of 0 and 1 as bars; the sentence above tells the numbers.",
        "log_alpha", "temperature", "gamma", "zeta",
        live='<p class="sm-spoken" role="status" data-said="spoken"></p>',
    )
    + _legend(
        ("line", "soft", "density of z between 0 and 1"),
        ("dash", "quiet", "stretched, before it is clipped: what lies outside becomes exactly 0 or exactly 1"),
        ("bar", "text", "probability of exactly 0 and of exactly 1, on the scale at the right"),
        ("scale", "text", "colours of a probability and of a draw, from 0 to 1"),
    )
    + '<section class="sm-controls"><h2>Drag the letters in the picture, or move these</h2><div class="sm-sliders">'
    + "".join(_slider(name, slider) for name, slider in _SLIDERS.items())
    + '</div><div class="sm-presets" role="group" aria-label="States worth seeing">'
    + "".join(
        f'<button type="button" data-preset="{place}" title="{escape(preset.about)}">{escape(preset.label)}</button>'
        for place, preset in enumerate(PRESETS)
    )
    + "</div></section>"
    + _picture(
        "rain",
        "Samples rain into bins",
        "Draws fall into a histogram, beside the exact density and the exact probabilities of 0 and 1.",
        live="<p>Each keeps its noise u while you drag and moves with the gate: so draws have a gradient.</p>",
    )
    + '<div class="sm-buttons"><button type="button" name="rain" title="Let samples rain, or hold them.">'
    '<span data-said="rain-button">Pause</span></button><button type="button" name="many" '
    'title="Draw a thousand samples without waiting for them to fall.">Draw 1,000 at once</button>'
    '<button type="button" name="clear" title="Throw the draws away and begin again.">Clear</button></div>'
    + _legend(
        ("block", "soft", "draws, per unit of z"),
        ("ring", "text", "a falling draw; a square one is exactly 0 or exactly 1"),
        ("dash", "soft", "exact density"),
        ("line", "text", "exact probability of 0 and of 1, beside the share of draws (bars)"),
    )
    + _picture(
        "l0",
        "What the penalty sees: expected L0 beside the true one",
        "Expected L0 against log alpha with its tangent, and the true L0, which is a step.",
        "log_alpha",
    )
    + _legend(
        ("line", "penalty", "expected L0, P(z ≠ 0): the surrogate, which training lowers"),
        ("line", "text", "its tangent, which is the gradient"),
        ("dash", "total", "true L0 of the gate without noise: 0 or 1"),
    )
    + "</div>"
)  # fmt: skip
_component = st.components.v2.component(
    "softmerge_gate_laboratory",
    html=_HTML,
    css=(_HERE / "laboratory.css").read_text(encoding="utf-8") + CORNER_CSS,
    js=f"{CORNER_JS}\n{scripts(_HERE, *_SCRIPTS)}",
)


def gate_laboratory(state: State, *, key: str, jump: int, theme: str) -> None:
    """Draw the laboratory, which shows ``state`` at first, and after another ``jump``.

    Where its reader has come to rest is told as the state ``at`` of the component: the four numbers by name, and the
    last ``jump`` that it knows. ``theme``: the reader's, so that another one is followed.
    """
    usual = SoftMergeSettings()
    data: dict[str, Any] = {
        "state": state,
        "jump": jump,
        "limits": LIMITS,
        "presets": [preset.state for preset in PRESETS],
        "penalty": usual.penalty,
        "rate": usual.learning_rate,
        "scale": list(sequential.Cividis),
        "colours": {name: {each: colour(each, name) for each in _COLOURS} for name in THEMES},
        "theme": theme,
    }
    _component(key=key, data=data, on_at_change=_nothing)


def _nothing() -> None:
    """A state key is only reported when it has a callback."""
