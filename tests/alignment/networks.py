"""Networks to align: all of the zoo, some of torchvision's, and small ones with every kind of layer."""

import copy
from collections.abc import Iterable
from functools import cache

import torch
from torch import Tensor, nn
from torchvision.models import vgg

from softmerge_core.alignment.symmetry.groups import permutation_groups
from softmerge_core.alignment.symmetry.parts import Group
from softmerge_core.networks import build_network
from tests.networks_for_tests import NETWORKS

ZOO = {
    "mlp": (12,),
    "cnn1d": (1, 40),
    "vgg": (1, 8, 8),
    "resnet": (1, 8, 8),
    "vit": (1, 8, 8),
    "lstm": (1, 40),
}
TORCHVISION = {
    f"torchvision/{name}": (3, 32, 32)
    for name in ("resnet18", "resnet50", "vgg11_bn", "mobilenet_v2", "squeezenet1_1", "shufflenet_v2_x0_5", "googlenet")
}
SMALL = {f"small/{name}": (12,) for name in NETWORKS}
ALL = {**ZOO, **TORCHVISION, **SMALL}


@cache
def shared(name: str) -> nn.Module:
    """Return a network that no test may change."""
    if name.startswith("small/"):
        torch.manual_seed(0)
        return lively(NETWORKS[name.removeprefix("small/")](), ALL[name])
    if name == "torchvision/vgg11_bn":
        return lively(slim_vgg(5), ALL[name])
    return lively(build_network(name, ALL[name], 5, seed=0), ALL[name])


def slim_vgg(classes: int) -> nn.Module:
    """VGG-11 with hidden layers of 64 units instead of 4,096 in its classifier, which would take a gigabyte here."""
    torch.manual_seed(0)
    with torch.device("meta"):
        network = vgg.vgg11_bn(num_classes=classes)
    network.features = vgg.make_layers(vgg.cfgs["A"], batch_norm=True)
    for place, (reads, gives) in {0: (512 * 49, 64), 3: (64, 64), 6: (64, classes)}.items():
        network.classifier[place] = nn.Linear(reads, gives)
    return network


@cache
def groups_of(name: str) -> tuple[Group, ...]:
    """Return the groups of a network, which are found once."""
    return permutation_groups(shared(name))


def random_permutations(groups: Iterable[Group], generator: torch.Generator) -> dict[str, Tensor]:
    """A random permutation for each group, by the group's name."""
    return {group.name: torch.randperm(group.size, generator=generator) for group in groups}


def inputs_of(name: str, count: int = 6) -> Tensor:
    """Return inputs that a network reads."""
    return torch.randn(count, *ALL[name], generator=torch.Generator().manual_seed(0))


def build(name: str, dtype: torch.dtype = torch.float32) -> tuple[nn.Module, Tensor]:
    """Return a new copy of a network in evaluation mode, and six inputs that it reads."""
    return copy.deepcopy(shared(name)).to(dtype), inputs_of(name).to(dtype)


@torch.no_grad()
def lively(network: nn.Module, shape: tuple[int, ...]) -> nn.Module:
    """Give every parameter and statistic its own values, so that a misplaced unit shows in the outputs."""
    generator = torch.Generator().manual_seed(1)
    for parameter in network.parameters():
        spread = parameter.abs().mean() if parameter.numel() > 1 else 0.0
        parameter.add_(0.3 * spread * torch.randn(parameter.shape, generator=generator))
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = 1.0
    network.train()
    network(torch.randn(16, *shape, generator=generator))
    for name, buffer in network.named_buffers():
        if name.endswith(("running_mean", "running_var")):
            buffer.mul_(1 + 0.2 * torch.rand(buffer.shape, generator=generator))
    return network.eval()
