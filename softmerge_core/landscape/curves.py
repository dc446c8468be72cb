"""Curves of low loss between two networks: quadratic Bezier curves whose middle point is trained.

Garipov, Izmailov, Podoprikhin, Vetrov, Wilson 2018 (arXiv 1802.10026, section 3).
"""

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional


def bezier_points(first: Tensor, middle: Tensor, last: Tensor, ts: Sequence[float]) -> Tensor:
    """Return points [T, P] of ``(1 - t)^2 first + 2 t (1 - t) middle + t^2 last``; all three are [P]."""
    return torch.stack([_point(first, middle, last, t) for t in ts])


def _point(first: Tensor, middle: Tensor, last: Tensor, t: float) -> Tensor:
    return (1 - t) ** 2 * first + 2 * t * (1 - t) * middle + t**2 * last


class CurveTraining:
    """The training of a curve's ``middle`` [P] between two fixed ends [P], by Adam on the loss at random t.

    ``network`` has the ends' architecture and is not changed; ``inputs`` [N, ...] and ``labels`` [N] are the training
    data. The middle starts halfway between the ends, where the curve is the straight line.
    """

    def __init__(
        self,
        network: nn.Module,
        first: Tensor,
        last: Tensor,
        inputs: Tensor,
        labels: Tensor,
        *,
        learning_rate: float = 0.01,
        batch_size: int = 128,
        steps: int = 600,
        seed: int = 0,
    ) -> None:
        self.network = copy.deepcopy(network).train()
        for module in self.network.modules():
            if isinstance(module, nn.modules.dropout._DropoutNd):
                module.eval()  # dropout would draw from global random state
        self.first, self.last = first, last
        self.inputs, self.labels, self.batch_size = inputs, labels, min(batch_size, len(labels))
        self.middle = ((first + last) / 2).requires_grad_(True)
        self.generator = torch.Generator().manual_seed(seed)
        self.optimiser = torch.optim.Adam([self.middle], lr=learning_rate)
        self.rate = torch.optim.lr_scheduler.CosineAnnealingLR(self.optimiser, T_max=steps)

    def step(self) -> float:
        """Take one step at one t ~ U(0, 1) on one batch, and return the loss (nats) there.

        Nothing moves if the loss is not finite.
        """
        t = float(torch.rand((), generator=self.generator))
        chosen = torch.randint(len(self.labels), (self.batch_size,), generator=self.generator)
        weights = _point(self.first, self.middle, self.last, t)
        outputs = functional_call(self.network, self._state(weights), (self.inputs[chosen],))
        loss = functional.cross_entropy(outputs, self.labels[chosen])
        value = float(loss.detach())
        if math.isfinite(value):
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.rate.step()
        return value

    def _state(self, weights: Tensor) -> dict[str, Tensor]:
        named = dict(self.network.named_parameters())
        parts = weights.split([parameter.numel() for parameter in named.values()])
        return {name: part.view(named[name].shape) for name, part in zip(named, parts, strict=True)}

    def points(self, ts: Sequence[float]) -> Tensor:
        """Return points [T, P] of the present curve."""
        return bezier_points(self.first, self.middle.detach(), self.last, ts)
