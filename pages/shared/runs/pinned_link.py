"""The pinned run in the address of a page and in the links to it."""

import streamlit as st

from pages.shared.choose.linked import link, linked
from pages.shared.runs.pinned import key_of
from pages.shared.runs.services import run_store
from pages.shared.show.page_state import beside, refuse
from softmerge_core.errors import SoftMergeError

NAME = "pinned"


def pinned_of_link(kind: str) -> None:
    """Pin the run that the address asks for, before anything is drawn, and keep the address at what is pinned."""
    key = key_of(kind)
    for run_id in linked(NAME)[:1]:
        problem = _problem(kind, run_id)
        if problem:
            refuse(NAME, run_id, problem)
        else:
            st.session_state.setdefault(key, run_id)
    link(NAME, _pinned(key))
    beside(NAME, lambda: _pinned(key))  # it may be pinned where only a part of the page is drawn again


def _pinned(key: str) -> list[str]:
    run_id = st.session_state.get(key)
    return [str(run_id)] if run_id else []


def _problem(kind: str, run_id: str) -> str:
    try:
        return "" if run_store().read(run_id, 2**62).spec.kind == kind else "a run of another kind"
    except SoftMergeError as error:
        return str(error)
