"""What the benchmark of numbers of labels says of its cells."""

import pytest

from benchmarks import labels
from benchmarks.labels import Accuracies, margin, summary
from softmerge_core.zoo import load_family


def cell(auto: float, average: float, best: float, tuned: float) -> Accuracies:
    """A cell of two seeds around these means."""
    means = {"auto": auto, "average": average, "best": best, "fine-tuned": tuned}
    return {name: [mean - 1, mean + 1] for name, mean in means.items()}


def test_a_cell_fails_that_is_more_than_a_point_under_the_better_of_two() -> None:
    cells = {"a, 20": cell(80, 70, 82, 85), "b, all": cell(81.5, 82, 10, 81.5)}
    assert [margin(found) for found in cells.values()] == pytest.approx([-2, -0.5])
    assert summary(cells) == (
        "More than a point under the better of average and best source: a, 20 (-2.0). "
        "Soft merging is at least the fine-tuned average in 1 of 2 cells."
    )


def test_each_method_is_measured_with_each_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "METHODS", {"average": "average", "Fisher": "fisher"})  # the quick ones
    found = labels.measure(load_family("moons-mlp-label-noise"), "20", range(3))
    assert {name: len(values) for name, values in found.items()} == {"best": 3, "average": 3, "Fisher": 3}
    assert all(0 <= value <= 100 for values in found.values() for value in values)
    assert len(set(found["average"])) == 1  # looks at no labels
    assert len(set(found["Fisher"])) > 1  # another draw of them
