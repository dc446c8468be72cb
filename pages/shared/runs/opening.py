"""The way from anywhere to a run on the page of its kind, with the settings that made it."""

from typing import Any

import streamlit as st

from pages.shared.choose.restore import link_text
from pages.shared.runs import address
from pages.shared.runs.panel import show_run
from pages.shared.runs.services import run_store
from pages.shared.show.site_map import page_at
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments import Spec

PAGE_OF = {"train": "models"}  # kinds whose page has another address


def open_button(kind: str, run_id: str, label: str, *, primary: bool = False, place: str = "goto") -> None:
    """Draw a button that opens a run on its page; ``place``: part of its key, another one for each on a page."""
    pressed = st.button(
        label,
        icon=":material/open_in_new:",
        key=f"{place}:{run_id}",
        type="primary" if primary else "secondary",
        help="Look at this run on its page, with its settings on the left.",
    )
    if pressed:
        go_to(kind, run_id)


def go_to(kind: str, run_id: str) -> None:
    """Leave this page for a run on its own, with its settings on the left."""
    show_run(kind, run_id)
    st.session_state[f"{kind}:fetch"] = run_id
    query = {address.RUN: run_id} | ({"do": "Train"} if kind == "train" else {})
    st.switch_page(page_at(PAGE_OF.get(kind, kind)), query_params=query)


def fetch_settings(kind: str, state_of: Any) -> None:
    """Put the widgets of a page that ``open_button`` has opened to the settings of the run; before they are drawn."""
    run_id = st.session_state.pop(f"{kind}:fetch", None)
    if run_id is None:
        return
    try:
        spec = run_store().read(run_id, 2**62).spec
    except SoftMergeError:
        return  # which the page says when it opens the run
    take_settings(kind, state_of, spec)


def take_settings(kind: str, state_of: Any, spec: Spec) -> None:
    """Put the widgets of the page to what describes ``spec``."""
    for key, value in state_of(spec).items():
        if key not in st.session_state and (text := link_text(key, value)):
            st.query_params[key] = text  # Streamlit tells the address only of widgets that are there already
        st.session_state[key] = value
    st.session_state[f"{kind}:taken"] = True
