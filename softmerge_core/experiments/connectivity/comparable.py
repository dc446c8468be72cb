"""What one walk between networks came to among others: by the barrier of its last path. Loads no torch."""

from collections.abc import Mapping
from typing import Any

from softmerge_core.experiments.connectivity.spec import ConnectivitySpec
from softmerge_core.experiments.connectivity.words import OVERLAYS, PHRASES
from softmerge_core.experiments.outcome import Measure, Outcome, entries, inner, number
from softmerge_core.statistics import Measured

STRAIGHT = "plain"


def measure(spec: ConnectivitySpec) -> Measure:
    """The loss barrier, where it is highest, of the last path, as the page's sentence counts it."""
    name = next((name for name in reversed(OVERLAYS) if name in spec.overlays), STRAIGHT)
    title = f"test loss barrier of the {'straight path' if name == STRAIGHT else f'path {PHRASES[name]}'}"
    return Measure(title, "nats", 1.0, 2, lower_is_better=True, curved=False)


def outcome(result: Mapping[str, Any]) -> Outcome | None:
    """The height of that barrier in nats, beside the straight path's; None where it was not walked, or is infinite."""
    rows = {str(row.get("series")): row for row in entries(result.get("paths"))}
    heights = {name: number(inner(rows[name], "test_loss_barrier", "height")) for name in OVERLAYS if name in rows}
    last = next(reversed(heights), "")
    found, straight = heights.get(last), heights.get(STRAIGHT)
    if found is None:
        return None
    levels = {} if last == STRAIGHT or straight is None else {OVERLAYS[STRAIGHT]: straight}
    return Outcome(Measured((found,)), levels=levels)
