"""The button that copies a link to the page as it is, and the head of every page, in which it stands."""

from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.show.page_state import page_query

KEY, _PLACE = "copy-link", "copy-link:place"
ABOUT = "Copy a link to this page as it is now: settings, run, and what is shown of it."
_HERE = Path(__file__).parent
_ICON = (
    '<svg viewBox="0 0 24 24" width="16" height="16" fill="none" stroke="currentColor" stroke-width="2" '
    'stroke-linecap="round" aria-hidden="true"><path d="M10 14a5 5 0 0 0 7 0l3-3a5 5 0 0 0-7-7l-1 1"/>'
    '<path d="M14 10a5 5 0 0 0-7 0l-3 3a5 5 0 0 0 7 7l1-1"/></svg>'
)
_component = st.components.v2.component(
    "softmerge_copy_link",
    html=f'<div class="sm-copy"><button type="button" title="{ABOUT}">{_ICON}<span>Copy link</span></button>'
    '<div class="sm-link" hidden><label>Copy it from here: <input readonly></label></div>'
    '<div class="sm-said" role="status"></div></div>',
    css=(_HERE / "copy_link.css").read_text(encoding="utf-8"),
    js=(_HERE / "copy_link.js").read_text(encoding="utf-8"),
)


def page_head(title: str, purpose: str) -> None:
    """Draw the title of a page, one sentence about it as Markdown, and the place of the button beside the title."""
    with st.container(key="page-head", gap=None):
        st.markdown(f"# {title}\n{purpose}")
        st.session_state[_PLACE] = st.container(key="copy-link-place")


def copy_link() -> None:
    """Draw the button in the head of the page; after all else, which the link is to hold."""
    place = st.session_state.pop(_PLACE, None)
    if place is not None:
        with place:
            _button()


@st.fragment
def _button() -> None:
    """A press asks for the link, which is made then, of what the other parts of the page have come to."""
    asked = _asked((st.session_state.get(KEY) or {}).get("asked"))
    data = {"asked": asked, "query": page_query() if asked else ""}
    _component(key=KEY, data=data, on_asked_change=_nothing)


def _asked(count: Any) -> int:
    """How often the button was pressed, as the browser counts: other programs may send anything."""
    return count if isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= 2**53 else 0


def _nothing() -> None:
    """A state key is only reported when it has a callback."""
