"""The look of every figure: one palette and one template per theme; one colour, dash and marker per method.

Colours start from Okabe and Ito's palette, moved toward black (light theme) or kept bright (dark theme) until
each has a contrast of at least 4.5:1 with its background, so that a mark's colour may also write its label.
"""

import hashlib
import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import isfinite, nan
from typing import Any, Literal

import plotly.graph_objects as go

from softmerge_core.experiments.words import clipped
from softmerge_core.methods import available_methods

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
FONT = '"Source Sans", "Source Sans Pro", sans-serif'
_SIZE = 13  # px of all that is written in a figure, so that a title of an axis is no louder than its numbers

# name -> (light, dark). Every value is used once a theme, so that a page can turn one theme into the other.
_COLOURS: dict[str, tuple[str, str]] = {
    "background": ("#ffffff", "#0e1117"),
    "text": ("#262730", "#fafafa"),
    "quiet": ("#5c6370", "#a9b0bb"),  # axis text, notes
    "axis": ("#b8bcc4", "#4a4f5a"),
    "grid": ("#eceef1", "#232831"),
    "soft": ("#0072b2", "#56b4e9"),
    "average": ("#be5400", "#e69f00"),
    "best_source": ("#00835f", "#1fbf92"),
    "ensemble": ("#a05f83", "#cc79a7"),
    "source": ("#6a6f78", "#9aa1ad"),
    "task": ("#00748f", "#4cc9e0"),
    "penalty": ("#8a6500", "#d8b13c"),
    "total": ("#33363f", "#e4e6ea"),
    "extra0": ("#007a80", "#3fc4cc"),
    "extra1": ("#7d5433", "#cfa27c"),
    "extra2": ("#686c00", "#b9be45"),
    "extra3": ("#5b51c9", "#a69dff"),
    "extra4": ("#b12a50", "#ff819f"),
    "extra5": ("#4f6478", "#a5bacd"),
    "source0": ("#736d9b", "#8b7db0"),
    "source1": ("#2d2350", "#e6dbfb"),
    "source2": ("#8a6496", "#b98fc4"),
    "source3": ("#3d4d78", "#7f92bd"),
    "source4": ("#57304f", "#aebbf0"),
    "source5": ("#4b1f78", "#dcb0f2"),
    "without": ("#b0179a", "#f977e0"),
    "with": ("#3c7a00", "#8fd14f"),
    "with_repair": ("#123d0c", "#d3f2ad"),
    "with_activations": ("#8c1420", "#ff7d6b"),
    "with_activations_repair": ("#4d0a10", "#ffc9bf"),
    "with_scope": ("#5a4a10", "#f4e57a"),
    "malicious": ("#d0021b", "#ff3b30"),
    "class0": ("#aa4488", "#66aa66"),
    "class1": ("#996600", "#aa66ee"),
    "class2": ("#332200", "#ffdd33"),
    "class3": ("#220088", "#00ffff"),
    "class4": ("#bb5555", "#77ff88"),
    "class5": ("#2266cc", "#dd5599"),
    "class6": ("#550033", "#998811"),
    "class7": ("#112266", "#ccddbb"),
    "class8": ("#773300", "#22bbdd"),
    "class9": ("#774455", "#aabb00"),
}
# What a colour stands for: a method, one of the sources, a condition or a class; no colour belongs to two of them.
SCALES = {
    "methods": ("soft", "average", "best_source", "ensemble", *(f"extra{number}" for number in range(6))),
    "sources": tuple(f"source{number}" for number in range(6)),
    "conditions": (
        "without", "with", "with_repair", "with_activations", "with_activations_repair", "with_scope", "malicious",
    ),
    "classes": tuple(f"class{number}" for number in range(10)),
}  # fmt: skip
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MARKERS = (
    "circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "x", "star", "pentagon", "hexagon",
)  # fmt: skip
GLYPHS = {  # a marker as a letter, for labels
    "circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲", "triangle-down": "▼", "cross": "✚", "x": "✖",
    "star": "★", "pentagon": "⬟", "hexagon": "⬢",
}  # fmt: skip
# series that are no methods -> (title, title where room is short); a method's titles are in its own file
TITLES = {
    "best_source": ("Best source", "Best"),
    "best_source_rescaled": ("Best source, rescaled alone", "Best, rescaled"),
    "average_rescaled": ("Plain average, rescaled alone", "Average, rescaled"),
    "trunk": ("Common trunk", "Trunk"),
    "joint": ("Joint training", "Joint"),
}
_FIXED = {
    "soft": ("soft", "solid", "circle"),
    "average": ("average", "dash", "square"),
    "best_source": ("best_source", "dot", "diamond"),
    "ensemble": ("ensemble", "dashdot", "triangle-up"),
    "best_source_rescaled": ("best_source", "longdash", "diamond-open"),
    "average_rescaled": ("average", "longdashdot", "square-open"),
    "trunk": ("average", "dot", "triangle-down-open"),
    "joint": ("ensemble", "longdash", "pentagon-open"),
    "task": ("task", "solid", "circle"),
    "penalty": ("penalty", "dot", "diamond"),
    "total": ("total", "dash", "square"),
}
# The places of further methods: a method that is not listed gets a free one, and keeps it for good once it is listed.
# Those that are drawn together by default, against malicious sources, have colours of their own.
_PINNED = {
    "weighted_average": 0, "learned_soup": 1, "slerp": 2, "greedy_soup": 3, "task_arithmetic": 4, "ties": 5,
    "dare": 6, "adamerging": 7, "fisher": 8, "regmean": 9, "soft_unlabelled": 10, "fine_tuning": 11,
    "soft_fine_tuning": 12, "median": 13, "trimmed_mean": 14, "geometric_median": 15, "krum": 16, "distillation": 17,
    "transport": 27, "distillation_anew": 23, "fine_tuned_source": 28,
}  # fmt: skip
HUES = 6
_CLEAR = 36  # in the first places, methods of one colour differ in both dash and marker; later, in one of them at least
_PLACES = 216


@dataclass(frozen=True)
class MethodStyle:
    """The look of one method in every figure: ``color`` "#rrggbb", plotly's ``dash`` and ``marker`` symbol."""

    color: str
    dash: str
    marker: str


def colour(name: str, theme: Theme) -> str:
    """Return the palette's colour called ``name`` as "#rrggbb"; raises KeyError for an unknown name."""
    return _COLOURS[name][THEMES.index(theme)]


def palette(theme: Theme) -> list[str]:
    """Return every colour of a theme, the background first, in the same order for each theme."""
    return [pair[THEMES.index(theme)] for pair in _COLOURS.values()]


def class_colours(theme: Theme) -> list[str]:
    """Return ten colours for classes 0 to 9; a figure adds a marker shape and never relies on colour alone."""
    return [colour(name, theme) for name in SCALES["classes"]]


def source_colour(index: int, theme: Theme) -> str:
    """Return the colour of the source at ``index`` (0 or more); further sources have the first ones' again.

    Sources are greys and violets, which no method and no condition is; dashes, markers and labels tell them apart.
    """
    hues = SCALES["sources"]
    return colour(hues[index % len(hues)], theme)


def method_style(key: str, theme: Theme) -> MethodStyle:
    """Return the style of a method's key, which no other method has; ``source:<index>`` is a source.

    Keys that no method has, such as that of a method taken out since a run was stored, share one style.
    """
    if key in _FIXED:
        name, dash, marker = _FIXED[key]
        return MethodStyle(colour(name, theme), dash, marker)
    if key.startswith("source:"):
        index = int(key.partition(":")[2])
        dash = DASHES[
            (index + index // len(DASHES)) % len(DASHES)
        ]  # the seventh has the first one's colour, not its dash
        return MethodStyle(source_colour(index, theme), dash, MARKERS[index % 10] + "-open")
    return _style_of(_places().get(key, _PLACES - 1), theme)


def _style_of(place: int, theme: Theme) -> MethodStyle:
    """Return the style of a place, 0 to ``_PLACES`` - 1, each another combination of colour, dash and marker."""
    hue, turn = place % HUES, place // HUES
    shape = (hue + (0, 2, 4, 1, 3, 5)[turn % 6]) % 6
    return MethodStyle(colour(f"extra{hue}", theme), DASHES[shape], MARKERS[4 + (shape + turn // 6) % 6])


@cache
def _places() -> dict[str, int]:
    """Return the place of every method: those that are pinned first, then a free one for each newcomer."""
    places = dict(_PINNED)
    for name in sorted(available_methods().keys() - _FIXED.keys() - _PINNED.keys()):
        free = [place for place in range(_PLACES) if place not in places.values()]
        clear = [place for place in free if place < _CLEAR]
        places[name] = preferred(name, clear or free)
    return places


def preferred(name: str, places: Sequence[int]) -> int:
    """Return the place that suits a name best, by hashing, so that it hardly depends on the other names."""
    return min(places, key=lambda place: hashlib.sha256(f"{name}:{place}".encode()).digest())


def method_title(key: str, *, short: bool = False) -> str:
    """Return a method's name for readers; a key that no method has is shown as it is, made safe."""
    if key in TITLES:
        return TITLES[key][short]
    method = available_methods().get(key)
    if method is None:
        return escape(key)
    return escape((method.short if short else "") or method.title)


def escape(text: str, limit: int = 40) -> str:
    """Return user text that plotly shows letter by letter: without HTML, in one line of at most ``limit`` letters.

    Backslashes and dollars are left: plotly reads LaTeX only where MathJax is loaded, and it never is.
    """
    return html.escape(clipped(text, limit), quote=False)


def distinct(names: Sequence[str], limit: int = 40) -> list[str]:
    """Return ``names`` escaped and made different, so that no two fall together on a category axis."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        label = escape(name, limit)
        seen[label] = seen.get(label, 0) + 1
        result.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return result if len(set(result)) == len(result) else [f"{i + 1}: {label}" for i, label in enumerate(result)]


def smooth(values: Sequence[float], weight: float) -> list[float]:
    """Return the debiased exponential moving average: s_t = w s_(t-1) + (1 - w) x_t, over 1 - w^t; 0 <= weight < 1.

    A value that is not finite stays so and leaves the average as it was.
    """
    if not 0 <= weight < 1:
        raise ValueError(f"expected a smoothing weight of at least 0 and below 1, got {weight}")
    total, mass, result = 0.0, 0.0, []
    for value in values:
        if isfinite(value):
            total, mass = weight * total + (1 - weight) * value, weight * mass + (1 - weight)
        result.append(total / mass if isfinite(value) else nan)
    return result


def thin(count: int, most: int = 300) -> list[int]:
    """Return at most ``most`` indices of range(count), evenly spread, always with the first and the last."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


def _axis(theme: Theme) -> dict[str, Any]:
    return {
        "gridcolor": colour("grid", theme),
        "linecolor": colour("axis", theme),
        "tickcolor": colour("axis", theme),
        "tickfont": {"color": colour("quiet", theme)},
        "title": {"font": {"color": colour("quiet", theme), "size": _SIZE}, "standoff": 8},
        "showline": True,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
        "automargin": True,
    }


@cache
def template(theme: Theme) -> go.layout.Template:
    """Return the layout that all figures of a theme share."""
    text, background = colour("text", theme), colour("background", theme)
    small = {"font": {"size": _SIZE}}
    layout = {
        "font": {"family": FONT, "size": _SIZE, "color": text},
        "paper_bgcolor": background,
        "plot_bgcolor": background,
        "margin": {"l": 56, "r": 16, "t": 36, "b": 48},
        "hoverlabel": {
            "bgcolor": background,
            "bordercolor": colour("axis", theme),
            "font": {"color": text, "family": FONT, "size": _SIZE},
            "align": "left",
        },
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "title": small},
        "coloraxis": {"colorbar": _colour_bar(theme)},
        "modebar": {
            "bgcolor": background,
            "color": colour("quiet", theme),
            "activecolor": colour("soft", theme),
            "orientation": "v",
        },
        "hovermode": "closest",
        "xaxis": _axis(theme),
        "yaxis": _axis(theme),
    }  # fmt: skip
    return go.layout.Template(layout=layout, data={"heatmap": [{"colorbar": _colour_bar(theme)}]})


def _colour_bar(theme: Theme) -> dict[str, Any]:
    quiet = colour("quiet", theme)
    return {"title": {"font": {"color": quiet, "size": _SIZE}}, "tickfont": {"color": quiet}, "outlinewidth": 0}


def new_figure(theme: Theme, **meta: Any) -> go.Figure:
    """Return an empty figure of a theme; ``meta`` is for the page: ``narrow`` maps layout paths to phone values."""
    return go.Figure(layout={"template": template(theme), "meta": {"theme": theme, **meta}})
