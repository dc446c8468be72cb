"""Snapshots that a run keeps on its way: few, spread over all of it. From them other runs branch.

Each file begins with a line of JSON: how long the run's log was then. Up to there the log is the way to the snapshot.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

from softmerge_core.home import write_atomic
from softmerge_core.runs.files import EVENTS, open_plain

FOLDER = "snapshots"
MOST = 16
ROOM = 32 * 2**20  # bytes that all of a run may take; two are always kept


def keep(folder: Path, step: int, snapshot: bytes, logged: int) -> None:
    """Keep the first snapshot of a run in ``folder`` at this ``step``; of too many every other one is dropped.

    ``logged``: the bytes of the log. Raises OSError.
    """
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    known = steps(folder)
    if step in known:
        return
    write_atomic(_file(place, step), json.dumps({"log": logged}).encode() + b"\n" + snapshot, durable=False)
    if len(known) >= max(2, min(MOST, ROOM // max(1, len(snapshot)))):
        for old in sorted([*known, step])[-2::-2]:
            _file(place, old).unlink(missing_ok=True)


def steps(folder: Path) -> list[int]:
    """The steps of the snapshots that a run has kept, in their order."""
    try:
        names = [path.stem for path in (folder / FOLDER).glob("*.bin")]
    except OSError:
        return []
    return sorted(int(name) for name in names if name.isdecimal() and name.isascii())


def newest_first(folder: Path) -> Iterator[bytes]:
    """The snapshots that a run has kept, from the last to the first; what cannot be read is left out."""
    for step in reversed(steps(folder)):
        if found := _read(_file(folder / FOLDER, step)):
            yield found[1]


def hand_over(parent: Path, child: Path, step: int) -> None:
    """Copy what a run kept up to ``step`` into the folder of one that branches from it, with the log of the way there.

    Raises OSError where the copy cannot be written.
    """
    way = 0
    for known in (known for known in steps(parent) if known <= step):
        if found := _read(_file(parent / FOLDER, known)):  # otherwise it was dropped meanwhile
            way, snapshot = found
            keep(child, known, snapshot, way)
    if way:
        with open_plain(parent / EVENTS) as log, (child / EVENTS).open("wb") as copy:
            shutil.copyfileobj(log, copy)
            copy.truncate(way)


def _read(path: Path) -> tuple[int, bytes] | None:
    """(bytes of the log, snapshot) of a file; None where it is gone or damaged."""
    try:
        with open_plain(path) as file:
            head, snapshot = json.loads(file.readline(1000)), file.read()
        logged = head["log"]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return (logged, snapshot) if isinstance(logged, int) and logged >= 0 else None


def _file(place: Path, step: int) -> Path:
    return place / f"{step}.bin"
