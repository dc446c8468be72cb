"""A slim column beside a figure of gates: the factor that each channel has learned, on a diverging scale."""

from collections.abc import Sequence
from math import ceil, log2
from typing import Any

import plotly.graph_objects as go

from softmerge_core.figures.style import Theme, colour

NAME = "factor"
GATES_END, FACTORS_BEGIN = 0.89, 0.915  # shares of the width
BAR = 0.58  # the share of the height that the gates' own colour bar keeps


def add_factors(figure: go.Figure, rows: Sequence[str], scale: Sequence[float], theme: Theme) -> None:
    """Draw a cell for each row whose factor in ``scale`` (above 0) is not 1; nothing where all are 1."""
    if not any(factor != 1 for factor in scale):
        return
    reach = max(1, ceil(max(abs(log2(factor)) for factor in scale)))
    figure.add_trace(
        go.Heatmap(
            z=[[None if factor == 1 else log2(factor)] for factor in scale],
            x=[NAME],
            y=list(rows),
            customdata=[[f"{factor:.2f}"] for factor in scale],
            hovertemplate="%{y}<br>its weights are multiplied by %{customdata}<extra></extra>",
            coloraxis="coloraxis2",
            xaxis="x3",
            ygap=1 if len(rows) <= 60 else 0,
            name=NAME,
        )
    )
    shared = figure.layout.coloraxis.colorbar.to_plotly_json()
    figure.update_layout(
        xaxis={"domain": [0, GATES_END]},
        xaxis3={"type": "category", "side": "top", "domain": [FACTORS_BEGIN, 1], "anchor": "y", "fixedrange": True,
                "showgrid": False, "ticks": "", "showline": False},
        coloraxis={"colorbar": {"len": BAR, "y": 1, "yanchor": "top"}},
        coloraxis2={"colorscale": "PuOr", "cmin": -reach, "cmax": reach, "cauto": False,
                    "colorbar": {**shared, **_bar(reach, theme)}},
    )  # fmt: skip
    brief = {"coloraxis2.colorbar.thickness": 8, "xaxis3.showticklabels": False}  # the colour bar has the same name
    narrow = {**figure.layout.meta.get("narrow", {}), **brief}
    figure.update_layout(meta={**figure.layout.meta, "narrow": narrow})
    if "xaxis2" in figure.layout.to_plotly_json():
        figure.update_layout(xaxis2={"domain": [0, GATES_END]})


def _bar(reach: int, theme: Theme) -> dict[str, Any]:
    """Ticks at powers of two: what a channel's weights are multiplied by."""
    return {
        "title": {"text": "Factor", "side": "right"},
        "tickvals": [-reach, 0, reach],
        "ticktext": [f"×{2.0**power:g}" for power in (-reach, 0, reach)],
        "tickfont": {"color": colour("quiet", theme)},
        "len": 0.92 - BAR,
        "y": 0,
        "yanchor": "bottom",
    }
