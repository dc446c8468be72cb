"""What a sweep shows, in sentences of plain text: the best point, chosen on validation data, and what chance may do."""

from softmerge_core.experiments.differences import coarse, gap, resolution
from softmerge_core.experiments.outcome import Measure
from softmerge_core.experiments.sweeping.table import Row, SweepTable
from softmerge_core.experiments.words import percent, plural
from softmerge_core.numbers import range_text
from softmerge_core.statistics import LEVEL, bar, difference, holm, interval

HERE = "the settings that the sweep began from"


def sweep_sentence(table: SweepTable) -> str:
    """The best point, how it stands to the settings that the sweep began from, and how it was chosen.

    Where nothing can choose, the point with the highest number, or the lowest where that is better, and not as a best.
    """
    best = table.best
    if best is None or best.measured is None:
        return _description(table)
    right = f"{_told(table, best)}{_over(table)}"
    if best is table.base:
        return (
            f"{_points(table)}, {HERE} are the best on validation data ({table.text(best)}): {right}."
            f"{_close(table, best)}"
        )
    where = f"{table.text(best)} is the best on validation data"
    return f"{_points(table)}, {where}: {right}.{_against_base(table, best)}{_close(table, best)}"


def choice_sentence(table: SweepTable) -> str:
    """By what the best point was chosen, or why none was."""
    if table.chosen:
        return (
            "It was chosen by validation accuracy alone; test samples had no say, so its test accuracy is a fair one."
        )
    end = "lowest" if table.measure.lower_is_better else "highest"
    return (
        f"Nothing was chosen: only test data tell of these points, and the {end} of several always looks a little "
        "better than it is."
    )


def measure_sentence(table: SweepTable) -> str:
    """The main number by which the points are compared."""
    title, unit = table.measure.title, "" if table.measure.accuracy else f" in {table.measure.unit}"
    return (
        f"Points are compared by the {title}{unit}; {'lower' if table.measure.lower_is_better else 'higher'} is better."
    )


def _description(table: SweepTable) -> str:
    """The end of what was measured, with its interval, and the settings that the sweep began from beside it."""
    found, base = table.leading, table.base
    if found is None:
        return "No point is done yet."
    end = f"{'lowest' if table.measure.lower_is_better else 'highest'} {table.measure.title}"
    alike = sum(_number(table, row) == _number(table, found) for row in table.done)
    who = (
        f"{table.text(found)} has the {end}" if alike == 1 else f"{alike} share the {end}, {table.text(found)} of them"
    )
    text = f"{_points(table)}, {who}: {_number(table, found)}"
    text += f"{_interval(table, found)}{_over(table)}."
    if base is found:
        text += f" These are {HERE}." if alike == 1 else ""
    elif base is not None and base.whole:
        text += f" {HERE[0].upper()}{HERE[1:]} ({table.text(base)}) have {_number(table, base)}."
    return text + _close(table, found)


def _points(table: SweepTable) -> str:
    points = plural(len(table.done), "point")
    return f"Of {points}" + ("" if len(table.done) == len(table.rows) else f" that are done of {len(table.rows)}")


def _number(table: SweepTable, row: Row) -> str:
    return table.measure.text(row.measured.mean) if row.measured else "nothing"


def _told(table: SweepTable, row: Row) -> str:
    """The number of a point with what it is."""
    number, title = _number(table, row), table.measure.title
    return f"{number} of the test samples right" if title == Measure().title else f"{title} {number}"


def _interval(table: SweepTable, row: Row) -> str:
    """Its 95 % interval where there is one."""
    if row.measured is None:
        return ""
    if table.measure.accuracy:
        found = bar(row.measured)
        ends = (found.low, found.high) if found else None
    else:
        mean, half = row.measured.mean, interval(row.measured.accuracies)["half"]
        ends = None if half is None else (mean - half, mean + half)
    return f" (95\u00a0% interval {range_text(*map(table.measure.text, ends))})" if ends else ""


def _over(table: SweepTable) -> str:
    if table.repeats > 1:
        return f", the mean of {table.repeats} seeds"
    return " with one seed, which cannot tell what others would bring" if table.measure.random else ""


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
