"""The switch in front of every method: each source's channels are permuted to match the best source's. Loads torch."""

from collections.abc import Sequence

from torch import nn

from softmerge_core.alignment import align
from softmerge_core.alignment.settings import How
from softmerge_core.checks import non_finite_tensor
from softmerge_core.data import Data
from softmerge_core.evaluation import best_source


def align_to_best(modules: Sequence[nn.Module], data: Data, how: How) -> Sequence[nn.Module]:
    """Return copies of ``modules`` that compute the same, their channels matched to the best one's.

    With "none" the modules themselves are returned. A source with NaN or Inf in it matches nothing and stays as it is.
    """
    if how == "none":
        return modules
    result = list(modules)
    sound = [index for index, module in enumerate(modules) if non_finite_tensor(module) is None]
    if len(sound) < 2:
        return result
    finite = [modules[index] for index in sound]
    matched = align(finite, data.train_inputs, how=how, reference=best_source(finite, *data.split("validation")))
    for index, module in zip(sound, matched, strict=True):
        result[index] = module
    return result
