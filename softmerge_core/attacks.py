"""Spoiled copies of a source, as a malicious or broken participant would send them."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from softmerge_core.settings import AttackSettings

Attack = Callable[[Tensor, float, torch.Generator], Tensor]


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
