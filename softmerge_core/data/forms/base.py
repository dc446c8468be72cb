"""The contract of a form: from files as they come to labels, class names and raw arrays."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from softmerge_core.errors import DataError, short

NO_MEMORY = ("out of memory", "can't allocate memory")  # as pandas and torch call it
Tell = Callable[[str, float | None], None]  # what is being done, and how much of it (0-1), where that is known


def tell_nobody(what: str, share: float | None) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Part:
    """Labelled samples, whose inputs are read when they are asked for.

    ``labels``: int64 [N]; ``shape``: of one sample; ``inputs``: from indices [n] to uint8 [n, C, H, W] or float32
    [n, D].
    """

    labels: np.ndarray
    shape: tuple[int, ...]
    inputs: Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Raw:
    """What a form reads. ``validation`` and ``test``: where the form has its own; ``notes``: sentences for readers."""

    train: Part
    class_names: tuple[str, ...]
    validation: Part | None = None
    test: Part | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What a reader of a form is told beside the place.

    ``scratch``: a folder of its own; ``called``: what messages call the place; ``label`` and ``size``: see ``Wishes``.
    """

    scratch: Path
    called: str = ""
    label: str = ""
    size: int | None = None
    tell: Tell = tell_nobody


@dataclass(frozen=True)
class Form:
    """One form of data. ``read`` takes a file or folder and raises DataError; ``fetch`` downloads into a folder.

    ``about``: one sentence that says which files are expected; ``takes``: what is named, a folder or a file;
    ``suffixes``: of files that can be uploaded; ``places``: where a system may keep them; ``loads``: modules that
    ``read`` imports; ``uses``: which of "label" and "size" it looks at; ``megabytes``: of a download.
    """

    name: str
    title: str
    about: str
    takes: Literal["folder", "file"]
    read: Callable[[Path, Asked], Raw]
    suffixes: tuple[str, ...]
    loads: tuple[str, ...]
    fetch: Callable[[Path], None] | None = None
    megabytes: int = 0
    places: tuple[str, ...] = ()
    uses: tuple[str, ...] = field(default=())


@contextmanager
def typed(what: str, expected: str) -> Iterator[None]:
    """Turn whatever a library raises into a DataError that names ``what`` and says what was ``expected``.

    Want of memory stays a MemoryError, whatever the library calls it.
    """
    try:
        yield
    except (DataError, MemoryError):
        raise
    except Exception as error:  # parsers of formats raise over a dozen types
        reason = error.strerror if isinstance(error, OSError) else str(error)
        if any(words in str(reason) for words in NO_MEMORY):
            raise MemoryError(str(reason)) from error
        told = short(reason or type(error).__name__, 200)
        raise DataError(f"{what}: expected {expected}, got: {told}") from error
