"""The run that the address of a page names: a link, a reload, and the browser's Back and Forward show that run.

An address without one stands for the recorded example. Between a change that the server makes and the browser's
answer, what is asked for still comes from the old address: only a change after that answer is the reader's own.
"""

import streamlit as st

RUN = "run"
_TOLD, _SEEN = "run:told", "run:seen"  # (page's kind, its run) put in the address last; whether the browser has it


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
    seen = bool(st.session_state.get(_SEEN))
    answered()
    return named() != run_id and seen


def answered() -> None:
    """Note whether the browser has the address that it was told; for requests, which carry the browser's address."""
    if st.session_state.get(_TOLD, ("", None))[1] == named():
        st.session_state[_SEEN] = True


def tell(kind: str, run_id: str | None) -> None:
    """Let the address name a run, or none."""
    st.session_state[_TOLD] = (kind, run_id)
    if named() == run_id:
        return
    st.session_state[_SEEN] = False
    if run_id is None:
        del st.query_params[RUN]
    else:
        st.query_params[RUN] = run_id
