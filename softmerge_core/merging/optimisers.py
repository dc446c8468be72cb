"""The steps of gate training: Adam and SGD on two small tables, without the bookkeeping of torch's optimisers.

That bookkeeping takes longer than a step itself; the tests hold the updates against torch's.
"""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # of Adam (arXiv 1412.6980)


class GateOptimiser:
    """Updates ``tables`` in place by Adam, or by plain SGD, with a learning rate for each."""

    def __init__(self, kind: str, tables: Sequence[Tensor], rates: Sequence[float]) -> None:
        self.kind, self.tables, self.rates, self.count = kind, list(tables), list(rates), 0
        self.first = [torch.zeros_like(table) for table in tables]
        self.second = [torch.zeros_like(table) for table in tables]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], largest: float) -> None:
        """Take one step; a gradient whose norm is over ``largest`` is made as long as that first."""
        self.count += 1
        for number, gradient in enumerate(gradients):
            norm = float(torch.linalg.vector_norm(gradient))
            self._update(number, gradient * (largest / norm) if norm > largest else gradient)

    def _update(self, number: int, gradient: Tensor) -> None:
        table, rate = self.tables[number], self.rates[number]
        if self.kind == "sgd":
            table.sub_(gradient, alpha=rate)
            return
        first, second = self.first[number], self.second[number]
        first.lerp_(gradient, 1 - BETA1)
        second.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
        size = second.sqrt().div_(math.sqrt(1 - BETA2**self.count)).add_(EPSILON)
        table.addcdiv_(first, size, value=-rate / (1 - BETA1**self.count))

    def state(self) -> dict[str, Any]:
        """Return copies of the moments, and how many steps were taken."""
        return {
            "count": self.count,
            "first": [moment.clone() for moment in self.first],
            "second": [moment.clone() for moment in self.second],
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from ``state``, as ``state()`` returned it."""
        self.count = state["count"]
        for mine, theirs in ((self.first, state["first"]), (self.second, state["second"])):
            for moment, saved in zip(mine, theirs, strict=True):
                moment.copy_(saved)
