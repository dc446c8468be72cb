"""What one run came to, in the few numbers by which the points of a sweep are compared. Loads no torch."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from softmerge_core.statistics import Measured

BASELINES = ("average", "best_source", "ensemble")  # in the order in which they are named


class Outcome(NamedTuple):
    """The test accuracy of one run, as ``measured`` of one seed, and what else is known of it.

    ``validation``: its accuracy (0-1) on validation data, by which a point is chosen; ``open``: the share (0-1) of
    gates that are open, z > 0; ``levels``: the test accuracies (0-1) of baselines by their keys.
    """

    measured: Measured
    validation: float | None = None
    open: float | None = None
    levels: Mapping[str, float] = {}


def open_share(gates: Mapping[str, Any] | None) -> float | None:
    """The share (0-1) of open gates in a result's table; None where there is none."""
    if not gates or not gates["value"]:
        return None
    columns, rows = len(gates["sources"]), gates["value"]
    if gates.get("sizes") and gates.get("closed"):
        return float(1 - sum(map(sum, gates["closed"])) / (columns * sum(gates["sizes"])))
    return float(sum(cell > 0 for row in rows for cell in row)) / (columns * len(rows))
