"""The hard-concrete distribution: gates in [0, 1], exactly 0 or 1 with positive probability, yet differentiable.

Louizos, Welling, Kingma 2018 (arXiv 1712.01312), equations 10-13; used over merged sources in arXiv 2309.12259.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from softmerge_core.errors import SettingsError

STRETCH = (-0.1, 1.1)
TEMPERATURE = 2 / 3


def hard_concrete(
    log_alpha: Tensor,
    uniform: Tensor,
    temperature: float = TEMPERATURE,
    stretch: tuple[float, float] = STRETCH,
) -> Tensor:
    """Gates z in [0, 1] for noise ``uniform`` in (0, 1), both of the shape of ``log_alpha`` (eq. 10 and 11)."""
    concrete = torch.sigmoid((uniform.logit() + log_alpha) / temperature)
    return _stretch_and_clip(concrete, stretch)


def deterministic_gate(log_alpha: Tensor, stretch: tuple[float, float] = STRETCH) -> Tensor:
    """The gates used after training, without noise (eq. 13): exactly 0 or 1 once ``log_alpha`` is far enough out."""
    return _stretch_and_clip(torch.sigmoid(log_alpha), stretch)


def probability_open(
    log_alpha: Tensor, temperature: float = TEMPERATURE, stretch: tuple[float, float] = STRETCH
) -> Tensor:
    """P(z != 0) in (0, 1), the surrogate of the L0 norm (eq. 12)."""
    return torch.sigmoid(log_alpha - _shift(temperature, stretch))


def logit_of_open_probability(
    probability: float, temperature: float = TEMPERATURE, stretch: tuple[float, float] = STRETCH
) -> float:
    """The ``log_alpha`` at which P(z != 0) is ``probability``; the inverse of ``probability_open``."""
    return math.log(probability) - math.log1p(-probability) + _shift(temperature, stretch)


def _shift(temperature: float, stretch: tuple[float, float]) -> float:
    return temperature * math.log(-stretch[0] / stretch[1])


def _stretch_and_clip(concrete: Tensor, stretch: tuple[float, float]) -> Tensor:
    low, high = stretch
    return (concrete * (high - low) + low).clamp(0.0, 1.0)


class HardConcrete(nn.Module):
    """A table of independent hard-concrete gates of any ``shape``.

    ``initial_open_probability`` in (0, 1) is P(z != 0) before training; ``temperature`` > 0 is beta;
    ``stretch`` is (gamma, zeta) with gamma < 0 and zeta > 1; ``generator`` supplies the noise.
    Raises SettingsError when one is out of its range.
    """

    log_alpha: nn.Parameter

    def __init__(
        self,
        shape: int | Sequence[int],
        *,
        initial_open_probability: float = 0.9,
        temperature: float = TEMPERATURE,
        stretch: tuple[float, float] = STRETCH,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if not 0 < initial_open_probability < 1:
            raise SettingsError(f"initial_open_probability: expected 0 < p < 1, got {initial_open_probability}")
        if not temperature > 0:
            raise SettingsError(f"temperature: expected more than 0, got {temperature}")
        if not stretch[0] < 0 < 1 < stretch[1]:
            raise SettingsError(f"stretch: expected gamma < 0 and zeta > 1, got {stretch}")
        self.temperature, self.stretch, self.generator = temperature, stretch, generator
        start = logit_of_open_probability(initial_open_probability, temperature, stretch)
        size = (shape,) if isinstance(shape, int) else tuple(shape)
        self.log_alpha = nn.Parameter(torch.full(size, start))

    def sample(self) -> Tensor:
        """One noisy draw of every gate, differentiable in ``log_alpha``; values in [0, 1]."""
        uniform = torch.empty_like(self.log_alpha).uniform_(generator=self.generator)
        tiny = torch.finfo(uniform.dtype).eps
        return hard_concrete(self.log_alpha, uniform.clamp(tiny, 1 - tiny), self.temperature, self.stretch)

    def deterministic(self) -> Tensor:
        """Every gate without noise; values in [0, 1]."""
        return deterministic_gate(self.log_alpha, self.stretch)

    def probability_open(self) -> Tensor:
        """P(z != 0) of every gate; values in (0, 1)."""
        return probability_open(self.log_alpha, self.temperature, self.stretch)

    def expected_l0(self) -> Tensor:
        """The expected number of open gates, a scalar."""
        return self.probability_open().sum()


REACH_OF_SCALE = 2.0  # a part is made at most so many e-folds larger or smaller


class SourceGates(HardConcrete):
    """Gates [parts, sources]: how much each source gives to each part of the merged network.

    With ``normalise`` the gates of a part are divided by their sum. A part whose gates are all closed would then be
    0/0, and closing the last gate would cost the task nothing; so the most probable gate of a part is held open, and
    the penalty counts only the open gates beyond the first.

    Averaging shrinks whatever the sources do not share. With ``rescale`` each part also learns a factor, exp of
    ``log_scale`` [parts, 1], that gives it back (as REPAIR does from activations, arXiv 2211.08403).
    """

    def __init__(
        self, parts: int, sources: int, *, normalise: bool = True, rescale: bool = False, **distribution: object
    ) -> None:
        super().__init__((parts, sources), **distribution)  # type: ignore[arg-type]
        self.normalise, self.reach = normalise, REACH_OF_SCALE
        self.log_scale = nn.Parameter(torch.zeros(parts, 1), requires_grad=rescale)

    def sampled_weights(self) -> Tensor:
        """Mixing weights [parts, sources] for one training step; rows sum to the part's scale when normalised."""
        return self._sampled_shares() * self.scale()

    def _sampled_shares(self) -> Tensor:
        gates = self.sample()
        if not self.normalise:
            return gates
        closed = (gates == 0).all(1, keepdim=True)
        # A draw with every gate closed still has to be a network: mix by the logits, which keeps a gradient.
        return torch.where(closed, self.log_alpha.softmax(1), gates / gates.sum(1, keepdim=True).clamp_min(1e-12))

    def values(self) -> Tensor:
        """Deterministic gates [parts, sources]; when normalised, the last gate of a part counts as open."""
        gates = self.deterministic()
        if not self.normalise:
            return gates
        only = nn.functional.one_hot(self.log_alpha.argmax(1), gates.shape[1]).to(gates)
        return torch.where((gates == 0).all(1, keepdim=True), only, gates)

    def scale(self) -> Tensor:
        """The factor [parts, 1] of each part, within exp(+-REACH_OF_SCALE)."""
        return self.log_scale.clamp(-REACH_OF_SCALE, REACH_OF_SCALE).exp()

    def shares(self) -> Tensor:
        """How much each source gives to each part, [parts, sources]; rows sum to 1 when normalised."""
        gates = self.values()
        return gates / gates.sum(1, keepdim=True) if self.normalise else gates

    def weights(self) -> Tensor:
        """Mixing weights [parts, sources] of the finished merge: the shares times each part's scale."""
        return self.shares() * self.scale()

    def open_sources(self) -> Tensor:
        """Expected number of open sources, averaged over the parts: what the penalty is a price for (a scalar)."""
        per_part = self.probability_open().sum(1)
        return ((per_part - 1).clamp_min(0) if self.normalise else per_part).mean()
