"""Reading a run's event log piece by piece, whatever its bytes are."""

from dataclasses import dataclass
from pathlib import Path

from softmerge_core.events import AnyEvent, parse_event

CHUNK = 16 * 2**20  # at most so much in one reading, so that no log can fill the server's memory


@dataclass(frozen=True)
class Piece:
    """Events from one reading, the offset to go on from, and how many lines were no events."""

    events: tuple[AnyEvent, ...]
    next: int
    damaged: int = 0


def read_log(path: Path, after: int = 0) -> Piece:
    """The events in whole lines from byte ``after`` on; half a line at the end waits for its rest."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = min(max(int(after), 0), size)
            file.seek(start)
            block = file.read(CHUNK)
    except FileNotFoundError:
        return Piece((), 0)
    end = block.rfind(b"\n") + 1
    if not end and len(block) == CHUNK:
        return Piece((), start + CHUNK, 1)  # no line is that long: skip it
    events, damaged = parse_lines(block[:end])
    return Piece(events, start + end, damaged)


def parse_lines(block: bytes) -> tuple[tuple[AnyEvent, ...], int]:
    """The events in ``block``, and how many of its lines were none."""
    events, damaged = [], 0
    for line in block.split(b"\n"):
        if not line.strip():
            continue
        try:
            events.append(parse_event(line))
        except (ValueError, RecursionError):
            damaged += 1
    return tuple(events), damaged
