"""What one comparison came to among others: by the soft merge, or else its first method. Loads no torch."""

from collections.abc import Mapping, Sequence
from typing import Any

from softmerge_core.experiments.compare.spec import CompareSpec, planned
from softmerge_core.experiments.compare.words import as_measured
from softmerge_core.experiments.outcome import BASELINES, Measure, Outcome, inner, main_method, number
from softmerge_core.methods import available_methods, find_method


def measure(spec: CompareSpec) -> Measure:
    """The accuracy of the network of one method."""
    name = _main(planned(spec))
    if not name:
        return Measure(curved=False)
    method = find_method(name)
    return Measure(f"test accuracy of {method.title}", curved=False, random=method.random)


def outcome(result: Mapping[str, Any]) -> Outcome | None:
    """The accuracy of that method, over its seeds, beside baselines; None where it gave no network."""
    rows = {str(row["method"]): row for row in result["rows"] if row.get("accuracy")}
    name = _main([method for method in available_methods() if method in _merged(result)])
    if name not in rows:
        return None
    levels = {key: float(rows[key]["accuracy"]["mean"]) for key in BASELINES if key in rows and key != name}
    return Outcome(as_measured(rows[name]), number(inner(rows[name], "validation", "mean")), None, levels)


def _merged(result: Mapping[str, Any]) -> set[str]:
    """The methods of a comparison, those that failed as well; sources have no title."""
    return {str(row["method"]) for row in result["rows"] if "title" in row}


def _main(names: Sequence[str]) -> str:
    """Of methods in the order of all methods; a reference, which is no merged network, only where there is no other."""
    return main_method([name for name in names if not find_method(name).reference] or names)
