"""How much a data file may take, and how its owner raises that."""

import os

VARIABLE = "SOFTMERGE_DATA_BYTES"
USUAL = 1 << 30
HOW = f"take fewer samples, or raise the limit with the environment variable {VARIABLE}"


def _limit() -> int:
    """Return what the variable says, in bytes; what is no number counts as not said."""
    said = os.environ.get(VARIABLE, "").replace("_", "")
    return int(said) if said.isascii() and said.isdigit() and int(said) > 0 else USUAL


MAX_BYTES = _limit()  # the most that all arrays may take together, unpacked and as tensors
