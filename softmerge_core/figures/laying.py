"""Lines, bands, notes and images over a figure's data, all of a kind at once: Plotly takes far longer one by one."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

Mark = Mapping[str, Any]
_ACROSS = {"xref": "x", "y0": 0, "y1": 1, "yref": "y domain"}  # from the bottom of the plot to its top


def lay(
    figure: go.Figure, *, shapes: Sequence[Mark] = (), annotations: Sequence[Mark] = (), images: Sequence[Mark] = ()
) -> None:
    """Add to the ``shapes``, ``annotations`` and ``images`` of a figure, each as its layout takes it."""
    for kind, marks in (("shapes", shapes), ("annotations", annotations), ("images", images)):
        if marks:
            figure.layout[kind] = (*figure.layout[kind], *marks)


def upright(x: float, line: Mark, **about: Any) -> Mark:
    """A line at ``x`` over the whole height of the plot, as ``Figure.add_vline`` draws it."""
    return {"type": "line", "x0": x, "x1": x, **_ACROSS, "line": line, **about}


def band(start: float, end: float, **about: Any) -> Mark:
    """A band between two ``x`` over the whole height of the plot, as ``Figure.add_vrect`` draws it."""
    return {"type": "rect", "x0": start, "x1": end, **_ACROSS, **about}
