"""Torchvision's networks with random weights, as several benchmarks take them."""

import torch
import torchvision  # type: ignore[import-untyped]
from torch import nn

SHAPE = (3, 32, 32)


def network(name: str, seed: int = 0) -> nn.Module:
    """Return one of torchvision's networks for ten classes; VGG without its large hidden layers."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        found: nn.Module = torchvision.models.get_model(name, num_classes=10)
        if isinstance(found, torchvision.models.VGG):
            return nn.Sequential(found.features, nn.Flatten(), nn.Linear(512, 10)).eval()
        return found.eval()


def cifar_resnet18(seed: int = 0) -> nn.Module:
    """Return a ResNet-18 for ten classes with a stem for small images."""
    result = network("resnet18", seed)
    result.conv1, result.maxpool = nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.Identity()
    generator = torch.Generator().manual_seed(seed)
    nn.init.kaiming_normal_(result.conv1.weight, mode="fan_out", nonlinearity="relu", generator=generator)
    return result
