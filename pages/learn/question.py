"""The question of a lesson: the prediction first, then what the recorded run says, side by side."""

import html
from collections.abc import Sequence

import streamlit as st

from pages.learn.sketch import draw_by_hand
from pages.learn.words import Compared, compared, compared_curves, value_text
from pages.shared.show.text import plain
from pages.shared.teach.going import LESSON, go
from pages.shared.teach.lesson import Lesson, Question, lessons
from pages.shared.teach.progress import Progress, note, progress
from pages.shared.teach.truth import curve, measured

HELP = "Your prediction; it stays in this browser."


def question(name: str) -> None:
    """Draw the question, and once there is a prediction the truth beside it."""
    lesson, known = lessons()[name], progress().get(name, Progress())
    if st.button("All lessons", icon=":material/arrow_back:", type="tertiary", help="Back to the list of lessons."):
        del st.query_params[LESSON]
        st.rerun()
    with st.container(key="lesson-question"):
        st.header(lesson.title, anchor=False)
        st.caption(f"{lesson.purpose} About {lesson.minutes} minutes.")
        sketch = lesson.question.sketch
        st.markdown(sketch.text if sketch else lesson.question.text)
        said = _predicted(lesson.question, known.said or ())
        if said:
            _reveal(name, lesson, said)
        else:
            _ask(name, lesson.question)


def _predicted(asked: Question, said: tuple[float, ...]) -> tuple[float, ...]:
    """The prediction, where it is one to this question as it is today."""
    if asked.sketch:
        return said if len(said) == asked.sketch.points else ()
    if len(said) != 1 or (asked.choices and (said[0] % 1 or not 0 <= said[0] < len(asked.choices))):
        return ()
    return said


def _ask(name: str, asked: Question) -> None:
    if asked.sketch:
        said = draw_by_hand(asked.sketch, key=f"sketch-{name}", given=_given(asked))
        st.caption("Draw with the pointer or a finger, or go through the points with Tab and the arrow keys.")
    elif asked.choices:
        said = _choice(name, asked)
    else:
        said = _number(name, asked)
    about = "Keep this prediction, and see what the recorded run says." if said else "Predict first."
    if st.button(
        "Compare with the run", type="primary", icon=":material/compare_arrows:", disabled=not said, help=about
    ):
        note(name, said=said)
        st.rerun()


def _choice(name: str, asked: Question) -> tuple[float, ...]:
    texts = [choice.text for choice in asked.choices]
    at = st.radio("I predict", range(len(texts)), None, format_func=texts.__getitem__, key=f"guess-{name}", help=HELP)
    return () if at is None else (float(at),)


def _number(name: str, asked: Question) -> tuple[float, ...]:
    """A slider in percent or points, where these are the unit."""
    times = 1.0 if asked.unit == "number" else 100.0
    low, high = round(times * asked.low), round(times * asked.high)
    mark = {"percent": "\u00a0%%", "points": " points", "number": ""}[asked.unit]
    said = st.slider("I predict", low, high, (low + high) // 2, format=f"%d{mark}", key=f"guess-{name}", help=HELP)
    return (said / times,)


def _given(asked: Question) -> tuple[float, ...]:
    return curve(asked.sketch.given) if asked.sketch and asked.sketch.given else ()


def _reveal(name: str, lesson: Lesson, said: tuple[float, ...]) -> None:
    asked = lesson.question
    with st.container(border=True, gap="small", key="lesson-reveal"):
        if asked.sketch:
            truth = curve(asked.sketch.truth)
            _told(compared_curves(asked.sketch, said, asked.sketch.picked(truth)))
            draw_by_hand(asked.sketch, key=f"sketch-{name}", given=_given(asked), drawn=said, truth=truth)
        else:
            number = measured(asked.measured)
            if asked.choices:
                st.caption(f"You chose: {plain(asked.choices[int(said[0])].text, 200)}")
            _told(compared(asked, said[0], number))
            st.html(bars(asked, said[0], number))
        st.markdown(lesson.reveal)
    with st.container(horizontal=True, gap="small"):
        first = lesson.steps[0]
        if st.button(
            "See it on the page", type="primary", icon=":material/arrow_forward:", help=f"Go on with: {first.title}."
        ):
            go(name, 1)
        st.button(
            "Predict again",
            icon=":material/refresh:",
            on_click=_again,
            args=(name,),
            help="Forget this prediction, and make another one.",
        )


def _told(found: Compared) -> None:
    icon = "check_circle" if found.met else "arrow_right_alt"
    st.markdown(f":material/{icon}: {found.said}")


def _again(name: str) -> None:
    note(name, said=())


def bars(asked: Question, said: float, truth: float) -> str:
    """The measured number as a bar, and where it was predicted as a number, that above it."""
    rows = [("sm-true", "The recorded run", truth)]
    if not asked.choices:
        rows.insert(0, ("sm-you", "You", said))
    drawn = "".join(_bar(name, title, value, asked) for name, title, value in rows)
    words = "; ".join(f"{title} {value_text(value, asked.unit)}" for _, title, value in rows)
    scale = f"from {value_text(asked.low, asked.unit)} to {value_text(asked.high, asked.unit)}"
    return f'<div class="sm-guess" role="img" aria-label="{html.escape(f"{words}; {scale}")}">{drawn}</div>'


def _bar(name: str, title: str, value: float, asked: Question) -> str:
    left, width = _place(sorted((0.0 if asked.low <= 0 else asked.low, value)), asked)
    bar = f'<u><i style="margin-left: {left:.1f}%; width: {width:.1f}%"></i></u>'
    return f'<div class="{name}"><span>{title}</span>{bar}<b>{html.escape(value_text(value, asked.unit))}</b></div>'


def _place(ends: Sequence[float], asked: Question) -> tuple[float, float]:
    """Where a bar begins and how long it is, in percent of the scale."""
    low, high = (min(max((end - asked.low) / (asked.high - asked.low), 0.0), 1.0) for end in ends)
    return 100 * low, 100 * (high - low)
