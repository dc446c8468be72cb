"""Spoiled copies of a source, as a malicious or broken participant would send them."""

import copy
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from softmerge_core.errors import SourceError
from softmerge_core.settings import AttackSettings, TrainSettings
from softmerge_core.training import train

if TYPE_CHECKING:
    from softmerge_core.data import Data

Attack = Callable[[Tensor, float, torch.Generator], Tensor]
MAX_EPOCHS = 50  # of training on flipped labels


def _noise(value: Tensor, generator: torch.Generator) -> Tensor:
    """Gaussian noise with the tensor's own SD (1 where it has none)."""
    sd = value.std(correction=0) if value.numel() > 1 else torch.zeros((), dtype=value.dtype)
    sd = torch.where(sd > 0, sd, torch.ones_like(sd))
    return torch.randn(value.shape, generator=generator, dtype=value.dtype) * sd


def _replace_one(value: Tensor, generator: torch.Generator, by: float) -> Tensor:
    """``value`` with one entry, drawn at random, replaced."""
    spoiled = value.clone()
    spoiled.view(-1)[int(torch.randint(value.numel(), (1,), generator=generator))] = by
    return spoiled


ATTACKS: dict[str, Attack] = {
    "extreme": lambda value, strength, generator: strength * (value + _noise(value, generator)),
    "noise": lambda value, strength, generator: value + strength * _noise(value, generator),
    "sign_flip": lambda value, strength, generator: -value,
    "nan": lambda value, strength, generator: _replace_one(value, generator, float("nan")),
    "inf": lambda value, strength, generator: _replace_one(value, generator, float("inf")),
}


def spoil(state: Mapping[str, Tensor], settings: AttackSettings) -> dict[str, Tensor]:
    """A spoiled copy of a state dict, the same for the same seed; ``state`` itself is left as it is.

    extreme: strength * (w + noise); noise: w + strength * noise; sign_flip: -w; nan, inf: one entry of each
    tensor. Noise has each tensor's own SD. Whole-number tensors and BatchNorm's running statistics stay: they
    are re-estimated after a merge, and a negative variance would hide the attack behind NaN.
    """
    generator = torch.Generator().manual_seed(settings.seed)
    attack = ATTACKS[settings.kind]
    return {name: _spoiled(name, value, attack, settings, generator) for name, value in state.items()}


def _spoiled(name: str, value: Tensor, attack: Attack, settings: AttackSettings, generator: torch.Generator) -> Tensor:
    value = value.detach().clone().contiguous()
    if not value.is_floating_point() or value.numel() == 0 or name.endswith(("running_mean", "running_var")):
        return value
    return attack(value, settings.strength, generator)


def spoil_network(network: nn.Module, settings: AttackSettings, data: "Data") -> nn.Module:
    """A spoiled copy of a network that tells the classes of ``data`` apart; the network itself stays as it is.

    Beside the attacks on weights (see ``spoil``): label_flip trains it on, for ``strength`` epochs, with label y read
    as classes - 1 - y; confident multiplies the last layer by ``strength`` and gives each class the next one's
    answer. Raises SourceError for a network without a last layer of one row a class.
    """
    spoiled = copy.deepcopy(network)
    if settings.kind == "label_flip":
        _train_on_flipped(spoiled, settings, data)
    elif settings.kind == "confident":
        _answer_wrongly(spoiled, settings.strength, data.classes)
    else:
        spoiled.load_state_dict(spoil(network.state_dict(), settings))
    return spoiled.eval()


def _train_on_flipped(network: nn.Module, settings: AttackSettings, data: "Data") -> None:
    flipped = data.classes - 1 - data.train_labels
    epochs = max(1, min(MAX_EPOCHS, round(settings.strength)))
    how = TrainSettings(epochs=epochs, learning_rate=0.01, batch_size=100, seed=settings.seed)
    train(network, data.train_inputs, flipped, how, classes=data.classes)


@torch.no_grad()
def _answer_wrongly(network: nn.Module, strength: float, classes: int) -> None:
    heads = [module for module in network.modules() if isinstance(module, nn.Linear) and module.out_features == classes]
    if not heads:
        raise SourceError(f"expected a last linear layer of {classes} outputs to turn around, found none")
    for parameter in heads[-1].parameters():
        parameter.copy_(strength * parameter.roll(1, 0))
