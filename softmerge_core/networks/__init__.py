"""The small architectures the zoo is made of: one module each, defining ``NETWORK``; torchvision's by name.

A network's top-level children are its blocks, in forward order. Torch is loaded on first use.
"""

import pkgutil
from functools import cache
from typing import TYPE_CHECKING

from softmerge_core.networks.shapes import TORCHVISION, check_fit, kinds_of
from softmerge_core.registry import discover, lookup

if TYPE_CHECKING:
    from torch import nn

    from softmerge_core.networks.base import Network

__all__ = ["build_network", "check_fit", "check_network", "kinds_of", "network_names", "networks"]


@cache
def networks() -> "dict[str, Network]":
    """Every built-in network by its name."""
    return discover("softmerge_core.networks", "NETWORK")


def network_names() -> tuple[str, ...]:
    """The built-in networks' names: those of their modules. Loads no torch."""
    others = ("base", "shapes", "torchvision")
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name not in others))


def check_network(name: str, input_shape: tuple[int, ...], classes: int) -> None:
    """Raises NotFoundError or DataError when ``name`` cannot be built for these inputs. Loads no torch.

    Whether torchvision knows the name, and can take the size, shows when it is built.
    """
    if not name.startswith(TORCHVISION):
        lookup(dict.fromkeys(network_names()), name, "network")
    check_fit(name, input_shape, classes)


def build_network(name: str, input_shape: tuple[int, ...], classes: int, seed: int) -> "nn.Module":
    """A new network on the CPU, its weights drawn from ``seed``; global random state stays as it was.

    ``name``: one of ``network_names()``, or "torchvision/<name>" for any of torchvision's classifiers.
    Raises NotFoundError for an unknown name, DataError where the inputs do not fit.
    """
    import torch

    check_network(name, input_shape, classes)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        if name.startswith(TORCHVISION):
            from softmerge_core.networks.torchvision import build

            return build(name.removeprefix(TORCHVISION), input_shape, classes)
        return networks()[name].build(input_shape, classes)
