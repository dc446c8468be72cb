"""The benchmark of a gate step, on its smallest network."""

import importlib.util
import re

import pytest

from benchmarks import gate_step
from benchmarks.tables import lines


def rows(device: str) -> list[list[str]]:
    """The cells of its table."""
    written = list(lines(gate_step.tables(device, turns=3)))
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (written[0], *written[2:])]


@pytest.fixture(autouse=True)
def one_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate_step, "CASES", gate_step.CASES[:1])


def test_each_number_of_sources_has_a_ratio_with_its_spread_for_each_kind_of_gates() -> None:
    head, *found = rows("cpu")
    assert [row[2] for row in found] == ["4", "16"]
    for row in found:
        cells = dict(zip(head, row, strict=True))
        assert float(cells["SGD, ms"]) > 0
        for granularity in gate_step.GRANULARITIES:
            assert re.fullmatch(r"\d+\.\d\d \(\d+\.\d\d to \d+\.\d\d\)", cells[granularity])


@pytest.mark.skipif(importlib.util.find_spec("fusion_bench") is not None, reason="the other package is installed")
def test_a_package_that_is_not_there_leaves_its_column_empty() -> None:
    head, *found = rows("cpu")
    assert {row[head.index(gate_step.PEER)] for row in found} == {"-"}


def test_on_a_gpu_times_are_absolute_as_well() -> None:
    """Told from the processor's times: what is written does not depend on where they were taken."""
    times = {name: [0.002, 0.002] for name in (*gate_step.GRANULARITIES, gate_step.SGD)}
    assert list(gate_step._cells(times, "cuda")) == ["2 ms, 1.00 (1.00 to 1.00)"] * 3 + ["-"]
    assert "cuda" in gate_step.BENCHMARK.devices
