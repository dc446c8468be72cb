"""The attacks: the weights that malicious sources send instead of their own. One file each, with a constant ``ATTACK``.

A file holds an attack's words and its effect on numbers; ``zoo.spoiling`` makes the copies. Loads no torch.
"""

from functools import cache

from softmerge_core.attacks.base import Attack
from softmerge_core.registry import discover, lookup

__all__ = ["Attack", "attacks", "find_attack"]


@cache
def attacks() -> dict[str, Attack]:
    """Return every attack by its name: those on weights first, those that leave NaN or Inf last."""
    found: dict[str, Attack] = discover(__name__, "ATTACK")
    return dict(sorted(found.items(), key=lambda item: (not item[1].finite, item[1].weights is None, item[0])))


def find_attack(name: str) -> Attack:
    """Return the attack called ``name``; raises NotFoundError, which lists the known names."""
    found: Attack = lookup(attacks(), name, "attack")
    return found
