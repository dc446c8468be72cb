"""Federated learning: rounds in which clients train on shards of their own and a server merges what they send.

One file an algorithm, each with a constant ``ALGORITHM``. Start reading at ``server.py``. Torch comes in on use.
"""

from functools import cache

from softmerge_core.federated.base import Algorithm
from softmerge_core.registry import discover, lookup

__all__ = ["Algorithm", "algorithms", "find_algorithm"]


@cache
def algorithms() -> dict[str, Algorithm]:
    """Every algorithm by its name, in the order of their papers."""
    found: dict[str, Algorithm] = discover(__name__, "ALGORITHM")
    return dict(sorted(found.items(), key=lambda item: item[1].year))


def find_algorithm(name: str) -> Algorithm:
    """The algorithm called ``name``; raises NotFoundError that lists the known names."""
    found: Algorithm = lookup(algorithms(), name, "federated algorithm")
    return found
