"""The moment of a film in the links to the Merge page.

The address itself does not follow it: each moment would be a step of the browser's history.
"""

from collections.abc import Sequence

import streamlit as st

from pages.merge.moments import ON, chosen_place, film_of, jump_to
from pages.shared.choose.linked import linked, unlink
from pages.shared.runs.reader import RunReader
from pages.shared.show.page_state import beside, refuse

NAME = "replay"  # the number of the moment from 0 on, or LIVE
LIVE = "live"  # the end of a run that goes on


def film_of_link(reader: RunReader | None) -> None:
    """Begin the film where the link with which the page was opened asks for it, before it is drawn."""
    run_id = reader.run_id if reader else ""
    beside(NAME, lambda: _moment(run_id, live=reader is not None and reader.live))
    asked = next(iter(linked(NAME)), "")
    if not asked:
        return
    unlink(NAME)
    place = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None
    if asked != LIVE and (place is None or place >= _moments(run_id)):
        refuse(NAME, asked, "this run has no such moment")
        return
    st.session_state[ON] = True
    if place is not None:
        jump_to(run_id, place)


def _moment(run_id: str, *, live: bool) -> Sequence[str]:
    """What a link says of the film that is shown; nothing where it is off."""
    count = _moments(run_id) if st.session_state.get(ON) else 0
    if not count:
        return []
    place = chosen_place(run_id, count, live=live)
    return [LIVE if place is None else str(place)]


def _moments(run_id: str) -> int:
    film = film_of(run_id) if run_id else None
    return len(film.moments) if film else 0
