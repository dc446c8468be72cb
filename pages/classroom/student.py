"""A student's page: the question and their answer, then what is true and what the class thinks; the teacher's run."""

import streamlit as st

from pages.classroom.doing import do, tell_problem
from pages.classroom.questions import Posed, posed, run_kind
from pages.classroom.results import show_results
from pages.shared.runs import address
from pages.shared.runs.in_class import classes
from pages.shared.runs.opening import PAGE_OF, go_to
from pages.shared.runs.services import run_store, visitor
from pages.shared.show.site_map import page_at
from pages.shared.show.text import plain
from pages.shared.show.theme import landing
from softmerge_core.classroom import Record
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.words import letter

ANSWER, SEND, VOTE = "class-answer", "class-send", "class:vote"  # the widgets, and the vote that their value is for
UNANSWERED = "Nothing answered yet."
COUNTED = "Your answer is counted. You can change it until the vote is closed."


def student(record: Record) -> None:
    """Draw the page of a student of this class, who has joined it."""
    landing()
    tell_problem()
    question = posed().get(record.asked.lesson) if record.asked else None
    if record.asked is None:
        st.info("You are in. The first question comes as soon as your teacher asks it.", icon=":material/check_circle:")
    elif question is None:
        st.info("This question is not known here: watch it at the front.", icon=":material/help:")
    else:
        with st.container(key="class-question", gap="small"):
            _told(question, record)
    if record.shown:
        _shown_run(record.shown)


def _told(question: Posed, record: Record) -> None:
    """The question, and the answer that can be given to it or was."""
    if record.vote and record.voting:
        st.caption("Second vote: talk it over, then answer again.")
    st.markdown(question.question.text)
    if record.voting:
        _answer(question, record)
    else:
        show_results(question, record, record.answer_of(visitor(), record.vote))


def _answer(question: Posed, record: Record) -> None:
    given = record.answer_of(visitor(), record.vote)
    with st.container(key="class-answering", gap="small"):
        if question.options:
            _begin(record, None if given is None else int(given))
            st.radio(
                "Your answer", range(len(question.options)), index=None, key=ANSWER, width="stretch",
                format_func=lambda place: f"{letter(place)}. {plain(question.options[place], 200)}",
                on_change=do, args=(_choose, record.code, _vote(record)), label_visibility="collapsed",
                help="What do you think? Your answer is counted at once, without your name.",
            )  # fmt: skip
        else:
            _number(question, record, given)
    first = record.answer_of(visitor(), 0) if record.vote else None
    before = "" if first is None else f" In the first vote you said {_as_said(question, first)}."
    st.caption((COUNTED if given is not None else UNANSWERED) + before)


def _number(question: Posed, record: Record, given: float | None) -> None:
    low, high = question.span
    middle = low + round((high - low) / 2 / question.step) * question.step
    before = given if given is not None else record.answer_of(visitor(), 0)
    _begin(record, middle if before is None else min(max(question.scale * before, low), high))
    signs = {"percent": "%.3g %%", "points": "%.3g points"}
    st.slider(
        "Your answer", low, high, step=question.step, format=signs.get(question.question.unit, "%.3g"), key=ANSWER,
        label_visibility="collapsed", help="What do you think? Nothing is counted before you send it.",
    )  # fmt: skip
    st.button(
        "Send my answer" if given is None else "Change my answer", type="primary", icon=":material/send:",
        key=SEND, on_click=do, args=(_send, question, record.code, _vote(record)), width="stretch",
        help="Let this number be counted, without your name.",
    )  # fmt: skip
    if given is not None:
        st.markdown(f"You said **{question.said(given)}**.")


def _begin(record: Record, value: float | None) -> None:
    """Let each vote begin with this value.

    All votes share one key: of every key that a session has drawn, Streamlit keeps the widget, with what its callbacks
    are given, for as long as the session lasts.
    """
    vote = (record.code, *_vote(record))
    if st.session_state.get(VOTE) != vote or ANSWER not in st.session_state:
        st.session_state[VOTE], st.session_state[ANSWER] = vote, value


def _vote(record: Record) -> tuple[int, int]:
    return record.number, record.vote


def _choose(code: str, vote: tuple[int, int]) -> None:
    classes().answer(code, visitor(), vote, st.session_state.get(ANSWER))


def _send(question: Posed, code: str, vote: tuple[int, int]) -> None:
    low, high = question.asked.low, question.asked.high
    value = min(max(float(st.session_state[ANSWER]) / question.scale, low), high)  # which the scale may miss by a bit
    classes().answer(code, visitor(), vote, value)


def _as_said(question: Posed, value: float) -> str:
    return letter(int(value)) if question.options else question.said(value)


def _shown_run(run_id: str) -> None:
    """The run that the teacher shows: to be watched, or to be begun anew with other settings."""
    kind = run_kind(run_id)
    if not kind:
        return
    with st.container(border=True, key="class-shown", gap="small"):
        st.markdown(f"**Your teacher shows a run:** {plain(run_name(run_id), 80)}")
        if st.button(
            "Watch the teacher's run", icon=":material/visibility:", width="stretch", key="class-watch-run",
            help="Look at it on its page, live while it goes on.",
        ):  # fmt: skip
            st.session_state[f"{kind}:run"] = run_id
            st.switch_page(page_at(PAGE_OF.get(kind, kind)), query_params={address.RUN: run_id})
        if st.button(
            "Fork it", icon=":material/fork_right:", type="primary", width="stretch", key="class-fork-run",
            help="Its page with its settings on the left: change what you like and press Start. The run is yours.",
        ):  # fmt: skip
            go_to(kind, run_id)


def run_name(run_id: str) -> str:
    """The name of a run; its id where it cannot be read."""
    try:
        return run_store().read(run_id, 2**62).spec.name or "(no name)"
    except SoftMergeError:
        return run_id
