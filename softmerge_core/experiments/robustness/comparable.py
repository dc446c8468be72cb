"""What one attack came to among others: by the soft merge, or else the first method, in the chosen case. No torch."""

from collections.abc import Mapping, Sequence
from typing import Any

from softmerge_core.experiments.outcome import BASELINES, Measure, Outcome, entries, inner, main_method, number
from softmerge_core.experiments.robustness.spec import RobustnessSpec
from softmerge_core.methods import available_methods
from softmerge_core.statistics import Measured

HONEST = "Best honest"  # the title of its level


def measure(spec: RobustnessSpec) -> Measure:
    """The accuracy of the network of one method, with so many malicious sources and the strength that were chosen."""
    method = available_methods().get(main_method(spec.methods))
    of = f" of {method.title}" if method else ""
    return Measure(f"test accuracy{of} under attack", curved=False)


def outcome(result: Mapping[str, Any]) -> Outcome | None:
    """The accuracy of that method in the chosen case, over its seeds, beside baselines; None where a network failed.

    The case is that in which the run asked who is to blame.
    """
    case = inner(result, "blame", "case")
    rows = [row for row in entries(result.get("rows")) if case and row.get("case") == case]
    name = main_method([str(row.get("series")) for row in rows])
    found = _measured(rows, name)
    if found is None:
        return None
    levels = {key: one.mean for key in BASELINES if key != name and (one := _measured(rows, key))}
    honest = number(inner(result, "best_honest", "scores", "accuracy"))
    levels |= {} if honest is None else {HONEST: honest}
    return Outcome(found, _mean([row.get("validation") for row in _of(rows, name)]), None, levels)


def _of(rows: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    return [row for row in rows if row.get("series") == name]


def _measured(rows: Sequence[Mapping[str, Any]], name: str) -> Measured | None:
    """The accuracies of a method, one a seed; None without any, or where one of its networks failed."""
    own = _of(rows, name)
    values = [number(row.get("accuracy")) for row in own]
    known = tuple(value for value in values if value is not None)
    if not known or len(known) < len(own):
        return None
    return Measured(known, 0, tuple(str(row.get("correct") or "") for row in own))


def _mean(values: Sequence[Any]) -> float | None:
    known = [found for value in values if (found := number(value)) is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
