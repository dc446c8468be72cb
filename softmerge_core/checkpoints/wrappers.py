"""The names that wrappers of networks put before those of the layers, taken off again."""

from collections.abc import Mapping

from torch import Tensor

PREFIXES = (
    "module.",  # torch.nn.DataParallel, DistributedDataParallel, torch.optim.swa_utils.AveragedModel
    "_orig_mod.",  # torch.compile
    "model.",  # a LightningModule, as these usually call their network
)
COUNTER = "n_averaged"  # AveragedModel's own, beside the network


def unwrapped(state: Mapping[str, Tensor], own: Mapping[str, object] = {}) -> Mapping[str, Tensor]:
    """Return ``state`` without the prefixes that all its names have, but for those that names of a network have too.

    ``own``: that network's state.
    """
    while (prefix := _common(state)) and not any(name.startswith(prefix) for name in own):
        state = {name.removeprefix(prefix): value for name, value in state.items() if name != COUNTER}
    return state


def _common(state: Mapping[str, Tensor]) -> str:
    names = [name for name in state if name != COUNTER]
    return next((each for each in PREFIXES if names and all(name.startswith(each) for name in names)), "")
