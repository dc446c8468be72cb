"""The reader's own models stand together with those that they can be merged with."""

from typing import Any

import pytest

from softmerge_core.networks import build_network
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import (
    LibraryModel,
    add_to_library,
    all_families,
    families,
    find_source,
    load_source,
    own_families,
    remove_from_library,
    same_kind,
)


def add(
    name: str, network: str = "mlp", dataset: str = "moons", shape: tuple[int, ...] = (2,), classes: int = 2
) -> Any:
    kind: dict[str, Any] = {"network": network, "dataset": dataset, "input_shape": shape, "classes": classes}
    return add_to_library(name, build_network(network, shape, classes, 0), origin="uploaded", how="Brought.", **kind)


def test_without_models_there_is_no_family_but_those_that_ship() -> None:
    assert own_families() == {}
    assert all_families() == families()


def test_models_that_can_be_merged_stand_in_one_family() -> None:
    models = [
        add("one"),
        add("two"),
        add("three", classes=3),
        add("four", dataset="spirals"),
        add("five", "cnn1d", "mnist1d", (1, 40), 10),
        add("six", "torchvision/resnet18-cifar", "digits", (1, 8, 8), 10),
    ]
    found = own_families()
    assert sorted(len(family.models) for family in found.values()) == [1, 1, 1, 1, 2]
    assert all(same_kind(model, family) for family in found.values() for model in family.models)  # type: ignore[arg-type]
    assert sorted(model.name for family in found.values() for model in family.models) == sorted(m.name for m in models)
    assert len({family.title for family in found.values()}) == len(found)
    assert list(all_families()) == [*families(), *found]


def test_a_model_of_such_a_family_is_a_source_by_its_name_in_the_library() -> None:
    add("one")
    (family,) = own_families().values()
    name = family.source(family.models[0])
    assert isinstance(find_source(name), LibraryModel)
    assert load_source(SourceSpec(model=name)).name == "one"
    shipped = next(iter(families().values()))
    assert find_source(shipped.source(shipped.models[0])) == shipped


def test_a_family_keeps_its_name_as_models_come_and_go() -> None:
    add("one")
    before = list(own_families())
    add("two")
    remove_from_library("one")
    assert list(own_families()) == before
    remove_from_library("two")
    assert own_families() == {}


@pytest.mark.parametrize("classes", [2, 7])
def test_families_of_other_numbers_of_classes_are_told_apart(classes: int) -> None:
    add("one", classes=classes)
    add("two", classes=classes + 1)
    assert len({family.name for family in own_families().values()}) == 2
