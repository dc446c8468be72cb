"""What the browser has kept of the lessons: what is newer here counts, and what no lesson knows is left out."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.teach.progress import KEY, Progress
from tests.pages.conftest import Desk, opened

SCRIPT = """
import streamlit as st
from pages.shared.teach import progress
for name, changes in st.session_state["changes"]:
    progress.note(name, **changes)
if st.session_state["forget"]:
    progress.forget()
st.session_state["found"] = progress.progress()
"""
KEPT = {"averaging": {"step": 2, "done": True, "said": [0.5]}}


def found(kept: Any, *changes: tuple[str, dict[str, Any]], forget: bool = False) -> dict[str, Progress]:
    page: AppTest = opened(SCRIPT, **{KEY: {"kept": kept}}, changes=changes, forget=forget)
    return dict(page.session_state["found"])


def test_what_was_kept_is_known_again(desk: Desk) -> None:
    assert found(KEPT) == {"averaging": Progress(2, True, (0.5,))}


def test_what_is_newer_counts_and_what_is_done_stays_done(desk: Desk) -> None:
    assert found(KEPT, ("averaging", {"step": 1})) == {"averaging": Progress(1, True, (0.5,))}
    assert found(KEPT, ("averaging", {"said": ()})) == {"averaging": Progress(2, True, ())}
    assert found(KEPT, ("averaging", {"step": 1}), forget=True) == {}


@pytest.mark.parametrize(
    "kept",
    [None, 3, [], "text", {"alchemy": {"step": 1}}, {"averaging": 1}, {"averaging": {"step": 99}},
     {"averaging": {"step": True}}, {"averaging": {}}],
)  # fmt: skip
def test_what_no_lesson_knows_is_left_out(kept: Any, desk: Desk) -> None:
    assert found(kept) == {}


@pytest.mark.parametrize("said", [["x"], "0.5", [float("inf")], [True], [0.5] * 1000, None])
def test_a_prediction_that_is_none_is_left_out(said: Any, desk: Desk) -> None:
    assert found({"averaging": {"step": 0, "said": said}}) == {"averaging": Progress(0, False, ())}
