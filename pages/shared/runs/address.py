"""The run that the address of a page names: a link, a reload, and the browser's Back and Forward show that run.

An address without one stands for the recorded example. Until the browser has the address that it was told, its
requests still come from the old one: only a change after that is the reader's own.
"""

import math
import time

import streamlit as st

RUN = "run"
LAG = 2.0  # seconds after which the browser surely has the address that it was told
_TOLD, _SINCE = (
    "run:told",
    "run:since",
)  # (page's kind, its run) put in the address last, and when; minus infinity: it is there


def named() -> str | None:
    """The run that the address names."""
    return st.query_params.get(RUN)


def moved(kind: str) -> bool:
    """Whether the reader has gone to another address than this page was told last; asked once in a run of the script.

    The navigation between pages leads to addresses that name no run: those do not count.
    """
    told, run_id = st.session_state.get(_TOLD, ("", None))
    if told != kind:
        return named() not in (None, run_id)
    answered()
    since: float = st.session_state.get(_SINCE, -math.inf)
    return named() != run_id and time.monotonic() - since > LAG


def answered() -> None:
    """Note whether the browser has the address that it was told; for requests, which carry the browser's address."""
    if st.session_state.get(_TOLD, ("", None))[1] == named():
        st.session_state[_SINCE] = -math.inf


def tell(kind: str, run_id: str | None) -> None:
    """Let the address name a run, or none."""
    st.session_state[_TOLD] = (kind, run_id)
    if named() == run_id:
        return
    st.session_state[_SINCE] = time.monotonic()
    if run_id is None:
        del st.query_params[RUN]
    else:
        st.query_params[RUN] = run_id
