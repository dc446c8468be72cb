"""The one polling fragment of the page: it draws nothing, and runs the page again when a class has changed."""

from collections.abc import Callable, Hashable

import streamlit as st

TEACHER, STUDENT = 1.5, 2.0  # seconds between two looks at the class


def watch(now: Callable[[], Hashable] | None, every: float | None = None) -> None:
    """Run the page again once ``now`` gives something else than at first; None: nothing is watched."""
    seen = now() if now else None

    def look() -> None:
        if now is not None and now() != seen:
            st.rerun()

    st.fragment(look, run_every=every if now else None, key="class-watch")()
