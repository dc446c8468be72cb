"""Test accuracy and decision regions as data."""

import numpy as np
import pytest

from softmerge_core.events import Boundary, Points
from softmerge_core.experiments.merge.kept import Kept
from softmerge_core.figures.bars import accuracy_dots, accuracy_height
from softmerge_core.figures.boundary import boundary_figure, shows_kept
from softmerge_core.statistics.bars import wilson

RESULT = {
    "accuracy": {
        "soft": 0.846, "average": 0.806, "best_source": 0.789, "ensemble": 0.84, "sources": [0.789, 0.7],
    },
    "source_names": ["shard", "<i>shard</i>"],
}  # fmt: skip


def test_every_accuracy_is_a_dot_with_its_number() -> None:
    figure = accuracy_dots(RESULT, theme="light", n=1000)
    names = ["shard", "&lt;i&gt;shard&lt;/i&gt;", "Plain average", "Best source", "Soft merge", "Ensemble"]
    assert [trace.name for trace in figure.data] == names
    assert [trace.x[0] for trace in figure.data] == pytest.approx([78.9, 70, 80.6, 78.9, 84.6, 84])
    assert list(figure.layout.yaxis.categoryarray) == names[::-1]
    texts = ["78.9\u00a0%", "70.0\u00a0%", "80.6\u00a0%", "78.9\u00a0%", "84.6\u00a0%", "84.0\u00a0%"]
    assert [note.text for note in figure.layout.annotations] == texts
    low, high = wilson(0.846, 1000)
    assert figure.data[4].error_x.array[0] == pytest.approx(100 * high - 84.6)
    assert figure.data[4].error_x.arrayminus[0] == pytest.approx(84.6 - 100 * low)
    assert "95\u00a0% interval, n = 1,000 test samples" in figure.layout.xaxis.title.text
    assert len({trace.marker.symbol for trace in figure.data[2:]}) == 4


def test_without_n_no_error_is_claimed() -> None:
    figure = accuracy_dots(RESULT, theme="dark")
    assert not any(trace.error_x.visible for trace in figure.data)
    assert figure.layout.xaxis.title.text == "Test accuracy (%)"


def test_what_is_missing_is_said() -> None:
    result = {"accuracy": {"soft": None, "average": 0.5, "sources": [0.4]}, "source_names": []}
    figure = accuracy_dots(result, theme="light")
    assert [trace.name for trace in figure.data] == ["Source 1", "Plain average", "Soft merge"]
    assert figure.layout.annotations[2].text == "unknown"
    assert accuracy_height(RESULT) - accuracy_height(result) == 3 * 30


def boundary(step: int, classes: tuple[int, ...]) -> Boundary:
    return Boundary(step=step, series="soft", extent=(0, 3, -1, 2), size=3, classes=classes)


def test_regions_lie_under_the_points_of_each_class() -> None:
    points = Points(step=0, x=(0.5, 1.5, 2.5), y=(0, 1, 2), labels=(0, 2, 0))
    old, new = boundary(1, (0,) * 9), boundary(2, (0, 0, 0, 1, 1, 1, 2, 2, 2))
    figure = boundary_figure([points, old, new], theme="light")
    assert figure is not None
    regions, first, third = figure.data
    assert np.asarray(regions.z).tolist() == [[0] * 3, [1] * 3, [2] * 3]  # row by row from the lowest
    assert list(regions.y) == [-1, 0.5, 2]
    assert (list(first.x), list(third.x)) == ([0.5, 2.5], [1.5])
    assert first.marker.symbol != third.marker.symbol
    assert first.marker.color == regions.colorscale[0][1]
    assert (regions.zmin, regions.zmax) == (-0.5, 2.5)
    assert "step 2" in figure.layout.legend.title.text


def test_there_is_no_picture_without_regions() -> None:
    assert boundary_figure([], theme="light") is None
    assert boundary_figure([boundary(1, (0,) * 9)], theme="light", series="average") is None
    alone = boundary_figure([boundary(1, (0,) * 9)], theme="light")
    assert alone is not None
    assert len(alone.data) == 1


def test_regions_say_whether_they_are_those_of_the_kept_network() -> None:
    kept = Kept("model", "model gates", 0.9, 2)
    last, told = boundary(9, (0,) * 9), boundary(9, (1,) * 9).model_copy(update={"kept": True})
    assert [shows_kept(each, kept) for each in (boundary(2, (0,) * 9), last, told)] == [True, False, True]
    assert not shows_kept(last, Kept("best_source", "best source (a)", 0.9))
    figures = [
        boundary_figure([last, told], theme="light", kept=kept),
        boundary_figure([last], theme="light", kept=kept),
    ]
    titles = [figure.layout.legend.title.text for figure in figures if figure]
    assert titles == ["Kept: model gates", "Soft merge, step 9"]
