"""Copies of a network with other tensors in it, whose own are neither looked at nor copied."""

import copy
from collections.abc import Mapping

from torch import Tensor, nn


def copy_with(network: nn.Module, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Return a copy that holds ``tensors`` themselves under those names of parameters and buffers.

    What is tied stays tied: of several names of one tensor the first that is given counts. Whether a parameter wants
    gradients is as in ``network``.
    """
    memo: dict[int, Tensor] = {}
    for named in (network.named_parameters, network.named_buffers):
        for name, own in named(remove_duplicate=False):
            if name in tensors and id(own) not in memo:
                given = tensors[name].detach()
                memo[id(own)] = nn.Parameter(given, own.requires_grad) if isinstance(own, nn.Parameter) else given
    return copy.deepcopy(network, memo)


def emptied(network: nn.Module) -> nn.Module:
    """Return a copy whose parameters have no numbers yet, for a caller who points them elsewhere."""
    return copy_with(network, {name: own.detach().new_empty(0) for name, own in network.named_parameters()})
