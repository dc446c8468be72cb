"""How much of each source is in each layer of a merged network, as formulas of its final gates. Loads no torch."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from softmerge_core.experiments.merge.rows import blocks
from softmerge_core.experiments.merge.why import WHOLE
from softmerge_core.experiments.words import letter
from softmerge_core.numbers import decimal_text, range_text
from softmerge_core.settings import SoftMergeSettings

MINOR = 5e-4  # weights that round to 0.000 and are none


class Formula(NamedTuple):
    """One layer: its name, what it is made of, and over how many parts of it that is the mean."""

    layer: str
    text: str
    parts: int


def symbols(count: int) -> list[str]:
    """What sources are called in formulas: A, B, C, ...; S1, S2, ... where there are more than letters."""
    return [letter(place) if count <= 26 else f"S{place + 1}" for place in range(count)]


def formulas(gates: Mapping[str, Any], settings: SoftMergeSettings) -> list[Formula]:
    """A formula for each layer that has gates, in the network's order, then those of the layers that have none.

    The merged layer is ``factor x (sum of weight x source)``, and where gates count from the base on,
    ``base + sum of weight x (source - base)``; of several parts, weights and factors are means.
    """
    owners = gates.get("groups") or gates["parts"]
    names = symbols(len(gates["sources"]))
    found = [
        Formula(WHOLE.get(name, name), _mixture(gates, names, first, last), last - first + 1)
        for name, first, last in blocks(owners)
    ]
    return found + [
        Formula(name, _fixed(choice, names), 1) for name, choice in settings.parts.items() if choice != "gate"
    ]


def _mixture(gates: Mapping[str, Any], names: Sequence[str], first: int, last: int) -> str:
    weights = np.asarray(gates["weight"], dtype=float)[first : last + 1].mean(0)
    relative = bool(gates.get("relative"))
    terms = [
        f"{_weight(weight)} · {f'({name} - base)' if relative else name}"
        for name, weight in zip(names, weights.tolist(), strict=True)
        if weight
    ]
    text = " + ".join([*(["base"] if relative else []), *terms]) or "0"
    return _scaled(text, list(gates.get("scale") or [])[first : last + 1])


def _scaled(text: str, factors: Sequence[float]) -> str:
    """The formula with its factors, where any of them is not 1."""
    if all(factor == 1 for factor in factors):
        return text
    low, high = (decimal_text(end(factors), 4) for end in (min, max))
    return f"({range_text(low, high)}) × ({text})"


def _weight(weight: float) -> str:
    return "< 0.001" if weight < MINOR else f"{weight:.3f}"


def _fixed(choice: str, names: Sequence[str]) -> str:
    kept = choice.removeprefix("keep:")
    if kept.isdigit():
        return names[int(kept)] if int(kept) < len(names) else "one source"
    return "mean of the sources that took part"
