"""The benchmark of memory, on a network of a few kilobytes and without processes of its own."""

from collections.abc import Callable

import pytest

from benchmarks import memory
from benchmarks.tables import lines
from softmerge_core.networks import build_network


def test_there_is_a_row_for_each_way_and_a_column_for_each_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "cifar_resnet18", lambda seed=0: build_network("resnet", memory.SHAPE, 10, seed))
    asked: list[tuple[str, str, int]] = []

    def here(function: Callable[..., float], how: str, granularity: str, paths: list[object]) -> float:
        assert function is memory.peak
        asked.append((how, granularity, len(paths)))
        return function(how, granularity, paths) if len(asked) == 1 else 1.5

    monkeypatch.setattr(memory, "fresh", here)
    _, _, *rows = lines(memory.tables("cpu", counts=(2, 3)))
    assert len(rows) == 6
    assert rows[-1] == "| in a list | float32 | channel | 1.5 | 1.5 |"
    assert asked[:2] == [("from files", "layer", 2), ("from files", "layer", 3)]
