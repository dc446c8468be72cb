"""The gates that a merge begins with instead of fresh ones."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from softmerge_core.errors import SettingsError
from softmerge_core.gates import STRETCH
from softmerge_core.merging.forced import Start, force_table

BEYOND = 0.1  # how far past the edge at which a gate closes or opens exactly a forced one begins: near enough to move
FAR = 20.0  # ... and one that is to stay, so that no noise moves it


class GateStart(NamedTuple):
    """First logits [parts, sources] and log scales [parts, 1], and which gates are ``held`` [parts, sources]."""

    logits: Tensor
    scale: Tensor
    held: Tensor

    def of(self, kept: Sequence[int], sources: int) -> "GateStart":
        """The same for the sources at the positions ``kept`` of so many; raises SettingsError unless it is of all."""
        if self.logits.shape[1] != sources:
            raise SettingsError(f"start: expected gates for {sources} sources, got {self.logits.shape[1]}")
        return GateStart(self.logits[:, list(kept)], self.scale, self.held[:, list(kept)])


def edges(stretch: tuple[float, float] = STRETCH) -> tuple[float, float]:
    """The logits just beyond those at which the gate without noise becomes exactly 0, and exactly 1."""
    low, high = stretch
    shut, full = -low / (high - low), (1 - low) / (high - low)
    return math.log(shut / (1 - shut)) - BEYOND, math.log(full / (1 - full)) + BEYOND


def gate_start(start: Start, stretch: tuple[float, float] = STRETCH) -> GateStart:
    """The gates of a ``start`` with what is forced in them."""
    logits = torch.tensor(start.logits, dtype=torch.float64)
    forced = torch.from_numpy(force_table(start.forced, *logits.shape))
    shut, full = (-FAR, FAR) if start.keep else edges(stretch)
    logits = torch.where(forced == 0, shut, torch.where(forced == 1, full, logits))
    held = ~forced.isnan() if start.keep else torch.zeros_like(forced, dtype=torch.bool)
    return GateStart(logits.float(), torch.tensor(start.factors, dtype=torch.float64).log().float().unsqueeze(1), held)
