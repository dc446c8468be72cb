"""What one run came to, in the few numbers by which the points of a sweep are compared. Loads no torch."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

from softmerge_core.numbers import MINUS, NO_BREAK
from softmerge_core.statistics import Measured

BASELINES = ("average", "best_source", "ensemble")  # in the order in which they are named
SOFT = "soft"  # the method that stands for a run of several, where it is among them
PERCENT = "%"


class Measure(NamedTuple):
    """The one main number of a kind of run. ``title``: its name inside a sentence.

    A value is written times ``scale`` with ``digits`` and its ``unit``; only accuracies (0-1) are in PERCENT.
    ``curved``: the evaluations of a run tell how it went; ``random``: other seeds may give other values.
    """

    title: str = "test accuracy"
    unit: str = PERCENT
    scale: float = 100.0
    digits: int = 1
    lower_is_better: bool = False
    curved: bool = True
    random: bool = True

    @property
    def accuracy(self) -> bool:
        """Whether it is a share of test samples."""
        return self.unit == PERCENT

    def text(self, value: float) -> str:
        """A value with its unit: "81.2 %", "3.4 points", "0.40 nats"."""
        shown = round(self.scale * value, self.digits) + 0.0  # not -0.0
        return f"{shown:.{self.digits}f}{NO_BREAK}{self.unit}".replace("-", MINUS)


class Outcome(NamedTuple):
    """The main number of one run, as ``measured`` of one seed or of several of its own, and what else is known of it.

    ``validation``: its accuracy (0-1) on validation data, by which a point is chosen; ``open``: the share (0-1) of
    gates that are open, z > 0; ``levels``: the main numbers of baselines by their keys, or by their titles.
    """

    measured: Measured
    validation: float | None = None
    open: float | None = None
    levels: Mapping[str, float] = {}


def one_accuracy(_: Any) -> Measure:
    """The measure of kinds that come to one network."""
    return Measure()


def main_method(methods: Sequence[str]) -> str:
    """The method by which runs of several are compared: the soft merge, or else the first; "" of none."""
    return SOFT if SOFT in methods else next(iter(methods), "")


def number(value: Any) -> float | None:
    """A finite number as it is in a result; None for anything else."""
    return float(value) if isinstance(value, (int, float)) and isfinite(value) else None


def inner(values: Any, *keys: str) -> Any:
    """What lies in nested mappings of a result under ``keys``; None where it is not there."""
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values


def entries(values: Any) -> list[Mapping[str, Any]]:
    """The mappings in a list of a result; none where it is no list."""
    return [each for each in values if isinstance(each, Mapping)] if isinstance(values, list) else []


def open_share(gates: Mapping[str, Any] | None) -> float | None:
    """The share (0-1) of open gates in a result's table; None where there is none."""
    if not gates or not gates["value"]:
        return None
    columns, rows = len(gates["sources"]), gates["value"]
    if gates.get("sizes") and gates.get("closed"):
        return float(1 - sum(map(sum, gates["closed"])) / (columns * sum(gates["sizes"])))
    return float(sum(cell > 0 for row in rows for cell in row)) / (columns * len(rows))
