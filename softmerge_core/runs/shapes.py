"""Whether an event that was read makes sense by itself: lists that belong together, numbers that can be meant.

Each field of an event has its type already. What is refused here no picture could draw, or only after it had asked
for more memory than there is.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from softmerge_core.events import AnyEvent

MOST_COUNT = 2**53  # of steps, samples, weights: beyond it floating-point numbers skip integers
MOST_CLASSES = 100_000
SHARES = ("accuracy", "calibration", "validation", "accuracies", "straight_error", "train_error", "test_error")
CLASSES = {"boundary": "classes", "points": "labels"}
# kind -> fields of the same length; those after None may be empty as well
ALIKE: dict[str, tuple[str | None, ...]] = {
    "stage": ("parts", None, "groups", "sizes"),
    "gates": ("probability", "value", None, "share", "closed", "opened"),
    "blame": ("sources", "malicious", "gates", "gains"),
    "points": ("x", "y", "labels"),
    "shards": ("counts", "malicious"),
    "federated_round": ("clients", "accuracies", None, "gates"),
    "weight_path": ("t", None, "train_loss", "train_error", "test_loss", "test_error"),
    "weight_plane": ("names", "corners", "loss", "error"),
    "plane_rows": ("loss", "error"),
    "plane_trail": ("x", "y", "off"),
    "bezier_curve": ("t", "loss", "error", "straight_loss", "straight_error"),
    "scopes": ("layers", "mu", "sigma"),
}
TABLES = {
    "gates": ("probability", "value", "share", "closed", "opened"),
    "shards": ("counts",),
    "plane_rows": ("loss", "error"),
}
COUNTED = {"gates": ("closed", "opened"), "shards": ("counts",)}  # tables of whole numbers
FILLED = {"gates", "blame", "plane_trail", "bezier_curve", "weight_plane", "shards"}  # kinds whose lists are not empty


def makes_sense(event: AnyEvent) -> bool:
    """Whether the event's lists fit together and its numbers are in the range of what they count."""
    values = dict(event)
    return _counts(event.kind, values) and _shares(values) and _alike(event.kind, values)


def _counts(kind: str, values: dict[str, Any]) -> bool:
    """Whether whole numbers can be the numbers of something, and classes so few that each can have a colour."""
    plain = [value for value in values.values() if isinstance(value, int)]
    classes: Sequence[int] = values[CLASSES[kind]] if kind in CLASSES else ()
    listed = (*values.get("clients", ()), *values.get("excluded", ()))
    return (
        all(0 <= number <= MOST_COUNT for number in (*plain, *listed, *_flat(kind, values)))
        and all(0 <= number < MOST_CLASSES for number in classes)
        and (kind != "boundary" or len(classes) == values["size"] ** 2)
    )


def _flat(kind: str, values: dict[str, Any]) -> Iterable[int]:
    """The whole numbers in tables."""
    if kind == "histogram":
        return tuple(values["counts"])
    if kind == "stage":
        return tuple(values["sizes"])
    return [number for name in COUNTED.get(kind, ()) for row in values[name] for number in row]


def _shares(values: dict[str, Any]) -> bool:
    """Whether shares are between 0 and 1, or not known (NaN)."""
    found = [values[name] for name in SHARES if name in values]
    numbers = [number for value in found for number in (value if isinstance(value, tuple) else (value,))]
    return not any(number < 0 or number > 1 + 1e-6 for number in numbers)


def _alike(kind: str, values: dict[str, Any]) -> bool:
    """Whether lists that belong together are of one length, as are the rows of a table."""
    names = ALIKE.get(kind, ())
    must = names[: names.index(None)] if None in names else names
    lengths = {len(values[name]) for name in must if name}
    others = [values[name] for name in names[len(must) :] if name and values[name]]
    tables = [values[name] for name in TABLES.get(kind, ())]
    widths = {len(row) for table in tables for row in table}
    if kind in FILLED and (0 in lengths or 0 in widths):
        return False
    return len(lengths) <= 1 and len(widths) <= 1 and all(len(other) in lengths for other in others)
