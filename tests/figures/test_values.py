"""The values of figures as tables: all of them, with all their digits, named with their units."""

import csv
import io
import math

import numpy as np
import plotly.graph_objects as go

from pages.shared.show.figure_csv import values_csv
from softmerge_core.figures.style import new_figure
from softmerge_core.figures.values import figure_values

THIRD = 1 / 3


def test_points_have_their_series_units_and_bars() -> None:
    figure = new_figure("light")
    figure.add_scatter(
        x=[1, 2, 3], y=[THIRD, None, math.nan], name="a &amp; <b>b</b>", hovertemplate="%{y}",
        error_y={"visible": True, "array": [0.1, 0, 0], "arrayminus": [0.2, 0, 0]},
    )  # fmt: skip
    figure.add_bar(x=[5], y=[6], name="=SUM(A1)")
    figure.add_scatter(x=[7], y=[8], name="an aid", hoverinfo="skip")
    figure.update_layout(xaxis={"title": {"text": "Step<br>a note"}}, yaxis={"title": {"text": "Loss (nats)"}})
    head, rows = figure_values(figure)
    assert head == ["Series", "Step", "Loss (nats)", "From", "To"]
    assert rows == [["a &  b", 1, THIRD, THIRD - 0.2, THIRD + 0.1], ["=SUM(A1)", 5, 6, None, None]]
    read = list(csv.reader(io.StringIO(values_csv(figure))))
    assert float(read[1][2]) == THIRD, "no digit is lost"
    assert read[2][0] == "'=SUM(A1)", "no formula of a spreadsheet"


def test_a_heatmap_has_a_row_for_each_cell_however_many() -> None:
    figure = new_figure("light")
    values = np.arange(60 * 50).reshape(60, 50) / 7
    figure.add_heatmap(z=values, name="Gates", colorbar={"title": {"text": "P(open)"}})
    head, rows = figure_values(figure)
    assert head == ["Series", "Column", "Row", "P(open)"]
    assert len(rows) == 3000
    assert rows[-1] == ["Gates", 49, 59, 2999 / 7]


def test_a_grid_of_images_has_its_own_table() -> None:
    figure = go.Figure(layout={"meta": {"theme": "light", "values": [["Sample", "Class"], ["1", "cat"]]}})
    assert figure_values(figure) == (["Sample", "Class"], [["1", "cat"]])
