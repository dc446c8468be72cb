"""The figures of a sweep, as data: what is drawn where, and that every mark knows its run."""

import json
from typing import Any

import plotly.graph_objects as go
import pytest

from softmerge_core.experiments import experiment
from softmerge_core.experiments.merge.spec import small
from softmerge_core.experiments.outcome import Outcome
from softmerge_core.experiments.sweeping.spec import Axis, Listed, Log, Sweep, values_of
from softmerge_core.experiments.sweeping.table import SweepTable
from softmerge_core.figures.style import THEMES, Theme
from softmerge_core.figures.sweep import line_figure
from softmerge_core.figures.sweep_curves import MOST, curve_ends, curves_figure, curves_height
from softmerge_core.figures.sweep_map import front_figure, map_figure
from softmerge_core.figures.sweep_parallel import parallel_figure
from softmerge_core.statistics import Measured

PENALTY = Axis(path="settings.penalty", range=Log(first=0.002, last=2, count=4))
GRANULARITY = Axis(path="settings.granularity", range=Listed(listed=("auto", "model", "layer")))
NORMALISE = Axis(path="settings.normalise", range=Listed(listed=(True, False)))


def table(*axes: Axis, seeds: int = 3, missing: int = 0) -> SweepTable:
    sweep = Sweep(base=small(), axes=axes, seeds=tuple(range(seeds)))
    values = values_of(sweep)
    count = seeds
    for own in values:
        count *= len(own)
    runs = [f"run-{place}" for place in range(count)]
    known = {
        run: Outcome(Measured(((50 + place) / 100,), 1000), (40 + place) / 100, place / 100, {"average": 0.3})
        for place, run in enumerate(runs[: count - missing])
    }
    return SweepTable(sweep, values, runs, known)


def traces(figure: go.Figure | None) -> dict[str, Any]:
    assert figure is not None
    json.dumps(figure.to_plotly_json())
    return {trace["name"]: trace for trace in figure.to_plotly_json()["data"]}


def test_a_line_has_its_means_intervals_seeds_and_baselines() -> None:
    figure = line_figure(table(PENALTY), "main", theme="light")
    drawn = traces(figure)
    mean = drawn["Mean"]
    assert list(mean["x"]) == [0.002, 0.02, 0.2, 2.0]
    assert list(mean["y"]) == pytest.approx([51, 54, 57, 60])
    assert all(size > 0 for size in (*mean["error_y"]["array"], *mean["error_y"]["arrayminus"]))
    assert list(mean["customdata"]) == ["run-0", "run-3", "run-6", "run-9"]
    assert list(drawn["Seeds"]["customdata"]) == [f"run-{place}" for place in range(12)]
    assert list(drawn["Best"]["x"]) == [2.0]
    assert figure is not None
    assert figure.layout.xaxis.type == "log"
    assert any("average 30.0" in str(each.text) for each in figure.layout.annotations)
    assert "Seeds" not in traces(line_figure(table(PENALTY, seeds=5), "main", theme="light"))
    assert "Seeds" not in traces(line_figure(table(PENALTY, seeds=1), "main", theme="light"))


def test_barriers_are_drawn_in_their_unit_from_zero_and_none_is_marked_as_best() -> None:
    weight = Axis(path="weight", range=Listed(listed=(1.0, 2.0)))
    sweep = Sweep(base=experiment("scope").small(), axes=(weight,), seeds=(0, 1))
    runs = {
        f"run-{k}": Outcome(Measured((value,)), levels={"Without": 1.4}) for k, value in enumerate((0.2, 0.4, 1.2, 1.2))
    }
    found = SweepTable(sweep, values_of(sweep), list(runs), runs)
    figure = line_figure(found, "main", theme="light")
    drawn = traces(figure)
    assert list(drawn["Mean"]["y"]) == pytest.approx([30, 120])
    assert drawn["Mean"]["error_y"]["arrayminus"][0] > 100, "an interval may reach below zero"
    assert "Best" not in drawn
    assert figure is not None
    assert figure.layout.yaxis.title.text == "Test error barrier with alignment<br>(points)"
    assert figure.layout.yaxis.range[0] < -90
    assert figure.layout.yaxis.range[1] > 150
    assert any("Without 140.0\u00a0points" in str(each.text) for each in figure.layout.annotations)
    assert "Without 140.0" in figure.layout.meta["narrow"].values()
    lines = parallel_figure(found, theme="light")
    assert lines is not None
    assert any("30.0\u00a0points" in str(each.text) for each in lines.layout.annotations)


def test_choices_lie_side_by_side_and_points_to_come_are_left_out() -> None:
    figure = line_figure(table(GRANULARITY, missing=3), "open", theme="dark")
    assert list(traces(figure)["Mean"]["x"]) == ["auto", "model"]
    assert figure is not None
    assert list(figure.layout.xaxis.categoryarray) == ["auto", "model", "layer"]
    assert not any("average" in str(each.text) for each in figure.layout.annotations)


def test_a_map_has_the_mean_of_every_pair_and_gaps_for_those_to_come() -> None:
    figure = map_figure(table(PENALTY, GRANULARITY, missing=3), "main", theme="light")
    cells = traces(figure)["Test accuracy (%)"]
    assert list(cells["x"]) == ["0.002", "0.02", "0.2", "2"]
    assert list(cells["y"]) == ["auto", "model", "layer"]
    assert cells["z"][1][0] == pytest.approx(54)
    assert cells["z"][2][3] is None
    assert cells["customdata"][1][0] == "run-3"
    assert cells["customdata"][0][1] == "run-9"
    assert figure is not None
    frames = [(shape.x0, shape.y0) for shape in figure.layout.shapes if shape.line.width == 2]
    assert frames == [(-0.46, -0.46), (2.54, 0.54)], "the values there were, and the best of those that are done"


def test_more_settings_are_lines_through_parallel_axes_the_best_one_last() -> None:
    figure = parallel_figure(table(PENALTY, GRANULARITY, NORMALISE), theme="light")
    assert figure is not None
    lines = figure.to_plotly_json()["data"]
    assert len(lines) == 24
    assert len(lines[-1]["x"]) == 5
    assert lines[-1]["line"]["width"] > 2
    assert lines[-1]["y"][:3] == pytest.approx([1, 1, 1])
    assert lines[-2]["line"]["dash"] == "dash"
    assert lines[-2]["y"][:3] == pytest.approx([0, 0, 0])
    assert set(lines[-2]["customdata"]) == {"run-0"}


def test_the_front_is_drawn_over_the_share_of_open_gates() -> None:
    drawn = traces(front_figure(table(PENALTY), theme="dark"))
    assert list(drawn["Front"]["x"]) == pytest.approx([1, 4, 7, 10])
    assert list(drawn["Points"]["y"]) == pytest.approx([41, 44, 47, 50])
    assert set(drawn["Points"]["marker"]["symbol"]) == {"circle"}


def test_every_run_has_its_curve_in_the_plot_of_its_point() -> None:
    found = table(PENALTY, seeds=2)
    curves = {"run-0": [(0, 0.2), (10, 0.4)], "run-1": [(0, 0.2), (20, 0.6)], "run-7": [(0, 0.6), (10, 0.3)]}
    figure = curves_figure(found, curves, theme="light")
    assert figure is not None
    lines = figure.to_plotly_json()["data"]
    assert [line["customdata"][0] for line in lines] == ["run-0", "run-1", "run-7"]
    assert lines[0]["x"][-1] == pytest.approx(lines[1]["x"][-1] / 2), "all plots have one scale"
    assert [int(line["x"][0]) for line in lines] == [0, 0, 3]
    assert lines[1]["text"][-1] == "step 20: 60.0\u00a0%"
    assert len(figure.layout.shapes) == 4
    assert curve_ends(list(curves.values())) == (20, 0.2, 0.6)
    assert curves_height(found) < curves_height(table(PENALTY, GRANULARITY))
    many = table(Axis(path="settings.steps", range=Listed(listed=tuple(range(1, 51)))), NORMALISE, seeds=1)
    assert len(many.rows) > MOST
    drawn = curves_figure(many, {many.rows[0].runs[0]: [(0, 0.5)]}, theme="light")
    assert drawn is not None
    assert len(drawn.layout.shapes) == MOST


@pytest.mark.parametrize("theme", THEMES)
def test_before_anything_is_done_nothing_is_drawn(theme: Theme) -> None:
    empty = table(PENALTY, missing=12)
    assert line_figure(empty, "main", theme=theme) is None
    assert front_figure(empty, theme=theme) is None
    assert parallel_figure(empty, theme=theme) is None
    assert map_figure(table(PENALTY, GRANULARITY, missing=36), "open", theme=theme) is None
    assert curves_figure(empty, {}, theme=theme) is None
