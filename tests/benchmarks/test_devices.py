"""The benchmark of whole merges on a device, on its smallest network in few steps."""

import pytest

from benchmarks import devices
from benchmarks.tables import lines


def test_on_the_processor_the_repetition_gives_the_same_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    title, build, shape, _ = devices.CASES[0]
    monkeypatch.setattr(devices, "CASES", ((title, build, shape, 3),))
    found = list(lines(devices.tables("cpu")))
    assert found[0].startswith("| network | K | gates | steps | s on cpu | s on one thread |")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in found[2:]]
    assert [row[2] for row in cells] == ["layer", "channel"]
    assert {row[-1] for row in cells} == {"0"}


def test_gates_of_other_noise_differ() -> None:
    _, build, shape, _ = devices.CASES[0]
    data, sources = devices.random_data(shape), [build(seed).eval() for seed in range(2)]
    few, many = (devices.timed(sources, data, "cpu", "layer", steps)[0] for steps in (2, 9))
    assert devices.difference(few, many) > 0
