"""Several merges in one figure: the numbers drawn are those of the runs."""

from typing import Any

import numpy as np
import pytest

from softmerge_core.events import Evaluation, Progress
from softmerge_core.figures.beside import beside_gates, curves_figure, gates_height


def run(*percent: float) -> list[Any]:
    events: list[Any] = [
        Evaluation(step=10 * place, series="soft", split="validation", accuracy=value / 100, loss=1.0)
        for place, value in enumerate(percent)
    ]
    return [*events, Progress(step=10 * len(percent), total=50)]


def gates(value: list[list[float]], sources: tuple[str, ...] = ("one", "two")) -> dict[str, Any]:
    parts = ["conv 0", "conv 1", "head"]
    groups = ["conv", "conv", "head"]
    return {"gates": {"parts": parts, "groups": groups, "sources": list(sources), "value": value}}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_run_is_a_line_that_is_named_at_its_end(theme: Any) -> None:
    figure = curves_figure([run(50, 60), run(40, 45, 70), []], theme=theme)
    assert figure is not None
    lines = {trace.name: (list(trace.x), list(trace.y)) for trace in figure.data}
    assert lines["A"] == ([0, 10], [50, 60])
    assert lines["B"][1] == pytest.approx([40, 45, 70])
    assert set(lines) == {"A", "B"}
    assert [note.text for note in figure.layout.annotations] == ["A", "B"]
    assert figure.layout.xaxis.range == (0, 50)
    assert len({(trace.line.color, trace.line.dash) for trace in figure.data}) == 2


def test_without_evaluations_there_is_no_figure() -> None:
    assert curves_figure([[], [Progress(step=1, total=2)]], theme="light") is None


def test_gates_are_the_means_of_layers_on_one_scale_and_two_runs_have_a_difference() -> None:
    first, second = gates([[0, 1], [1, 1], [1, 0]]), gates([[1, 1], [1, 0], [0, 0]])
    figure = beside_gates([first, second], theme="light")
    assert figure is not None
    a, b, difference = (np.array(trace.z) for trace in figure.data)
    assert a.tolist() == [[0.5, 1], [1, 0]]
    assert b.tolist() == [[1, 0.5], [0, 0]]
    assert difference.tolist() == (b - a).tolist()
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 1)
    assert (figure.layout.coloraxis2.cmin, figure.layout.coloraxis2.cmax) == (-1, 1)
    assert list(figure.data[0].y) == ["conv", "head"]
    assert gates_height([first, None]) >= 200


def test_gates_of_one_run_or_of_other_sources_are_not_drawn() -> None:
    first = gates([[0, 1], [1, 1], [1, 0]])
    assert beside_gates([first, None], theme="light") is None
    assert beside_gates([first, gates([[0, 1], [1, 1], [1, 0]], ("one", "three"))], theme="light") is None
    three = beside_gates([first, None, first], theme="dark")
    assert three is not None
    assert len(three.data) == 2
