"""The Classroom page as its teacher and its students meet it."""

import gc

import pytest
from streamlit.testing.v1 import AppTest

from pages.classroom import class_runs
from pages.classroom.questions import posed
from pages.shared.runs.in_class import classes
from softmerge_core.classroom import Record
from softmerge_core.experiments.merge.spec import example
from softmerge_core.runs.labels import read_labels, read_owner
from softmerge_core.runs.writer import RunWriter
from tests.pages.classroom.conftest import ANNE, BEN, TEACHER, ask, page_of
from tests.pages.conftest import APP, Desk, button, opened, press, texts

FORCED = """
import streamlit as st
from pages.shared.runs.in_class import stop_run
from softmerge_core.errors import RunError

try:
    stop_run("{run_id}")
except RunError as error:
    st.error(str(error))
"""


def html(page: AppTest) -> str:
    return "".join(str(each.value) for each in page.html)


def info(page: AppTest) -> str:
    return " ".join(str(each.value) for each in page.info)


def answer(page: AppTest, place: int) -> AppTest:
    page.radio[0].set_value(place).run()
    assert not page.exception
    return page


def test_a_class_is_opened_joined_and_kept_over_a_reload(desk: Desk) -> None:
    page = press(page_of(TEACHER), "Open a class")
    record = classes().taught_by(TEACHER)
    assert record is not None
    assert f">{record.code}</p>" in html(page)
    assert "data:image/png" in html(page)
    assert record.code in html(page_of(TEACHER))  # a reload
    start = page_of(ANNE)
    assert record.code not in html(start)
    start.text_input(key="code").set_value(f" {record.code.lower()} ").run()
    assert "You are in" in info(start)
    assert classes().read(record.code).has(ANNE)
    assert button(page_of(ANNE), f"Back to class {record.code}")


@pytest.mark.parametrize("code", ["BBBBB", "x", "../../etc", "<b>", "20, 50"])
def test_a_code_that_leads_nowhere_says_so(desk: Desk, code: str) -> None:
    page = page_of(ANNE, code)
    (said,) = [str(each.value) for each in page.warning]
    assert "has ended" in said or "letters and digits" in said
    assert "<b>" not in said
    assert button(page, "Open a class")


def test_students_choose_change_and_see_the_class_and_the_truth(asked: Record) -> None:
    code = ask(asked.code).code
    anne, ben = page_of(ANNE, code), page_of(BEN, code)
    assert "Nothing answered yet" in texts(anne)
    assert anne.radio[0].value is None
    assert anne.radio[0].options[1] == "B. A \\*few\\* \\<b\\>"
    answer(answer(anne, 0), 1)
    answer(ben, 0)
    assert "answer is counted" in texts(anne)
    assert page_of(ANNE, code).radio[0].value == 1  # a reload, or another tab
    teacher = page_of(TEACHER)
    assert "First vote: 2 of 2 students have answered." in texts(teacher)
    assert "chose B" not in texts(teacher)  # nobody is led by what others said
    press(teacher, "Close and reveal")
    assert "B is right: the recorded run has 11.3\u00a0%." in texts(teacher)
    assert "1 of 2 students (50\u00a0%) chose B." in texts(teacher)
    assert "Because." in texts(teacher)
    assert "That was your answer" in texts(page_of(ANNE, code))
    assert "You said A." in texts(page_of(BEN, code))
    assert not page_of(BEN, code).radio


@pytest.mark.parametrize("name", ["choice", "number"])
def test_a_vote_begins_without_what_was_said_in_the_one_before(asked: Record, name: str) -> None:
    code = ask(asked.code, name).code
    anne = page_of(ANNE, code)
    if name == "choice":
        answer(anne, 1)
    else:
        anne.slider[0].set_value(12.0).run()  # and is not sent
    classes().reveal(code, TEACHER)
    ask(code, name)  # while her phone sleeps
    anne.run()
    assert "Nothing answered yet" in texts(anne)
    if name == "choice":
        assert anne.radio[0].value is None
        answer(anne, 1)
        assert classes().read(code).votes == ({classes().read(code).token(ANNE): 1.0},)
    else:
        assert anne.slider[0].value == 50.0


def test_an_answer_is_there_again_when_its_page_is(asked: Record) -> None:
    code = ask(asked.code).code
    anne = answer(page_of(ANNE, code), 1)
    anne.session_state["code"] = ""
    assert not anne.run().radio
    anne.session_state["code"] = code
    assert anne.run().radio[0].value == 1


def test_a_session_keeps_nothing_of_earlier_votes(asked: Record) -> None:
    anne = page_of(ANNE, asked.code)
    for _ in range(4):
        ask(asked.code)
        anne.run()
    gc.collect()
    known = {each.number for each in gc.get_objects() if type(each) is Record and each.code == asked.code}
    assert 4 in known
    assert not known & {1, 2}


def test_after_a_second_vote_it_is_told_who_moved(asked: Record) -> None:
    code = ask(asked.code).code
    answer(page_of(ANNE, code), 0)
    answer(page_of(BEN, code), 1)
    teacher = press(page_of(TEACHER), "Discuss and ask again")
    anne = page_of(ANNE, code)
    assert "In the first vote you said A." in texts(anne)
    assert anne.radio[0].value is None
    answer(anne, 1)
    answer(page_of(BEN, code), 1)
    press(teacher.run(), "Close and reveal")
    said = texts(teacher)
    assert "First vote, 1 of 2 students (50\u00a0%) chose B. Second vote, 2 of 2 students (100\u00a0%) chose B." in said
    assert "Of 2 students who answered twice, 1 changed to the right answer, 0 away from it; 1 stayed right" in said
    assert all(each.label != "Ask again" for each in teacher.button)


def test_a_number_is_sent_in_the_unit_of_the_run(asked: Record) -> None:
    code = ask(asked.code, "number").code
    anne = page_of(ANNE, code)
    anne.slider[0].set_value(12.0).run()
    assert classes().read(code).votes == ({},)  # not before it is sent
    press(anne, "Send my answer")
    assert classes().read(code).answer_of(ANNE, 0) == pytest.approx(0.12)
    assert page_of(ANNE, code).slider[0].value == 12.0
    classes().answer(code, BEN, (1, 0), 0.5)
    classes().again(code, TEACHER)
    classes().answer(code, ANNE, (1, 1), 0.5)
    classes().answer(code, BEN, (1, 1), 0.25)
    classes().reveal(code, TEACHER)
    said = texts(page_of(BEN, code))
    assert "The recorded run has 11.3\u00a0%." in said
    assert "You said 25.0\u00a0%" in said
    assert "1 came nearer to the truth, 1 went farther away, 0 stayed" in said


def test_an_answer_that_comes_too_late_says_so(asked: Record) -> None:
    code = ask(asked.code).code
    late = page_of(ANNE, code)
    classes().reveal(code, TEACHER)
    answer(late, 1)
    assert "This vote is over" in texts(late).replace("\\", "")
    assert classes().read(code).votes == ({},)


def test_the_teacher_asks_and_ends(asked: Record) -> None:
    page = press(page_of(TEACHER), "Ask")
    record = classes().read(asked.code)
    assert record.asked == posed()["choice"].asked
    assert (record.number, record.voting) == (1, True)
    press(page, "End it now")
    assert button(page, "Open a class")
    assert "has ended" in " ".join(str(each.value) for each in page_of(ANNE, asked.code).warning)


def test_a_question_whose_truth_is_not_there_is_not_asked(asked: Record) -> None:
    name, known = "choice", posed()["choice"]
    broken = known.question.model_copy(update={"measured": known.question.measured.model_copy(update={"run": "gone"})})
    posed()[name] = known._replace(question=broken)  # type: ignore[index]
    page = press(page_of(TEACHER), "Ask")
    assert "gone" in texts(page)
    assert classes().read(asked.code).asked is None


def test_what_a_student_starts_is_the_classes_and_its_teacher_may_stop_it(asked: Record, desk: Desk) -> None:
    press(opened(APP, visitor=ANNE), "Start merging")
    (run,) = desk.store.list()
    folder = desk.store.folder(run.id)
    assert classes().read(asked.code).runs == (run.id,)
    assert read_labels(folder).tags == (f"class {asked.code}",)
    assert read_owner(folder) == ANNE
    with RunWriter(folder):
        for who in (BEN, "a stranger"):
            page = opened(APP, visitor=who, **{"merge:run": run.id})
            assert button(page, "Stop").disabled
            button(page, "Stop").proto.disabled = False
            press(page, "Stop")  # as another program may
            assert "can stop it" in texts(opened(FORCED.format(run_id=run.id), visitor=who))
        assert desk.requests == []
        page = opened(APP, visitor=TEACHER, **{"merge:run": run.id})
        assert button(page, "Pause").disabled
        press(page, "Stop")
        press(page_of(TEACHER), "Stop it")
        press(opened(APP, visitor=ANNE, **{"merge:run": run.id}), "Stop")
    assert desk.requests == [("stop", run.id)] * 3


def test_the_teacher_of_another_class_and_a_run_outside_are_nothing_to_each_other(asked: Record, desk: Desk) -> None:
    press(opened(APP, visitor="a stranger"), "Start merging")
    (run,) = desk.store.list()
    assert classes().read(asked.code).runs == ()
    assert read_labels(desk.store.folder(run.id)).tags == ()
    with RunWriter(desk.store.folder(run.id)):
        assert button(opened(APP, visitor=TEACHER, **{"merge:run": run.id}), "Stop").disabled


def test_a_run_is_shown_to_be_watched_and_forked(asked: Record, desk: Desk) -> None:
    page = page_of(TEACHER, **{"class-show": True})
    press(page, "Networks that cannot be merged: nothing is gained · recorded")
    assert classes().read(asked.code).shown == "example:more-nothing-gained"
    student = page_of(ANNE, asked.code)
    assert "Networks that cannot be merged" in texts(student)
    assert button(student, "Watch the teacher's run")
    assert button(student, "Fork it")
    press(page_of(TEACHER), "Show none")
    assert all(each.label != "Fork it" for each in page_of(ANNE, asked.code).button)


def test_the_list_of_runs_tells_state_difference_and_gain(asked: Record, desk: Desk) -> None:
    spec = example()
    first = desk.store.create(spec)
    other = desk.store.create(spec.model_copy(update={"settings": spec.settings.model_copy(update={"penalty": 0.25})}))
    for run_id in (first, other, "gone"):
        classes().add_run(asked.code, ANNE, run_id)
    classes().show(asked.code, TEACHER, "example:first-look")
    page = page_of(TEACHER)
    table = html(page)
    assert "penalty 0.25 instead of" in table
    assert "not yet" in table
    assert "2 runs, 2 of them live" in texts(page)
    press(page, "Stop all")
    assert sorted(desk.requests) == sorted([("stop", other), ("stop", first)])
    assert class_runs._gain("example:first-look").lstrip("+−").replace(".", "").isdigit()
    assert class_runs._gain("gone") == ""


def test_who_follows_the_link_of_the_teacher_is_a_student_and_the_teacher_still_teaches(asked: Record) -> None:
    assert ">" + asked.code in html(page_of(TEACHER, asked.code))
    assert ">" + asked.code not in html(page_of(ANNE, asked.code))
    other = classes().open("another teacher").code
    page = page_of(TEACHER, other)  # a teacher may be a student elsewhere
    assert "You are in" in info(page)
