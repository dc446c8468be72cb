"""What is kept of a figure that was drawn: its JSON, and the figure itself with every digit."""

import json
import math
import tracemalloc

import numpy as np
import plotly.graph_objects as go

from pages.shared.show import drawn_figure as module
from pages.shared.show.drawn_figure import DrawnFigure, drawn_figure
from softmerge_core.figures.compact import compact
from softmerge_core.figures.style import new_figure
from softmerge_core.figures.values import figure_values


def _figure(count: int = 3) -> go.Figure:
    figure = new_figure("dark")
    figure.add_scatter(y=[1 / 3, math.nan, math.inf], customdata=np.array([1, 2, 3]), name="a")
    figure.add_heatmap(z=np.arange(count * 4).reshape(4, count) / 7, colorbar={"title": {"text": "P(open)"}})
    figure.update_yaxes(title={"text": "Loss (nats)"}, range=(0, 1))
    return figure


def test_a_figure_is_written_once_and_anew_for_another_chart() -> None:
    figure = _figure()
    drawn = drawn_figure(figure, "key")
    assert json.loads(drawn.text) == json.loads(json.dumps(compact(figure, "key")))
    assert drawn.theme == "dark"
    assert drawn_figure(figure, "key") is drawn
    other = drawn_figure(figure, "other")
    assert (other.key, json.loads(other.text)["layout"]["uirevision"]) == ("other", "other")


def test_a_figure_of_no_theme_is_told_from_others() -> None:
    assert drawn_figure(go.Figure(), "key").theme is None
    assert drawn_figure(go.Figure(layout={"meta": {"narrow": {}}}), "key").theme is None


def test_the_figure_comes_back_with_every_digit_and_value() -> None:
    figure = _figure()
    again = drawn_figure(figure, "key").figure()
    assert figure_values(again) == figure_values(figure)
    assert compact(again, "key") == compact(figure, "key")
    assert again.layout.meta == figure.layout.meta


def test_names_tell_figures_apart_by_what_they_show() -> None:
    first, same, other = _figure(), _figure(), _figure(4)
    names = [drawn_figure(figure, "key").values for figure in (first, same, other)]
    assert names[0] == names[1] != names[2]


def test_what_is_kept_takes_a_fraction_of_the_figure() -> None:
    tracemalloc.start()
    try:
        figures = [_figure() for _ in range(20)]
        objects = tracemalloc.get_traced_memory()[0]
        kept = [module._written(figure, "key") for figure in figures]
    finally:
        tracemalloc.stop()
    assert sum(drawn.size for drawn in kept) < objects / 4
    assert isinstance(kept[0], DrawnFigure)
