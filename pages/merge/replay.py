"""A merge as a film: a slider through the moments of a run, to which all its pictures follow."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.merge.branching import branch_button, changes_of
from pages.merge.pinned import pin_switch
from pages.shared.runs.reader import Newest, RunReader
from pages.shared.runs.services import run_store
from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.events import AnyEvent
from softmerge_core.experiments.merge.happenings import Happening, happenings
from softmerge_core.figures.style import Theme, colour
from softmerge_core.runs import files
from softmerge_core.runs.film import Film

KEY = "replay"
PLAYING = "merge:playing"  # seconds between two moments while it plays
SPEEDS = {"slow": 1.2, "usual": 0.6, "fast": 0.3}
JUMPS = 40  # moments of a film at fast speed at most: longer ones are gone through in larger steps
FEWEST = 2  # moments of a film
LOOKED = 150  # moments that are looked through for what happened


class PastReader:
    """A run as it stood at a moment: what pictures take of a ``RunReader``. ``whole``: the run as it is now."""

    def __init__(self, whole: RunReader, step: int, moment: Sequence[AnyEvent]) -> None:
        self.whole, self.step, self.run_id = whole, step, whole.run_id
        self.view = replace(whole.view, result=None)
        self.unmade = whole.unmade
        self.live = False
        kept = [event for event in whole.events if not isinstance(event, Newest)]
        self.events = [*kept[: bisect_right([event.step for event in kept], step)], *moment]

    def drawn(self, name: str, kinds: Sequence[str], theme: str, build: Callable[[], Any], *, pause: float = 0) -> Any:
        """The picture of this moment."""
        return build()

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """The words of this moment."""
        return make()


def replayed(reader: RunReader | None) -> Any:
    """Draw the controls of the film of a run; returns the run as it stood at the moment that is chosen, or as it is.

    They have their place before a run and while it is live as well, so that nothing moves when it ends.
    """
    film = _film_of(reader) if reader is not None and not reader.live else None
    if film is not None and len(film.moments) < FEWEST:
        film = None
    with st.container(key="replay-slot", gap="xsmall"):
        on, row = _switches(reader, film is not None)
        if reader is None or film is None or not on:
            st.session_state.pop(PLAYING, None)
            with row:
                branch_button(reader, None)
            return reader
        place = _controls(reader, film)
        with row:
            branch_button(reader, film.moments[place].step)
    return PastReader(reader, film.moments[place].step, film.at(place))


def _switches(reader: RunReader | None, filmed: bool) -> tuple[bool, DeltaGenerator]:
    """The switch of the film, and the button that pins the run; returns whether the film is on, and their row."""
    row = st.container(horizontal=True, gap="small", vertical_alignment="center")
    with row:
        on = st.toggle(
            "Replay",
            key=f"{KEY}-on",
            disabled=not filmed,
            help="Go through a merge like a film once it is over: all pictures follow the slider.",
        )
        pin_switch(reader)
    return bool(on), row


def whole_of(reader: Any) -> RunReader:
    """The run as it is now, of a reader of any moment."""
    found: RunReader = getattr(reader, "whole", reader)
    return found


def marked(reader: Any, figure: go.Figure | None, theme: Theme) -> go.Figure | None:
    """The figure with a line at the step of a reader of a moment."""
    if figure is not None and isinstance(reader, PastReader):
        figure.add_vline(x=reader.step, line={"color": colour("text", theme), "width": 1.5}, name="moment")
    return figure


def _film_of(reader: RunReader) -> Film | None:
    try:
        path = run_store().folder(reader.run_id) / files.EVENTS
        return _film(path, path.stat().st_mtime_ns)
    except (SoftMergeError, OSError):
        return None


@lru_cache(maxsize=8)
def _film(path: Path, changed: int) -> Film:
    return Film(path)


@lru_cache(maxsize=8)
def _happened(path: Path, changed: int) -> list[Happening]:
    film = _film(path, changed)
    every = max(1, len(film.moments) // LOOKED)
    seen = ((place, film.gates(place)) for place in range(0, len(film.moments), every))
    return happenings(seen, changes_of(path))


def _controls(reader: RunReader, film: Film) -> int:
    """The slider and its buttons, and what happened; returns the moment that is chosen."""
    last, slider = len(film.moments) - 1, f"{KEY}:{reader.run_id}"
    if st.session_state.get(PLAYING) is not None:
        _advance(slider, last)
    steps = film.steps
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        _buttons(slider, last)
        place = st.select_slider(
            "Step",
            range(last + 1),
            key=slider,
            format_func=lambda number: f"{steps[number]:,}",
            help="The moment that is shown; the arrow keys go from one to the next.",
        )
    _tell(reader, film, place, slider)
    return int(place)


def _buttons(slider: str, last: int) -> None:
    playing = st.session_state.get(PLAYING) is not None
    st.button(
        "Pause" if playing else "Play",
        icon=":material/pause:" if playing else ":material/play_arrow:",
        key="replay-play",
        on_click=_toggle,
        args=(slider, last),
        help="Let the film run, or hold it.",
    )
    for label, icon, by in (("Back", "skip_previous", -1), ("On", "skip_next", 1)):
        st.button(
            label,
            icon=f":material/{icon}:",
            key=f"replay-{by}",
            on_click=_go,
            args=(slider, by, last),
            help=f"{label} by one moment.",
        )
    speed = st.segmented_control(
        "Speed", list(SPEEDS), default="usual", required=True, key="replay-speed", help="How fast the film runs."
    )
    if playing:
        st.session_state[PLAYING] = SPEEDS.get(str(speed), SPEEDS["usual"])


def _toggle(slider: str, last: int) -> None:
    if st.session_state.pop(PLAYING, None) is None:
        st.session_state[PLAYING] = SPEEDS["usual"]
        if st.session_state.get(slider, 0) >= last:
            st.session_state[slider] = 0


def _go(slider: str, by: int, last: int) -> None:
    st.session_state[slider] = min(max(int(st.session_state.get(slider, 0)) + by, 0), last)


def _advance(slider: str, last: int) -> None:
    """Go on by a moment, or by several of a long film; it stops at its end."""
    _go(slider, max(1, last // JUMPS), last)
    if st.session_state[slider] >= last:
        st.session_state.pop(PLAYING, None)


def _tell(reader: RunReader, film: Film, place: int, slider: str) -> None:
    """What has happened last up to this moment, and a menu of all that happened, to go there."""
    told = _happened(film.log, film.log.stat().st_mtime_ns)
    before = [each for each in told if each.place <= place]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        with st.popover("What happened", icon=":material/timeline:", help="Stages and sources, in words; go to any."):
            for number, each in enumerate(told):
                st.button(
                    f"Step {each.step:,}: {plain(each.words, 120)}",
                    key=f"replay-to:{reader.run_id}:{number}",
                    type="tertiary",
                    on_click=_jump,
                    args=(slider, each.place),
                )
        said = (
            f"Since step {before[-1].step:,}: {plain(before[-1].words, 200)}."
            if before
            else "Nothing has happened yet."
        )
        st.caption(said)


def _jump(slider: str, place: int) -> None:
    st.session_state[slider] = place
    st.session_state.pop(PLAYING, None)
