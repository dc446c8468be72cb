"""The run that is pinned: it lies as a ghost behind those that come after it, until another is pinned."""

from collections.abc import Sequence

import streamlit as st

from pages.shared.runs.reader import RunReader, open_run
from pages.shared.runs.services import run_store
from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.events import AnyEvent
from softmerge_core.experiments.words import clipped

PINNED = "merge:pinned"  # the id of the run, in this session
_READER = "merge:pinned-reader"


def pin_switch(reader: RunReader | None) -> None:
    """Draw the button that pins the run shown, or lets go of it."""
    shown = reader.run_id if reader else ""
    own = st.session_state.get(PINNED) == shown
    st.button(
        "Unpin" if own else "Pin this",
        icon=":material/keep_off:" if own else ":material/keep:",
        key="pin",
        on_click=_pin,
        args=(None if own else shown,),
        disabled=reader is None,
        help="Keep this run's accuracy as a dotted line behind the runs that you look at next.",
    )
    if name := pinned_name(shown):
        st.caption(f"Dotted: {plain(name, 60)}, which is pinned.")


def pinned_name(shown: str) -> str:
    """The name of the pinned run; "" where there is none, or it is the one shown."""
    reader = _reader()
    return clipped(reader.view.spec.name, 60) if reader and reader.run_id != shown else ""


def pinned_events(shown: str) -> Sequence[AnyEvent]:
    """The events of the pinned run, unless it is the one shown."""
    reader = _reader()
    return reader.events if reader and reader.run_id != shown else ()


def _pin(run_id: str | None) -> None:
    st.session_state[PINNED] = run_id
    st.session_state.pop(_READER, None)


def _reader() -> RunReader | None:
    """The reader of the pinned run; a run that was deleted is no longer pinned."""
    run_id = st.session_state.get(PINNED)
    if run_id is None:
        return None
    known: RunReader | None = st.session_state.get(_READER)
    if known is None:
        try:
            known = open_run(run_store(), run_id)
        except SoftMergeError:
            _pin(None)
            return None
        st.session_state[_READER] = known
    return known
