"""A run as a film: the state of its gates at every moment that was told, read from its log when it is looked at.

Of a log only the places of the lines that matter are kept, so that a run of very many events opens in a moment.
"""

import re
from pathlib import Path
from typing import NamedTuple

from softmerge_core.errors import RunError
from softmerge_core.events import AnyEvent, Gates, Stage
from softmerge_core.runs.files import open_plain
from softmerge_core.runs.log import parse_lines

_HEAD = re.compile(rb'\{"step":(\d+),"seconds":[^,]*,"kind":"(\w+)"')
_SEEN = (b"stage", b"boundary", b"points")  # the newest of each belongs to a moment, beside its gates


class Moment(NamedTuple):
    """A moment of the film: its ``step``, and where the lines lie that show it, of which the last has the gates."""

    step: int
    lines: tuple[tuple[int, int], ...]


class Film:
    """The moments of the merge in a run ``folder``; raises RunError where its log cannot be read."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.moments: list[Moment] = []
        self._seen: dict[bytes, tuple[int, int]] = {}
        try:
            with open_plain(log) as file:
                start = 0
                for line in file:
                    self._note(line, start)
                    start += len(line)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise RunError(f"{log.name} of run {log.parent.name!r} cannot be read ({error.strerror})") from error

    def _note(self, line: bytes, start: int) -> None:
        head = _HEAD.match(line)
        if head is None or not line.endswith(b"\n"):
            return
        kind, place = head[2], (start, len(line))
        if kind in _SEEN:
            self._seen[kind] = place
            if kind == b"stage":
                self._seen.pop(b"boundary", None)  # it was of other gates
        elif kind == b"gates":
            moment = Moment(int(head[1]), (*sorted(self._seen.values()), place))
            if (
                self.moments and self.moments[-1].step == moment.step
            ):  # as at the end of a stage and the next one's begin
                self.moments.pop()
            self.moments.append(moment)

    @property
    def steps(self) -> list[int]:
        """The step of each moment, in order; of several at one step the last is kept."""
        return [moment.step for moment in self.moments]

    def at(self, place: int) -> list[AnyEvent]:
        """Return the stage, decisions where there are any, and gates of a moment; what is damaged is left out."""
        with open_plain(self.log) as file:
            return [event for line in self.moments[place].lines for event in _parsed(file, *line)]

    def gates(self, place: int) -> tuple[Stage, Gates] | None:
        """Return the gates of a moment and the stage that their rows belong to; None where they are damaged."""
        events = self.at(place)
        stage = next((event for event in events if isinstance(event, Stage)), None)
        gates = next((event for event in reversed(events) if isinstance(event, Gates)), None)
        return (stage, gates) if stage and gates and gates.stage == stage.stage else None


def _parsed(file: object, start: int, length: int) -> tuple[AnyEvent, ...]:
    file.seek(start)  # type: ignore[attr-defined]
    return parse_lines(file.read(length))[0]  # type: ignore[attr-defined]
