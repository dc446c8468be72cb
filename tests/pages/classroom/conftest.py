"""A class with a teacher and students, as the pages know them."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.classroom import questions
from pages.classroom.questions import Posed, _posed, posed
from pages.shared.runs.in_class import classes
from pages.shared.teach.lesson import Choice, Lesson, Measured, Question
from softmerge_core.classroom import Record
from tests.pages.conftest import Desk, opened

MEASURED = Measured(run="example:more-nothing-gained", value="accuracy.average")  # 0.113
CHOICES = (Choice(text="Half or more", least=0.5), Choice(text="A *few* <b>", below=0.2),
           Choice(text="Some", least=0.2, below=0.5))  # fmt: skip
PAGE = """
from pages.classroom.page import page
from pages.shared.show.site_map import register_pages
from pages.site import site_pages

register_pages(site_pages())
page()
"""
TEACHER, ANNE, BEN = "the teacher", "one student", "another student"


def lesson(question: Question) -> Lesson:
    return Lesson(title="A lesson", purpose="p", minutes=1, question=question, reveal="Because.", steps=())


def question(**values: object) -> Question:
    return Question(text="**How many?**", measured=MEASURED, **values)  # type: ignore[arg-type]


@pytest.fixture
def asked(desk: Desk, home_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Record:
    """A class with two students, and a question with a choice and one about a number to ask."""
    known: dict[str, Posed | None] = {
        "choice": _posed("choice", lesson(question(choices=CHOICES))),
        "number": _posed("number", lesson(question())),
    }
    posed.cache_clear()
    monkeypatch.setattr(questions, "lessons", dict)
    made: Mapping[str, Posed] = posed()
    made.update(known)  # type: ignore[attr-defined]
    code = classes().open(TEACHER).code
    for who in (ANNE, BEN):
        classes().join(code, who)
    yield classes().read(code)
    posed.cache_clear()


def page_of(who: str, code: str = "", **state: object) -> AppTest:
    """The page as somebody sees it who has typed that code."""
    return opened(PAGE, visitor=who, **({"code": code} if code else {}), **state)


def ask(code: str, name: str = "choice") -> Record:
    """Let the class be asked a question."""
    return classes().ask(code, TEACHER, posed()[name].asked)
