"""Where the app keeps runs and the reader's own models and data; the one way a file is written or thrown away there."""

import contextlib
import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import platformdirs

TRASH = ".trash"
KEPT = 24 * 3600.0  # seconds in which what was thrown away can be brought back


def home() -> Path:
    """Return ``$SOFTMERGE_HOME``, or the user's data folder for "softmerge". The folder may not exist yet."""
    chosen = os.environ.get("SOFTMERGE_HOME")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("softmerge", appauthor=False))


def write_atomic(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace the file at ``path`` by ``content``, whole or not at all; no reader ever sees half of it.

    The folder must exist. With ``durable`` the call returns only once the content is on the disk. Raises OSError,
    and then leaves the old file, or none, and no temporary file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if durable:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems cannot
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def set_aside(paths: Sequence[Path]) -> str:
    """Throw ``paths``, each in a folder of the home, away in this order; returns the ticket for ``bring_back``.

    What was thrown away more than a day ago is deleted for good. Raises OSError, and then all is where it was.
    """
    empty_trash()
    ticket = secrets.token_hex(8)
    moves = [(path, _thrown(ticket) / path.relative_to(home())) for path in paths]
    try:
        _move(moves)
    except OSError:
        _tidy(ticket)
        raise
    return ticket


def bring_back(ticket: str) -> None:
    """Put what was set aside back where it was; raises OSError where it is gone for good or its place is taken."""
    place = _thrown(ticket)
    found = sorted(place.glob("*/*")) if place.is_dir() else []  # so that data come after what is known of them
    if not found:
        raise FileNotFoundError(errno.ENOENT, "It was deleted for good meanwhile")
    moves = [(path, home() / path.relative_to(place)) for path in found]
    if any(target.exists() for _, target in moves):
        raise FileExistsError(errno.EEXIST, "Another one has its name by now")
    _move(moves)
    _tidy(ticket)


def discard(ticket: str) -> None:
    """Delete what was set aside for good, if it is not gone yet; raises OSError where it cannot be deleted."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(_thrown(ticket))


def _tidy(ticket: str) -> None:
    """Delete what the next call of ``empty_trash`` would delete as well, if it cannot be done now."""
    shutil.rmtree(_thrown(ticket), ignore_errors=True)


def empty_trash(age: float = KEPT) -> None:
    """Delete for good what was set aside longer ago than ``age`` seconds."""
    with contextlib.suppress(OSError):
        for place in (home() / TRASH).iterdir():
            if time.time() - place.stat().st_mtime > age:
                _tidy(place.name)


def _thrown(ticket: str) -> Path:
    """The folder of what was set aside; a ticket that is none leads nowhere."""
    return home() / TRASH / (ticket if re.fullmatch("[0-9a-f]{16}", ticket) else "none")


def _move(moves: Sequence[tuple[Path, Path]]) -> None:
    """Move each file or folder, all of them or none; raises OSError."""
    done: list[tuple[Path, Path]] = []
    try:
        for path, target in moves:
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
            done.append((path, target))
    except OSError:
        for path, target in reversed(done):
            target.rename(path)
        raise
