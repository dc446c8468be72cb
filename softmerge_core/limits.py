"""The limits that a process sets itself before it reads what a stranger made. Loads no torch.

A process that goes beyond them dies, or gets a MemoryError; whoever started it tells which file that was.
"""

from pathlib import Path

import psutil

BASE = 2**31  # bytes beside those of the file: torch's own, data, and a pass through a network
TIMES = 6  # a file's bytes are held: as they are read, as tensors, as the network, and as what is written
SHARE = 0.9  # of the machine's memory that one such process may take at most
SECONDS, BYTES_A_SECOND = 60, 2**24  # of processor time: so many, and more for large files


def memory_for(size: int) -> int:
    """Bytes that a process may take to read a file of ``size`` bytes, on this machine."""
    return min(BASE + TIMES * size, int(SHARE * psutil.virtual_memory().total))


def seconds_for(size: int) -> int:
    """Seconds of processor time that a process may take to read files of ``size`` bytes together."""
    return SECONDS + size // BYTES_A_SECOND


def limit_process(memory: int, seconds: int) -> None:
    """Let this process take ``memory`` bytes more than it has, ``seconds`` of processor time, and dump no core.

    On Windows, which has no such limits, nothing is done.
    """
    try:
        import resource
    except ImportError:
        return
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if _has_proc() else 2**32
    used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
    for kind, most in (
        (resource.RLIMIT_AS, taken + memory),
        (resource.RLIMIT_CPU, used + seconds),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        lowered = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (lowered, lowered))


def _has_proc() -> bool:
    return Path("/proc/self/statm").is_file()
