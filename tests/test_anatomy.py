"""Networks taken apart: every parameter in exactly one layer, every layer in exactly one part."""

import pytest
import torch
from torch import nn

from softmerge_core.anatomy import ROOT, describe, layer_choices, partition
from softmerge_core.errors import SettingsError
from tests.networks_for_tests import NETWORKS, make_sources

GRANULARITIES = ("model", "module", "layer", "channel")


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_parameter_lies_in_exactly_one_layer(kind: str) -> None:
    network = make_sources(kind, 1)[0]
    slots = [slot for layer in describe(network) for slot in layer.slots]
    assert [slot.name for slot in slots] == list(dict.fromkeys(slot.name for slot in slots))
    assert sum(slot.size for slot in slots) == sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_every_layer_has_its_rows_and_every_row_a_layer(kind: str, granularity: str) -> None:
    layers = describe(make_sources(kind, 1)[0])
    parts = partition(layers, granularity)
    rows = {row for first, count in parts.rows.values() for row in range(first, first + count)}
    assert set(parts.rows) == {layer.name for layer in layers}
    assert rows == set(range(len(parts.names))) == set(range(len(parts.groups)))
    assert len(set(parts.names)) == len(parts.names)


@pytest.mark.parametrize("kind", NETWORKS)
def test_granularities_go_from_coarse_to_fine(kind: str) -> None:
    layers = describe(make_sources(kind, 1)[0])
    counts = [len(partition(layers, granularity).names) for granularity in GRANULARITIES]
    assert counts[0] == 1
    assert counts == sorted(counts)


def test_a_batchnorm_joins_the_convolution_it_follows() -> None:
    layers = describe(make_sources("convolutional", 1)[0])
    kinds = ["Conv1d + BatchNorm", "ConvTranspose1d + BatchNorm", "Linear"]
    assert [layer.kind for layer in layers] == kinds
    assert [layer.channels for layer in layers] == [4, 6, 3]


def test_a_batchnorm_of_other_width_stays_alone() -> None:
    layers = describe(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.BatchNorm1d(4)))
    assert len(layers) == 1
    layers = describe(nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 4)))
    assert [layer.name for layer in layers] == ["0", "1"]


def test_recurrent_layers_and_directions_are_layers_of_their_own() -> None:
    layers = describe(make_sources("recurrent", 1)[0])
    assert [layer.name for layer in layers] == ["lstm.l0", "lstm.l0_reverse", "lstm.l1", "lstm.l1_reverse", "head"]
    assert all(layer.channels == 5 for layer in layers[:4])
    assert all(slot.repeats == 4 for slot in layers[0].slots)


def test_attention_has_a_channel_per_feature_and_the_token_a_layer() -> None:
    layers = {layer.name: layer for layer in describe(make_sources("attention", 1)[0])}
    assert layers["attention"].channels == 4
    assert [slot.repeats for slot in layers["attention"].slots] == [3, 3]
    assert layers[ROOT].block == ROOT


def test_tied_weights_belong_to_the_first_layer_only() -> None:
    names = [layer.name for layer in describe(make_sources("tied", 1)[0])]
    assert "first" in names
    assert "second" not in names


def test_tensors_that_do_not_follow_the_channels_share_a_row() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(5, 2))
            self.table = nn.Parameter(torch.zeros(7, 2))

    (layer,) = describe(nn.Sequential(Odd()))
    assert (layer.channels, layer.gate_rows) == (5, 6)
    assert partition((layer,), "channel").names[-1] == "0 rest"


def test_choices_name_layers_or_whole_blocks() -> None:
    layers = describe(make_sources("recurrent", 1)[0])
    choices = layer_choices(layers, {"lstm": "average", "lstm.l1": "keep:1"}, (0, 1))
    assert choices["lstm.l0"] == "average"
    assert choices["lstm.l1"] == "keep:1"
    assert choices["head"] == "gate"


@pytest.mark.parametrize("parts", [{"nowhere": "gate"}, {"head": "keep:2"}])
def test_unknown_parts_and_sources_are_named(parts: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=next(iter(parts))):
        layer_choices(describe(make_sources("recurrent", 1)[0]), parts, (0, 1))
