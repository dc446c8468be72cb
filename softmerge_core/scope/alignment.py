"""Trained networks brought into one weight scope: a few more epochs, each pulled toward what they have in common."""

import copy
from collections.abc import Callable, Sequence

from torch import Tensor, nn

from softmerge_core.scope.measure import Direction, Fusion, Scope, ScopePenalty, fuse, scope_of
from softmerge_core.settings import TrainSettings
from softmerge_core.training import train


def into_one_scope(
    sources: Sequence[nn.Module],
    inputs: Tensor,
    labels: Tensor,
    settings: TrainSettings,
    *,
    weight: float = 1.0,
    direction: Direction = "forward",
    fusion: Fusion = "mean",
    target: Scope | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[nn.Module]:
    """Copies of ``sources`` trained on as ``settings`` say, with the KL penalty toward ``target``.

    ``inputs`` [N, ...], ``labels`` [N] int64; without a ``target`` it is the sources' own scopes, fused. The stage of
    multi-stage fusion between two merges (arXiv 2408.12237). The sources themselves are left as they are.
    """
    penalty = ScopePenalty(target or fuse([scope_of(source) for source in sources], how=fusion), weight, direction)
    result = [copy.deepcopy(source) for source in sources]
    for network in result:
        train(network, inputs, labels, settings, penalty=penalty, should_stop=should_stop)
    return result
