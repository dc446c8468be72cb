"""Spoiled copies of a network, as a malicious or broken participant would send them; ``attacks`` says what is done."""

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from softmerge_core.attacks import Attack, find_attack
from softmerge_core.errors import SourceError
from softmerge_core.settings import AttackSettings, TrainSettings
from softmerge_core.training import train

if TYPE_CHECKING:
    from softmerge_core.data import Data

MAX_EPOCHS = 50  # of training on wrong labels


class Draws:
    """The random choices of one spoiled copy, from its seed."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def noise(self, value: Tensor) -> Tensor:
        """Gaussian noise with the tensor's own SD (1 where it has none)."""
        sd = value.std(correction=0) if value.numel() > 1 else torch.zeros((), dtype=value.dtype)
        sd = torch.where(sd > 0, sd, torch.ones_like(sd))
        return torch.randn(value.shape, generator=self._generator, dtype=value.dtype) * sd

    def replace_one(self, value: Tensor, by: float) -> Tensor:
        """``value`` with one entry, drawn at random, replaced."""
        spoiled = value.clone()
        spoiled.view(-1)[int(torch.randint(value.numel(), (1,), generator=self._generator))] = by
        return spoiled


def spoil(state: Mapping[str, Tensor], settings: AttackSettings) -> dict[str, Tensor]:
    """A spoiled copy of a state dict, for an attack on weights; ``state`` itself is left as it is.

    The same seed gives the same copy. Whole-number tensors and BatchNorm's running statistics stay: they are
    re-estimated after a merge, and a negative variance would hide the attack behind NaN.
    """
    attack, draws = find_attack(settings.kind), Draws(settings.seed)
    return {name: _spoiled(name, value, attack, settings.strength, draws) for name, value in state.items()}


def _spoiled(name: str, value: Tensor, attack: Attack, strength: float, draws: Draws) -> Tensor:
    value = value.detach().clone().contiguous()
    fixed = not value.is_floating_point() or value.numel() == 0 or name.endswith(("running_mean", "running_var"))
    return value if fixed or attack.weights is None else attack.weights(value, strength, draws)


def spoil_network(network: nn.Module, settings: AttackSettings, data: "Data | None") -> nn.Module:
    """A spoiled copy of a network, in evaluation mode; the network itself stays as it is.

    ``data``: what the network was trained on; an attack on weights alone can do without. Raises SourceError where
    an attack needs data and there are none, or a last layer of one row a class and there is none.
    """
    attack, spoiled = find_attack(settings.kind), copy.deepcopy(network)
    if attack.weights is not None:
        spoiled.load_state_dict(spoil(network.state_dict(), settings))
        return spoiled.eval()
    if data is None:
        raise SourceError(f"attack {attack.name!r} needs the data the network was trained on, and they are not known")
    if attack.labels is not None:
        _train_on(spoiled, attack.labels(data.train_labels, data.classes), settings, data)
    if attack.head is not None:
        _change_head(spoiled, attack, settings.strength, data.classes)
    return spoiled.eval()


def _train_on(network: nn.Module, labels: Tensor, settings: AttackSettings, data: "Data") -> None:
    epochs = max(1, min(MAX_EPOCHS, round(settings.strength)))
    how = TrainSettings(epochs=epochs, learning_rate=0.01, batch_size=100, seed=settings.seed)
    train(network, data.train_inputs, labels, how, classes=data.classes)


@torch.no_grad()
def _change_head(network: nn.Module, attack: Attack, strength: float, classes: int) -> None:
    heads = [module for module in network.modules() if isinstance(module, nn.Linear) and module.out_features == classes]
    if not heads or attack.head is None:
        raise SourceError(f"expected a last linear layer of {classes} outputs to turn around, found none")
    for parameter in heads[-1].parameters():
        parameter.copy_(attack.head(parameter, strength))
