"""The Classroom page: a teacher opens a class, students join it by its code, and all predict before they see."""

from collections.abc import Hashable

import streamlit as st

from pages.classroom.class_runs import show_menu
from pages.classroom.doing import do, tell_problem
from pages.classroom.invite import invite, style
from pages.classroom.student import student
from pages.classroom.teacher import end_button, moment, teacher
from pages.classroom.watching import STUDENT, TEACHER, watch
from pages.shared.runs.in_class import class_of_reader, classes
from pages.shared.runs.services import visitor
from pages.shared.show.copy_link import page_head
from pages.shared.show.page_state import beside
from pages.shared.show.text import plain
from pages.shared.show.theme import landing
from softmerge_core.classroom import CODE, Record
from softmerge_core.errors import ClassError, SoftMergeError
from softmerge_core.experiments.words import sentence

PURPOSE = "Predict together, see what is true, and try it: from your phone, without a name."
TEACHING = "Ask, let everyone predict, discuss, and show what is true."
WIDEST = 20  # letters of a code as it is typed, with spaces
HOW = (
    "You get a short code and a QR picture for the projector. Students join from their phones and predict; you see how "
    "their answers are distributed, and after a second vote who moved. They can fork a run that you show. "
    "Nobody is asked for a name: an answer belongs to a random number, and all of it is deleted when the class ends, "
    "after 12 hours at the latest."
)


def page() -> None:
    """Draw the page."""
    style()
    own = classes().taught_by(visitor())
    asked = str(st.session_state.get("code", st.query_params.get("code", "")) or "").strip()
    if own is not None and asked.upper() in ("", own.code):
        _teacher(own)
    else:
        _others(asked)


def _teacher(record: Record) -> None:
    seen = moment(record)
    left, right = st.columns([1, 2], gap="large")
    beside("code", [record.code])  # a copied link is an invitation
    with left:
        page_head("Classroom", TEACHING)
        invite(record.code)
        show_menu(record)
        end_button(record)
    with right:
        teacher(record)
    watch(seen, lambda: _moment(record.code), TEACHER)


def _moment(code: str) -> Hashable:
    try:
        return moment(classes().read(code))
    except ClassError:  # it ended
        return None


def _others(asked: str) -> None:
    """The page of a student, or of who has not joined a class yet."""
    with st.container(key="class-student", gap="medium"):
        page_head("Classroom", PURPOSE)
        top = st.container(key="class-top")
        foot = st.container(key="class-foot")
        record, problem = _joined(asked)
        with foot if record else top:
            _join_form(record, problem)
        with top:
            if record is not None:
                student(record)
            else:
                _start()
    if record is not None:
        watch(record.stage, lambda: _stage(record.code), STUDENT)
    else:
        watch()


def _joined(asked: str) -> tuple[Record | None, str]:
    """The class of this code, which this visitor has joined now; or what is wrong with the code."""
    if not asked:
        return None, ""
    try:
        return classes().join(asked, visitor()), ""
    except SoftMergeError as error:
        return None, str(error)


def _stage(code: str) -> Hashable:
    try:
        return classes().read(code).stage
    except ClassError:
        return None


def _join_form(record: Record | None, problem: str) -> None:
    """The field of the code; below a class that was joined it leads to another one."""
    if record is None:
        landing()
        st.markdown("## Join a class")
    with st.container(key="class-join", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Class code" if record is None else "Class code, to go to another class", key="code", max_chars=WIDEST,
            bind="query-params", persist_state="session", placeholder=f"{CODE} letters and digits", autocomplete="off",
            help="Your teacher shows it at the front of the room.",
        )  # fmt: skip
        st.button("Join" if record is None else "Go", key="class-join-it", help="Go to the class of this code.",
                  type="primary" if record is None else "secondary")  # fmt: skip
    if problem:
        st.warning(plain(sentence(problem), 300), icon=":material/meeting_room:")


def _start() -> None:
    """The way back to a class, and that to open one."""
    tell_problem()
    known = class_of_reader()
    if known is not None:
        st.button(f"Back to class {known.code}", icon=":material/undo:", on_click=_go, args=(known.code,),
                  key="class-back", help="You have joined this class before.")  # fmt: skip
    taught = classes().taught_by(visitor())
    st.markdown("## Teach a class")
    st.markdown(HOW)
    st.button(
        "Open a class" if taught is None else f"Back to your class {taught.code}", icon=":material/school:",
        key="class-open-it", on_click=_open, type="primary",
        help="Open a class that you teach; it ends when you end it, after 12 hours at the latest.",
    )  # fmt: skip


def _go(code: str) -> None:
    st.session_state["code"] = code


def _open() -> None:
    do(lambda: classes().open(visitor()))
    st.session_state["code"] = ""
    st.query_params.pop("code", None)
