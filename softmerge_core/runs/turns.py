"""Whose turn it is: the order in which waiting runs of several people are begun."""

from collections.abc import Callable
from typing import NamedTuple


class _Entry(NamedTuple):
    turn: int
    number: int
    owner: str


class Turns:
    """Fair queueing by start times (Goyal, Vin, Cheng 1996): people take turns, each with one run a turn.

    Whoever waits with ten runs delays nobody else by more than one of them, and whoever comes again and again does not
    keep the others waiting: a new run's turn is after the newest one that has begun, and after its owner's last.
    """

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._last: dict[str, int] = {}  # turn of each owner's newest run
        self._now = 0
        self._count = 0

    def enter(self, run_id: str, owner: str) -> int:
        """Take a turn for a run, the lower the sooner; a run that has one keeps it."""
        if run_id not in self._entries:
            turn = max(self._now, self._last.get(owner, 0)) + 1
            self._last[owner] = turn
            self._count += 1
            self._entries[run_id] = _Entry(turn, self._count, owner)
        return self._entries[run_id].turn

    def leave(self, run_id: str) -> None:
        """Forget a run that has ended, or that nobody works on any more."""
        if entry := self._entries.pop(run_id, None):
            self._now = max(self._now, entry.turn - 1)
            if all(other.owner != entry.owner for other in self._entries.values()):
                self._last.pop(entry.owner, None)

    def before(self, run_id: str, begun: Callable[[str], bool]) -> int | None:
        """Return how many runs will be begun before this one; None where it has no turn. ``begun``: of a run's id."""
        mine = self._entries.get(run_id)
        if mine is None:
            return None
        ahead = [other for other, entry in list(self._entries.items()) if entry[:2] < mine[:2]]
        return sum(not begun(other) for other in ahead)
