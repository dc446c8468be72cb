"""The Merge page: choose sources and parts, start, and watch gates learn which source to trust."""

import streamlit as st

from pages.merge.outcome import outcome, verdict
from pages.merge.pictures import merge_pictures, merge_progress
from pages.merge.setup import merge_setup
from pages.shared.runs.panel import controls, current_run, follow
from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from softmerge_core.experiments.words import sentence

KIND = "merge"
PURPOSE = (
    "Merge trained networks into one by learning, part by part, which of them to trust. "
    "Only gates are trained; the networks stay as they are."
)


def page() -> None:
    """The page from top to bottom: what to merge on the left, what happens on the right."""
    left, right = st.columns([1, 2], gap="large")
    with left:
        st.markdown(f"# Soft Merge\n{PURPOSE}")
        setup = merge_setup()
    with right:
        reader = current_run(KIND)
        problem = controls(KIND, reader, setup.spec, label="Start merging")
        for text in filter(None, (setup.problem, problem)):
            st.error(plain(sentence(text), 600), icon=":material/error:")
        follow(KIND, draw)


def draw(reader: RunReader | None) -> None:
    """The right side: progress, the outcome once there is one, the pictures, what can be taken along."""
    with st.container(key="verdict-slot"):  # never empty: an empty one would move, and so remount, the charts
        merge_progress(reader)
        verdict(reader)
    merge_pictures(reader)
    with st.container(key="outcome-slot"):
        outcome(reader)
