"""The teacher's page: the code for all to see, the question, what was answered, and the runs of the class."""

import streamlit as st

from pages.classroom.class_runs import class_runs, runs_of
from pages.classroom.doing import do, tell_problem
from pages.classroom.questions import Posed, posed
from pages.classroom.results import show_results
from pages.shared.runs.in_class import classes
from pages.shared.runs.services import visitor
from pages.shared.show.text import plain
from pages.shared.show.theme import landing
from pages.shared.teach.truth import measured
from softmerge_core.classroom import Record
from softmerge_core.experiments.words import letter, plural

CHOICE = "class-lesson"  # the question that is asked next


def teacher(record: Record) -> None:
    """Draw the right side of the page of who teaches this class; the invitation is on the left."""
    landing()
    tell_problem()
    question = posed().get(record.asked.lesson) if record.asked else None
    _ask(record)
    if question is not None:
        _asked(question, record)
    class_runs(record)


def _ask(record: Record) -> None:
    """The choice of a question, and the button that asks it."""
    known = posed()
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="class-ask"):
        chosen = st.selectbox(
            "Question", list(known), format_func=lambda name: known[name].title if name in known else name, key=CHOICE,
            persist_state="session", help="What the lesson of this title asks; its truth comes from a recorded run.",
        )  # fmt: skip
        st.button(
            "Ask", icon=":material/campaign:", key="class-ask-it", on_click=do, args=(_begin, record.code, chosen),
            type="secondary" if record.voting else "primary", disabled=chosen is None,
            help="Put this question on the students' pages; what was answered before is forgotten.",
        )  # fmt: skip


def _begin(code: str, name: str) -> None:
    """Ask a question once its truth is known, so that no class waits for one in vain."""
    question = posed()[name]
    measured(question.question.measured)
    classes().ask(code, visitor(), question.asked)


def _asked(question: Posed, record: Record) -> None:
    """The question that was asked, how many have answered, and what they answered once that is revealed."""
    with st.container(border=True, key="class-question", gap="small"):
        st.markdown(question.question.text)
        if record.voting:
            st.markdown("\n\n".join(f"{letter(at)}. {plain(text, 200)}" for at, text in enumerate(question.options)))
        st.markdown(f"**{_answered(record)}**")
        _steer(record)
    if not record.voting:
        show_results(question, record)


def _answered(record: Record) -> str:
    """How many of the class have answered."""
    count, there = len(record.votes[-1]), plural(len(record.students), "student")
    name = ("First vote", "Second vote")[record.vote]
    if not record.voting:
        return f"{name} closed: {count} of {there} answered."
    return f"{name}: {count} of {there} {'has' if count == 1 else 'have'} answered."


def _steer(record: Record) -> None:
    """Close the vote, or let the class vote again."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if record.voting:
            st.button(
                "Close and reveal", icon=":material/visibility:", type="primary", key="class-reveal", on_click=do,
                args=(classes().reveal, record.code, visitor()),
                help="Take no more answers, and show everyone what was answered and what is true.",
            )  # fmt: skip
        if record.vote == 0:
            about = "Close this vote unseen and take a second one, after students have talked it over."
            told = "Answers can be given once more, though the truth has been shown."
            st.button(
                "Discuss and ask again" if record.voting else "Ask again", icon=":material/forum:", key="class-again",
                on_click=do, args=(classes().again, record.code, visitor()), help=about if record.voting else told,
            )  # fmt: skip


def end_button(record: Record) -> None:
    """Draw the button that ends the class, which asks once more."""
    about = "End the class for everyone; you are asked once more."
    with st.popover("End the class", icon=":material/logout:", key="class-end", help=about):
        live = sum(run.live for run in runs_of(record))
        st.markdown("Its code leads nowhere from then on, and no answer is kept.")
        if live:
            st.caption(f"{plural(live, 'run')} of the class {'is' if live == 1 else 'are'} live and will go on.")
        st.button(
            "End it now", type="primary", key="class-end-now", on_click=do, args=(_end, record.code),
            help="Delete the class with all of its answers.",
        )  # fmt: skip


def _end(code: str) -> None:
    classes().end(code, visitor())
    st.session_state.pop("code", None)
    st.query_params.pop("code", None)


def moment(record: Record) -> tuple[object, ...]:
    """What changes when the teacher's page has something else to show."""
    answers = len(record.votes[-1]) if record.votes else 0
    return record.stage, len(record.students), answers, tuple(run[1:] for run in runs_of(record))
