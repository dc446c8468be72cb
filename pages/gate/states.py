"""States of the gate laboratory: which there may be, which are worth seeing, and how links hold them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from softmerge_core.settings import SoftMergeSettings

# A gate by these names: log alpha, the temperature beta > 0, and the ends of the stretch, gamma <= 0 and zeta >= 1.
State = dict[str, float]

# The least and the most that each may be in the laboratory, and the step of its slider. At the ends 0 and 1 of the
# stretch no gate can be trained, but one sees why.
LIMITS: dict[str, tuple[float, float, float]] = {
    "log_alpha": (-12.0, 12.0, 0.05),
    "temperature": (0.05, 3.0, 0.01),
    "gamma": (-0.4, 0.0, 0.01),
    "zeta": (1.0, 1.4, 0.01),
}


@dataclass(frozen=True)
class Preset:
    """A state worth seeing; ``about``: why, in a sentence."""

    label: str
    about: str
    state: State


def start_state() -> State:
    """The gate with which a merge of the usual settings begins.

    The inverse of P(z != 0) is ``logit_of_open_probability`` in softmerge_core/gates.py, which loads torch.
    """
    usual = SoftMergeSettings()
    low, high = usual.stretch
    odds = math.log(usual.initial_open_probability) - math.log1p(-usual.initial_open_probability)
    log_alpha = odds + usual.temperature * math.log(-low / high)
    return {"log_alpha": log_alpha, "temperature": usual.temperature, "gamma": low, "zeta": high}


def _presets() -> tuple[Preset, ...]:
    start = start_state()
    reset = f"Reset: start of training, P(open) {SoftMergeSettings().initial_open_probability:g}"
    return (
        Preset(
            reset,
            "The gate with which a merge of the usual settings begins.",
            start,
        ),
        Preset("Undecided", "Log alpha is 0: exactly 0 is as likely as exactly 1.", {**start, "log_alpha": 0.0}),
        Preset("Closed", "Far enough below 0 the gate without noise is exactly 0.", {**start, "log_alpha": -5.0}),
        Preset(
            "Temperature near 0: a step",
            "Nearly all draws are exactly 0 or exactly 1.",
            {**start, "log_alpha": 0.0, "temperature": LIMITS["temperature"][0]},
        ),
        Preset(
            "No stretch: never exactly 0 or 1",
            "Without the stretch every draw lies between 0 and 1, and no gate ever closes.",
            {**start, "gamma": 0.0, "zeta": 1.0},
        ),
    )


PRESETS = _presets()


def number(name: str, value: Any) -> float:
    """One number of a state, from a browser or a link; raises ValueError, in words, for what it cannot be."""
    low, high, _ = LIMITS[name]
    try:
        found = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not low <= found <= high:
        raise ValueError(f"expected a number from {low:g} to {high:g}")
    return found


def told_state(told: Any, jump: int) -> State | None:
    """What the laboratory has told since that jump to a state; None for what is none: other programs send anything."""
    if not isinstance(told, Mapping) or told.get("jump") != jump:
        return None
    try:
        return {name: number(name, told.get(name)) for name in LIMITS}
    except ValueError:
        return None
