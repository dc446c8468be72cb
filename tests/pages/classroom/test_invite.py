"""The address that students open: guessed, put right, and never one that leads elsewhere."""

import pytest
import streamlit as st
from hypothesis import given
from hypothesis import strategies as hs

from pages.classroom import invite
from pages.classroom.questions import _posed, posed
from pages.shared.show import listening
from pages.shared.teach.lesson import lessons
from pages.shared.teach.truth import measured
from softmerge_core.classroom import Record
from softmerge_core.errors import SoftMergeError
from tests.pages.classroom.conftest import CHOICES, MEASURED, TEACHER, lesson, page_of, question
from tests.pages.conftest import texts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.168.1.5:8501", "http://192.168.1.5:8501/classroom"),
        (" https://host/base/classroom?code=X#y ", "https://host/base/classroom"),
        ("http://[::1]:80/classroom", "http://[::1]:80/classroom"),
        ("javascript:alert(1)", None), ("ftp://host/x", None), ("http://", None), ("http://a b/", None),
        ("http://host:99999/", None), ("", None), ("http://" + "x" * 300, None), ("http://[", None),
    ],
)  # fmt: skip
def test_an_address_that_a_browser_can_open(text: str, expected: str | None) -> None:
    assert invite.sound(text) == expected


@given(hs.text(max_size=60))
def test_any_text_is_an_address_or_none(text: str) -> None:
    found = invite.sound(text)
    assert found is None or found.startswith(("http://", "https://"))


def test_the_picture_holds_the_link() -> None:
    assert invite.qr("http://host/classroom?code=BCDFG").startswith("data:image/png;base64,")
    assert invite.qr("http://host/classroom?code=BCDFG") != invite.qr("http://host/classroom?code=BCDFH")


def test_a_server_that_phones_cannot_reach_says_so(asked: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "phones cannot reach it" in texts(page_of(TEACHER))  # as it is set at first
    monkeypatch.setattr(listening, "listens_on", lambda: "0.0.0.0")
    monkeypatch.setattr(invite, "own_address", lambda: "10.1.2.3")
    page = page_of(TEACHER)
    assert "phones cannot reach it" not in texts(page)
    assert any("10.1.2.3" in str(each.value) for each in page.html)
    page.text_input(key=invite.ADDRESS).set_value("https://merge.example/classroom").run()
    assert any("merge.example/classroom" in str(each.value) for each in page.html)
    page.text_input(key=invite.ADDRESS).set_value("nonsense://").run()
    assert "Expected an address" in texts(page).replace("\\", "")
    assert st.get_option("server.address") == "localhost"


@pytest.mark.parametrize("name", posed())
def test_every_question_of_a_lesson_has_a_truth_that_can_be_answered(name: str) -> None:
    each = posed()[name]
    found = measured(each.question.measured)
    if each.options:
        assert each.question.right(found) is not None
    else:
        assert each.asked.checked(found) == found
        assert each.span[0] < each.span[1]
        assert 20 <= (each.span[1] - each.span[0]) / each.step <= 200
    assert each.said(found)


def test_a_question_of_another_kind_is_left_out() -> None:
    odd = question()
    object.__setattr__(odd, "kind", "essay")
    assert _posed("x", lesson(question())) is not None
    assert _posed("x", lesson(odd)) is None
    assert _posed("x", lesson(question(low=1.0, high=1.0))) is None
    assert _posed("x", lesson(question(choices=CHOICES))).options[2] == "Some"  # type: ignore[union-attr]
    assert set(posed()) <= set(lessons())


def test_a_truth_that_is_not_there_is_an_error_of_ours() -> None:
    with pytest.raises(SoftMergeError):
        measured(MEASURED.model_copy(update={"run": "example:none"}))
