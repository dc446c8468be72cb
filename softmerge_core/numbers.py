"""Numbers as they are written down: finite, and no longer than they need to be."""

import math
from collections.abc import Iterable, Sized
from decimal import Decimal
from typing import Any

NO_BREAK = "\u00a0"  # the space between a number and its unit, at which no line ends
MINUS = "\u2212"
_POWERS = str.maketrans("-+0123456789", "⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹")


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
    """A share (0-1) in percent, the one way it is written: "40 %", with a no-break space."""
    return f"{100 * share:.{digits}f}{NO_BREAK}%"


def points_text(gap: float) -> str:
    """The size of a difference of shares (0-1) in percentage points: "4.6 points"."""
    return f"{abs(100 * gap):.1f}{NO_BREAK}points"


def number_text(value: float, digits: int = 3) -> str:
    """A number with so many significant ``digits``, typeset: 0.25, −3, 8.16 × 10⁻⁷."""
    mantissa, power, exponent = f"{value:.{digits}g}".replace("-", MINUS).partition("e")
    if not power:
        return mantissa
    raised = str(int(exponent.replace(MINUS, "-"))).translate(_POWERS)
    return f"{mantissa}{NO_BREAK}×{NO_BREAK}10{raised}"


def decimal_text(value: float, digits: int = 6) -> str:
    """A number as it would be typed: 0.00001, 12,345.6, −3; with a power of ten only from a quadrillion on."""
    if not abs(value) < 1e15:
        return number_text(value, digits)
    return f"{Decimal(f'{value:.{digits}g}'):,f}".replace("-", MINUS)


def range_text(low: str, high: str) -> str:
    """Two numbers that are written down as a range, the unit once: "70.0 to 80.0 %"; one where they read alike."""
    unit = high[high.find(NO_BREAK) :] if NO_BREAK in high else ""
    return high if low == high else f"{low.removesuffix(unit)} to {high}"


def usual_spaces(text: str) -> str:
    """``text`` with plain spaces, as in names that manifests, specs and addresses hold and compare letter by letter."""
    return text.replace(NO_BREAK, " ")
