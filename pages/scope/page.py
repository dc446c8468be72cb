"""The Scope page: networks trained without and with a pull toward one weight scope, and the barrier between them."""

import streamlit as st

from pages.scope.results import draw_scope
from pages.scope.setup import scope_setup
from pages.shared.runs.panel import controls, current_run, follow
from pages.shared.show.text import plain
from softmerge_core.experiments.words import sentence

KIND = "scope"
PURPOSE = (
    "Train networks apart, once as they are and once with each layer's weights pulled toward a common mean and spread, "
    "and watch the barrier between them."
)


def page() -> None:
    """How sources differ, and how they are pulled together, on the left; what comes of it on the right."""
    left, right = st.columns([1, 2], gap="large")
    with left:
        st.markdown(f"# Scope\n{PURPOSE}")
        setup = scope_setup()
    with right:
        reader = current_run(KIND)
        problem = controls(KIND, reader, setup.spec, label="Start training", resumable=("interrupted",))
        for text in filter(None, (setup.problem, problem)):
            st.error(plain(sentence(text), 600), icon=":material/error:")
        follow(KIND, draw_scope)
