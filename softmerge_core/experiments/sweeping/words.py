"""What a sweep shows, in sentences of plain text: the best point, chosen on validation data, and what chance may do."""

from softmerge_core.experiments.differences import coarse, gap, resolution
from softmerge_core.experiments.sweeping.table import Row, SweepTable
from softmerge_core.experiments.words import percent, plural
from softmerge_core.statistics import LEVEL, difference, holm

HERE = "the settings that the sweep began from"


def sweep_sentence(table: SweepTable) -> str:
    """The best point, how it stands to the settings that the sweep began from, and how it was chosen."""
    best = table.best
    if best is None or best.measured is None:
        return "No point is done yet."
    points = plural(len(table.done), "point")
    of = f"Of {points}" + ("" if len(table.done) == len(table.rows) else f" that are done of {len(table.rows)}")
    right = f"{percent(best.measured.mean)} of the test samples right" + _over(table)
    if best is table.base:
        return f"{of}, {HERE} are the best on validation data ({table.text(best)}): {right}.{_close(table, best)}"
    where = "on validation data" if table.chosen else "on the test data"
    return f"{of}, {table.text(best)} is the best {where}: {right}.{_against_base(table, best)}{_close(table, best)}"


def choice_sentence(table: SweepTable) -> str:
    """By what the best point was chosen."""
    if not table.chosen:
        return "Only test accuracies are known, and the highest of several always looks a little better than it is."
    return "It was chosen by validation accuracy alone; test samples had no say, so its test accuracy is a fair one."


def _over(table: SweepTable) -> str:
    seeds = len(table.seeds)
    return f", the mean of {seeds} seeds" if seeds > 1 else " with one seed, which cannot tell what others would bring"


def _against_base(table: SweepTable, best: Row) -> str:
    base = table.base
    if base is None:
        return f" {HERE[0].upper()}{HERE[1:]} are not among the points."
    if base.measured is None or best.measured is None or not base.whole:
        return f" {HERE[0].upper()}{HERE[1:]} are not done yet."
    found = difference(best.measured, base.measured)
    if found.same:
        return f" It is right on exactly the same samples as {HERE} ({table.text(base)})."
    if found.told_apart:
        return f" That is {gap(found, HERE)} ({table.text(base)}){resolution([found])}."
    told = f" It cannot be told apart from {HERE} ({table.text(base)}){resolution([found])}."
    return told + coarse([found])


def _close(table: SweepTable, best: Row) -> str:
    """How many of the other points cannot be told apart from the best one, with Holm's correction for their number."""
    others = [row for row in table.done if row is not best]
    if not others or best.measured is None:
        return ""
    found = [difference(best.measured, row.measured) for row in others if row.measured]
    close = sum(p >= LEVEL for p in holm([each.p for each in found]))
    if close == len(others):
        return " None of the points can be told apart from it." if close > 1 else " The other one cannot be told apart."
    if not close:
        return f" It is told apart from {'all others' if len(others) > 1 else 'the other one'}."
    return f" {close} of the other {len(others)} points cannot be told apart from it."


def front_sentence(table: SweepTable) -> str:
    """How many points are on the front, and what its ends are."""
    front = table.front
    if not front:
        return "Waiting for the first points."
    if len(front) == 1:
        return f"One point has both the fewest gates open and the highest validation accuracy: {table.text(front[0])}."
    first, last = front[0], front[-1]
    return (
        f"On {len(front)} points no other one improves without loss: from {percent(first.open)} of gates open at "
        f"{percent(first.validation)} to {percent(last.open)} at {percent(last.validation)}."
    )
