"""The run that is pinned, one of each kind: it lies as a ghost behind those looked at after it, on every page.

The session keeps its id under ``<kind>:pinned``, and nothing else of it has to be restored.
"""

from typing import Any

import streamlit as st

from pages.shared.runs.reader import RunReader, open_run
from pages.shared.runs.services import run_store
from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.behind import apart
from softmerge_core.experiments.words import clipped

LONGEST = 60  # letters of a run's name


def key_of(kind: str) -> str:
    """The place in the session where the id of the pinned run of a kind lies; None or nothing: none is pinned."""
    return f"{kind}:pinned"


def pin_button(kind: str, reader: RunReader | None) -> None:
    """Draw the button that pins the run shown, or lets go of it; always at the same place."""
    shown = reader.run_id if reader else ""
    own = bool(shown) and st.session_state.get(key_of(kind)) == shown
    st.button(
        "Unpin" if own else "Pin this",
        icon=":material/keep_off:" if own else ":material/keep:",
        key=f"{kind}-pin",
        on_click=_pin,
        args=(kind, None if own else shown),
        disabled=reader is None,
        help="Keep this run as a ghost behind those that you look at next: its lines dotted, its marks hollow.",
    )


def tell_pinned(kind: str, reader: RunReader | None) -> None:
    """Say which run is pinned, or why it is not drawn behind the one shown; it depends on no event of the run."""
    pinned = pinned_behind(kind, reader)
    if pinned is not None and reader is not None:
        name, reason = plain(run_name(pinned), LONGEST), apart(reader.view.spec, pinned.view.spec)
        said = f"Pinned behind it, dotted or hollow: {name}."
        if reason:
            said = f"{name} is pinned, but not drawn here: {plain(reason, 200)}."
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="pinned-run"):
            st.markdown(f":material/keep: {said}", width="content")
            about = "No longer draw it behind other runs."
            st.button("Unpin it", key=f"{kind}-unpin", on_click=_pin, args=(kind, None), type="tertiary", help=about)
    elif (gone := st.session_state.get(_gone(kind))) is not None:
        st.markdown(f":material/keep_off: {plain(gone, LONGEST)} was pinned and has been deleted since.")


def pinned_behind(kind: str, reader: Any) -> RunReader | None:
    """The pinned run of a kind, unless it is the one shown or there is none; one that was deleted is let go."""
    run_id = st.session_state.get(key_of(kind))
    if run_id is None or reader is None or reader.run_id == run_id:
        return None
    try:
        return _reader(kind, run_id)
    except SoftMergeError:
        known = st.session_state.get(_kept(kind))
        _pin(kind, None)
        st.session_state[_gone(kind)] = run_name(known) if known is not None else "A run"
        return None


def _reader(kind: str, run_id: str) -> RunReader:
    """Its reader, with what is new of it; raises NotFoundError once it was deleted, or RunError if it is damaged."""
    known: RunReader | None = st.session_state.get(_kept(kind))
    if known is None or known.run_id != run_id:
        known = open_run(run_store(), run_id)
    elif known.live:
        known.poll()
    else:
        run_store().folder(run_id)
    if known.view.spec.kind != kind:
        raise SoftMergeError(f"run {run_id!r} is of another kind")
    st.session_state[_kept(kind)] = known
    return known


def _pin(kind: str, run_id: str | None) -> None:
    st.session_state[key_of(kind)] = run_id
    for key in (_kept(kind), _gone(kind)):
        st.session_state.pop(key, None)


def _kept(kind: str) -> str:
    return f"{key_of(kind)}-reader"


def _gone(kind: str) -> str:
    return f"{key_of(kind)}-gone"


def run_name(reader: RunReader) -> str:
    """What a pinned run is called, as plain text."""
    return clipped(reader.view.spec.name or "A run without a name", LONGEST)
