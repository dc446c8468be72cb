"""Torchvision's classifiers by name, with random weights and the number of input channels that the data have.

"<name>-cifar" is the one called <name> with the stem that is usual for images of 32 x 32: a 3 x 3 convolution without a
stride and no pooling (He et al. 2015, arXiv 1512.03385, section 4.2), for the networks of torchvision's ResNet class.
"""

from math import prod
from typing import Any

import torch
from torch import nn

from softmerge_core.errors import DataError, NotFoundError

CIFAR = "-cifar"
WITH_STEM = ("resnet", "resnext", "wide_resnet")
CLASSES = 1000  # that torchvision's own counts of parameters are for
AUXILIARY = ("googlenet", "inception_v3")  # they have further heads, for training only, that are left out


def build(name: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return torchvision.models.<name> for images of ``input_shape``; raises NotFoundError or DataError."""
    try:
        network = construct(name, input_shape, classes)
        with torch.no_grad():
            network.eval()(torch.zeros(1, *input_shape))
    except (RuntimeError, ValueError, AssertionError) as error:
        raise DataError(f"network 'torchvision/{name}' cannot take images {input_shape}: {error}") from error
    return network.train()


def construct(name: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return the same network, without trying whether it can take such images."""
    from torchvision import models

    known, plain = models.list_models(module=models), name.removesuffix(CIFAR)
    if plain not in known or (plain != name and not has_stem(plain)):
        raise NotFoundError(f"unknown network 'torchvision/{name}'; expected one of: {', '.join(known)}")
    network: nn.Module = models.get_model(plain, **options(plain, input_shape, classes))
    if plain != name:
        _take_small_images(network)
    _fit_channels(network, input_shape[0])
    return network


def options(plain: str, input_shape: tuple[int, ...], classes: int) -> dict[str, Any]:
    """Return what torchvision's own constructor of the network called ``plain`` is asked for."""
    sized = {"image_size": input_shape[1]} if plain.startswith("vit_") else {}
    extra = {"aux_logits": False, "init_weights": True} if plain in AUXILIARY else {}
    return {"weights": None, "num_classes": classes, **extra, **sized}


def first_convolution(network: nn.Module) -> tuple[str, nn.Conv2d]:
    """Return the path and the module of the convolution that reads the images."""
    return next((path, module) for path, module in network.named_modules() if isinstance(module, nn.Conv2d))


def has_stem(name: str) -> bool:
    """Whether the network called ``name`` begins as a ResNet does, so that there is a "<name>-cifar" too."""
    return name.startswith(WITH_STEM)


def parameter_counts(rows: int, columns: int) -> dict[str, int]:
    """Return how many parameters each network has with a last layer of so many ``rows`` (classes) and ``columns``.

    It is right for networks whose last layer has so many columns, and for the others it is far off.
    """
    from torchvision import models

    names = models.list_models(module=models)
    counts = {name: next(iter(models.get_model_weights(name))).meta["num_params"] for name in names}
    return {name: count + (rows - CLASSES) * (columns + 1) for name, count in counts.items()}


def _take_small_images(network: nn.Module) -> None:
    width = network.conv1.out_channels  # type: ignore[union-attr]
    network.conv1 = nn.Conv2d(3, width, 3, padding=1, bias=False)  # type: ignore[arg-type]
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.maxpool = nn.Identity()


def _fit_channels(network: nn.Module, channels: int) -> None:
    """Replace the first convolution by one that reads ``channels`` channels, drawn at the same scale."""
    path, first = first_convolution(network)
    if first.in_channels == channels:
        return
    settings = {key: getattr(first, key) for key in ("stride", "padding", "dilation")}
    fresh = nn.Conv2d(channels, first.out_channels, first.kernel_size, bias=first.bias is not None, **settings)  # type: ignore[arg-type]
    nn.init.normal_(fresh.weight, std=(2 / prod((first.out_channels, *first.kernel_size))) ** 0.5)
    parent, _, child = path.rpartition(".")
    network.get_submodule(parent).register_module(child, fresh)
