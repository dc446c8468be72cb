"""Each upload is worked on once, and what came to no end is asked again."""

import contextlib

import numpy as np
import pytest
import streamlit as st

from pages.shared.choose import uploads
from softmerge_core.errors import DataError, RunError
from tests.pages.shared.choose.files import File


@pytest.mark.parametrize("error", [DataError("no"), OSError(28, "full")])
def test_a_refused_file_stays_refused(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(st, "session_state", {})
    upload = File(x=np.zeros(1))

    def work() -> None:
        raise error

    assert uploads.once(upload, "data", work).problem
    assert uploads.once(upload, "data", lambda: None).problem


@pytest.mark.parametrize("error", [RunError("busy"), ZeroDivisionError(), KeyboardInterrupt()])
def test_what_came_to_no_end_is_not_called_fit(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    monkeypatch.setattr(st, "session_state", {})
    upload = File(x=np.zeros(1))

    def work() -> None:
        raise error

    with contextlib.suppress(ZeroDivisionError, KeyboardInterrupt):
        assert uploads.once(upload, "data", work).problem == "busy"
    assert st.session_state["upload-answers"] == {}


def test_what_was_refused_is_worked_on_again_for_something_else_and_what_was_kept_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(st, "session_state", {})
    upload = File(x=np.zeros(1))

    def refuse() -> None:
        raise DataError("it does not fit")

    assert uploads.once(upload, "weights", refuse, "one").problem
    assert uploads.once(upload, "weights", lambda: pytest.fail("worked on"), "one").problem
    assert not uploads.once(upload, "weights", lambda: None, "another").problem
    assert not uploads.once(upload, "weights", lambda: pytest.fail("worked on"), "a third").problem


def test_a_session_works_on_so_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {})
    upload = File(x=np.zeros(1))
    for number in range(uploads.MOST_FILES):
        assert not uploads.once(upload, str(number), lambda: None).problem
    assert "more than 50 files" in uploads.once(upload, "one more", lambda: pytest.fail("worked on")).problem
    assert not uploads.once(upload, "0", lambda: pytest.fail("worked on")).problem
