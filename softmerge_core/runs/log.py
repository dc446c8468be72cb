"""The reading of a run's event log, piece by piece, even if it is damaged."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softmerge_core.errors import RunError
from softmerge_core.events import AnyEvent, Event, parse_event
from softmerge_core.runs.files import open_plain
from softmerge_core.runs.shapes import makes_sense

CHUNK = 16 * 2**20  # bytes read at once at most, so that no log can fill the server's memory


@dataclass(frozen=True)
class Piece:
    """The events of one reading, the offset of the next one, and the number of lines that were no events."""

    events: tuple[AnyEvent, ...]
    next: int
    damaged: int = 0


def read_log(path: Path, after: int = 0) -> Piece:
    """Return the events in the whole lines from byte ``after`` on; half a line at the end is left for the next time.

    Raises RunError when there is something that cannot be read.
    """
    try:
        with open_plain(path) as file:
            size = file.seek(0, 2)
            start = min(max(int(after), 0), size)
            file.seek(start)
            block = file.read(CHUNK)
    except (FileNotFoundError, NotADirectoryError):
        return Piece((), 0)
    except OSError as error:
        raise RunError(f"{path.name} of run {path.parent.name!r} cannot be read ({error.strerror})") from error
    end = block.rfind(b"\n") + 1
    if not end and len(block) == CHUNK:
        return Piece((), start + CHUNK, 1)  # no event is that long: skip it
    events, damaged = parse_lines(block[:end])
    return Piece(events, start + end, damaged)


def parse_lines(block: bytes) -> tuple[tuple[AnyEvent, ...], int]:
    """Return the events in ``block``, and the number of its lines that are no events, or none that make sense."""
    events, damaged = [], 0
    for line in filter(bytes.strip, block.split(b"\n")):
        event = _event(line)
        if event is None:
            damaged += 1
        else:
            events.append(event)
    return tuple(events), damaged


def _event(line: bytes) -> AnyEvent | None:
    try:
        event = parse_event(line)
    except (ValueError, RecursionError):
        return None
    return event if makes_sense(event) else None


def subject(event: Event) -> tuple[Any, ...]:
    """Return the subject of an event: all its words and counts except the step, without times and measured numbers."""
    values = ((name, getattr(event, name)) for name in type(event).model_fields if name != "step")
    return tuple((name, value) for name, value in values if isinstance(value, (str, int)))
