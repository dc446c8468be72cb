"""The Runs page: every run of every kind, to be found, opened, named, set side by side, or thrown away."""

import streamlit as st

from pages.runs.acting import actions
from pages.runs.beside import side_by_side
from pages.runs.bringing import bring_run
from pages.runs.gallery import gallery
from pages.runs.listing import ask, found, in_words, table
from pages.shared.choose.deleted import tell_deleted
from pages.shared.runs.services import become_owner, is_owner, run_index
from pages.shared.show.copy_link import page_head
from pages.shared.show.text import plain

PURPOSE = "Every run that was started here: find it again, open it with its settings, set it beside others."
MOST = 20  # folders that are named where they cannot be read


def page() -> None:
    """Draw the page."""
    page_head("Runs", PURPOSE)
    bring_run()
    with st.spinner("Reading the runs that have come since…", show_time=True):
        run_index().refresh()
    search = ask()
    runs = found(search)
    with st.container(border=True, key="verdict"):
        st.markdown(f"**{plain(in_words(search, runs), 300)}**")
    tell_deleted("runs")
    if runs:
        chosen = table(runs)
        actions(chosen)
        side_by_side(chosen)
    _tell_problems()
    gallery()
    _owner()


def _owner() -> None:
    """The field for the token that lets its reader stop and delete runs of others."""
    if is_owner():
        st.caption("You can stop and delete every run: you have entered the owner's token.")
        return
    with st.expander("Owner of this server", icon=":material/key:"):
        token = st.text_input(
            "Owner's token",
            type="password",
            key="runs-token",
            help="Told where the server was started; it lets you stop and delete the runs of others.",
        )
        if token and become_owner(token):
            st.rerun()
        elif token:
            st.error("This is not the token that the server told at its start.", icon=":material/error:")


def _tell_problems() -> None:
    """Which folders cannot be read as runs, and why; nothing in them is changed."""
    problems = run_index().problems()
    if problems:
        with st.expander(f"{len(problems):,} set apart: they cannot be read as runs", icon=":material/broken_image:"):
            for name, reason in problems[:MOST]:
                st.caption(f"{plain(name, 80)}: {plain(reason, 300)}")
