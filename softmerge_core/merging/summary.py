"""Gates of thousands of channels in as many rows as there are layers, for reports of a merge while it runs."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from softmerge_core.anatomy import Partition
from softmerge_core.gates import SourceGates

MOST = 2**14  # gates that are reported one by one: of more a report would take longer to write and read than a step


class Summary(NamedTuple):
    """Tables [layers, K]: means of P(open), z and the share in the weights; numbers of gates at z = 0 and z = 1."""

    probability: Tensor
    value: Tensor
    share: Tensor
    closed: Tensor
    opened: Tensor


def is_large(parts: Partition, sources: int) -> bool:
    """Whether the gates of these parts are so many that only their layers are reported."""
    return parts.granularity == "channel" and len(parts.names) * sources > MOST


def layer_sizes(groups: Sequence[str]) -> dict[str, int]:
    """Each layer with the number of its parts, in the order of the network."""
    sizes = dict.fromkeys(groups, 0)
    for name in groups:
        sizes[name] += 1
    return sizes


@torch.no_grad()
def summary(gates: SourceGates, parts: Partition) -> Summary:
    """Return the gates [parts, K] layer by layer."""
    return summed(parts.groups, gates.probability_open(), gates.values(), gates.shares())


def summed(groups: Sequence[str], probability: Tensor, value: Tensor, share: Tensor) -> Summary:
    """Return tables [parts, K] layer by layer; ``groups`` names the layer of each part."""
    sizes = layer_sizes(groups)
    places = {name: place for place, name in enumerate(sizes)}
    index = torch.tensor([places[name] for name in groups])
    counts = torch.tensor(list(sizes.values()), dtype=torch.float64).unsqueeze(1)

    def total(table: Tensor) -> Tensor:
        return torch.zeros(len(sizes), table.shape[1], dtype=torch.float64).index_add_(0, index, table.double())

    exact = total(value == 0).long(), total(value == 1).long()
    return Summary(total(probability) / counts, total(value) / counts, total(share) / counts, *exact)
