"""The points of a sweep with what their runs came to, over seeds, as pages and figures read them."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import isclose
from statistics import fmean

from softmerge_core.experiments.outcome import BASELINES, Outcome
from softmerge_core.experiments.sweeping.spec import Sweep, axes_of, base_values
from softmerge_core.experiments.sweeping.varied import Value, value_text
from softmerge_core.experiments.tables import Value as Cell
from softmerge_core.statistics import Measured

SAME = 5e-4  # accuracies of a baseline that are this near are one


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
        """The test accuracies of the seeds that are done."""
        if not self.known:
            return None
        each = [outcome.measured for outcome in self.known]
        return Measured(
            tuple(one.accuracies[0] for one in each), each[0].samples, tuple((one.correct or ("",))[0] for one in each)
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

    @cached_property
    def chosen(self) -> bool:
        """Whether the best point is chosen on validation data: where these are known."""
        return all(row.validation is not None for row in self.done)

    @cached_property
    def best(self) -> Row | None:
        """The point that is done with the highest mean validation accuracy; where none is known, test accuracy."""
        return max(self.done, key=self._merit, default=None)

    def _merit(self, row: Row) -> float:
        known = row.validation if self.chosen else row.measured and row.measured.mean
        return float(known or 0.0)

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
        """The test accuracy (0-1) of each baseline that is the same in all runs."""
        told = [outcome.levels for row in self.rows for outcome in row.known]
        found = {}
        for name in BASELINES:
            values = [levels[name] for levels in told if name in levels]
            if values and all(isclose(value, values[0], abs_tol=SAME) for value in values):
                found[name] = values[0]
        return found

    def text(self, row: Row) -> str:
        """A point in words."""
        return ", ".join(f"{name} {value_text(value)}" for name, value in zip(self.names, row.values, strict=True))

    def csv(self, states: Mapping[str, str]) -> tuple[tuple[str, ...], list[list[Cell]]]:
        """Head and rows of a table with a row for each run. ``states``: of each run, by its id."""
        measures = ("seed", "state", "test accuracy (%)", "validation accuracy (%)", "gates open (%)", "run")
        rows = [
            [*map(value_text, row.values), seed, states.get(run_id, "deleted"), *_numbers(outcome), run_id]
            for row in self.rows
            for seed, run_id, outcome in zip(self.seeds, row.runs, row.outcomes, strict=True)
        ]
        return (*self.names, *measures), rows


def _numbers(outcome: Outcome | None) -> list[Cell]:
    if outcome is None:
        return [None, None, None]
    shares = (outcome.measured.mean, outcome.validation, outcome.open)
    return [None if share is None else 100 * share for share in shares]


def _combinations(values: Sequence[tuple[Value, ...]]) -> list[tuple[Value, ...]]:
    found: list[tuple[Value, ...]] = [()]
    for own in values:
        found = [(*before, value) for before in found for value in own]
    return found
