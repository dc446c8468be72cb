"""What the address of a page holds beside the values of single widgets: lists of texts, each under a name."""

from collections.abc import Sequence

import streamlit as st

from pages.shared.show.page_state import beside


def linked(name: str) -> list[str]:
    """The texts under ``name`` in the address with which the page was opened; none once ``link`` has been called."""
    return [] if _read(name) in st.session_state else list(st.query_params.get_all(name))


def link(name: str, texts: Sequence[str]) -> None:
    """Keep these texts under ``name`` in the address, so that it is a link to them."""
    st.session_state[_read(name)] = True
    beside(name, texts)
    if texts and list(texts) != st.query_params.get_all(name):
        st.query_params[name] = list(texts)
    elif not texts:
        st.query_params.pop(name, None)


def unlink(name: str) -> None:
    """Note that what the address asks for under ``name`` has been read, and take it out."""
    st.session_state[_read(name)] = True
    st.query_params.pop(name, None)


def _read(name: str) -> str:
    return f"{name}:read"
