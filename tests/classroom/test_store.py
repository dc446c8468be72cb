"""Classes: every answer is kept, only the teacher steers, and nothing that a stranger sends does harm."""

import contextlib
import json
import math
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmerge_core.classroom import store as stores
from softmerge_core.classroom.record import LETTERS, LONGEST, MOST_RUNS, MOST_STUDENTS, Asked, Record, as_code
from softmerge_core.classroom.store import MOST_CLASSES, Classes
from softmerge_core.errors import ClassError, SoftMergeError

CHOICE = Asked(lesson="why", options=3)
HUGE = pytest.param(10**5000, id="huge")  # more digits than Python writes out
NUMBER = Asked(lesson="how-many", low=0.0, high=1.0)


@pytest.fixture
def classes(tmp_path: Path) -> Classes:
    return Classes(tmp_path / "classes")


def asked(classes: Classes, question: Asked = CHOICE, students: int = 1) -> str:
    """The code of a class that was asked a question."""
    code = classes.open("teacher").code
    for number in range(students):
        classes.join(code, f"student-{number}")
    classes.ask(code, "teacher", question)
    return code


def test_a_class_is_there_for_another_server_and_keeps_nothing_personal(classes: Classes, tmp_path: Path) -> None:
    code = asked(classes)
    classes.answer(code, "student-0", (1, 0), 2)
    other = Classes(tmp_path / "classes")
    assert other.read(code) == classes.read(code)
    assert other.taught_by("teacher") == other.joined_by("student-0") == classes.read(code)
    assert other.taught_by("student-0") is other.joined_by("teacher") is None
    text = (classes.folder / f"{code}.json").read_text()
    assert "student" not in text.replace('"students"', "")
    assert "teacher" not in text.replace('"teacher"', "")
    other.answer(code, "student-0", (1, 0), 1)
    assert classes.read(code).answer_of("student-0", 0) == 1.0  # what the other has written is read


def test_who_teaches_a_class_gets_the_same_again_and_another_browser_another_one(classes: Classes) -> None:
    first = classes.open("teacher")
    assert classes.open("teacher") == first
    assert classes.open("another").code != first.code
    assert set(first.code) <= set(LETTERS)
    assert classes.read(f" {first.code[:2].lower()}-{first.code[2:]} ") == first


def test_fifty_threads_answer_at_once_and_none_is_lost(classes: Classes) -> None:
    code = asked(classes, students=0)
    gate = threading.Barrier(50)

    def vote(number: int) -> None:
        gate.wait()
        classes.join(code, f"student-{number}")
        classes.answer(code, f"student-{number}", (1, 0), number % 3)

    threads = [threading.Thread(target=vote, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = Classes(classes.folder).read(code)
    assert [record.answer_of(f"student-{number}", 0) for number in range(50)] == [number % 3 for number in range(50)]
    assert len(record.students) == 50


def test_two_votes_and_only_the_one_that_is_open_counts(classes: Classes) -> None:
    code = asked(classes)
    classes.answer(code, "student-0", (1, 0), 0)
    classes.answer(code, "student-0", (1, 0), 1)
    classes.again(code, "teacher")
    with pytest.raises(ClassError, match="this vote is over"):
        classes.answer(code, "student-0", (1, 0), 2)
    classes.answer(code, "student-0", (1, 1), 2)
    record = classes.reveal(code, "teacher")
    assert [record.answer_of("student-0", vote) for vote in (0, 1, 2)] == [1.0, 2.0, None]
    with pytest.raises(ClassError, match="this vote is over"):
        classes.answer(code, "student-0", (1, 1), 0)
    with pytest.raises(ClassError, match="at most 2 votes"):
        classes.again(code, "teacher")
    new = classes.ask(code, "teacher", NUMBER)
    assert (new.number, new.votes, new.voting) == (2, ({},), True)


@pytest.mark.parametrize("who", ["student-0", "stranger", ""])
def test_only_the_teacher_steers(classes: Classes, who: str) -> None:
    code = asked(classes)
    before = classes.read(code)
    for steer in (
        lambda: classes.ask(code, who, NUMBER), lambda: classes.again(code, who), lambda: classes.reveal(code, who),
        lambda: classes.show(code, who, "run"), lambda: classes.end(code, who),
        lambda: classes.ask(code, before.teacher, NUMBER),  # the token of the file is not what a browser has
    ):  # fmt: skip
        with pytest.raises(ClassError, match="only its teacher"):
            steer()
    assert classes.read(code) == before


@pytest.mark.parametrize("value", [-1, 3, 0.5, math.nan, math.inf, 1e300, HUGE, True, None, "0", [0], {}])
def test_what_is_no_option_is_refused(classes: Classes, value: object) -> None:
    code = asked(classes)
    with pytest.raises(ClassError, match="expected"):
        classes.answer(code, "student-0", (1, 0), value)
    assert classes.read(code).votes == ({},)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, -math.inf, HUGE, True, None, "0.5"])
def test_what_is_no_number_of_the_range_is_refused(classes: Classes, value: object) -> None:
    code = asked(classes, NUMBER)
    with pytest.raises(ClassError, match="expected"):
        classes.answer(code, "student-0", (1, 0), value)
    assert classes.answer(code, "student-0", (1, 0), 1).answer_of("student-0", 0) == 1.0


@given(st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.text(max_size=9), st.binary(max_size=3)))
def test_any_answer_is_kept_as_a_number_or_refused(value: object) -> None:
    for question in (CHOICE, NUMBER):
        try:
            kept = question.checked(value)
        except ClassError:
            continue
        assert isinstance(value, int | float)
        assert kept == value
        assert 0 <= kept <= 2


@pytest.mark.parametrize("place", [(0, 0), (2, 0), (1, 1), (1, -1)])
def test_an_answer_to_another_question_is_not_counted(classes: Classes, place: tuple[int, int]) -> None:
    code = asked(classes)
    with pytest.raises(ClassError, match="over"):
        classes.answer(code, "student-0", place, 1)


def test_who_has_not_joined_neither_answers_nor_adds_runs(classes: Classes) -> None:
    code = asked(classes)
    with pytest.raises(ClassError, match="joined"):
        classes.answer(code, "stranger", (1, 0), 1)
    with pytest.raises(ClassError, match="joined"):
        classes.add_run(code, "stranger", "run")


@given(st.text(max_size=30))
@settings(max_examples=50)
def test_any_other_code_leads_to_no_class_and_no_other_file(text: str) -> None:
    classes = Classes(Path("/nonexistent/classes"))
    with pytest.raises(ClassError):
        classes.read(text)
    with contextlib.suppress(ClassError):
        assert set(as_code(text)) <= set(LETTERS)


@pytest.mark.parametrize("text", ["../../x", "BCDF/", "BCDF\0", "ILOU0", "BCDFG" * 99999, "𝐁CDFG"])
def test_what_cannot_be_a_code_is_refused(classes: Classes, text: str) -> None:
    with pytest.raises(ClassError, match="class codes have 5"):
        classes.join(text, "student")


def test_a_class_ends_by_its_teacher_or_its_time_and_is_gone(classes: Classes, monkeypatch: pytest.MonkeyPatch) -> None:
    code = asked(classes)
    classes.end(code, "teacher")
    with pytest.raises(ClassError, match=f"no class with the code {code}"):
        classes.join(code, "student")
    code = asked(classes)
    now = time.time()
    monkeypatch.setattr(stores.time, "time", lambda: now + LONGEST + 60)
    with pytest.raises(ClassError, match="or it has ended"):
        classes.read(code)
    assert classes.taught_by("teacher") is None
    new = classes.open("teacher").code
    assert [path.stem for path in classes.folder.glob("*.json")] == [new]


def test_there_is_room_for_so_many_and_no_more(classes: Classes, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = [classes.open(f"teacher-{number}").code for number in range(MOST_CLASSES)]
    assert len(set(codes)) == MOST_CLASSES
    with pytest.raises(ClassError, match="at most 50 classes"):
        classes.open("one more")
    classes.join(codes[0], "student")
    now = time.time()
    monkeypatch.setattr(stores.time, "time", lambda: now + 3600)
    classes.open("one more")  # those that nobody joined make room
    assert classes.read(codes[0]).students
    full = classes.read(codes[0]).model_copy(
        update={"students": {f"{n:032x}": 1.0 for n in range(MOST_STUDENTS)}, "runs": ("x",) * MOST_RUNS}
    )
    classes._write(full)
    with pytest.raises(ClassError, match="at most 500 students"):
        classes.join(codes[0], "late")
    who = classes._write(full.model_copy(update={"students": {full.token("late"): 1.0}}))
    with pytest.raises(ClassError, match="at most 1,000 runs"):
        classes.add_run(who.code, "late", "run")


@pytest.mark.parametrize("content", [b"", b"{", b"null", b'{"code": 3}', b"\xff\xfe", b"[" * 9999, b'{"version": 2}'])
def test_a_damaged_file_says_so_and_the_other_classes_stay(classes: Classes, content: bytes) -> None:
    code, other = asked(classes), classes.open("another").code
    (classes.folder / f"{code}.json").write_bytes(content)
    with pytest.raises(ClassError, match="damaged"):
        classes.read(code)
    with pytest.raises(ClassError, match="damaged"):
        classes.answer(code, "student-0", (1, 0), 1)
    assert classes.taught_by("another") == classes.read(other)
    assert classes.open("teacher").code not in (code, other)


def test_a_file_with_answers_of_another_kind_is_damaged(classes: Classes) -> None:
    code = asked(classes)
    path = classes.folder / f"{code}.json"
    values = json.loads(path.read_text())
    for change in ({"votes": [{"x": 1}]}, {"votes": [{}, {}, {}]}, {"code": "BBBBB"}, {"asked": {"lesson": "x" * 999}}):
        path.write_text(json.dumps({**values, **change}))
        with pytest.raises(ClassError, match="damaged"):
            classes.read(code)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "classes").write_text("a file where the folder should be")
    with pytest.raises(ClassError, match="could not be written"):
        Classes(tmp_path / "classes").open("teacher")


def test_the_teacher_may_stop_the_runs_of_the_class_and_nobody_elses(classes: Classes) -> None:
    code = asked(classes)
    classes.add_run(code, "student-0", "theirs")
    classes.open("another")
    assert classes.may_stop("theirs", "teacher")
    for run_id, who in (("theirs", "student-0"), ("theirs", "another"), ("other", "teacher"), ("", "teacher")):
        assert not classes.may_stop(run_id, who)


def test_a_question_has_two_options_or_a_range() -> None:
    for wrong in ({"options": 1}, {"options": 21}, {"low": 1.0, "high": 1.0}, {"low": math.nan}):
        with pytest.raises(ValueError, match=r"expected|less than|finite"):
            Asked.model_validate({"lesson": "x", **wrong})


def test_the_moment_of_a_class_says_what_a_student_has_to_see(classes: Classes) -> None:
    code = asked(classes)
    seen: list[Record] = [classes.read(code)]
    classes.answer(code, "student-0", (1, 0), 1)
    assert classes.read(code).stage == seen[0].stage  # an answer of another is nothing to draw again
    seen.append(classes.again(code, "teacher"))
    seen.append(classes.reveal(code, "teacher"))
    seen.append(classes.show(code, "teacher", "run"))
    seen.append(classes.ask(code, "teacher", NUMBER))
    assert len({record.stage for record in seen}) == 5
    assert issubclass(ClassError, SoftMergeError)
