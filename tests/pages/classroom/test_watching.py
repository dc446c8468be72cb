"""The page is run again when the class has become another one since it was drawn, however short ago."""

import pytest

from pages.classroom import page as pages
from pages.shared.runs.in_class import classes
from softmerge_core.classroom import Record
from tests.pages.classroom.conftest import ANNE, BEN, TEACHER, ask, page_of
from tests.pages.conftest import texts


def test_an_answer_that_comes_while_the_page_is_drawn_is_seen(asked: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    code = ask(asked.code).code
    classes().answer(code, ANNE, (1, 0), 1)
    end_button = pages.end_button
    late = iter([True])

    def drawn(record: Record) -> None:
        if next(late, False):
            classes().answer(code, BEN, (1, 0), 1)
        end_button(record)

    monkeypatch.setattr(pages, "end_button", drawn)
    assert "2 of 2 students have answered" in texts(page_of(TEACHER))
