"""Which merges of the same sources can go side by side, as far as their settings and layers tell. Loads no torch."""

from collections.abc import Sequence

MAY_DIFFER = {"seed", "learning_rate", "penalty", "temperature", "initial_open_probability"}  # among those side by side
KINDS = ("Linear", "Conv1d")  # layers whose products take no longer for many networks at once than one after another


def gain_together(kinds: Sequence[str]) -> bool:
    """Whether networks of layers of these kinds take less time side by side; not where they are not known."""
    return bool(kinds) and all(kind in KINDS for kind in kinds)
