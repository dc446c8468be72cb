"""Paths, planes and curves in sentences. Plain text: a page escapes it. Loads no torch."""

import math
from collections.abc import Mapping, Sequence
from typing import Literal

from softmerge_core.events import BezierCurve, PlaneTrail, Score, WeightPath
from softmerge_core.landscape.barriers import largest_rise, path_barrier
from softmerge_core.numbers import NO_BREAK, number_text, points_text
from softmerge_core.statistics import Difference, Measured, difference

Overlay = Literal["plain", "weights", "activations", "weights_repair", "activations_repair", "scope"]
OVERLAYS: dict[str, str] = {  # key -> the title of a path, named by what is done to the models first
    "plain": "Straight",
    "weights": "Aligned by weights",
    "activations": "Aligned by activations",
    "weights_repair": "By weights + REPAIR",
    "activations_repair": "By activations + REPAIR",
    "scope": "Scope-aligned",
}
ENDS = ("a", "b")  # of the strip and of every path
STRIP = {"a": "From", "average": "Plain average", "soft": "Soft merge", "b": "To"}
NONE = 0.01  # nats: a barrier below this is called none
PHRASES = {
    "weights": "aligned by weights",
    "activations": "aligned by activations",
    "weights_repair": "aligned by weights and repaired",
    "activations_repair": "aligned by activations and repaired",
    "scope": "scope-aligned",
}


def number(value: float, what: str = "loss") -> str:
    """A barrier's height with its unit: nats, or points of error."""
    if not math.isfinite(value):
        return "an infinite height"
    return f"{value:.2f}{NO_BREAK}nats" if what == "loss" else points_text(value)


def no_barrier(height: float, what: str = "loss") -> bool:
    """Whether a barrier in ``what`` (nats of "loss", or "error" 0-1) is so low that it is called none."""
    return height < (NONE if what == "loss" else NONE / 2)


def verdict(paths: Mapping[str, WeightPath], what: Literal["loss", "error"] = "loss") -> str:
    """The barrier of the straight path on test data, and what each way of aligning leaves of it."""
    found = {key: path_barrier(path, what) for key, path in paths.items() if path.t and key in OVERLAYS}
    if not found:
        return "Waiting for the first path."
    straight = found["plain"][0] if "plain" in found else math.inf
    aligned = [(key, height) for key, (height, _) in found.items() if key != "plain"]
    others = [_after(key, height, what, straight, first=place == 0) for place, (key, height) in enumerate(aligned)]
    if "plain" not in found:
        return f"On test data, {', '.join(others)}."
    height, t = found["plain"]
    if no_barrier(height, what):
        text = f"On test data nothing stands between the two: the straight path has no barrier ({number(height, what)})"
    else:
        text = (
            f"On test data the straight path rises {number(height, what)} above the line between its ends, "
            f"at t = {t:.2f}"
        )
    return f"{'; '.join(filter(None, [text, ', '.join(others)]))}."


def _after(key: str, height: float, what: str, straight: float, *, first: bool) -> str:
    """The barrier that is left (aligned by weights the barrier is 0.40 nats), and a note where it is no lower."""
    left = "none" if no_barrier(height, what) else number(height, what)
    worse = " (no lower)" if height >= straight and left != "none" else ""
    verb = "there is" if left == "none" else "the barrier is" if first else "it is"
    return f"{PHRASES[key]} {verb} {left}{worse}"


def start_sentence(path: WeightPath, name: str, what: str = "loss") -> str:
    """Whether the training loss or error falls all the way from the initial weights to the model called ``name``."""
    if not path.t:
        return f"{name}: {path.note}."
    rise = largest_rise(path.train_loss if what == "loss" else path.train_error)
    where = f"From {path.note} to {name} the training {what}"
    if no_barrier(rise, what):
        return f"{where} only falls."
    return f"{where} is not monotonic: it rises by {number(rise, what)} on the way."


def strip_sentence(scores: Mapping[str, Score], names: tuple[str, str] = ("From", "To")) -> str:
    """The plain average and the soft merge against the end that is better on validation data, on test data."""
    known = {key for key, score in scores.items() if math.isfinite(score.accuracy)}
    if not set(STRIP) <= known:
        return "Test accuracy and loss of the two models, their plain average and their soft merge."
    better = next((end for end in ENDS if scores[end].best), None)
    end = better or ENDS[0]  # older runs did not keep which one is better
    average, merged = (_against(difference(_tested(scores[key]), _tested(scores[end]))) for key in ("average", "soft"))
    chosen = f"“{names[ENDS.index(end)]}”{', the end with the lower validation loss' if better else ''}"
    return f"On test data the plain average {average} {chosen}; the soft merge {merged} it. One seed."


def _tested(score: Score) -> Measured:
    return Measured((score.accuracy,), 0, (score.correct,))


def _against(found: Difference) -> str:
    """A difference of accuracy in words that precede what it is compared with."""
    if found.same:
        return "is right on exactly the same samples as"
    if found.paired and not found.told_apart:
        return "cannot be told apart from"
    if abs(found.gap) < 0.0005:
        return "is as good as"
    return f"is {points_text(found.gap)} {'above' if found.gap > 0 else 'below'}"


def curve_sentence(curve: BezierCurve) -> str:
    """The worst loss along the curve against that along the straight line."""
    worst, straight = max(curve.loss), max(curve.straight_loss)
    if not (math.isfinite(worst) and math.isfinite(straight)):
        return "The loss is not finite somewhere on the way."
    ends = max(curve.loss[0], curve.loss[-1])
    text = f"After {curve.trained:,} of {curve.total:,} steps the curve's worst loss is {number(worst)}"
    if worst >= straight - 1e-9:
        return f"{text}, no lower than the straight line's ({straight:.2f})."
    return f"{text}, the straight line's {straight:.2f}; the worse end has {ends:.2f}."


def trail_sentence(trail: PlaneTrail) -> str:
    """How much of the gate-training path lies off the plane on which it is drawn."""
    share = max(trail.off) / trail.width
    if share < 0.0005:
        return "The path lies in the plane."
    far = f"{number_text(100 * share, 2)}{NO_BREAK}%"
    return f"The path is seen from above: it lies up to {far} of the distance From\u2013To off the plane."


def gates_path_sentence(gates: str, trail: PlaneTrail) -> str:
    """The gates whose training is drawn on the plane, and how far their path lies off it."""
    cover = "auto" if gates == "auto" else f"one per {gates}"
    return f"The line is the path of gate training (gates: {cover}). {trail_sentence(trail)}"


def samples_phrase(count: int, split: str) -> str:
    """The samples on which a picture is measured: "400 training samples"."""
    return f"{count:,} {'training' if split == 'train' else 'test'} samples"


def between_sentence(names: Sequence[str], points: int) -> str:
    """The two ends of all paths, and how many networks are evaluated on each."""
    return f"From {names[0]} (t = 0) to {names[1]} (t = 1), {points} networks on each path."
