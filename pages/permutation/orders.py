"""Orders of units: in which order the units of each hidden layer stand, as places and links hold them."""

from collections.abc import Sequence
from typing import Any

from softmerge_core.errors import SettingsError

Orders = list[list[int]]  # by hidden layer: the unit that stands in each place, from 0


def as_trained(sizes: Sequence[int]) -> Orders:
    """The orders in which every unit stands where it was trained."""
    return [list(range(size)) for size in sizes]


def sound(value: Any, sizes: Sequence[int]) -> Orders | None:
    """``value`` where it is an order of each layer of these sizes, else None: other programs may send anything."""
    if not isinstance(value, list) or len(value) != len(sizes):
        return None
    for order, size in zip(value, sizes, strict=True):
        if not isinstance(order, list) or not all(type(unit) is int for unit in order):
            return None
        if sorted(order) != list(range(size)):
            return None
    return value


def as_texts(orders: Orders) -> list[str]:
    """The orders as a link holds them, a text a layer, its units counted from 1; nothing where all are as trained."""
    if orders == as_trained([len(order) for order in orders]):
        return []
    return [".".join(str(unit + 1) for unit in order) for order in orders]


def from_texts(texts: Sequence[str], sizes: Sequence[int]) -> Orders:
    """The orders of such texts; raises SettingsError, which says what was expected."""
    try:
        found = sound([[int(unit) - 1 for unit in text.split(".")] for text in texts], sizes)
    except ValueError:
        found = None
    if found is None:
        wanted = ", ".join(map(str, sizes))
        raise SettingsError(f"expected the units of {len(sizes)} hidden layers of {wanted} in some order")
    return found
