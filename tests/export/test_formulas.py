"""Formulas say what the merged weights are: means over parts, factors, a base, and layers without gates."""

from typing import Any

import pytest

from softmerge_core.export.formulas import formulas, symbols
from softmerge_core.settings import SoftMergeSettings

USUAL = SoftMergeSettings()


def gates(**fields: Any) -> dict[str, Any]:
    table = {"parts": ["a 0", "a 1", "b"], "groups": ["a", "a", "b"], "sources": ["x", "y"]}
    return {**table, "weight": [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]], **fields}


def texts(values: dict[str, Any], settings: SoftMergeSettings = USUAL) -> list[tuple[str, str, int]]:
    return [tuple(each) for each in formulas(values, settings)]  # type: ignore[misc]


def test_a_layer_is_the_mean_of_its_parts() -> None:
    assert texts(gates()) == [("a", "0.750 · A + 0.250 · B", 2), ("b", "1.000 · B", 1)]


def test_factors_are_told_only_where_there_are_any() -> None:
    assert texts(gates(scale=[1.0, 1.0, 1.0])) == texts(gates())
    assert texts(gates(scale=[0.5, 2.0, 1.0]))[0][1] == "(0.5 to 2) × (0.750 · A + 0.250 · B)"


def test_gates_may_count_from_a_base_and_all_of_them_may_be_closed() -> None:
    assert texts(gates(relative=True))[1][1] == "base + 1.000 · (B - base)"
    assert texts(gates(weight=[[0.0, 0.0]] * 3))[0][1] == "0"
    assert texts(gates(weight=[[0.0, 0.0]] * 3, relative=True))[0][1] == "base"


def test_a_weight_that_is_not_zero_never_looks_so() -> None:
    assert texts(gates(weight=[[0.9999, 0.0001]] * 3))[0][1] == "1.000 · A + < 0.001 · B"


@pytest.mark.parametrize(("choice", "expected"), [("average", "mean of the sources that took part"), ("keep:1", "B")])
def test_layers_without_gates_come_last(choice: str, expected: str) -> None:
    settings = SoftMergeSettings(parts={"c": choice, "d": "gate"})
    assert texts(gates(), settings)[-1] == ("c", expected, 1)
    assert len(texts(gates(), settings)) == 3


def test_one_gate_for_all_layers_is_that_of_the_whole_network() -> None:
    assert texts({"parts": ["model"], "groups": ["model"], "sources": ["x"], "weight": [[1.0]]}) == [
        ("the whole network", "1.000 · A", 1)
    ]


def test_there_are_symbols_for_any_number_of_sources() -> None:
    assert symbols(3) == ["A", "B", "C"]
    assert (symbols(27)[0], symbols(27)[-1]) == ("S1", "S27")
