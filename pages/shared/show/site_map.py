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
