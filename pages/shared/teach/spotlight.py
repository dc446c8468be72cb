"""What a step is about, outlined in its page and brought into view; it hides nothing and moves nothing."""

from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "softmerge_spotlight",
    html='<span class="sm-spotlight" hidden></span>',
    js=(_HERE / "spotlight.js").read_text(encoding="utf-8"),
)


def spotlight(title: str, shows: str, token: str) -> None:
    """Outline the part of the page whose key is ``shows``, "" for none, and bring it into view once for each ``token``.

    ``title``: the accessible name of the panel in which this is drawn.
    """
    if shows:
        st.html(f"<style>.st-key-{shows} {{ {_OUTLINE} }}</style>")
    with st.container(key="lesson-spot"):
        _component(key="lesson-spotlight", data={"title": title, "shows": shows, "token": token})


_OUTLINE = (
    "outline: 3px solid var(--st-primary-color, light-dark(#0072b2, #56b4e9)); outline-offset: 6px; "
    "border-radius: 0.5rem; "
    "scroll-margin: calc(var(--sm-panel, 10rem) + 5rem) 0 6rem"
)
