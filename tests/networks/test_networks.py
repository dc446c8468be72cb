"""The shipped networks at odd sizes, torchvision's by name, and what is said of inputs that do not fit."""

import pytest
import torch
from torch import nn

from softmerge_core.errors import DataError, NotFoundError
from softmerge_core.networks import build_network, check_network, network_names


@pytest.mark.parametrize("name", ["vgg", "resnet", "vit"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 16, 16), (3, 32, 24), (2, 9, 13)])
def test_image_networks_take_images_of_many_sizes(name: str, shape: tuple[int, ...]) -> None:
    assert build_network(name, shape, 7, 0).eval()(torch.zeros(2, *shape)).shape == (2, 7)


@pytest.mark.parametrize("length", [1, 7, 40, 41])
@pytest.mark.parametrize("name", ["cnn1d", "lstm", "mlp"])
def test_sequence_networks_take_any_length(name: str, length: int) -> None:
    assert build_network(name, (2, length), 3, 0)(torch.zeros(2, 2, length)).shape == (2, 3)


@pytest.mark.parametrize("name", ["cnn1d", "lstm", "mlp", "resnet", "vgg", "vit"])
def test_only_the_resnet_of_the_shipped_ones_has_batchnorm(name: str) -> None:
    module = build_network(name, (1, 40) if name == "cnn1d" else (1, 8, 8), 10, 0)
    having = any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in module.modules())
    assert having == (name == "resnet")


def test_the_shipped_networks_are_there() -> None:
    assert set(network_names()) >= {"cnn1d", "lstm", "mlp", "resnet", "vgg", "vit"}


@pytest.mark.parametrize(
    ("name", "shape", "classes", "message"),
    [
        ("cnn1d", (1, 8, 8), 10, "'cnn1d': expected sequence inputs, got image"),
        ("vgg", (1, 40), 10, "'vgg': expected image inputs, got sequence"),
        ("lstm", (2,), 2, "'lstm': expected sequence or image inputs, got vector"),
        ("mlp", (1, 2, 3, 4), 2, "4-dimensional"),
        ("resnet", (1, 4, 8), 10, "at least 8x8"),
        ("mlp", (2,), 1, "at least 2 classes, got 1"),
        ("mlp", (0,), 2, "positive input sizes"),
        ("mlp", (), 2, "positive input sizes"),
        ("torchvision/resnet18", (1, 40), 10, "expected image inputs"),
    ],
)
def test_what_does_not_fit_is_named(name: str, shape: tuple[int, ...], classes: int, message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_network(name, shape, classes)
    with pytest.raises(DataError, match=message):
        build_network(name, shape, classes, 0)


def test_perceptrons_have_so_many_layers_as_they_say() -> None:
    for name, layers in (("mlp1", 1), ("mlp", 2), ("mlp3", 3)):
        names = [key for key, _ in build_network(name, (4,), 3, 0).named_children()]
        assert names == [*(f"hidden{number + 1}" for number in range(layers)), "head"]


@pytest.mark.parametrize("name", ["alexnet9", "torchvision/nothing", "base", "torchvision"])
def test_unknown_networks(name: str) -> None:
    with pytest.raises(NotFoundError, match="unknown network"):
        build_network(name, (1, 8, 8), 10, 0)


@pytest.mark.parametrize("channels", [1, 3])
def test_torchvision_by_name(channels: int) -> None:
    before = torch.get_rng_state()
    module = build_network("torchvision/squeezenet1_1", (channels, 32, 32), 5, 0)
    assert torch.equal(torch.get_rng_state(), before)
    assert module.training
    assert module.eval()(torch.zeros(2, channels, 32, 32)).shape == (2, 5)


def test_torchvision_says_when_images_are_too_small() -> None:
    with pytest.raises(DataError, match="torchvision/squeezenet1_1"):
        build_network("torchvision/squeezenet1_1", (1, 8, 8), 5, 0)
