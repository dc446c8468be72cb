"""The Compare page: the same sources, merged in every known way, side by side."""

import streamlit as st

from pages.compare.results import draw_comparison
from pages.compare.setup import compare_setup
from pages.shared.runs.panel import controls, current_run, follow
from pages.shared.show.text import plain
from softmerge_core.experiments.words import sentence

KIND = "compare"
PURPOSE = "Merge the same trained networks in every known way, and see what each way makes of them and what it costs."


def page() -> None:
    """What to compare on the left, what comes of it on the right."""
    left, right = st.columns([1, 2], gap="large")
    with left:
        st.markdown(f"# Compare\n{PURPOSE}")
        setup = compare_setup()
    with right:
        reader = current_run(KIND)
        problem = controls(KIND, reader, setup.spec, label="Start comparing")
        for text in filter(None, (setup.problem, problem)):
            st.error(plain(sentence(text), 600), icon=":material/error:")
        follow(KIND, draw_comparison)
