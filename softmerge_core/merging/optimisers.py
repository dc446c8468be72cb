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


class StackedOptimiser:
    """The updates of S ``optimisers`` of one kind, each at its own rates; ``tables`` [S, ...] change in place."""

    def __init__(self, optimisers: Sequence[GateOptimiser], tables: Sequence[Tensor]) -> None:
        self.kind, self.tables = optimisers[0].kind, list(tables)
        self.count = torch.tensor([each.count for each in optimisers], dtype=torch.float64)
        self.rates = torch.tensor([each.rates for each in optimisers], dtype=torch.float64)  # [S, tables]
        self.first = [torch.stack(column) for column in zip(*(each.first for each in optimisers), strict=True)]
        self.second = [torch.stack(column) for column in zip(*(each.second for each in optimisers), strict=True)]

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor], largest: float, taken: Tensor) -> None:
        """Take the step of those that are ``taken`` [S], as ``GateOptimiser.step`` takes it; the others stay."""
        state = [*self.tables, *self.first, *self.second]
        before = [] if taken.all() else [tensor[~taken] for tensor in state]
        self.count += taken
        for number, gradient in enumerate(gradients):
            norm = torch.linalg.vector_norm(gradient.flatten(1), dim=1).view(-1, 1, 1)
            self._update(number, torch.where(norm > largest, gradient * (largest / norm), gradient))
        for tensor, old in zip(state, before, strict=False):
            tensor[~taken] = old

    def _update(self, number: int, gradient: Tensor) -> None:
        table, rate = self.tables[number], self.rates[:, number]
        if self.kind == "sgd":
            table.sub_(_column(rate, table) * gradient)
            return
        first, second, count = self.first[number], self.second[number], self.count.clamp_min(1)
        first.lerp_(gradient, 1 - BETA1)
        second.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
        size = second.sqrt().div_(_column((1 - BETA2**count).sqrt(), table)).add_(EPSILON)
        table.sub_(first / size * _column(rate / (1 - BETA1**count), table))

    def state(self, number: int) -> dict[str, Any]:
        """Return the state of one, as ``GateOptimiser.state`` does."""
        own = {name: [table[number].clone() for table in getattr(self, name)] for name in ("first", "second")}
        return {"count": int(self.count[number]), **own}


def _column(numbers: Tensor, like: Tensor) -> Tensor:
    return numbers.to(like.dtype).view(-1, 1, 1)
