"""Multiply-adds: the numbers in the code are those that are counted, and others are kept once they are."""

from pathlib import Path

import pytest

from softmerge_core.networks import networks
from softmerge_core.zoo import add_to_library, families
from softmerge_core.zoo.work import COUNTED, Kind, count_work, keep_work, known_work


@pytest.mark.parametrize("kind", sorted(COUNTED))
def test_the_numbers_in_the_code_are_those_that_are_counted(kind: Kind) -> None:
    assert COUNTED[kind] == count_work(kind)


def test_all_families_that_ship_are_counted() -> None:
    assert {(info.network, info.input_shape, info.classes) for info in families().values()} == set(COUNTED)


def test_a_linear_network_has_a_multiply_add_for_each_weight_in_a_matrix() -> None:
    network = networks()["mlp"].build((7,), 4)
    assert count_work(("mlp", (7,), 4)) == sum(p.numel() for p in network.parameters() if p.dim() == 2)


def test_what_is_added_to_the_library_is_counted(home_folder: Path) -> None:
    kind: Kind = ("mlp", (5,), 3)
    assert known_work(kind) is None
    network = networks()["mlp"].build((5,), 3)
    facts = {"network": "mlp", "input_shape": (5,), "classes": 3, "dataset": "moons"}
    add_to_library("net", network, origin="uploaded", how="For a test.", **facts)  # type: ignore[arg-type]
    assert known_work(kind) == count_work(kind)


def test_a_network_that_cannot_be_counted_is_not_known(home_folder: Path) -> None:
    assert keep_work(("nothing-such", (5,), 3)) is None
    assert known_work(("nothing-such", (5,), 3)) is None
