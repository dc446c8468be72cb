"""What is done to a class at a press, and what is said where it cannot be done."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.words import sentence

PROBLEM = "class:problem"


def do(what: Callable[..., Any], *arguments: Any) -> None:
    """Do it; what goes wrong is said in the next run of the page. For callbacks."""
    st.session_state.pop(PROBLEM, None)
    try:
        what(*arguments)
    except SoftMergeError as error:
        st.session_state[PROBLEM] = str(error)


def tell_problem() -> None:
    """Draw what went wrong at the last press, once."""
    if problem := st.session_state.pop(PROBLEM, ""):
        st.error(plain(sentence(str(problem)), 400), icon=":material/error:")
