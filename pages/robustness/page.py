"""The Robustness page: which ways of merging survive malicious sources, and who is to blame."""

import streamlit as st

from pages.robustness.results import draw_robustness
from pages.robustness.setup import robustness_setup
from pages.shared.runs.panel import controls, current_run, follow
from pages.shared.show.text import plain
from softmerge_core.experiments.words import sentence

KIND = "robustness"
PURPOSE = "Let some of the sources be malicious, and see which ways of merging survive and on whom the gates close."


def page() -> None:
    """Who is attacked, and how, on the left, what comes of it on the right."""
    left, right = st.columns([1, 2], gap="large")
    with left:
        st.markdown(f"# Robustness\n{PURPOSE}")
        setup = robustness_setup()
    with right:
        reader = current_run(KIND)
        problem = controls(KIND, reader, setup.spec, label="Start attacking")
        for text in filter(None, (setup.problem, problem)):
            st.error(plain(sentence(text), 600), icon=":material/error:")
        follow(KIND, draw_robustness)
