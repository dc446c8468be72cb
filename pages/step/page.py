"""The page "One step": one training step of gates in slow motion, with the numbers of a run."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.shared.choose.explaining import WAITING
from pages.shared.show.copy_link import page_head
from pages.shared.show.table import show_table
from pages.shared.show.text import plain
from pages.shared.show.theme import landing
from pages.step.choosing import Wanted, choose_gate, choose_step, told_of
from pages.step.stepper import stepper
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.merge.slow_motion import frames, numbers_table
from softmerge_core.experiments.merge.step_words import others_sentence, replay_note, step_sentence
from softmerge_core.experiments.words import sentence

PURPOSE = (
    "One step of gate training in slow motion, with the real numbers of a run: draw the gates, mix the weights, run "
    "the network, add loss and penalty, ask for the gradient, move the gates. "
    "The method: [L0 regularisation, arXiv 1712.01312](https://arxiv.org/abs/1712.01312)."
)


def page() -> None:
    """Draw the page."""
    page_head("One step", PURPOSE)
    wanted = choose_step()
    place = st.empty()  # a line that is always there, so that waiting moves nothing
    step = _told(wanted, place) if wanted else None
    if step is None or wanted is None:
        return
    part, source = choose_gate(step)
    if part not in step["parts"]:  # of very many parts only those around the one that was asked for are known
        st.rerun()
    with st.container(border=True, gap="xsmall", key="step-summary"):
        st.markdown(f"**{plain(step_sentence(step, part, source), 400)}**")
        st.caption(plain(f"{others_sentence(step, part)} {_where(step)}", 300))
    landing()
    found = frames(step, part, source)
    stepper(found, key="step-frames")
    with st.expander("All numbers of this step", icon=":material/table_rows:", key="step-numbers"):
        head, rows = numbers_table(step, part)
        show_table(head, rows, name="step", box="sm-words")


def _told(wanted: Wanted, place: Any) -> Mapping[str, Any] | None:
    """What is known of the step; while it is worked out, and where it cannot be, that is said in ``place``."""
    try:
        step = told_of(wanted, waiting=lambda: place.caption(WAITING))
        place.caption(plain(replay_note(step), 400))
        return step
    except SoftMergeError as error:
        place.error(plain(sentence(str(error)), 400), icon=":material/error:")
        return None


def _where(step: Mapping[str, Any]) -> str:
    """At which step, of which stage."""
    return f"Step {step['step']:,}, {step['title']}."
