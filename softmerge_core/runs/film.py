"""A run as a film: the state of its gates at every moment that was told, read from its log when it is looked at.

Of a log only the places of the lines that matter are kept, so that a run of very many events opens in a moment.
"""

import re
from pathlib import Path
from threading import Lock
from typing import BinaryIO, NamedTuple

from softmerge_core.errors import RunError
from softmerge_core.events import AnyEvent, Gates, Stage
from softmerge_core.runs.files import open_plain
from softmerge_core.runs.log import parse_lines

_HEAD = re.compile(rb'\{"step":(\d+),"seconds":[^,]*,"kind":"(\w+)"(?:,"series":"([^"\\]*)")?')
_SEEN = (b"stage", b"points", b"boundary", b"evaluation", b"loss")  # the newest of each series belongs to a moment


class Moment(NamedTuple):
    """A moment of the film: its ``step``, and where the lines lie that show it, of which the last has the gates."""

    step: int
    lines: tuple[tuple[int, int], ...]


class Film:
    """The moments of the merge whose ``log`` this is; raises RunError where it cannot be read."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.moments: list[Moment] = []
        self._read = 0
        self._seen: dict[bytes, tuple[int, int]] = {}
        self._lock = Lock()  # a film is looked at by every reader of its run
        self.read_on()

    def read_on(self) -> None:
        """Take in what was written since; half a line at the end is left for the next time. Raises RunError."""
        try:
            with self._lock, open_plain(self.log) as file:
                if file.seek(0, 2) > self._read:
                    self._take(file)
        except FileNotFoundError:
            pass
        except OSError as error:
            where = f"{self.log.name} of run {self.log.parent.name!r}"
            raise RunError(f"{where} cannot be read ({error.strerror})") from error

    def _take(self, file: BinaryIO) -> None:
        file.seek(self._read)
        for line in file:
            if not line.endswith(b"\n"):
                return
            self._note(line, (self._read, len(line)))
            self._read += len(line)

    def _note(self, line: bytes, place: tuple[int, int]) -> None:
        head = _HEAD.match(line)
        if head is None:
            return
        kind = head[2]
        if kind in _SEEN:
            self._seen[kind + b":" + (head[3] or b"")] = place
        if kind == b"stage":  # decisions that were told before it are of other gates
            self._seen = {key: known for key, known in self._seen.items() if not key.startswith(b"boundary:")}
        elif kind == b"gates":
            self._keep(Moment(int(head[1]), (*sorted(self._seen.values()), place)))

    def _keep(self, moment: Moment) -> None:
        """Of several moments at one step the last is kept: they come as a stage ends and the next one begins."""
        if self.moments and self.moments[-1].step == moment.step:
            self.moments[-1] = moment
        else:
            self.moments.append(moment)

    @property
    def steps(self) -> list[int]:
        """The step of each moment, in order."""
        return [moment.step for moment in self.moments]

    def at(self, place: int) -> list[AnyEvent]:
        """Return the events that show a moment, oldest first; what is damaged is left out.

        They are its gates and, where they were told, their stage, decisions and data, the newest losses, and the newest
        evaluation of each network.
        """
        return self.events(self.moments[place])

    def events(self, moment: Moment) -> list[AnyEvent]:
        """Return the events that show ``moment``, as ``at`` does."""
        with open_plain(self.log) as file:
            return [event for line in moment.lines for event in _parsed(file, *line)]

    def gates(self, place: int) -> tuple[Stage, Gates] | None:
        """Return the gates of a moment and the stage that their rows belong to; None where they are damaged."""
        events = self.at(place)
        stage = next((event for event in events if isinstance(event, Stage)), None)
        gates = next((event for event in reversed(events) if isinstance(event, Gates)), None)
        return (stage, gates) if stage and gates and gates.stage == stage.stage else None


def _parsed(file: BinaryIO, start: int, length: int) -> tuple[AnyEvent, ...]:
    file.seek(start)
    return parse_lines(file.read(length))[0]
