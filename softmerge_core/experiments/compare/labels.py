"""How many labels a method needs: its accuracy by the number of labelled samples, and what is told apart. No torch."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from softmerge_core.events import BEST, Score
from softmerge_core.experiments.compare.spec import CompareSpec, learns, numbers, plan
from softmerge_core.experiments.tables import Table, Value
from softmerge_core.experiments.words import listed, plural, sentence
from softmerge_core.methods import available_methods
from softmerge_core.numbers import points_text, range_text
from softmerge_core.statistics import LEVEL, Difference, Measured, bar, difference, holm

SUBJECTS = ("soft", "fine_tuning", "distillation")  # the first two that were measured are compared
ENOUGH = 5  # seeds
Cell = Sequence[Score]  # one a seed
Curves = Mapping[str, Mapping[int, Cell]]  # method -> number of labels -> its scores


def curves(scores: Sequence[Score]) -> dict[str, dict[int, list[Score]]]:
    """The scores of each method that looks at labels, and of the best source, by the number of labels.

    In the order of all methods. Of several scores of one seed the last one counts; those without numbers are left out.
    """
    newest = {(one.series, one.labels, one.seed): one for one in scores if one.labels}
    found: dict[str, dict[int, list[Score]]] = {}
    for key in [*available_methods(), BEST]:
        for _, n, seed in sorted(place for place in newest if place[0] == key):
            if isfinite(newest[key, n, seed].accuracy):
                found.setdefault(key, {}).setdefault(n, []).append(newest[key, n, seed])
    return found


def levels(scores: Sequence[Score]) -> dict[str, list[Score]]:
    """The scores, one a seed, of each method that looks at no labels, in the order of all methods."""
    newest = {(one.series, one.seed): one for one in scores if not one.labels and isfinite(one.accuracy)}
    found = {name: [newest[place] for place in sorted(newest) if place[0] == name] for name in available_methods()}
    return {name: cell for name, cell in found.items() if cell and not learns(name)}


def tested(cell: Cell) -> Measured:
    """The accuracies of one method, one a seed, for comparing it with others."""
    return Measured(tuple(one.accuracy for one in cell), 0, tuple(one.correct for one in cell))


def title(key: str) -> str:
    """A method's name in a table."""
    return "Best source" if key == BEST else available_methods()[key].title


def cost(spec: CompareSpec) -> str:
    """What the numbers of labels add to the work of a comparison; "" without any."""
    tasks = plan(spec)
    few = [task for task in tasks if task.labels]
    if not few:
        return ""
    methods = plural(len({task.choice.method for task in few}), "method")
    each = f"{methods} that {'look' if methods[:2] != '1 ' else 'looks'} at labels"
    counts = f"{plural(len(numbers(spec)), 'number')} of labels, {plural(spec.seeds, 'seed')}"
    return f"Adds {plural(len(few), 'merge')} ({each}, {counts}) to the {len(tasks) - len(few):,} of the comparison."


def report(spec: CompareSpec, scores: Sequence[Score]) -> dict[str, Any]:
    """``{"labels": {"rows": [{"method", "labels", "mean", "low", "high", "seeds"}], "reason"}}``; empty without any."""
    found = curves(scores)
    if not spec.labels:
        return {}
    rows = [{"method": key, "labels": n, **_row(cell)} for key, line in found.items() for n, cell in line.items()]
    return {"labels": {"rows": rows, "reason": judged(scores)}}


def _row(cell: Cell) -> dict[str, Any]:
    found = bar(tested(cell))
    return {
        "mean": tested(cell).mean,
        "low": found.low if found else None,
        "high": found.high if found else None,
        "seeds": len(cell),
    }


def said(spec: CompareSpec, scores: Sequence[Score], *, live: bool) -> str:
    """The judgement so far, and how much of the work it stands on."""
    newest = {(one.series, one.labels, one.seed) for one in scores if one.labels and one.series != BEST}
    total = sum(task.labels > 0 for task in plan(spec))
    if not newest:
        return "Drawn once every method has merged with all labels." if live else "The run ended before this picture."
    behind = f"{len(newest):,} of {plural(total, 'merge')} {'so far' if live else 'were done'}."
    behind = behind if len(newest) < total else ""
    if live and len(newest) < total // spec.seeds:  # what is to be compared is not there yet
        return behind
    return f"{behind} {judged(scores)}".strip()


def judged(scores: Sequence[Score]) -> str:
    """With how many labels the first method is above the second and above one without labels, and who is highest."""
    found, level = curves(scores), levels(scores)
    keys = [key for key in dict.fromkeys((*SUBJECTS, *found)) if key in found and key != BEST]
    if not keys:
        return "No method gave a network."
    (first, *others), line = keys, found[keys[0]]
    against = {title(key): _gaps(line, found[key]) for key in others[:1]}
    if "average" in level:
        gaps = {n: difference(tested(cell), tested(level["average"])) for n, cell in line.items()}
        against["the plain average, which needs no labels,"] = gaps
    elif BEST in found:
        against["the best source"] = _gaps(line, found[BEST])
    parts = [
        _stands("It" if place else title(first), name, gaps, list(line))
        for place, (name, gaps) in enumerate(against.items())
    ]
    every = [each for gaps in against.values() for each in gaps.values()]
    return " ".join(filter(None, [*parts, _highest(found, level), _seeds(found, every)]))


def _gaps(first: Mapping[int, Cell], second: Mapping[int, Cell]) -> dict[int, Difference]:
    """The difference at each number of labels, over the seeds that both have: these brought both the same samples."""
    found = {}
    for n in sorted(first.keys() & second.keys()):
        mine, theirs = ({one.seed: one for one in line[n]} for line in (first, second))
        seeds = sorted(mine.keys() & theirs.keys())
        if seeds:
            one, other = (tested([cell[seed] for seed in seeds]) for cell in (mine, theirs))
            found[n] = difference(one, other, same_seeds=True)
    return found


def _stands(who: str, other: str, gaps: Mapping[int, Difference], tried: Sequence[int]) -> str:
    """With which numbers of labels ``who`` is above the ``other``, below it, and not told apart (Holm's correction)."""
    if not gaps:
        return ""
    told: dict[str, list[int]] = {"above": [], "below": [], "close": []}
    for n, p in zip(gaps, holm([each.p for each in gaps.values()]), strict=True):
        told["close" if not p < LEVEL else "above" if gaps[n].gap > 0 else "below"].append(n)
    parts, named = [], other
    for side in ("above", "below"):
        if told[side]:
            parts.append(f"{side} {named} {_with(told[side], tried)} ({_by([gaps[n] for n in told[side]])})")
            named = "it"
    text = f"{who} is {listed(parts)}" if parts else ""
    if told["close"]:
        close = f"cannot be told apart from {named} {_with(told['close'], tried, 'any')}"
        text = f"{text}, and {close}" if text else f"{who} {close}"
    return sentence(text)


def _by(gaps: Sequence[Difference]) -> str:
    """How large differences of one sign are: "by 1.2 to 4.0 points"."""
    sizes = sorted(abs(each.gap) for each in gaps)
    return f"by {range_text(points_text(sizes[0]), points_text(sizes[-1]))}"


def _with(some: Sequence[int], tried: Sequence[int], every: str = "every") -> str:
    """Some of the numbers ``tried`` in words: all of them, the fewest, the most, or each by its name."""
    texts, count = [f"{n:,}" for n in some], len(some)
    if count == len(tried) > 1:
        return f"with {every} number of labels"
    if count > 1 and list(some) == list(tried[:count]):
        return f"with up to {texts[-1]} labels"
    if count > 1 and list(some) == list(tried[-count:]):
        return f"from {texts[0]} labels on"
    return f"with {listed(texts)} labels"


def _highest(found: Curves, level: Mapping[str, Cell]) -> str:
    """Which merge has the highest mean with which numbers of labels; one without labels may be it."""
    methods = available_methods()
    flat = {key: tested(cell).mean for key, cell in level.items() if not methods[key].reference}
    tried = sorted({n for key, line in found.items() for n in line if key != BEST})
    tops: dict[str, list[int]] = {}
    for n in tried:
        means = flat | {key: tested(line[n]).mean for key, line in found.items() if n in line and key != BEST}
        tops.setdefault(max(means, key=lambda key: means[key]), []).append(n)
    if len(flat) + len(found) < 3:
        return ""
    return f"Highest mean of all: {listed([f'{title(key)} {_with(some, tried)}' for key, some in tops.items()])}."


def _seeds(found: Curves, gaps: Sequence[Difference]) -> str:
    """Of how many seeds the means are, and what could be told apart."""
    counts = {len(cell) for key, line in found.items() for cell in line.values() if key != BEST}
    most, up_to = max(counts), "up to " if len(counts) > 1 else ""
    of = f"Means of {up_to}{most} seeds, each another draw of the samples"
    of = of if most > 1 else "One seed, one draw of the samples"
    known = [each.resolves for each in gaps if isfinite(each.resolves)]
    resolved = f"; the smallest gap told apart is about {points_text(max(known))}" if known else ""
    more = ", and more seeds would tell smaller ones" if known and most < ENOUGH else ""
    return f"{of}{resolved}{more}."


def cells(spec: CompareSpec, scores: Sequence[Score]) -> tuple[list[str], list[list[str]]]:
    """(heading, rows) of the page's table: accuracy in percent with its half interval, by method and number."""
    found, head = curves(scores), ["Method", *(f"{n:,}" for n in numbers(spec))]
    rows = [[title(key), *(_cell(line.get(n, ())) for n in numbers(spec))] for key, line in found.items()]
    flat = [[f"{title(key)} (no labels)", *[_cell(cell)] * len(numbers(spec))] for key, cell in levels(scores).items()]
    return head, rows + flat


def _cell(cell: Cell) -> str:
    if not cell:
        return "none"
    found, mean = bar(tested(cell)), f"{100 * tested(cell).mean:.1f}"
    return f"{mean} ± {50 * (found.high - found.low):.1f}" if found else mean


def table(scores: Sequence[Score]) -> Table:
    """Every method with each number of labels and each seed; those that need none have no number."""
    flat = [(key, None, one) for key, cell in levels(scores).items() for one in cell]
    few = [(key, n, one) for key, line in curves(scores).items() for n, cell in line.items() for one in cell]
    rows: list[list[Value]] = [
        [title(key), n, one.seed, 100 * one.accuracy, one.loss, 100 * one.calibration, one.took]
        for key, n, one in [*few, *flat]
    ]
    return Table(
        "labels",
        "By labels",
        "A table (CSV): every method with each number of labelled samples and each seed.",
        ("Method", "Labelled samples", "Seed", "Test acc. (%)", "Loss (nats)", "ECE (%)", "Seconds"),
        rows,
    )
