"""A merge as a film: a slider through the moments of a run, live or finished, which its pictures and words follow."""

from typing import Any
from urllib.parse import urlencode

import streamlit as st

from pages.merge.branching import branch_button
from pages.merge.film_bar import film_bar
from pages.merge.gate_rows import Chosen
from pages.merge.moments import BAR, ON, PastReader, film_of, happened, jump_to, jumped
from pages.shared.choose.step_link import go_to_step
from pages.shared.runs.reader import RunReader
from pages.shared.show.picture import chart_key
from pages.shared.show.text import plain
from pages.shared.show.theme import current_theme
from softmerge_core.runs.film import Film

MARKED = tuple(map(chart_key, ("accuracy", "losses")))  # pictures of the whole course, on which the moment is a line
FILM = "app/film"  # where the browser fetches moments
MENU = "replay-told"


def replay_controls(reader: RunReader | None, shown: Any, chosen: Chosen) -> None:
    """Draw the switch of the film and, where it is on, its controls. ``shown``: the reader of what is looked at.

    The switch has its place before a run and while it is live as well, so that nothing moves when it ends.
    """
    with st.container(key="replay-slot", gap="xsmall"):
        film = _switches(reader, chosen_step(shown))
        if reader is not None and film is not None:
            _bar(reader, film, shown, chosen)


def chosen_step(shown: Any) -> int | None:
    """The step of the moment that is looked at; None without a film, and where a live run is followed."""
    return shown.step if isinstance(shown, PastReader) else None


def address_of(run_id: str, theme: str, chosen: Chosen) -> str:
    """Where the browser fetches the moments of a run, ``{place}`` in it."""
    query = urlencode({"theme": theme, "opened": chosen.opened, "wanted": chosen.wanted}, doseq=True)
    return f"{FILM}/{run_id}/{{place}}?{query}"


def _switches(reader: RunReader | None, step: int | None) -> Film | None:
    """The switch of the film, what can be done from the moment that is looked at, and what happened; returns the film.

    None where it is off, or there is none.
    """
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        on = st.toggle(
            "Replay",
            key=ON,
            disabled=reader is None,
            help="Go through a merge like a film, also while it runs: all pictures follow the slider.",
        )
        branch_button(reader, step)
        _step_button(reader, step)
        film = film_of(reader.run_id) if reader is not None and on else None
        if reader is not None and film is not None:
            _told(reader.run_id, film)
    return film


def _step_button(reader: RunReader | None, step: int | None) -> None:
    """The way to the training step that led to the moment that is looked at."""
    pressed = st.button(
        "Explain this step",
        icon=":material/slow_motion_video:",
        key="replay-step",
        disabled=reader is None or step is None,
        help="See the training step that led to the moment shown in slow motion, with all its numbers.",
    )
    if pressed and reader is not None and step is not None:
        go_to_step(reader.run_id, step)


def _bar(reader: RunReader, film: Film, shown: Any, chosen: Chosen) -> None:
    theme = current_theme()
    film_bar(
        reader.run_id,
        film.steps,
        shown.place if isinstance(shown, PastReader) else None,
        key=BAR,
        jump=jumped(reader.run_id)["count"],
        live=reader.live,
        address=address_of(reader.run_id, theme, chosen),
        theme=theme,
        marked=MARKED,
    )


def _told(run_id: str, film: Film) -> None:
    """The menu of what happened; it is filled when it is opened."""
    menu = st.popover(
        "What happened",
        icon=":material/timeline:",
        on_change="rerun",
        key=MENU,
        help="Stages and sources, in words; go to any.",
    )
    if menu.open:
        with menu:
            _menu(run_id, film)


def _menu(run_id: str, film: Film) -> None:
    told = happened(film)
    if not told:
        st.caption("Nothing has happened yet.")
    for number, each in enumerate(told):
        st.button(
            f"Step {each.step:,}: {plain(each.words, 120)}",
            key=f"replay-to:{run_id}:{number}",
            type="tertiary",
            on_click=_jump,
            args=(run_id, each.place),
        )


def _jump(run_id: str, place: int) -> None:
    """Look at a moment of the menu, and close the menu."""
    jump_to(run_id, place)
    st.session_state[MENU] = False
