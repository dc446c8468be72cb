"""A wall around ``pickle.load`` in other people's code: only numpy's arrays can come out of it."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ARRAYS = {
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
    *("numpy.ndarray", "numpy.dtype", "_codecs.encode"),
}
_here = threading.local()
_hooked: list[bool] = []


@contextmanager
def only_arrays() -> Iterator[None]:
    """In this thread, until the end of the block, a pickle that names anything but parts of arrays raises ValueError.

    Python announces each name before it looks it up (PEP 578, event ``pickle.find_class``).
    """
    if not _hooked:
        sys.addaudithook(_refuse)  # stays for good, and does nothing outside such a block
        _hooked.append(True)
    _here.on = True
    try:
        yield
    finally:
        _here.on = False


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "pickle.find_class" and getattr(_here, "on", False):
        name = ".".join(map(str, arguments))
        if name not in ARRAYS:
            raise ValueError(f"a pickle that would run code ({name[:80]})")
