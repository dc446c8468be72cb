"""What must hold before any training starts."""

import pytest
import torch
from torch import nn

from softmerge_core import MergeData, SoftMergeSettings, soft_merge
from softmerge_core.alignment import align, repair
from softmerge_core.checks import admit, check_architecture, count_classes, in_one_precision, outputs_of, unique_names
from softmerge_core.errors import DataError, SourceError
from softmerge_core.methods import merge
from tests.networks_for_tests import make_data, make_sources, perceptron
from tests.odd_networks import Says


def test_equal_names_are_told_apart() -> None:
    assert unique_names(["a", "b", "a", "a (2)", "a"]) == ("a", "b", "a (2)", "a (2) (2)", "a (3)")


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


@pytest.mark.parametrize("name", ["average", "distillation", "greedy_soup", "weighted_average", "ensemble"])
def test_sources_of_mixed_precision_are_merged_in_the_first_ones(name: str) -> None:
    sources = make_sources("tied", 2)
    expected = merge(name, sources, make_data(8))
    sources[1].double()
    merged = merge(name, sources, make_data(8))
    assert [p.dtype for p in sources[1].parameters()] == [torch.float64] * 4, "sources are never modified"
    inputs = make_data(4).train_inputs
    assert torch.equal(merged(inputs), expected(inputs))


def test_sources_of_one_precision_are_not_copied() -> None:
    sources = make_sources("convolutional", 2)
    assert all(a is b for a, b in zip(in_one_precision(sources), sources, strict=True))


def test_what_has_to_run_sources_names_the_one_of_another_precision() -> None:
    sources, inputs = make_sources("perceptron", 2), make_data(8).train_inputs
    sources[1].double()
    with pytest.raises(DataError, match="source 'source 2' cannot read inputs"):
        align(sources, inputs, "activations")
    with pytest.raises(DataError, match="source 'endpoint 2' cannot read inputs"):
        repair(sources[0], sources, inputs)


@pytest.mark.parametrize("door", ["soft_merge", "merge", "align"])
def test_one_network_may_stand_for_all_sources(door: str) -> None:
    """One object several times, with tied weights, in training mode."""
    network, data = make_sources("tied", 1)[0].train(), make_data(8)
    settings = SoftMergeSettings(granularity="model", steps=2)
    calls = {
        "soft_merge": lambda: soft_merge([network] * 3, data, settings).model,
        "merge": lambda: merge("average", [network] * 3, data),
        "align": lambda: align([network] * 3, data.train_inputs)[2],
    }
    before = network(data.train_inputs)
    merged = calls[door]()
    assert merged.second.weight is merged.first.weight
    assert torch.allclose(merged(data.train_inputs), before, atol=1e-6)
    assert network.training
    assert torch.equal(network(data.train_inputs), before)


def test_weights_whose_outputs_overflow_are_refused_by_source() -> None:
    sources = make_sources("perceptron", 2)
    with torch.no_grad():
        sources[1][0].weight.fill_(3e38)
    with pytest.raises(SourceError, match="source 'source 2': its outputs on the validation data overflow"):
        soft_merge(sources, make_data(8))


def test_inputs_of_another_kind_are_refused_by_source() -> None:
    network = perceptron()
    assert count_classes(network, "a", torch.zeros(1, 12)) == 3
    with pytest.raises(DataError, match=r"source 'a' cannot read inputs of shape \[13\]: mat1"):
        outputs_of(network, "a", torch.zeros(2, 13))
    with pytest.raises(DataError, match=r"source 'a' cannot read inputs of shape .*dtype"):
        soft_merge([network.half(), perceptron()], make_data(8), names=["a", "b"])


def test_a_source_that_cannot_read_the_data_is_named_when_sources_are_admitted() -> None:
    for other in (nn.Linear(13, 3), Says(lambda logits: (logits, logits))):
        with pytest.raises(DataError, match="source 'b' cannot read inputs of shape"):
            admit([perceptron(), other], ["a", "b"], make_data(4).validation_inputs, "exclude")
