"""The points of a sweep with what their runs came to, over seeds, as pages and figures read them."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import isclose
from statistics import fmean

from softmerge_core.experiments import experiment
from softmerge_core.experiments.outcome import Measure, Outcome
from softmerge_core.experiments.sweeping.spec import Sweep, axes_of, base_values
from softmerge_core.experiments.sweeping.varied import Value, seed_path, value_text
from softmerge_core.experiments.tables import Value as Cell
from softmerge_core.statistics import Measured

SAME = 5e-4  # numbers of a baseline that are this near are one


class Row:
    """A point: its ``values``, one an axis; of each seed the id of its run, and what that came to, None if nothing."""

    def __init__(self, values: tuple[Value, ...], runs: Sequence[str], outcomes: Sequence[Outcome | None]) -> None:
        self.values, self.runs, self.outcomes = values, tuple(runs), tuple(outcomes)
        self.known = [outcome for outcome in outcomes if outcome]

    @property
    def whole(self) -> bool:
        """Whether every seed is done."""
        return len(self.known) == len(self.outcomes)

    @cached_property
    def measured(self) -> Measured | None:
        """The main numbers of the seeds that are done; of runs that repeat with seeds of their own, of all of these."""
        if not self.known:
            return None
        each = [outcome.measured for outcome in self.known]
        correct = [one.correct if len(one.correct) == one.seeds else ("",) * one.seeds for one in each]
        return Measured(
            tuple(value for one in each for value in one.accuracies),
            each[0].samples,
            tuple(text for own in correct for text in own),
        )

    @property
    def validation(self) -> float | None:
        """The mean validation accuracy (0-1) over the seeds that are done; None where it is not known."""
        found = [outcome.validation for outcome in self.known if outcome.validation is not None]
        return fmean(found) if found else None

    @property
    def open(self) -> float | None:
        """The mean share (0-1) of open gates; None where there are none."""
        found = [outcome.open for outcome in self.known if outcome.open is not None]
        return fmean(found) if found else None


class SweepTable:
    """All points of a sweep, in the order of ``expand``.

    ``values``: of each axis; ``outcomes``: what the runs came to, by their ids.
    """

    def __init__(
        self,
        sweep: Sweep,
        values: Sequence[tuple[Value, ...]],
        runs: Sequence[str],
        outcomes: Mapping[str, Outcome],
    ) -> None:
        self.sweep, self.axes, self.values = sweep, axes_of(sweep), list(values)
        each = len(sweep.seeds)
        self.rows = [
            Row(point, own := runs[each * place : each * (place + 1)], [outcomes.get(run_id) for run_id in own])
            for place, point in enumerate(_combinations(self.values))
        ]
        self.seeds = sweep.seeds
        self.measure: Measure = experiment(sweep.base.kind).measure(sweep.base)

    @property
    def names(self) -> list[str]:
        """The names of the axes."""
        return [about.label for about in self.axes]

    @cached_property
    def base(self) -> Row | None:
        """The point with the settings that the sweep began from; None where it is not among the points."""
        wanted = base_values(self.sweep)
        return next((row for row in self.rows if row.values == wanted), None)

    @cached_property
    def done(self) -> list[Row]:
        """The points of which every seed is done."""
        return [row for row in self.rows if row.whole]

    @property
    def repeats(self) -> int:
        """With how many seeds a point is done, those of the runs themselves included; 1 while none is."""
        return max((row.measured.seeds for row in self.rows if row.measured), default=1)

    @cached_property
    def chosen(self) -> bool:
        """Whether a best point is chosen, on validation data: where these are known."""
        return all(row.validation is not None for row in self.done)

    @cached_property
    def best(self) -> Row | None:
        """The point that is done with the highest mean validation accuracy; None where it is not known: test data
        choose nothing.
        """
        return max(self.done, key=lambda row: row.validation or 0.0, default=None) if self.chosen else None

    @cached_property
    def leading(self) -> Row | None:
        """The point that is done whose mean on test data is highest, or lowest where that is better."""
        sign = -1 if self.measure.lower_is_better else 1
        known = [(sign * row.measured.mean, row) for row in self.done if row.measured]
        return max(known, key=lambda pair: pair[0], default=(0.0, None))[1]

    @cached_property
    def gated(self) -> bool:
        """Whether runs tell how many gates are open."""
        return any(row.open is not None for row in self.rows)

    @cached_property
    def front(self) -> list[Row]:
        """The points than which none has both fewer open gates and a higher validation accuracy, fewest gates first."""
        known = [row for row in self.done if row.open is not None and row.validation is not None]
        ordered = sorted(known, key=lambda row: (row.open or 0.0, -(row.validation or 0.0)))
        found: list[Row] = []
        for row in ordered:
            if not found or (row.validation or 0.0) > (found[-1].validation or 0.0):
                found.append(row)
        return found

    @cached_property
    def levels(self) -> dict[str, float]:
        """The main number of each baseline that is the same at all points, the mean over seeds."""
        seeds = [[row.outcomes[k] for row in self.rows] for k in range(len(self.seeds))]
        told = [[outcome.levels for outcome in own if outcome] for own in seeds]
        names = {name: None for own in told for levels in own for name in levels}
        found = {name: [_one([levels.get(name) for levels in own]) for own in told if own] for name in names}
        return {
            name: fmean(known)
            for name, values in found.items()
            if len(known := [value for value in values if value is not None]) == len(values)
        }

    def text(self, row: Row) -> str:
        """A point in words."""
        return ", ".join(f"{name} {value_text(value)}" for name, value in zip(self.names, row.values, strict=True))

    def csv(self, states: Mapping[str, str]) -> tuple[tuple[str, ...], list[list[Cell]]]:
        """Head and rows of a table with a row for each run. ``states``: of each run, by its id."""
        main = f"{self.measure.title} ({self.measure.unit})"
        measures = ("seed", "state", main, "validation accuracy (%)", "gates open (%)", "run")
        seeded, scale = seed_path(self.sweep.base) is not None, self.measure.scale
        rows = [
            [
                *map(value_text, row.values), seed if seeded else None, states.get(run_id, "deleted"),
                *_numbers(outcome, scale), run_id,
            ]
            for row in self.rows
            for seed, run_id, outcome in zip(self.seeds, row.runs, row.outcomes, strict=True)
        ]  # fmt: skip
        return (*self.names, *measures), rows


def _one(values: Sequence[float | None]) -> float | None:
    """The value that all have that have any; None where they differ, or none has one."""
    known = [value for value in values if value is not None]
    return known[0] if known and all(isclose(value, known[0], abs_tol=SAME) for value in known) else None


def _numbers(outcome: Outcome | None, scale: float) -> list[Cell]:
    """Of a run: its main number, and the two shares in percent."""
    if outcome is None:
        return [None, None, None]
    shares = [None if share is None else 100 * share for share in (outcome.validation, outcome.open)]
    return [scale * outcome.measured.mean, *shares]


def _combinations(values: Sequence[tuple[Value, ...]]) -> list[tuple[Value, ...]]:
    found: list[tuple[Value, ...]] = [()]
    for own in values:
        found = [(*before, value) for before in found for value in own]
    return found
