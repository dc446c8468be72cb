"""The pages of the site by their address, so that a page can open another one without importing it, and their menu."""

from collections.abc import Mapping
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

_KEY = "site:pages"
_menu = st.components.v2.component(
    "softmerge_phone_menu", js=(Path(__file__).parent / "phone_menu.js").read_text(encoding="utf-8")
)


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


def phone_menu() -> None:
    """Give the menu that narrow screens have the roles, the keys and the way of the focus that Streamlit's lacks.

    Nothing is seen of it.
    """
    with st.container(key="site-menu"):
        _menu(key="phone-menu")
