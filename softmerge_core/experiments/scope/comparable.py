"""What one training with weight scope alignment came to among others: by the barrier that is left. No torch."""

from collections.abc import Mapping
from typing import Any

from softmerge_core.experiments.outcome import Measure, Outcome, inner, number
from softmerge_core.experiments.scope.spec import ScopeSpec
from softmerge_core.statistics import Measured

WITHOUT = "Without"  # the title of its level


def measure(spec: ScopeSpec) -> Measure:
    """The error barrier at the average of the sources that were trained with alignment, at the end."""
    del spec
    return Measure("test error barrier with alignment", "points", lower_is_better=True, curved=False)


def outcome(result: Mapping[str, Any]) -> Outcome | None:
    """That barrier (error, 0-1; below 0 where the average is better than the sources), beside the one without."""
    aligned, plain = (number(inner(result, side, "barrier", "error")) for side in ("aligned", "plain"))
    if aligned is None:
        return None
    return Outcome(Measured((aligned,)), levels={} if plain is None else {WITHOUT: plain})
