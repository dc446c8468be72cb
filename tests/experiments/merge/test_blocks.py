"""Layers in blocks: every layer in one, blocks in one piece, and names as readers of torchvision know them."""

from itertools import groupby

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchvision import models

from softmerge_core.anatomy import describe
from softmerge_core.experiments.merge.blocks import block_names, inner_name, matching, short_names

PART = st.sampled_from(["a", "b", "conv", "0", "1", "2", "encoder", "layers"])
NAMES = st.lists(st.lists(PART, min_size=1, max_size=4).map(".".join), min_size=1, max_size=40, unique=True).map(sorted)


def layers_of(name: str) -> list[str]:
    with torch.device("meta"):
        return [layer.name for layer in describe(getattr(models, name)(num_classes=10))]


@given(NAMES)
def test_every_layer_lies_in_the_block_that_its_name_begins_with(names: list[str]) -> None:
    for name, block in zip(names, block_names(names), strict=True):
        assert block
        assert name == block or name.startswith(f"{block}.")


@given(NAMES)
def test_no_block_lies_in_another_but_a_layer_of_a_wrappers_own(names: list[str]) -> None:
    blocks = set(block_names(names))
    for block in blocks:
        assert not any(other.startswith(f"{block}.") for other in blocks) or block in names


@given(NAMES)
def test_short_names_tell_blocks_apart_and_are_the_ends_of_their_names(names: list[str]) -> None:
    short = short_names(block_names(names))
    assert len(set(short.values())) == len(short)
    assert all(block == name or block.endswith(f".{name}") for block, name in short.items())


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("resnet18", ["conv1", "layer1", "layer2", "layer3", "layer4", "fc"]),
        ("resnet152", ["conv1", "layer1", "layer2", "layer3", "layer4", "fc"]),
        ("mobilenet_v2", [*(f"features.{number}" for number in range(19)), "classifier"]),
        (
            "vit_b_16",
            ["(network)", "conv_proj", "encoder", *(f"encoder.layers.encoder_layer_{n}" for n in range(12)),
             "encoder.ln", "heads"],
        ),
    ],
)  # fmt: skip
def test_networks_of_torchvision(network: str, expected: list[str]) -> None:
    names = layers_of(network)
    assert [block for block, _ in groupby(block_names(names))] == expected


def test_a_short_name_is_never_a_bare_number() -> None:
    assert short_names(["features.0", "features.1", "head"]) == {
        "features.0": "features.0",
        "features.1": "features.1",
        "head": "head",
    }
    assert short_names(["encoder.layers.encoder_layer_3"])["encoder.layers.encoder_layer_3"] == "encoder_layer_3"


def test_inner_names() -> None:
    assert inner_name("layer1.0.conv1", "layer1") == "0.conv1"
    assert inner_name("features.0.0", "features.0") == "features.0.0"
    assert inner_name("fc", "fc") == "fc"


def test_a_search_finds_what_holds_all_its_words() -> None:
    names = ["layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1", "fc"]
    assert matching(names, " Conv1 layer2 ") == ("layer2.0.conv1",)
    assert matching(names, "") == tuple(names)
    assert matching(names, "nothing") == ()
