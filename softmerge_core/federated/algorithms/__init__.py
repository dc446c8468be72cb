"""The federated algorithms: one module each, defining ``ALGORITHM``. Loads no torch."""

from functools import cache

from softmerge_core.federated.algorithms.base import Algorithm
from softmerge_core.registry import discover, lookup

__all__ = ["Algorithm", "algorithms", "find_algorithm"]


@cache
def algorithms() -> dict[str, Algorithm]:
    """Return every algorithm by its name, in the order in which they were published."""
    found: dict[str, Algorithm] = discover(__name__, "ALGORITHM")
    return dict(sorted(found.items(), key=lambda item: item[1].year))


def find_algorithm(name: str) -> Algorithm:
    """Return the algorithm called ``name``; raises NotFoundError, which lists the known names."""
    found: Algorithm = lookup(algorithms(), name, "federated algorithm")
    return found
