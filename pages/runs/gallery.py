"""The recorded runs that ship with the project, one sentence each."""

import streamlit as st

from pages.runs.listing import kind_title
from pages.shared.runs.opening import open_button
from pages.shared.runs.services import run_store
from pages.shared.show.text import plain


def gallery() -> None:
    """Draw a card for each recorded run."""
    st.header("Recorded examples", anchor=False)
    st.caption("Runs worth seeing, which come with the project; each opens on its page, where you can start your own.")
    examples = run_store().examples()
    for first in range(0, len(examples), 3):
        for run, column in zip(examples[first : first + 3], st.columns(3, gap="small"), strict=False):
            with column, st.container(border=True, height="stretch", key=f"card-{run.id.partition(':')[2]}"):
                st.markdown(f"**{plain(run.name, 80)}** · {kind_title(run.kind)}")
                st.caption(plain(run.message, 400))
                open_button(run.kind, run.id, "Open")
