"""What a class answered, what is true, and who moved: in words, and as pictures."""

from collections.abc import Sequence
from functools import lru_cache
from statistics import median

import streamlit as st

from pages.classroom.questions import Posed
from pages.shared.show.drawn_figure import DrawnFigure
from pages.shared.show.picture import drawn, show_picture
from pages.shared.show.text import plain
from pages.shared.show.theme import current_theme
from pages.shared.teach.truth import measured
from softmerge_core.classroom import Record, counts, moves, nearer
from softmerge_core.classroom.votes import both
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.words import letter, plural, sentence
from softmerge_core.figures.style import Theme
from softmerge_core.figures.vote_flow import choice_flow, number_flow
from softmerge_core.figures.votes import choice_bars, number_dots, option_rows
from softmerge_core.numbers import percent_text

NUMBERS, FLOW = 300, 240  # px: the heights of pictures
ANSWERS, MOVES = "class-answers", "class-moves"  # the pictures
Votes = tuple[tuple[float, ...], ...]


def show_results(question: Posed, record: Record, own: float | None = None) -> None:
    """Draw what was answered and what is true, the second vote beside the first, and who moved.

    ``own``: the last answer of the reader, who is a student.
    """
    try:
        found = measured(question.question.measured)
    except SoftMergeError as error:
        st.error(plain(sentence(str(error)), 400), icon=":material/error:")
        return
    right = question.question.right(found)
    with st.container(border=True, key="class-verdict"):
        st.markdown(f"**{_true(question, found, right)}**" + (_yours(question, own, right) if own is not None else ""))
        st.markdown(question.reveal)
    _answers(question, record, found, own)
    if len(record.votes) > 1:
        _movement(question, record, found)


def _true(question: Posed, found: float, right: int | None) -> str:
    measured = f"the recorded run has {question.said(found)}"
    if right is None:
        return f"{measured[:1].upper()}{measured[1:]}."
    return f"{letter(right)} is right: {measured}."


def _yours(question: Posed, own: float, right: int | None) -> str:
    if right is None:
        return f" You said {question.said(own)}."
    return " That was your answer." if int(own) == right else f" You said {letter(int(own))}."


def _answers(question: Posed, record: Record, found: float, own: float | None) -> None:
    """The distribution of the answers."""
    theme, said = current_theme(), f"{' '.join(answers_told(question, record, found))}"
    if question.options:
        height = option_rows(question.options, len(record.votes))
        chosen = tuple(tuple(counts(vote, len(question.options))) for vote in record.votes)
        mine = None if own is None else int(own)
        figure = _bars(question.options, chosen, question.question.right(found), theme, mine)
    else:
        height = NUMBERS
        shown = tuple(tuple(question.scale * value for value in vote.values()) for vote in record.votes)
        mine = None if own is None else question.scale * own  # type: ignore[assignment]
        figure = _dots(question.span, question.axis, shown, question.scale * found, question.said(found), theme, mine)
    show_picture(
        figure, key=ANSWERS, title="The answers", sentence=said, height=height, waiting="",
        alt="How many students gave which answer, with the right one marked.", file="answers",
    )  # fmt: skip


def answers_told(question: Posed, record: Record, found: float) -> list[str]:
    """A sentence about each vote."""
    names = ("First vote", "Second vote") if len(record.votes) > 1 else ("One vote",)
    right = question.question.right(found)
    told = []
    for name, vote in zip(names, record.votes, strict=False):
        if not vote:
            told.append(f"{name}: nobody answered.")
        elif right is None:
            middle = question.said(median(vote.values()))
            told.append(f"{name}, {plural(len(vote), 'student')}: the middle answer was {middle}.")
        else:
            count = counts(vote, len(question.options))[right]
            share = percent_text(count / len(vote))
            told.append(f"{name}, {count} of {plural(len(vote), 'student')} ({share}) chose {letter(right)}.")
    return told


def _movement(question: Posed, record: Record, found: float) -> None:
    """Who moved from the first vote to the second."""
    first, second = record.votes
    pairs = tuple(both(first, second))
    right = question.question.right(found)
    if right is not None:
        figure = _choice_flow(len(question.options), pairs, right, current_theme())
    else:
        shown = tuple((question.scale * one, question.scale * two) for one, two in pairs)
        figure = _number_flow(
            question.span, question.axis, shown, question.scale * found, question.said(found), current_theme()
        )
    show_picture(
        figure if pairs else None, key=MOVES, title="Who moved", sentence=moves_told(record, found, right),
        height=FLOW, waiting="Nobody answered twice.", file="moves",
        alt="Lines from the answers of the first vote to those of the second.",
    )  # fmt: skip


def moves_told(record: Record, found: float, right: int | None) -> str:
    """How many moved to the right answer, away from it, or stayed, in a sentence or two."""
    first, second = record.votes
    if right is None:
        near = nearer(first, second, found)
        told = f"{near.nearer} came nearer to the truth, {near.farther} went farther away, {near.stayed} stayed"
        both_, once = near.both, near.once
    else:
        all_ = moves(first, second, right)
        told = (
            f"{all_.to_right} changed to the right answer, {all_.away} away from it; {all_.stayed_right} stayed right, "
            f"{all_.stayed_wrong} stayed with another answer"
        )
        told += f" and {all_.other_wrong} went from one wrong answer to another" if all_.other_wrong else ""
        both_, once = all_.both, all_.once
    if not both_:
        return "Nobody answered twice."
    apart = f" {plural(once, 'student')} answered in one of the votes alone." if once else ""
    return f"Of {plural(both_, 'student')} who answered twice, {told}.{apart}"


@lru_cache(maxsize=64)
def _bars(
    options: tuple[str, ...], votes: tuple[tuple[int, ...], ...], right: int | None, theme: Theme, own: int | None
) -> DrawnFigure | None:
    """Drawn once for all students who gave the same answer."""
    return drawn(choice_bars(options, votes, right=right, theme=theme, own=own), ANSWERS)


@lru_cache(maxsize=64)
def _dots(
    span: tuple[float, float], axis: str, votes: Votes, found: float, said: str, theme: Theme, own: float | None
) -> DrawnFigure | None:
    return drawn(number_dots(votes, span=span, axis=axis, truth=found, said=said, theme=theme, own=own), ANSWERS)


@lru_cache(maxsize=16)
def _choice_flow(options: int, pairs: Sequence[tuple[float, float]], right: int, theme: Theme) -> DrawnFigure | None:
    chosen = [(int(before), int(after)) for before, after in pairs]
    return drawn(choice_flow(options, chosen, right=right, theme=theme), MOVES)


@lru_cache(maxsize=16)
def _number_flow(
    span: tuple[float, float], axis: str, pairs: tuple[tuple[float, float], ...], found: float, said: str, theme: Theme
) -> DrawnFigure | None:
    return drawn(number_flow(pairs, span=span, axis=axis, truth=found, said=said, theme=theme), MOVES)
