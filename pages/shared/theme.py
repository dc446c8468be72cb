"""Which of the two themes the reader sees, as far as the server knows."""

import streamlit as st

from softmerge_core.figures.style import Theme


def current_theme() -> Theme:
    """The reader's theme; "light" until the browser has said (charts correct themselves in the page)."""
    return "dark" if st.context.theme.type == "dark" else "light"
