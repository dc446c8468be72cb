"""Torchvision's classifiers by name, with random weights and the number of input channels that the data have."""

from math import prod

import torch
from torch import nn

from softmerge_core.errors import DataError, NotFoundError


def build(name: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return torchvision.models.<name> for images of ``input_shape``; raises NotFoundError or DataError."""
    from torchvision import models

    known = models.list_models(module=models)
    if name not in known:
        raise NotFoundError(f"unknown network 'torchvision/{name}'; expected one of: {', '.join(known)}")
    extra = {"aux_logits": False, "init_weights": True} if name in ("googlenet", "inception_v3") else {}
    sized = {"image_size": input_shape[1]} if name.startswith("vit_") else {}
    try:
        network: nn.Module = models.get_model(name, weights=None, num_classes=classes, **extra, **sized)
        _fit_channels(network, input_shape[0])
        with torch.no_grad():
            network.eval()(torch.zeros(1, *input_shape))
    except (RuntimeError, ValueError, AssertionError) as error:
        raise DataError(f"network 'torchvision/{name}' cannot take images {input_shape}: {error}") from error
    return network.train()


def _fit_channels(network: nn.Module, channels: int) -> None:
    """Replace the first convolution by one that reads ``channels`` channels, drawn at the same scale."""
    path, first = next((p, m) for p, m in network.named_modules() if isinstance(m, nn.Conv2d))
    if first.in_channels == channels:
        return
    settings = {key: getattr(first, key) for key in ("stride", "padding", "dilation")}
    fresh = nn.Conv2d(channels, first.out_channels, first.kernel_size, bias=first.bias is not None, **settings)  # type: ignore[arg-type]
    nn.init.normal_(fresh.weight, std=(2 / prod((first.out_channels, *first.kernel_size))) ** 0.5)
    parent, _, child = path.rpartition(".")
    network.get_submodule(parent).register_module(child, fresh)
