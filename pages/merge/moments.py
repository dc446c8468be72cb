"""A run as it stood at a moment of its film, as pictures and words take it; which moment is looked at."""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from pages.merge.branching import changes_of
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import run_store
from softmerge_core.errors import SoftMergeError
from softmerge_core.events import AnyEvent, Gates, Stage
from softmerge_core.experiments.merge.happenings import Happening, happenings
from softmerge_core.runs import RunView, files
from softmerge_core.runs.film import Film, Moment

ON = "replay-on"  # the switch of the film
BAR = "replay-bar"  # the component with its controls
JUMP = "replay:jump"  # where a press outside the component led: its run, count and place
FOLLOWED = "replay:followed"  # the run that was live while its film was on: its end is seen by who has not gone back
LOOKED = 150  # moments that are looked through for what happened, at most
MOMENTARY = {"gates", "boundary"}  # kinds of events whose pictures are those of a moment; the others show the course
FIGURES = 300  # figures of moments that are kept
_figures: dict[tuple[Any, ...], Any] = {}  # by what they show, oldest first


class PastReader:
    """A run as it stood at a moment: what pictures take of a ``RunReader``. ``whole``: the run as it is now."""

    live = False

    def __init__(self, film: Film, place: int, view: RunView, whole: RunReader | None = None) -> None:
        self.film, self.place, self.whole = film, place, whole
        self.moment: Moment = film.moments[place]
        self.step, self.run_id = self.moment.step, view.id
        self.view = replace(view, result=None)
        self.unmade: set[str] = whole.unmade if whole else set()
        self.events: list[AnyEvent] = film.events(self.moment)

    def drawn(self, name: str, kinds: Sequence[str], theme: str, build: Callable[[], Any], *, pause: float = 0) -> Any:
        """The picture of this moment, or of the whole course, on which the browser draws the moment as a line."""
        if self.whole is not None and MOMENTARY.isdisjoint(kinds):
            return self.whole.drawn(name, kinds, theme, build, pause=pause)
        key = (self.film.log, self.moment, name, theme)
        figure = _figures.get(key)
        if figure is None and (figure := build()) is not None:
            _figures[key] = figure
            while len(_figures) > FIGURES:
                _figures.pop(next(iter(_figures)), None)
        return figure

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """The words of this moment."""
        return make()


def whole_of(reader: Any) -> RunReader:
    """The run as it is now, of a reader of any moment."""
    found: RunReader = getattr(reader, "whole", None) or reader
    return found


def seen(reader: RunReader) -> Any:
    """The run as it stood at the moment that is looked at; the run itself without a film, or where it is followed live.

    Nothing of a log is read for a film before it is switched on.
    """
    if not st.session_state.get(ON):
        st.session_state.pop(FOLLOWED, None)
        return reader
    film = film_of(reader.run_id)
    if film is None or not film.moments:
        return reader
    place = chosen_place(reader.run_id, len(film.moments), live=reader.live)
    return reader if place is None else PastReader(film, place, reader.view, reader)


def chosen_place(run_id: str, moments: int, *, live: bool) -> int | None:
    """The place in the film that is looked at, 0 to ``moments`` - 1; None: the run as it is, followed while it is live.

    It is told by the controls in the browser, or by a jump that they have not heard of yet. A film begins at its first
    moment, that of a live run at its end.
    """
    state: Any = st.session_state.get(BAR)
    told: Any = state.get("at") if isinstance(state, Mapping) else None
    jump = jumped(run_id)
    if live:
        st.session_state[FOLLOWED] = run_id
    if jump["count"] and not (sound(told, run_id) and told["jump"] >= jump["count"]):
        place = jump["place"]
    elif sound(told, run_id):
        place = told["place"]
    else:
        place = None if st.session_state.get(FOLLOWED) == run_id else 0
    return None if place is None else int(min(place, moments - 1))


def sound(told: Any, run_id: str) -> bool:
    """Whether this is what the controls send of the run: other programs may send anything."""
    if not isinstance(told, Mapping) or told.get("run") != run_id:
        return False
    place, jump = told.get("place"), told.get("jump")
    return (place is None or (type(place) is int and place >= 0)) and type(jump) is int


def jumped(run_id: str) -> Mapping[str, Any]:
    """The last jump in the film of the run; its count is 0 where there was none."""
    jump: Mapping[str, Any] = st.session_state.get(JUMP) or {}
    return jump if jump.get("run") == run_id else {"run": run_id, "count": 0, "place": None}


def jump_to(run_id: str, place: int) -> None:
    """Look at that place of the film."""
    count = (st.session_state.get(JUMP) or {}).get("count", 0) + 1
    st.session_state[JUMP] = {"run": run_id, "count": count, "place": place}


def film_of(run_id: str) -> Film | None:
    """The film of a run, with what was written until now; None where its log cannot be read."""
    try:
        film = _film(run_store().folder(run_id) / files.EVENTS)
        film.read_on()
    except SoftMergeError:
        return None
    return film


def happened(film: Film) -> list[Happening]:
    """What happened in the run until now."""
    return _happened(film, len(film.moments))


def since(film: Film, place: int) -> str:
    """What has happened last up to a moment, in a sentence that holds names which a user chose."""
    told = happened(film)
    before = bisect_right([each.place for each in told], place)
    return f"Since step {told[before - 1].step:,}: {told[before - 1].words}." if before else "Nothing has happened yet."


@lru_cache(maxsize=8)
def _film(log: Path) -> Film:
    return Film(log)


@lru_cache(maxsize=8)
def _happened(film: Film, count: int) -> list[Happening]:
    """Of long films only every so many moments are looked at: by powers of two, so that they stay as a film grows."""
    places = range(0, count, 1 << (count // LOOKED).bit_length())
    gates = ((place, _gates(film, place, film.moments[place])) for place in places)
    return happenings(gates, changes_of(film.log))


@lru_cache(maxsize=2 * LOOKED)
def _gates(film: Film, place: int, moment: Moment) -> tuple[Stage, Gates] | None:
    return film.gates(place)
