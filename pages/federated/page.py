"""The Federated page: clients that learn together without showing each other their data."""

from functools import partial

import streamlit as st

from pages.federated.results import draw_federated
from pages.federated.setup import federated_setup
from pages.shared.runs.panel import controls, current_run, follow
from pages.shared.show.text import plain
from softmerge_core.experiments.words import sentence

KIND = "federated"
PURPOSE = (
    "Let clients train on samples of their own and a server merge what they send, and see which algorithm copes "
    "with uneven shards and with malicious clients."
)


def page() -> None:
    """Clients, shards and algorithms on the left, what comes of them round by round on the right."""
    left, right = st.columns([1, 2], gap="large")
    with left:
        st.markdown(f"# Federated\n{PURPOSE}")
        setup = federated_setup()
    with right:
        reader = current_run(KIND)
        problem = controls(KIND, reader, setup.spec, label="Start rounds")
        for text in filter(None, (setup.problem, problem)):
            st.error(plain(sentence(text), 600), icon=":material/error:")
        follow(KIND, partial(draw_federated, chosen=setup.spec))
