"""The way from anywhere to a training step on the page that shows one in slow motion."""

from typing import NoReturn

import streamlit as st

from pages.shared.show.site_map import page_at

RUN, STEP, PART, SOURCE = "run", "step", "part", "source"  # in the address of that page


def state_key(name: str) -> str:
    """The key of the widget that shows what stands under ``name`` in the address."""
    return f"step-{name}"


def go_to_step(run_id: str, step: int, part: str = "", source: int | None = None) -> NoReturn:
    """Leave this page for the training ``step`` (1 or more) of a run, and the gate of ``source`` (from 0) in a part."""
    query = {RUN: run_id, STEP: str(max(1, step))}
    query |= ({PART: part} if part else {}) | ({} if source is None else {SOURCE: str(source + 1)})
    for name, text in query.items():
        st.session_state[state_key(name)] = int(text) if name == STEP else text
    st.switch_page(page_at("step"), query_params=query)
