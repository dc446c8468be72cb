"""What may look at single steps of gate training, between what is computed and the update, and change nothing."""

from typing import Any, NamedTuple, Protocol

from torch import Tensor

from softmerge_core.merging.draws import Draw


class Computed(NamedTuple):
    """What a step has computed before its update.

    ``logistic``: the noise [parts, K]; ``drawn``: the gates; ``outputs``: those of the merged network on the batch
    [N, classes], with ``targets``; ``task``, ``penalty``: the losses (nats); ``gradient`` [parts, K]: that of the
    task's loss in the mixing weights. The merged network is still the one of this step.
    """

    logistic: Tensor
    drawn: Draw
    outputs: Tensor
    targets: Tensor
    task: float
    penalty: float
    gradient: Tensor


class Watcher(Protocol):
    """Is told of each step whose loss is finite; ``training`` is the ``GateTraining``, which it must not change."""

    def computed(self, training: Any, seen: Computed) -> None:
        """See what the update will be made of; logits and moments are those before it."""

    def updated(self, training: Any) -> None:
        """See logits and moments after the update."""
