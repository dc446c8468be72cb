"""Where the number of each barrier is written: near the peak that it belongs to, over no line and no other number."""

from collections.abc import Sequence
from itertools import product
from math import hypot

import numpy as np
from numpy.typing import NDArray

WIDTHS = (200, 270, 390, 800)  # px: plots from the narrowest to the widest, in all of which a place must be free
HALF_WIDTH, HALF_HEIGHT = 19, 9  # px: half of a number's box
CLOSE = HALF_HEIGHT + 6  # px: from a peak to the middle of its number
_STEP = 0.5  # px between the points at which a line is looked at
_ACROSS = (0, -34, 34, -60, 60)  # px: how far a number may lie beside its peak
_UP = [sign * step for step in range(CLOSE, 180, 6) for sign in (1, -1)]

Curve = tuple[Sequence[float], Sequence[float]]  # x in rising order, y
Offset = tuple[int, int]  # px to the right of the peak and above it


def number_offsets(
    peaks: Sequence[tuple[float, float]],
    curves: Sequence[Curve],
    *,
    span: tuple[float, float],
    reach: tuple[float, float],
    height: float,
) -> list[Offset]:
    """The place of each peak's number, in px from the peak, the nearest that is free at every one of ``WIDTHS``.

    ``span`` and ``reach``: the ranges of the x and y axes; ``height``: that of the plot, in px. Where there is no
    room, the number lies straight above its peak.
    """
    pictures = [_pixels(curves, span, reach, width, height) for width in WIDTHS]
    spots = [
        [((x - span[0]) / (span[1] - span[0]) * width, (y - reach[0]) / (reach[1] - reach[0]) * height)
         for x, y in peaks] for width in WIDTHS
    ]  # fmt: skip
    taken: list[Offset] = []
    for number in range(len(peaks)):
        taken.append(next((o for o in _nearest() if _is_free(o, number, taken, spots, pictures, height)), (0, CLOSE)))
    return taken


def _nearest() -> list[Offset]:
    """All places, the nearest first, above before below and straight before aside."""
    return sorted(product(_ACROSS, _UP), key=lambda place: (hypot(*place), -place[1], place[0]))


def _pixels(
    curves: Sequence[Curve], span: tuple[float, float], reach: tuple[float, float], width: float, height: float
) -> NDArray[np.float64]:
    """[points, 2] of all curves, close together, in px from the plot's lower left corner."""
    found = []
    for x, y in curves:
        across = np.arange(0, width, _STEP)
        at = span[0] + across / width * (span[1] - span[0])
        up = np.interp(at, x, y, left=np.nan, right=np.nan)
        found.append(np.column_stack([across, (up - reach[0]) / (reach[1] - reach[0]) * height]))
    return np.concatenate(found) if found else np.empty((0, 2))


def _is_free(
    offset: Offset,
    number: int,
    taken: Sequence[Offset],
    spots: Sequence[Sequence[tuple[float, float]]],
    pictures: Sequence[NDArray[np.float64]],
    height: float,
) -> bool:
    """Whether a number would lie within the plot, clear of every line and of the numbers before it."""
    for spot, points, width in zip(spots, pictures, WIDTHS, strict=True):
        x, y = spot[number][0] + offset[0], spot[number][1] + offset[1]
        if not (HALF_WIDTH <= x <= width - HALF_WIDTH and HALF_HEIGHT <= y <= height - HALF_HEIGHT):
            return False
        if np.any((np.abs(points[:, 0] - x) < HALF_WIDTH) & (np.abs(points[:, 1] - y) < HALF_HEIGHT)):
            return False
        others = [(spot[i][0] + dx, spot[i][1] + up) for i, (dx, up) in enumerate(taken)]
        if any(abs(x - a) < 2 * HALF_WIDTH and abs(y - b) < 2 * HALF_HEIGHT for a, b in others):
            return False
    return True
