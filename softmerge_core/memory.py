"""The memory that a soft merge needs, and whether this machine has it. Loads no torch."""

import psutil

from softmerge_core.errors import ShortOfMemoryError
from softmerge_core.numbers import NO_BREAK

SINGLE, HALF = 4, 2  # bytes of a number in float32, and in float16 or bfloat16
BESIDE = 5  # networks beside the matrix of the sources
UNITS = ((2**30, "GB"), (2**20, "MB"), (2**10, "kB"))


def merge_memory(parameters: int, sources: int, stored: int = SINGLE, networks: int = 0) -> int:
    """Return the bytes that a soft merge needs, beside the data and what a pass through the network takes.

    With P ``parameters`` and K ``sources`` these are K P numbers of ``stored`` bytes each, the matrix of the sources;
    and 4 (5 + ``networks``) P bytes: the merged network, its gradient, the result, the source that is being read and
    one that the system has not taken back yet, and as many more ``networks`` as are held meanwhile.
    """
    return parameters * (sources * stored + SINGLE * (BESIDE + networks))


def memory_text(size: int) -> str:
    """A number of bytes as it is written: "1.2 GB", "45 MB", with a no-break space."""
    unit, name = next((pair for pair in UNITS if size >= pair[0]), UNITS[-1])
    return f"{size / unit:.{1 if size < 10 * unit else 0}f}{NO_BREAK}{name}"


def check_memory(needed: int, what: str) -> None:
    """Raise ShortOfMemoryError unless ``needed`` bytes are free; ``what`` begins the sentence."""
    free = psutil.virtual_memory().available
    if needed > free:
        raise ShortOfMemoryError(
            f"{what} takes about {memory_text(needed)} of memory, and this machine has {memory_text(free)} free: "
            "merge fewer sources, or keep them in files of half precision"
        )
