"""How every figure looks: one palette and one template per theme, one colour, dash and marker per method.

Colours start from Okabe and Ito's palette, moved toward black (light theme) or kept bright (dark theme) until
each has a contrast of at least 4.5:1 with its background, so that a mark's colour may also write its label.
"""

import hashlib
import html
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any, Literal

import plotly.graph_objects as go

from softmerge_core.methods import available_methods

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
FONT = '"Source Sans", "Source Sans Pro", sans-serif'

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
    "class0": ("#0071b1", "#57b5ea"),
    "class1": ("#c85100", "#e6a001"),
    "class2": ("#008460", "#20c093"),
    "class3": ("#a16084", "#cd7aa8"),
    "class4": ("#66609c", "#b3acf0"),
    "class5": ("#806a10", "#d9c94e"),
    "class6": ("#007b81", "#40c5cd"),
    "class7": ("#7e5534", "#d0a37d"),
    "class8": ("#b22b51", "#ff82a0"),
    "class9": ("#555b66", "#b0b6c0"),
}
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_MARKERS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "triangle-down",
    "cross",
    "x",
    "star",
    "pentagon",
    "hexagon",
)
GLYPHS = {  # a marker as a letter, for labels
    "circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲", "triangle-down": "▼", "cross": "✚", "x": "✖",
    "star": "★", "pentagon": "⬟", "hexagon": "⬢",
}  # fmt: skip
# key -> (title, title where room is short); other methods go by the title in their own file
TITLES = {
    "soft": ("Soft merge", "Soft"),
    "average": ("Plain average", "Average"),
    "best_source": ("Best source", "Best"),
    "ensemble": ("Ensemble of all", "Ensemble"),
    "median": ("Coordinate median", "Median"),
    "geometric_median": ("Geometric median", "Geo. median"),
    "weighted_average": ("Weighted average", "Weighted"),
    "fine_tuning": ("Fine-tuned merge", "Fine-tuned"),
}
_FIXED = {
    "soft": ("soft", "solid", "circle"),
    "average": ("average", "dash", "square"),
    "best_source": ("best_source", "dot", "diamond"),
    "ensemble": ("ensemble", "dashdot", "triangle-up"),
    "task": ("task", "solid", "circle"),
    "penalty": ("penalty", "dot", "diamond"),
    "total": ("total", "dash", "square"),
}
# Further merge methods, in their order here: a colour, dash and marker each that no other method has.
# Those that are drawn together, against malicious sources, have colours of their own.
_FURTHER = (
    "weighted_average", "learned_soup", "slerp", "greedy_soup", "task_arithmetic", "ties",
    "dare", "adamerging", "fisher", "regmean", "optimal_transport", "fine_tuning",
    "git_rebasin", "median", "trimmed_mean", "geometric_median", "krum", "distillation",
)  # fmt: skip


@dataclass(frozen=True)
class MethodStyle:
    """How one method is drawn everywhere: ``color`` "#rrggbb", plotly's ``dash`` and ``marker`` symbol."""

    color: str
    dash: str
    marker: str


def colour(name: str, theme: Theme) -> str:
    """The palette's colour called ``name`` as "#rrggbb"; KeyError for an unknown name."""
    return _COLOURS[name][THEMES.index(theme)]


def palette(theme: Theme) -> list[str]:
    """Every colour of a theme, the background first, in the same order for each theme."""
    return [pair[THEMES.index(theme)] for pair in _COLOURS.values()]


def class_colours(theme: Theme) -> list[str]:
    """Ten colours for classes 0 to 9; a figure adds a marker shape, never colour alone."""
    return [colour(f"class{label}", theme) for label in range(10)]


def method_style(key: str, theme: Theme) -> MethodStyle:
    """The one style of a method's key; ``source:<index>`` is a source; an unknown key's follows its name."""
    if key in _FIXED:
        name, dash, marker = _FIXED[key]
        return MethodStyle(colour(name, theme), dash, marker)
    if key.startswith("source:"):
        index = int(key.partition(":")[2])
        return MethodStyle(colour("source", theme), _DASHES[index % 6], _MARKERS[index % 10] + "-open")
    place = _FURTHER.index(key) if key in _FURTHER else hashlib.sha256(key.encode()).digest()[0] % 18
    hue, turn = place % 6, place // 6
    return MethodStyle(colour(f"extra{hue}", theme), _DASHES[(hue + 2 * turn) % 6], _MARKERS[4 + (hue + 2 * turn) % 6])


def method_title(key: str, *, short: bool = False) -> str:
    """A method's name for readers; a key that no method has is shown as it is, made safe."""
    if key in TITLES:
        return TITLES[key][short]
    method = available_methods().get(key)
    return escape(method.title if method else key)


def escape(text: str, limit: int = 40) -> str:
    """User text as plotly shows it letter by letter: HTML made harmless, one line, at most ``limit`` letters.

    Backslashes and dollars are left: plotly reads LaTeX only where MathJax is loaded, and it never is.
    """
    line = " ".join(str(text).split()) or "(no name)"
    line = line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
    return html.escape(line, quote=False)


def distinct(names: Sequence[str], limit: int = 40) -> list[str]:
    """``names`` escaped and made different, so that no two fall together on a category axis."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        label = escape(name, limit)
        seen[label] = seen.get(label, 0) + 1
        result.append(label if seen[label] == 1 else f"{label} ({seen[label]})")
    return result if len(set(result)) == len(result) else [f"{i + 1}: {label}" for i, label in enumerate(result)]


def smooth(values: Sequence[float], weight: float) -> list[float]:
    """Debiased exponential moving average: s_t = w s_(t-1) + (1 - w) x_t, over 1 - w^t; 0 <= weight < 1.

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
    """At most ``most`` indices of range(count), evenly spread, the first and the last always among them."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


def _axis(theme: Theme) -> dict[str, Any]:
    return {
        "gridcolor": colour("grid", theme),
        "linecolor": colour("axis", theme),
        "tickcolor": colour("axis", theme),
        "tickfont": {"color": colour("quiet", theme)},
        "title": {"font": {"color": colour("quiet", theme)}, "standoff": 8},
        "showline": True,
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
        "automargin": True,
    }


def template(theme: Theme) -> go.layout.Template:
    """The layout shared by all figures of a theme."""
    text, background = colour("text", theme), colour("background", theme)
    layout = {
        "font": {"family": FONT, "size": 13, "color": text},
        "paper_bgcolor": background,
        "plot_bgcolor": background,
        "margin": {"l": 56, "r": 16, "t": 36, "b": 48},
        "hoverlabel": {
            "bgcolor": background,
            "bordercolor": colour("axis", theme),
            "font": {"color": text, "family": FONT, "size": 13},
            "align": "left",
        },
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "modebar": {
            "bgcolor": background,
            "color": colour("quiet", theme),
            "activecolor": colour("soft", theme),
            "orientation": "v",
        },
        "hovermode": "closest",
        "xaxis": _axis(theme),
        "yaxis": _axis(theme),
    }
    return go.layout.Template(layout=layout)


def new_figure(theme: Theme, **meta: Any) -> go.Figure:
    """An empty figure of a theme; ``meta`` is for the page: ``narrow`` maps layout paths to phone values."""
    figure = go.Figure(layout={"template": template(theme)})
    figure.update_layout(meta={"theme": theme, **meta})
    return figure
