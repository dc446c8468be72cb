"""One noisy draw of all gates and its gradient in closed form: autograd over such small tables costs more than they do.

``SourceGates.sampled_weights`` and ``open_sources`` are the same with autograd; the tests hold both against each other.
"""

from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from softmerge_core.gates import SourceGates

FLOOR = 1e-12  # of the sum of the gates of a part


class Tables(Protocol):
    """What is drawn from: ``SourceGates``, or the gates of many trainings, whose tables are [S, parts, K]."""

    log_alpha: Any
    log_scale: Any
    temperature: Any
    stretch: tuple[float, float]
    normalise: bool
    reach: float

    def scale(self) -> Tensor:
        """Return the factor of each part."""
        ...

    def probability_open(self) -> Tensor:
        """Return P(z != 0) of every gate."""
        ...


@dataclass(frozen=True)
class Draw:
    """The mixing weights [parts, K] of one draw, and what their gradient needs; of S trainings all are [S, parts, ...].

    ``shares`` are the weights before each part's ``scale`` [parts, 1], None if it is not trained; ``slope`` [parts, K]
    is the derivative of each gate in its logit; ``total`` [parts, 1] is the sum of a part's gates, and ``closed``
    [parts, 1] tells where it is 0.
    """

    weights: Tensor
    shares: Tensor
    scale: Tensor | None
    slope: Tensor
    total: Tensor
    closed: Tensor


def noise(gates: SourceGates, draws: int) -> Tensor:
    """Return the logistic noise [draws, parts, K] of so many draws, from the generator of ``gates``."""
    table = gates.log_alpha
    uniform = torch.empty((draws, *table.shape), dtype=table.dtype).uniform_(generator=gates.generator)
    tiny = torch.finfo(uniform.dtype).eps
    return uniform.clamp_(tiny, 1 - tiny).logit_()


@torch.no_grad()
def draw(gates: Tables, logistic: Tensor) -> Draw:
    """Return the draw for logistic noise [parts, K] (hard concrete: arXiv 1712.01312, equations 10 and 11)."""
    low, high = gates.stretch
    concrete = torch.sigmoid((logistic + gates.log_alpha) / gates.temperature)
    stretched = concrete * (high - low) + low
    value = stretched.clamp(0.0, 1.0)
    slope = concrete * (1 - concrete) * ((high - low) / gates.temperature)
    slope.masked_fill_(value != stretched, 0.0)
    total = value.sum(-1, keepdim=True)
    closed = total == 0
    shares = value
    if gates.normalise:
        shares = value / total.clamp_min(FLOOR)
        if closed.any():  # such a draw still has to be a network: mix by the logits
            shares = torch.where(closed, gates.log_alpha.softmax(-1), shares)
    if not gates.log_scale.requires_grad:
        return Draw(shares, shares, None, slope, total, closed)
    scale = gates.scale()
    return Draw(shares * scale, shares, scale, slope, total, closed)


def gradients(gates: SourceGates, drawn: Draw, weight_gradient: Tensor, penalty: float) -> tuple[float, list[Tensor]]:
    """Return the penalty (nats), and the gradients of the loss in the logits [parts, K] and, if trained, in log scales.

    ``weight_gradient`` [parts, K] is that of the task's loss in ``drawn.weights``; ``penalty`` is the price of an open
    gate.
    """
    count, found = counts_and_gradients(gates, drawn, weight_gradient, penalty)
    return float(count) * (penalty / len(gates.log_alpha)), found


def counts_and_gradients(
    gates: Tables, drawn: Draw, weight_gradient: Tensor, penalty: float | Tensor
) -> tuple[Tensor, list[Tensor]]:
    """Return how many open gates are paid for, summed over the parts, [] or [S], and the gradients as ``gradients``."""
    count, by_task, by_price, found = parted_gradients(gates, drawn, weight_gradient, penalty)
    return count, [by_task + by_price, *found]


@torch.no_grad()
def parted_gradients(
    gates: Tables, drawn: Draw, weight_gradient: Tensor, penalty: float | Tensor
) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
    """The same with the gradient in the logits in two parts, that of the task's loss and that of the penalty.

    Returns (count, by task [parts, K], by penalty [parts, K], of scales if they are trained).
    """
    by_share, found = weight_gradient, []
    if drawn.scale is not None:
        by_share = weight_gradient * drawn.scale
        free = gates.log_scale.abs() <= gates.reach
        found = [(by_share * drawn.shares).sum(-1, keepdim=True) * free]
    if gates.normalise:
        centred = by_share - (by_share * drawn.shares).sum(-1, keepdim=True)
        by_logit = centred / drawn.total.clamp_min(FLOOR) * drawn.slope
        if drawn.closed.any():
            by_logit = torch.where(drawn.closed, centred * drawn.shares, by_logit)
    else:
        by_logit = by_share * drawn.slope
    count, by_price = _price(gates, penalty)
    return count, by_logit, by_price, found


def _price(gates: Tables, penalty: float | Tensor) -> tuple[Tensor, Tensor]:
    """How many open gates are paid for, and the gradient of the penalty in the logits."""
    probability = gates.probability_open()
    count = probability.sum(-1, keepdim=True)
    each = penalty / probability.shape[-2]
    by_logit = probability * (1 - probability) * each
    if gates.normalise:
        by_logit.masked_fill_(count < 1, 0.0)
        count = (count - 1).clamp_min(0)
    return count.sum((-2, -1)), by_logit
