"""What paths between networks come to, in numbers and sentences. Light: no torch, no names given by users."""

import math
from collections.abc import Mapping
from typing import Any, Literal

from softmerge_core.events import BezierCurve, PlaneTrail, WeightPath
from softmerge_core.landscape.barriers import barrier, largest_rise

Overlay = Literal["plain", "weights", "activations", "weights_repair", "activations_repair", "scope"]
OVERLAYS: dict[str, str] = {  # key -> what is done to the models before the path is walked
    "plain": "Straight",
    "weights": "Aligned by weights",
    "activations": "Aligned by activations",
    "weights_repair": "By weights + REPAIR",
    "activations_repair": "By activations + REPAIR",
    "scope": "Scope-aligned",
}
STRIP = {"a": "From", "average": "Plain average", "soft": "Gated merge", "b": "To"}
NONE = 0.01  # nats: a barrier below this is called none
_PHRASES = {
    "weights": "aligned by weights",
    "activations": "aligned by activations",
    "weights_repair": "aligned by weights and repaired",
    "activations_repair": "aligned by activations and repaired",
    "scope": "scope-aligned",
}


def finite(value: float) -> float | None:
    """The number, or None where JSON has none."""
    return value if math.isfinite(value) else None


def barrier_of(path: WeightPath, what: str = "loss", split: str = "test") -> tuple[float, float]:
    """(height, t) of a path's barrier; ``what`` "loss" (nats) or "error" (0-1)."""
    return barrier(path.t, getattr(path, f"{split}_{what}"))


def path_summary(path: WeightPath) -> dict[str, Any]:
    """A path's barriers in loss (nats) and error (0-1), and where they stand, as JSON values."""
    row: dict[str, Any] = {"series": path.series, "note": path.note}
    for split in ("test", "train") if path.t else ():
        for what in ("loss", "error"):
            height, t = barrier_of(path, what, split)
            row[f"{split}_{what}_barrier"] = {"height": finite(height), "t": t}
    return row


def number(value: float, what: str = "loss") -> str:
    """A barrier's height with its unit: nats, or points of error."""
    if not math.isfinite(value):
        return "an infinite height"
    return f"{value:.2f} nats" if what == "loss" else f"{100 * value:.1f} points"


def verdict(paths: Mapping[str, WeightPath], what: Literal["loss", "error"] = "loss") -> str:
    """How high the straight path rises on test data, and what each way of aligning leaves of that."""
    found = {key: barrier_of(path, what) for key, path in paths.items() if path.t and key in OVERLAYS}
    if not found:
        return "Waiting for the first path."
    straight = found["plain"][0] if "plain" in found else math.inf
    aligned = [(key, height) for key, (height, _) in found.items() if key != "plain"]
    others = [_after(key, height, what, straight, first=place == 0) for place, (key, height) in enumerate(aligned)]
    if "plain" not in found:
        return f"On test data, {', '.join(others)}."
    height, t = found["plain"]
    if _none(height, what):
        text = f"On test data nothing stands between the two: the straight path has no barrier ({number(height, what)})"
        return f"{'; '.join(filter(None, [text, ', '.join(others)]))}."
    text = (
        f"On test data the straight path rises {number(height, what)} above the line between its ends, at t = {t:.2f}"
    )
    return f"{'; '.join(filter(None, [text, ', '.join(others)]))}."


def _none(height: float, what: str) -> bool:
    return height < (NONE if what == "loss" else NONE / 2)


def _after(key: str, height: float, what: str, straight: float, *, first: bool) -> str:
    """What is left of the barrier (aligned by weights the barrier is 0.40 nats), and whether that is no less."""
    left = "none" if _none(height, what) else number(height, what)
    worse = " (no lower)" if height >= straight and not _none(height, what) else ""
    verb = "there is" if left == "none" else "the barrier is" if first else "it is"
    return f"{_PHRASES[key]} {verb} {left}{worse}"


def start_sentence(path: WeightPath, name: str) -> str:
    """Whether the training loss falls all the way from a model's initial weights; ``name`` as readers see it."""
    if not path.t:
        return f"{name}: {path.note}."
    rise = largest_rise(path.train_loss)
    where = f"From {path.note} to {name}"
    if rise < NONE:
        return f"{where} the training loss only falls."
    return f"{where} the training loss is not monotonic: it rises by {number(rise)} on the way."


def curve_sentence(curve: BezierCurve) -> str:
    """The worst loss along the curve against the straight line's."""
    worst, straight = max(curve.loss), max(curve.straight_loss)
    if not (math.isfinite(worst) and math.isfinite(straight)):
        return "The loss is not finite somewhere on the way."
    ends = max(curve.loss[0], curve.loss[-1])
    text = f"After {curve.trained:,} of {curve.total:,} steps the curve's worst loss is {worst:.2f} nats"
    if worst >= straight - 1e-9:
        return f"{text}, no lower than the straight line's ({straight:.2f})."
    return f"{text}, the straight line's {straight:.2f}; the worse end has {ends:.2f}."


def trail_sentence(trail: PlaneTrail) -> str:
    """How much of the gate-training path lies off the plane it is drawn on."""
    share = max(trail.off) / trail.width
    if share < 0.0005:
        return "The path lies in the plane."
    return f"The path is seen from above: it lies up to {100 * share:.2g} % of the distance From\u2013To off the plane."
