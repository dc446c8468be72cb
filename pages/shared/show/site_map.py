"""The pages of the site by their address, so that a page can open another one without importing it."""

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import StreamlitPage

_KEY = "site:pages"


def register_pages(pages: Mapping[str, StreamlitPage]) -> None:
    """Make the pages of this session known, each by its ``url_path``."""
    st.session_state[_KEY] = dict(pages)


def page_at(path: str) -> StreamlitPage:
    """The page that was registered under this ``url_path``."""
    page: StreamlitPage = st.session_state[_KEY][path]
    return page


def addresses() -> tuple[str, ...]:
    """The ``url_path`` of each registered page, in the order of the navigation."""
    return tuple(st.session_state.get(_KEY, {}))


def lead_to(path: str, label: str | None = None, why: str | None = None) -> None:
    """Draw a link to the page under this ``url_path``; nothing where a page is shown without its site.

    ``label``: by default the page's title; ``why``: one sentence of help.
    """
    if path in st.session_state.get(_KEY, {}):
        st.page_link(page_at(path), label=label, help=why)
