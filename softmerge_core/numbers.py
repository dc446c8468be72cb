"""Numbers as they are written down: finite, and no longer than they need to be."""

import math
from collections.abc import Iterable, Sized
from typing import Any


def finite(values: Any) -> Any:
    """``values`` (a number, or plain JSON values) with None for each NaN and infinity, for which JSON has no word."""
    if isinstance(values, float):
        return values if math.isfinite(values) else None
    if isinstance(values, dict):
        return {str(key): finite(value) for key, value in values.items()}
    if isinstance(values, (list, tuple)):
        return [finite(value) for value in values]
    return values


def significant(value: float, digits: int = 6) -> float:
    """``value`` with so many significant ``digits``: six are enough for any picture, and keep logs small."""
    return float(f"{value:.{digits}g}")


def rounded(values: Iterable[float], digits: int = 6) -> tuple[float, ...]:
    """All ``values`` with so many significant ``digits``."""
    return tuple(significant(value, digits) for value in values)


def same_length(*lists: Sized) -> bool:
    """Whether all ``lists`` have as many items as the first one."""
    return len(set(map(len, lists))) <= 1


def percent_text(share: float, digits: int = 0) -> str:
    """A share (0-1) in percent, the one way it is written: "40 %"."""
    return f"{100 * share:.{digits}f} %"
