import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from softmerge_core.data import datasets, load_dataset
from softmerge_core.errors import DataError, NotFoundError
from softmerge_core.networks import build_network, check_network, kinds_of, network_names, networks
from softmerge_core.networks.shapes import KIND_OF_RANK, TAKES

FITS = [
    (network, name)
    for network in network_names()
    for name, data in datasets().items()
    if KIND_OF_RANK[len(data.input_shape)] in kinds_of(network)
]


def test_names_titles_and_kinds_agree() -> None:
    assert tuple(networks()) == network_names() == ("cnn1d", "lstm", "mlp", "resnet", "vgg", "vit")
    assert {name: network.kinds for name, network in networks().items()} == TAKES
    assert all(network.title for network in networks().values())


@pytest.mark.parametrize(("network", "dataset"), FITS)
def test_every_network_learns_on_every_data_set_it_fits(network: str, dataset: str) -> None:
    data = load_dataset(dataset)
    inputs, labels = data.train_inputs[:64], data.train_labels[:64]
    module = build_network(network, data.input_shape, data.classes, seed=1)
    optimiser = torch.optim.Adam(module.parameters(), lr=0.003)
    logits = module(inputs)
    assert logits.shape == (64, data.classes)
    first = cross_entropy(logits, labels)
    first.backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in module.parameters() if p.dim() > 1)
    optimiser.step()
    assert cross_entropy(module(inputs), labels) < first


@pytest.mark.parametrize("name", network_names())
def test_the_seed_decides_the_weights_and_global_randomness_is_untouched(name: str) -> None:
    shape = {"cnn1d": (1, 40)}.get(name, (1, 8, 8))
    before = torch.get_rng_state()
    states = [build_network(name, shape, 10, seed).state_dict() for seed in (0, 0, 1)]
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert any(not torch.equal(states[0][key], states[2][key]) for key in states[0])


@pytest.mark.parametrize("name", network_names())
def test_top_level_children_are_the_blocks_in_forward_order(name: str) -> None:
    shape = (1, 40) if name == "cnn1d" else (1, 8, 8)
    module = build_network(name, shape, 10, 0).eval()
    order: list[str] = []
    for child, block in module.named_children():
        block.register_forward_hook(lambda *_, child=child: order.append(child))
    module(torch.zeros(2, *shape))
    assert order == [child for child, _ in module.named_children()]
    assert order[-1] == "head"
    assert sum(p.numel() for p in module.parameters()) < 50_000


@pytest.mark.parametrize("name", ["vgg", "resnet", "vit"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 16, 16), (3, 32, 24), (2, 9, 13)])
def test_image_networks_take_images_of_many_sizes(name: str, shape: tuple[int, ...]) -> None:
    assert build_network(name, shape, 7, 0).eval()(torch.zeros(2, *shape)).shape == (2, 7)


@pytest.mark.parametrize("length", [1, 7, 40, 41])
@pytest.mark.parametrize("name", ["cnn1d", "lstm", "mlp"])
def test_sequence_networks_take_any_length(name: str, length: int) -> None:
    assert build_network(name, (2, length), 3, 0)(torch.zeros(2, 2, length)).shape == (2, 3)


def test_only_the_resnet_has_batchnorm() -> None:
    having = {
        name
        for name in network_names()
        if any(isinstance(m, nn.BatchNorm2d) for m in build_network(name, _shape(name), 10, 0).modules())
    }
    assert having == {"resnet"}


def _shape(name: str) -> tuple[int, ...]:
    return (1, 40) if name == "cnn1d" else (1, 8, 8)


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


@pytest.mark.parametrize("name", ["alexnet9", "torchvision/nothing", "base", "shapes"])
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


def test_checking_loads_no_torch() -> None:
    code = (
        "import sys; from softmerge_core.networks import check_network, network_names;"
        "check_network(network_names()[0], (1, 40), 10); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
