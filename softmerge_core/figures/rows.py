"""Values in rows: one labelled row per network, with a dot, an error bar and the value as a number."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go

from softmerge_core.figures.laying import Mark
from softmerge_core.figures.style import MethodStyle, Theme, colour
from softmerge_core.numbers import NO_BREAK

LONG, BRIEF = 76, 36  # letters of a note's line, and of one on a phone
SMALL = "12px"  # of a note's letters


def row_axis(labels: Sequence[str], theme: Theme) -> dict[str, Any]:
    """The layout of a y axis with one row per label, the first one on top; no two labels may be equal."""
    return {
        "type": "category",
        "categoryorder": "array",
        "categoryarray": list(labels)[::-1],
        "tickvals": list(labels),
        "range": [-0.6, len(labels) - 0.4],
        "showline": False,
        "ticks": "",
        "tickfont": {"color": colour("text", theme)},
    }


def noted(title: str, note: str) -> tuple[str, str]:
    """An axis title with a note in small letters under it, in lines that fit: (a window, a phone); it may be empty."""
    lines = (even_lines(note, letters) for letters in (LONG, BRIEF))
    small = ([f'<span style="font-size:{SMALL}">{line}</span>' for line in each] for each in lines)
    wide, narrow = ("<br>".join([title, *each]) for each in small)
    return wide, narrow


def even_lines(text: str, most: int) -> list[str]:
    """As few lines of at most ``most`` letters as there must be, all about as long: none of a single word.

    "n = 900" stays together.
    """
    text = text.replace(" = ", f"{NO_BREAK}={NO_BREAK}")
    count, least = len(wrap(text, most)), min(most, max(1, *map(len, text.split(" "))))
    lines = next(lines for letters in range(least, most + 1) if len(lines := wrap(text, letters)) == count)
    return [line.replace(f"{NO_BREAK}={NO_BREAK}", " = ") for line in lines]


def dot(
    label: str, x: float, style: MethodStyle, *, error: tuple[float, float] | None = None, about: str = ""
) -> go.Scatter:
    """A value in percent at its row, with an error bar of ``error`` percentage points to its left and to its right.

    ``about`` follows the value where the pointer rests on the dot. A value of NaN keeps its row empty.
    """
    return go.Scatter(
        x=[x],
        y=[label],
        name=label,
        mode="markers",
        marker={"color": style.color, "symbol": style.marker, "size": 10, "line": {"width": 1, "color": style.color}},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [error[1] if error else 0.0],
            "arrayminus": [error[0] if error else 0.0],
            "visible": error is not None,
            "color": style.color,
            "thickness": 1.5,
            "width": 4,
        },
        cliponaxis=False,
        hovertemplate=f"%{{y}}: %{{x:.2f}}\u00a0%{about}<extra></extra>",
    )


def row_number(label: str, text: str, color: str) -> Mark:
    """The annotation that writes ``text`` at the right end of a row."""
    font, beside = {"color": color, "size": 12}, {"xref": "paper", "x": 1, "xanchor": "left", "xshift": 8}
    return {"text": text, "showarrow": False, "font": font, **beside, "y": label, "yanchor": "middle"}
