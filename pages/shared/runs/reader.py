"""A run as a page follows it: each reading takes only new events, and only those that pictures need are kept."""

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from softmerge_core.events import AnyEvent, BezierCurve, Boundary, Gates, Points, Progress
from softmerge_core.runs import RunStore, RunView
from softmerge_core.runs.store import EXAMPLE, EXAMPLES

LIVE = ("waiting", "running", "paused")
Newest = Gates | Boundary | Points | Progress | BezierCurve  # only the last of each kind matters


class RunReader:
    """Follows one run. ``view`` is its last reading, without the events; ``events`` those that pictures are built from,
    oldest first.
    """

    def __init__(self, store: RunStore, run_id: str) -> None:
        self.run_id = run_id
        self.damaged = 0
        self.awaited = False  # a change of its status was asked for, and has not been seen yet
        self._store, self._next, self._opened = store, 0, time.monotonic()
        self._kept: list[AnyEvent] = []
        self._newest: dict[str, AnyEvent] = {}
        self._seen: Counter[str] = Counter()
        self.unmade: set[str] = set()  # what could not be made of its record
        self._drawn: dict[str, tuple[Any, float, Any]] = {}
        self._wanted: dict[str, Callable[[], Any]] = {}  # what was drawn last, and how to ask for it again
        self._made: dict[str, tuple[Any, Any]] = {}
        self._asked = True  # of it, since ``left`` was called
        self.view: RunView = self.poll()

    def poll(self) -> RunView:
        """Read the new events; raises NotFoundError or RunError when the run is gone or damaged."""
        self._asked = True
        view = self._store.read(self.run_id, self._next)
        if view.next < self._next:  # the log was begun afresh
            self._kept, self._newest = [], {}
        self._next = view.next
        self.damaged += view.damaged
        for event in view.events:
            self._take(event)
        self.awaited = self.awaited and view.status == self.view.status
        # Without its events, of which only some are kept: of a whole run they take megabytes, for each of its readers.
        self.view = replace(view, events=())
        return self.view

    @property
    def events(self) -> list[AnyEvent]:
        """All stages, losses, evaluations and notices, then the newest of each kind that replaces the one before."""
        return [*self._kept, *self._newest.values()]

    @property
    def live(self) -> bool:
        """Whether the run may still change by itself."""
        return self.view.status in LIVE

    @property
    def age(self) -> float:
        """Seconds of the run that its record tells of; while it waits, those that it has been waited for here."""
        if self.view.status == "waiting":
            return time.monotonic() - self._opened
        return max((event.seconds for event in self._newest.values()), default=0.0)

    def drawn(self, name: str, kinds: Sequence[str], theme: str, build: Callable[[], Any], *, pause: float = 0) -> Any:
        """The picture called ``name``, built again only when events of these ``kinds`` have come since.

        Building a figure costs more than reading the run, and most readings bring nothing new for most pictures.
        While the run is live, a picture is not built again within ``pause`` seconds.
        """
        self._asked = True
        total = next((event.total for event in self._newest.values() if isinstance(event, Progress)), 0)
        state = (theme, total, self.view.status, *(self._seen[kind] for kind in kinds))
        place = f"{name}:{theme}"  # readers in both themes may look at the same example
        self._wanted[place] = partial(self.drawn, name, kinds, theme, build, pause=pause)
        known, at, figure = self._drawn.get(place, (None, -math.inf, None))  # a clock may start anywhere, at 0 as well
        if known != state and (self.view.status not in LIVE or time.monotonic() - at >= pause):
            figure = build()
            self._drawn[place] = (state, time.monotonic(), figure)
        return figure

    def renew(self) -> None:
        """Build again what was drawn last and has something new, before anything of it is drawn.

        Building takes as long as drawing, and a page that comes in pieces is laid out by its browser at each of them.
        """
        wanted, self._wanted = self._wanted, {}
        for ask in wanted.values():
            ask()

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What ``make`` makes of the run, made again only when something of the run has been read since.

        For words and tables, of which each takes little time, but all of them together as long as drawing the page.
        """
        self._asked = True
        state = (self.view.status, self.view.harm, self._next)
        if self._made.get(name, (None, None))[0] != state:
            self._made[name] = (state, make())
        return self._made[name][1]

    def left(self) -> bool:
        """Whether nothing was read, drawn or told of the run since the last call: nobody looks at it any more."""
        asked, self._asked = self._asked, False
        return not asked

    def _take(self, event: AnyEvent) -> None:
        self._seen[event.kind] += 1
        if isinstance(event, Newest):
            key = f"{event.kind}:{getattr(event, 'stage', '') or getattr(event, 'series', '')}"
            self._newest.pop(key, None)  # so that the newest is the last
            self._newest[key] = event
        else:
            self._kept.append(event)


def open_run(store: RunStore, run_id: str) -> RunReader:
    """A reader of the run: its own for each session, but one for all of an example, whose pictures are built once.

    Raises NotFoundError or RunError as ``RunReader.poll`` does.
    """
    return _example(run_id) if run_id.startswith(EXAMPLE) else RunReader(store, run_id)


@lru_cache(maxsize=32)
def _example(run_id: str) -> RunReader:
    return RunReader(RunStore(EXAMPLES), run_id)  # it ships with the app, and is the same whatever store asks for it
