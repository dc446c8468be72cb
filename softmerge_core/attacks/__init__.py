"""What malicious sources send instead of their own weights: one file an attack, each with a constant ``ATTACK``.

Only what attacks are called and do to numbers; ``zoo.spoiling`` makes the copies. Loads no torch.
"""

from functools import cache

from softmerge_core.attacks.base import Attack
from softmerge_core.registry import discover, lookup

__all__ = ["Attack", "attacks", "find_attack"]


@cache
def attacks() -> dict[str, Attack]:
    """Every attack by its name: those on weights first, those that leave no numbers last."""
    found: dict[str, Attack] = discover(__name__, "ATTACK")
    return dict(sorted(found.items(), key=lambda item: (not item[1].finite, item[1].weights is None, item[0])))


def find_attack(name: str) -> Attack:
    """The attack called ``name``; raises NotFoundError that lists the known names."""
    found: Attack = lookup(attacks(), name, "attack")
    return found
