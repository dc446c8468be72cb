"""What one training came to among others. Loads no torch."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from softmerge_core.experiments.outcome import Outcome
from softmerge_core.statistics import Measured


def outcome(result: Mapping[str, Any]) -> Outcome | None:
    """The accuracy of the trained network on test data; None where it is not known."""
    accuracy = result.get("accuracy") or {}
    found = accuracy.get("test")
    if not isinstance(found, (int, float)) or not isfinite(found):
        return None
    return Outcome(Measured((found,)), accuracy.get("validation"))
