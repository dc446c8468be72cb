"""Which of many methods is best, with a correction for picking the highest of them."""

from collections.abc import Mapping, Sequence
from math import isnan

from softmerge_core.statistics.measured import Measured
from softmerge_core.statistics.pairs import LEVEL, difference


def holm(values: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p values of several tests, in the same order; a NaN counts as 1."""
    known = [1.0 if isnan(value) else value for value in values]
    order, adjusted, worst = sorted(range(len(known)), key=known.__getitem__), [1.0] * len(known), 0.0
    for place, position in enumerate(order):
        worst = max(worst, (len(known) - place) * known[position])
        adjusted[position] = min(worst, 1.0)
    return adjusted


def among_best(methods: Mapping[str, Measured]) -> list[str]:
    """The methods that may be the best, the highest mean first; a single name is clearly best of several.

    Each is compared with the highest as by ``difference``, and left out where Holm's p value tells the two apart.
    """
    ranked = sorted(methods, key=lambda name: -methods[name].mean)
    if not ranked:
        return []
    top, others = ranked[0], ranked[1:]
    adjusted = holm([difference(methods[top], methods[name]).p for name in others])
    return [top, *(name for name, p in zip(others, adjusted, strict=True) if not p < LEVEL)]
