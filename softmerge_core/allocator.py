"""How this process keeps freed memory: for the speed of a worker, or for a server that runs for long.

The C library is told only where it is glibc.
"""

import ctypes
import gc

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


def set_aside_what_lasts() -> None:
    """Have Python's search for circular garbage leave out all that there is by now; call it once all is imported.

    It looks at everything only when a quarter as much has come since: beside half a million objects of modules, that
    of hundreds of figures, which are such circles.
    """
    gc.collect()
    gc.freeze()
    gc.collect()  # which counts anew how much there is


def _adjust(*settings: tuple[int, int]) -> None:
    try:
        adjust = ctypes.CDLL(None).mallopt
    except (AttributeError, TypeError, OSError):  # another system, or another C library
        return
    for name, value in settings:
        adjust(name, value)
