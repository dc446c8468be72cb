"""How the C library of this process keeps freed memory: for the speed of a worker, or for a server that runs for long.

Elsewhere than with glibc nothing is done.
"""

import ctypes

TRIM, MAPPED, ARENAS = -1, -3, -8  # mallopt's names: free memory to keep at most, size of mapped blocks, most arenas
KEPT, LARGE = 64 * 2**20, 32 * 2**20  # bytes: as far as the allocator would go by itself
SMALL = 128 * 2**10  # bytes: where it begins


def keep_freed_memory() -> None:
    """Let the allocator use freed memory again at once.

    Dask starts its workers such that each free block goes back to the system, from where the next step of a merge
    gets it anew, page by page: the same run took half as long again.
    """
    _adjust((MAPPED, LARGE), (TRIM, KEPT))


def give_back_freed_memory() -> None:
    """Let one arena serve all threads, and large blocks go back to the system; call it before threads are many.

    By default each of up to eight threads a core gets an arena, whose free memory no other thread uses. A server with a
    thread for each page that is drawn ends with each of them as large as the largest page.
    """
    _adjust((ARENAS, 1), (MAPPED, SMALL), (TRIM, SMALL))


def _adjust(*settings: tuple[int, int]) -> None:
    try:
        adjust = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError, OSError):  # another system, or another C library
        return
    for name, value in settings:
        adjust(name, value)
