"""Gates in rows: each part by its name, or means of neighbours that still say which they are."""

import csv
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmerge_core.experiments.merge.rows import gate_rows, gates_csv, layer_shares, part_title, row_parts


@pytest.mark.parametrize(
    ("part", "group", "title"),
    [
        ("conv1 12", "conv1", "conv1, channel 12"),
        ("conv1 rest", "conv1", "conv1, rest"),
        ("head", "head", "head"),
        ("model", "", "model"),
        ("block.conv 3", "block.conv", "block.conv, channel 3"),
    ],
)
def test_a_part_is_named_by_layer_and_channel(part: str, group: str, title: str) -> None:
    assert part_title(part, group) == title


def table(layers: list[int]) -> tuple[tuple[str, ...], tuple[str, ...], Any]:
    parts = tuple(f"layer{layer} {channel}" for layer, width in enumerate(layers) for channel in range(width))
    groups = tuple(part.split()[0] for part in parts)
    return parts, groups, np.arange(2 * len(parts), dtype=float).reshape(-1, 2) / max(2 * len(parts), 1)


def test_few_parts_stay_as_they_are() -> None:
    parts, groups, values = table([2, 1])
    rows = gate_rows(parts, groups, values, values, (1.0, 2.0, 3.0), most=3)
    assert rows.titles == ("layer0, channel 0", "layer0, channel 1", "layer1, channel 0")
    assert rows.probability is values
    assert (rows.scale, rows.each) == ((1.0, 2.0, 3.0), 1)


def test_too_many_become_means_within_their_layers() -> None:
    parts, groups, values = table([5, 3])
    exact = np.array([[0, 1]] * 2 + [[0, 0.5]] * 6)
    rows = gate_rows(parts, groups, values, exact, (1, 4, 1, 1, 1, 1, 1, 1), most=5)
    assert rows.each == 2
    assert rows.titles == (
        "layer0, channels 0 to 1", "layer0, channels 2 to 3", "layer0, channel 4",
        "layer1, channels 0 to 1", "layer1, channel 2",
    )  # fmt: skip
    assert rows.groups == ("layer0",) * 3 + ("layer1",) * 2
    assert rows.probability[0] == pytest.approx(values[:2].mean(0))
    assert rows.value[0] == (0, 1)  # what is exact for all stays exact
    assert rows.scale[0] == pytest.approx(2)  # geometric: as far above 1 as below


def test_more_layers_than_rows_are_joined_too() -> None:
    parts, groups, values = table([1] * 9)
    rows = gate_rows(parts, groups, values, values, most=4)
    assert rows.titles[0] == "layer0, channel 0 to layer2, channel 0"
    assert len(rows.titles) == 3


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(1, 50))
def test_rows_are_never_too_many_and_cover_all(layers: list[int], most: int) -> None:
    parts, groups, values = table(layers)
    rows = gate_rows(parts, groups, values, values, most=most)
    assert len(rows.titles) == len(rows.groups) == len(rows.value) <= max(most, 1)
    assert len(set(rows.titles)) == len(rows.titles)


def test_shares_of_a_layer_are_means_of_normalised_parts() -> None:
    shares = layer_shares(("a", "a", "b"), ((1, 1), (1, 0), (0, 0)))
    assert [name for name, _ in shares] == ["a", "b"]
    assert shares[0][1] == pytest.approx((0.75, 0.25))
    assert shares[1][1] == (0, 0)  # nothing is open


GATES = {
    "parts": ["conv 0", "conv 1"],
    "groups": ["conv", "conv"],
    "sources": ["first", '=HYPERLINK("x")'],
    "probability": [[0.123456, 0.99999], [1.0, 0.0]],
    "value": [[1.0, 0.0], [0.00001, 0.5]],
    "weight": [[1.0, 0.0], [0.25, 0.75]],
    "scale": [0.987654, 1.0],
}


def test_the_table_has_a_line_for_each_part_and_source_in_rounded_numbers() -> None:
    lines = list(csv.DictReader(io.StringIO(gates_csv(GATES))))
    assert [(line["layer"], line["part"]) for line in lines[::2]] == [
        ("conv", "conv, channel 0"), ("conv", "conv, channel 1"),
    ]  # fmt: skip
    first, second, third, _ = lines
    assert (first["p_open"], first["gate_z"], first["share"], first["factor"]) == ("0.1235", "1", "1", "0.9877")
    assert second["p_open"] == "0.9999"  # never as if it were exactly 1
    assert third["gate_z"] == "0.0001"  # nor exactly 0


def test_no_name_becomes_a_formula() -> None:
    lines = list(csv.DictReader(io.StringIO(gates_csv(GATES))))
    assert lines[1]["source"] == '\'=HYPERLINK("x")'


def test_a_table_of_an_older_run_without_factors_is_written_too() -> None:
    older = {key: value for key, value in GATES.items() if key not in ("scale", "groups")}
    lines = list(csv.DictReader(io.StringIO(gates_csv(older))))
    assert (lines[0]["layer"], lines[0]["part"], lines[0]["factor"]) == ("conv 0", "conv 0", "")


@pytest.mark.parametrize("most", [100, 7, 3, 1])
def test_a_row_stands_for_its_own_parts(most: int) -> None:
    parts, groups, _ = table([5, 8, 2])
    values = tuple((float(place), 0.0) for place in range(len(parts)))
    rows = gate_rows(parts, groups, values, values, most=most)
    found = [row_parts(parts, groups, row, most=most) for row in range(len(rows.titles))]
    assert [part for row in found for part in row] == list(parts)
    means = [sum(parts.index(part) for part in row) / len(row) for row in found]
    assert means == pytest.approx([row[0] for row in rows.value])
    assert row_parts(parts, groups, len(found), most=most) == ()
