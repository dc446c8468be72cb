"""The one polling fragment of the page: it draws nothing, and runs the page again when a class has changed."""

from collections.abc import Callable, Hashable

import streamlit as st

TEACHER, STUDENT = 1.5, 2.0  # seconds between two looks at the class


def watch(seen: Hashable = None, now: Callable[[], Hashable] | None = None, every: float | None = None) -> None:
    """Run the page again once ``now`` gives something else than ``seen``; without it nothing is watched.

    ``seen`` is what the page was drawn from, taken before it was drawn: the class may have changed meanwhile.
    """

    def look() -> None:
        if now is not None and now() != seen:
            st.rerun()

    st.fragment(look, run_every=every if now else None, key="class-watch")()
