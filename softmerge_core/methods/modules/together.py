"""Several networks as one module."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Together(nn.Module):
    """Copies of ``networks``; the forward pass returns the log of their mean softmax, [N, classes]."""

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(copy.deepcopy(list(networks)))

    def forward(self, inputs: Tensor) -> Tensor:
        """Return log-probabilities [N, classes]; log_softmax leaves them unchanged, so they serve as logits too."""
        each = torch.stack([member(inputs).log_softmax(1) for member in self.members])
        return each.logsumexp(0).log_softmax(1)
