"""Which of the two themes the reader sees, as far as the server knows."""

from pathlib import Path

import streamlit as st

from softmerge_core.figures.style import Theme, colour

_STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")


def current_theme() -> Theme:
    """The reader's theme; "light" until the browser has said (charts correct themselves in the page)."""
    return "dark" if st.context.theme.type == "dark" else "light"


def page_style() -> None:
    """The few rules that make all pages calm and dense enough for a picture above the fold."""
    theme = current_theme()
    colours = f":root {{ --sm-background: {colour('background', theme)}; --sm-line: {colour('axis', theme)} }}"
    st.html(f"<style>{colours}{_STYLE}</style>")
