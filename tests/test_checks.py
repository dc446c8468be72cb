"""What must hold before any training starts."""

import pytest
import torch
from torch import nn

from softmerge_core import MergeData, soft_merge
from softmerge_core.alignment import align
from softmerge_core.checks import check_architecture, count_classes, outputs_of, unique_names
from softmerge_core.errors import DataError, SourceError
from softmerge_core.methods import merge
from tests.networks_for_tests import make_data, make_sources, perceptron


def test_equal_names_are_told_apart() -> None:
    assert unique_names(["a", "b", "a", "a (2)", "a"]) == ("a", "b", "a (2)", "a (2) (2)", "a (3)")


def test_one_network_may_be_all_sources() -> None:
    network = make_sources("convolutional", 1)[0]
    check_architecture([network] * 3, ["a", "b", "c"])


def test_a_network_without_parameters_is_refused() -> None:
    with pytest.raises(SourceError, match="source 'a' has no parameters to merge"):
        check_architecture([nn.ReLU(), nn.ReLU()], ["a", "b"])


@pytest.mark.parametrize("door", ["soft_merge", "merge", "align"])
def test_frozen_and_training_layers_stay_as_they_are(door: str) -> None:
    """Sources are never modified, and a layer's mode is a part of them."""
    data, sources = make_data(8), make_sources("convolutional", 2)
    for source in sources:
        source.train()[2].eval()
    before = [[module.training for module in source.modules()] for source in sources]
    calls = {
        "soft_merge": lambda: soft_merge(sources, broken(data)),
        "merge": lambda: merge("average", sources, data),
        "align": lambda: align(sources, data.train_inputs, "activations"),
    }
    if door == "soft_merge":
        with pytest.raises(DataError, match="train labels"):
            calls[door]()
    else:
        calls[door]()
    assert [[module.training for module in source.modules()] for source in sources] == before


def broken(data: MergeData) -> MergeData:
    """Data that are refused once the network has read them."""
    return MergeData(data.train_inputs, data.train_labels + 9, data.validation_inputs, data.validation_labels)


def test_inputs_of_another_kind_are_refused_by_source() -> None:
    network = perceptron()
    assert count_classes(network, "a", torch.zeros(1, 12)) == 3
    with pytest.raises(DataError, match=r"source 'a' cannot read inputs of shape \[13\]: mat1"):
        outputs_of(network, "a", torch.zeros(2, 13))
    with pytest.raises(DataError, match=r"source 'a' cannot read inputs of shape .*dtype"):
        soft_merge([network.half(), perceptron()], make_data(8), names=["a", "b"])
