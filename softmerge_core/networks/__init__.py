"""The small architectures of the zoo, one file each with a constant ``NETWORK``; torchvision's go by name.

A reader's own are registered (``registration.py``) and stand beside them.
A network's top-level children are its blocks, in forward order. Torch is loaded when the first network is built.
"""

import importlib
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from softmerge_core.errors import DataError, NotFoundError, SoftMergeError
from softmerge_core.networks.base import Network
from softmerge_core.networks.registration import check_outputs, problems, register_network, registered
from softmerge_core.registry import declared, lookup

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "TORCHVISION",
    "Network",
    "build_network",
    "check_network",
    "find_network",
    "fits",
    "network_module",
    "network_names",
    "networks",
    "register_network",
    "registered",
]

TORCHVISION = "torchvision/"


def networks() -> dict[str, Network]:
    """Return every network by its name: the built-in ones, then those that the reader registered.

    In a server this loads no torch; elsewhere the reader's file of networks, if any, is run.
    """
    return {**_built_in(), **registered()}


@cache
def _built_in() -> dict[str, Network]:
    """Return every built-in network by its name, as its file declares it."""
    return {name: _light(module, row) for name, (module, row) in declared(__name__, "NETWORK").items()}


def _light(module: str, row: dict[str, Any]) -> Network:
    """Return a network whose file is imported when it is first built."""
    try:
        return Network(**row, build=partial(_build, module))
    except TypeError as error:
        raise SoftMergeError(f"{module}: NETWORK: expected name, title, takes and build ({error})") from error


def _build(module: str, input_shape: tuple[int, ...], classes: int) -> "nn.Module":
    network: Network = importlib.import_module(module).NETWORK
    return network.build(input_shape, classes)


def network_module(name: str) -> str:
    """Return the module that declares a built-in network, whose source builds it. Loads no torch."""
    return str(lookup(declared(__name__, "NETWORK"), name, "network")[0])


def network_names() -> tuple[str, ...]:
    """Return the names of ``networks``."""
    return tuple(networks())


def find_network(name: str) -> Network:
    """Return the network called ``name``, or "torchvision/<name>" for any of torchvision's classifiers. Loads no torch.

    Raises NotFoundError; whether torchvision knows a name, and can take a size, shows when it is built.
    """
    if name.startswith(TORCHVISION):
        return Network(name, name, {"image": 1}, partial(_build_torchvision, name.removeprefix(TORCHVISION)))
    found = networks()
    if name not in found and (wrong := problems()):
        raise NotFoundError(f"unknown network {name[:80]!r}; expected one of: {', '.join(found)}; {wrong[0]}")
    known: Network = lookup(found, name, "network")
    return known


def _build_torchvision(name: str, input_shape: tuple[int, ...], classes: int) -> "nn.Module":
    from softmerge_core.networks.torchvision import build

    return build(name, input_shape, classes)


def check_network(name: str, input_shape: tuple[int, ...], classes: int) -> None:
    """Raise NotFoundError or DataError when ``name`` cannot be built for these inputs. Loads no torch."""
    find_network(name).check_fit(input_shape, classes)


def fits(name: str, input_shape: tuple[int, ...], classes: int) -> bool:
    """Return whether the network called ``name`` can take such inputs. Loads no torch; raises NotFoundError."""
    network = find_network(name)
    try:
        network.check_fit(input_shape, classes)
    except DataError:
        return False
    return True


def build_network(name: str, input_shape: tuple[int, ...], classes: int, seed: int) -> "nn.Module":
    """Return a new network on the CPU, its weights drawn from ``seed``; global random state stays as it was.

    ``name``: as for ``find_network``. Raises NotFoundError for an unknown name, DataError where the inputs do not fit.
    """
    import torch

    network = find_network(name)
    network.check_fit(input_shape, classes)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        module = network.build(input_shape, classes)
    if network.where:
        check_outputs(network, module, input_shape, classes)
    return module
