"""A comparison in words and as a table: which merge is best, and what each one needed. Plain text, no torch."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from softmerge_core.chance import interval
from softmerge_core.events import BEST, Score
from softmerge_core.experiments.compare.spec import CompareSpec, needs
from softmerge_core.methods import available_methods
from softmerge_core.methods.base import SEES

MEASURES = ("accuracy", "loss", "calibration", "validation", "took", "memory")


def report(spec: CompareSpec, scores: Sequence[Score]) -> dict[str, Any]:
    """Return the comparison so far: one row per series, best first, and one sentence.

    ``{"rows": [{"method", "problem", <measure>: {"mean", "half", "values"}, ...}], "align", "reason"}``. A row of a
    method also has its ``title``, its ``needs`` and whether it is a ``reference``; rows of sources have none of these.
    Of several scores of one method and seed the last one counts: a resumed run repeats those it already had.
    """
    by_series: dict[str, dict[int, Score]] = {}
    for score in scores:
        by_series.setdefault(score.series, {})[score.seed] = score
    table = [_entry(spec, name, list(found.values())) for name, found in by_series.items()]
    table.sort(key=lambda entry: (bool(entry["problem"]), -(entry.get("accuracy") or {"mean": 0})["mean"]))
    return {"rows": table, "align": spec.align, "reason": sentence(table)}


def _entry(spec: CompareSpec, name: str, scores: Sequence[Score]) -> dict[str, Any]:
    """One row: the mean of each measure and its 95 % interval over seeds."""
    method = available_methods().get(name)
    about = {"title": method.title, "needs": needs(spec, name), "reference": method.reference} if method else {}
    sound = [score for score in scores if not score.problem]
    problem = next((score.problem for score in scores if score.problem), "")
    values = {key: interval([getattr(score, key) for score in sound]) for key in MEASURES} if sound else {}
    return {"method": name, **about, "problem": problem, **values}


def sentence(table: Sequence[Mapping[str, Any]]) -> str:
    """Say which merge is best, and how far it is above the plain average and the best source."""
    accuracy = {entry["method"]: entry["accuracy"]["mean"] for entry in table if entry.get("accuracy")}
    merges = [entry for entry in table if entry.get("accuracy") and "title" in entry and not entry["reference"]]
    if not merges:
        return "No method gave a network."
    best = merges[0]
    text = f"{best['title']} is best with {accuracy[best['method']]:.1%} on test data"
    for other, words in (("average", "the plain average"), (BEST, "the best source")):
        if other in accuracy and other != best["method"]:
            gain = 100 * (accuracy[best["method"]] - accuracy[other])
            text += f", {abs(gain):.1f} points {'above' if gain >= 0 else 'below'} {words}"
    return f"{text}."


def so_far(table: Sequence[Mapping[str, Any]], total: int, *, live: bool) -> str:
    """The comparison by those of ``total`` methods that are done; ``live``: whether the others are still to come."""
    done = sum("title" in entry for entry in table)
    if not done:
        return "Waiting for the first method." if live else "The run ended before its first method."
    return f"So far, of {done} of {total} methods: {sentence(table)}"


def needs_words(needs: Collection[str]) -> str:
    """The things a method had to look at, in words."""
    return ", ".join(SEES[need] for need in SEES if need in needs) or "nothing"


def note(entry: Mapping[str, Any]) -> str:
    """Why a row has no numbers, or what its numbers are the mean of; empty if there is nothing to say."""
    problem = str(entry.get("problem") or "")
    if problem:
        return problem[0].upper() + problem[1:]
    if entry.get("reference"):
        return "All networks, not one"
    seeds = len(entry["accuracy"]["values"]) if entry.get("accuracy") else 0
    return f"Mean of {seeds} seeds" if seeds > 1 else ""
