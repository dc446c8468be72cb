"""The switch in front of every method: each source's channels permuted to match the best source's."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from softmerge_core.alignment.settings import How

if TYPE_CHECKING:
    from torch import nn

    from softmerge_core.data import Data


def best_of(modules: "Sequence[nn.Module]", data: "Data") -> int:
    """The position of the source with the lowest validation loss."""
    from softmerge_core.evaluation import evaluate

    return min(range(len(modules)), key=lambda index: evaluate(modules[index], *data.split("validation"))[1])


def align_to_best(modules: "Sequence[nn.Module]", data: "Data", how: How) -> "list[nn.Module]":
    """Copies of ``modules`` that compute the same, channels matched to the best one's; with "none" themselves.

    A source with NaN or Inf in it matches nothing and stays as it is.
    """
    from softmerge_core.checks import non_finite_tensor

    result = list(modules)
    sound = [index for index, module in enumerate(modules) if non_finite_tensor(module) is None]
    if how == "none" or len(sound) < 2:
        return result
    from softmerge_core.alignment import align

    finite = [modules[index] for index in sound]
    matched = align(finite, data.train_inputs, how=how, reference=best_of(finite, data))
    for index, module in zip(sound, matched, strict=True):
        result[index] = module
    return result
