"""The moment of a film in the links to the Merge page.

The address itself does not follow it: each moment would be a step of the browser's history.
"""

from collections.abc import Sequence

import streamlit as st

from pages.merge.replay import KEY, SPEEDS
from pages.shared.choose.linked import linked, unlink
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import run_store
from pages.shared.show.page_state import beside, refuse
from softmerge_core.errors import SoftMergeError
from softmerge_core.runs import files
from softmerge_core.runs.film import Film

NAME = "replay"  # the number of the moment from 0 on, and the speed
ON, SPEED = f"{KEY}-on", f"{KEY}-speed"
USUAL = "usual"


def film_of_link(reader: RunReader | None) -> None:
    """Begin the film where the link with which the page was opened asks for it, before it is drawn."""
    run_id = reader.run_id if reader else ""
    beside(NAME, lambda: _moment(run_id))
    asked = linked(NAME)
    if not asked:
        return
    unlink(NAME)
    place, speed = asked[0], (*asked[1:], USUAL)[0]
    if not (place.isascii() and place.isdigit() and int(place) < _moments(run_id)):
        refuse(NAME, place, "this run has no such moment")
        return
    if speed not in SPEEDS:
        refuse(NAME, speed, "no such speed")
        speed = USUAL
    st.session_state.update({ON: True, f"{KEY}:{run_id}": int(place), SPEED: speed})


def _moment(run_id: str) -> Sequence[str]:
    """What a link says of the film that is shown; nothing where it is off."""
    place = st.session_state.get(f"{KEY}:{run_id}")
    if not st.session_state.get(ON) or place is None:
        return []
    speed = str(st.session_state.get(SPEED) or USUAL)
    return [str(place), *([speed] if speed != USUAL else [])]


def _moments(run_id: str) -> int:
    try:
        return len(Film(run_store().folder(run_id) / files.EVENTS).moments)
    except SoftMergeError:
        return 0
