"""A comparison in words and as a table: which merge is best, and what each one needed. Plain text, no torch."""

from collections.abc import Collection, Mapping, Sequence
from math import isfinite
from typing import Any

from softmerge_core.events import BEST, Score
from softmerge_core.experiments.compare.spec import CompareSpec, needs
from softmerge_core.experiments.differences import coarse, compared, resolution
from softmerge_core.experiments.samples import samples_of
from softmerge_core.experiments.words import listed, percent, plural
from softmerge_core.experiments.words import sentence as as_sentence
from softmerge_core.methods import available_methods
from softmerge_core.methods.base import SEES
from softmerge_core.statistics import LEVEL, Difference, Measured, among_best, bar, difference, holm, interval

MEASURES = ("accuracy", "loss", "calibration", "validation", "took", "memory")
NAMED = 5  # ways that are named; more are counted
FEW_SEEDS = "Two seeds hardly tell how far seeds lie apart; three or more resolve smaller gaps."


def report(spec: CompareSpec, scores: Sequence[Score]) -> dict[str, Any]:
    """Return the comparison so far: one row per series, highest first, and one sentence.

    ``{"rows": [{"method", "problem", "correct", <measure>: {"mean", "half", "values"}, ...}], "align", "reason"}``. The
    accuracy's bar is as in ``with_bars``. A row of a method also has its ``title``, its ``needs`` and whether it is a
    ``reference``; rows of sources have none of these. Of several scores of one method and seed the last one counts: a
    resumed run repeats those it already had.
    """
    by_series: dict[str, dict[int, Score]] = {}
    for score in scores:
        if not score.labels:
            by_series.setdefault(score.series, {})[score.seed] = score
    table = [_entry(spec, name, [found[seed] for seed in sorted(found)]) for name, found in by_series.items()]
    table.sort(key=lambda entry: (bool(entry["problem"]), -(entry.get("accuracy") or {"mean": 0})["mean"]))
    rows = with_bars(spec, table)
    return {"rows": rows, "align": spec.align, "reason": sentence(rows)}


def _entry(spec: CompareSpec, name: str, scores: Sequence[Score]) -> dict[str, Any]:
    """One row: the mean of each measure and its 95 % interval over seeds."""
    method = available_methods().get(name)
    about = {"title": method.title, "needs": needs(spec, name), "reference": method.reference} if method else {}
    sound = [score for score in scores if not score.problem]
    problem = next((score.problem for score in scores if score.problem), "")
    values = {key: interval([getattr(score, key) for score in sound]) for key in MEASURES} if sound else {}
    return {"method": name, **about, "problem": problem, **values, "correct": [score.correct for score in sound]}


def with_bars(spec: CompareSpec, table: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows, each accuracy with the bar of other test samples, and of other seeds where there are several.

    That adds ``low`` and ``high`` (0-1), ``of`` ("samples", "seeds" or "both") and ``samples``, their number. Rows of
    runs that did not write these down get them too.
    """
    return [_with_bar(entry, samples_of(spec.data.dataset)) for entry in table]


def _with_bar(entry: Mapping[str, Any], samples: int) -> dict[str, Any]:
    accuracy = entry.get("accuracy")
    if not accuracy or "samples" in accuracy:
        return dict(entry)
    one = as_measured(entry, samples)
    found = bar(one)
    drawn = {"low": found.low, "high": found.high, "of": found.of} if found else {}
    return {**entry, "accuracy": {**accuracy, **drawn, "samples": one.n}}


def as_measured(entry: Mapping[str, Any], samples: int = 0) -> Measured:
    """The accuracies of a row, for comparing it with others; ``samples``: their number where the row does not tell."""
    accuracy = entry["accuracy"]
    values = tuple(accuracy.get("values") or (accuracy["mean"],))
    return Measured(values, int(accuracy.get("samples") or samples), tuple(entry.get("correct") or ()))


def sentence(table: Sequence[Mapping[str, Any]], *, done: bool = True) -> str:
    """Say which merges may be the best, and which are above the plain average and the best source.

    Unless the comparison is ``done``, more seeds may be to come, so that nothing is said of their number.
    """
    merges = {
        str(e["title"]): as_measured(e) for e in table if e.get("accuracy") and "title" in e and not e["reference"]
    }
    finite = {name: one for name, one in merges.items() if isfinite(one.mean)}
    if not finite:
        return "No method gave a network."
    parts = _best(finite), _above(finite, _references(table)), "One seed." if done and _single(table) else ""
    return " ".join(filter(None, parts))


def _single(table: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a method with random choices was done once: other seeds may give something else."""
    return any(as_measured(entry).seeds == 1 for entry in _random(table))


def _random(table: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rows of methods with random choices that have numbers."""
    random = {name for name, method in available_methods().items() if method.random}
    return [entry for entry in table if entry.get("accuracy") and entry["method"] in random]


def _best(merges: Mapping[str, Measured]) -> str:
    """The merges that are not told apart from the highest; "best" is said only of one that is alone."""
    best = among_best(merges)
    top = merges[best[0]]
    share = f"{percent(top.mean)} of {f'{top.n:,} ' if top.n else 'the '}test samples"
    if len(merges) == 1:
        return f"{best[0]} classifies {share} correctly."
    if len(best) == 1:
        return f"{best[0]} is best: it classifies {share} correctly."
    found = [difference(top, merges[name]) for name in best[1:]]
    low = percent(min(merges[name].mean for name in best))
    others = listed(best[1:]) if len(best) <= NAMED else f"{len(best) - 1} other ways"
    others += "" if low == percent(top.mean) else f" ({'down to ' if len(best) > 2 else ''}{low})"
    few = f" {FEW_SEEDS}" if max(one.seeds for one in (top, *(merges[name] for name in best[1:]))) == 2 else ""
    first = f"Among the best: {best[0]} ({percent(top.mean)}); {others} cannot be told apart from it"
    return f"{first}{resolution(found)}.{few}{coarse(found)}"


def _references(table: Sequence[Mapping[str, Any]]) -> dict[str, tuple[str, Measured]]:
    """By the words for it, what merges are compared with: the title of its own row, if it has one, and its accuracies.

    The best source was chosen by its validation loss. Where another listed source is better on test data, that is here
    as well.
    """
    rows = {str(entry["method"]): entry for entry in table if entry.get("accuracy")}
    found: dict[str, tuple[str, Measured]] = {}
    if "average" in rows and "title" in rows["average"]:
        found["the plain average"] = (str(rows["average"]["title"]), as_measured(rows["average"]))
    if BEST not in rows:
        return found
    best = found["the best source (lowest validation loss)"] = ("", as_measured(rows[BEST]))
    sources = [as_measured(entry) for key, entry in rows.items() if "title" not in entry and key != BEST]
    top = max(sources, key=lambda source: source.mean, default=best[1])
    if top.mean > best[1].mean:
        found[f"the source that is best on test data ({percent(top.mean)})"] = ("", top)
    return found


def _above(merges: Mapping[str, Measured], references: Mapping[str, tuple[str, Measured]]) -> str:
    """The merges that are clearly above each reference, or for a single one how it stands to them."""
    found = {
        words: {name: difference(one, reference) for name, one in merges.items() if name != own}
        for words, (own, reference) in references.items()
    }
    if len(merges) == 1:
        only = [(words, each) for words, every in found.items() for each in every.values()]
        return compared("It", dict(only)) if only else ""
    parts = [f"clearly above {words}: {_clearly_above(every)}" for words, every in found.items()]
    return as_sentence("; ".join(parts)) if parts else ""


def _clearly_above(found: Mapping[str, Difference]) -> str:
    """Names, or how many of how many; with Holm's correction, for there are many to look at."""
    adjusted = holm([each.p for each in found.values()])
    names = [name for (name, each), p in zip(found.items(), adjusted, strict=True) if p < LEVEL and each.gap > 0]
    if len(names) > NAMED:
        return f"{len(names)} of {len(found)} ways"
    return listed(names) or f"none of {plural(len(found), 'way')}"


def so_far(table: Sequence[Mapping[str, Any]], total: int, *, live: bool, seeds: int = 1) -> str:
    """The comparison by those of ``total`` methods that are done; ``live``: whether the others are still to come.

    ``seeds``: how many each random method will have.
    """
    done = sum("title" in entry for entry in table)
    if not done:
        return "Waiting for the first method." if live else "The run ended before its first method."
    fewest = min((as_measured(entry).seeds for entry in _random(table)), default=seeds)
    if done == total and fewest >= seeds:
        return sentence(table)
    behind = f", {fewest} of {seeds} seeds of some" if fewest < seeds else ""
    return f"{done} of {total} methods so far{behind}. {sentence(table, done=fewest >= seeds)}"


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
