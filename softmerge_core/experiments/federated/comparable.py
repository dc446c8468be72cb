"""What one federated experiment came to among others. Loads no torch."""

from collections.abc import Mapping
from typing import Any

from softmerge_core.experiments.outcome import Outcome
from softmerge_core.statistics import Measured


def outcome(result: Mapping[str, Any]) -> Outcome | None:
    """The late test accuracy of the first of the overlaid runs; None where it is not known."""
    rows = result.get("rows") or [{}]
    found = rows[0].get("accuracy")
    return None if found is None else Outcome(Measured((found,)))
