"""Whether the results shown are those of the settings on the left, and the way from the one to the other."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.shared.runs.opening import take_settings
from pages.shared.runs.panel import show_run
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import newest_live, run_store
from pages.shared.runs.setup import Setup
from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.describe import differences, shortened, what_made
from softmerge_core.experiments.words import sentence

StateOf = Callable[[Any], dict[str, Any]]
LONG = 700  # letters of a notice
SET_BACK = '<i class="sm-set-back"></i>'  # page.css frames the run beside it
FITS = '<i class="sm-fits"></i>'


def what_made_it(reader: RunReader) -> None:
    """Draw the networks, data and unusual settings of the run, in one line."""
    st.caption(f"Made from: {plain(sentence(what_made(reader.view.spec)), 400)}")


def tell_belonging(kind: str, setup: Setup, reader: RunReader | None, state_of: StateOf | None) -> None:
    """Draw a notice if the run shown is of other settings than those on the left, with a button that fetches them."""
    notice = "" if reader is None or state_of is None else _notice(kind, setup, reader)
    st.html(SET_BACK if notice else FITS)
    if not notice or reader is None or state_of is None:
        return
    with st.container(key="set-back", gap="xsmall"):
        st.info(notice, icon=":material/compare_arrows:")
        st.button(
            "Use the settings of this run",
            icon=":material/input:",
            key=f"{kind}-take-settings",
            on_click=take_settings,
            args=(kind, state_of, reader.view.spec),
            help="Set everything on the left as it was for the run shown here.",
        )


def _notice(kind: str, setup: Setup, reader: RunReader) -> str:
    """What is other, as Markdown; "" where the run is of the settings on the left."""
    shown = "This run is" if reader.live else "These results are"
    if setup.described is None:
        return f"{shown} not of the settings on the left, which cannot be run as they are."
    other = differences(reader.view.spec, setup.described)
    if st.session_state.pop(f"{kind}:taken", None) is not None:
        st.session_state[f"{kind}:beyond"] = (reader.run_id, other)
    if not other:
        return ""
    run_id, beyond = st.session_state.get(f"{kind}:beyond", ("", []))
    beyond = [phrase for phrase in beyond if phrase in other] if run_id == reader.run_id else []
    said = f"{shown} of other settings: {plain(', '.join(shortened(other)), LONG)}."
    return f"{said} This page cannot set: {plain(', '.join(shortened(beyond)), LONG)}." if beyond else said


def tell_other_live(kind: str, reader: RunReader | None) -> None:
    """Draw a note if a run is live that is not the one shown, with a button to watch it."""
    if reader is not None and reader.live:
        return
    run_id = newest_live(kind)
    if run_id is None or (reader is not None and reader.run_id == run_id):
        return
    try:
        name = run_store().read(run_id, 2**62).spec.name
    except SoftMergeError:
        return  # it was deleted meanwhile
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="live-elsewhere"):
        st.markdown(f":material/sensors: A run is live: {plain(name, 80)}", width="content")
        st.button("Watch it", key=f"{kind}-watch", on_click=show_run, args=(kind, run_id), type="tertiary")
