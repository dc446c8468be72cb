"""The Connectivity page: what lies between trained networks."""

import streamlit as st

from pages.connectivity.results import draw_connectivity
from pages.connectivity.setup import connectivity_setup
from pages.shared.runs.panel import controls, current_run, follow
from pages.shared.show.text import plain
from softmerge_core.experiments.words import sentence

KIND = "connectivity"
PURPOSE = "Walk from one trained network to another, and see what stands between them and what takes it away."


def page() -> None:
    """Between which models, along which paths, on the left; what stands there on the right."""
    left, right = st.columns([1, 2], gap="large")
    with left:
        st.markdown(f"# Connectivity\n{PURPOSE}")
        setup = connectivity_setup()
    with right:
        reader = current_run(KIND)
        problem = controls(KIND, reader, setup.spec, label="Start walking")
        for text in filter(None, (setup.problem, problem)):
            st.error(plain(sentence(text), 600), icon=":material/error:")
        follow(KIND, draw_connectivity)
