"""The list of lessons: what each is about, how long it takes, and how far the reader has come in it."""

import streamlit as st

from pages.shared.teach.going import LESSON, go
from pages.shared.teach.lesson import Lesson, lessons
from pages.shared.teach.progress import Progress, forget, progress

# icon, word
NEW, BEGUN, DONE = ("radio_button_unchecked", "new"), ("pending", "begun"), ("check_circle", "done")


def cards() -> None:
    """Draw a card for each lesson, what is done of all, and the button that forgets it."""
    known = progress()
    done = sum(one.done for one in known.values())
    with st.container(border=True, key="verdict"):
        st.markdown(_in_words(done, len(lessons()), begun=bool(known)))
    with st.container(key="lesson-cards"):
        for number, (name, lesson) in enumerate(lessons().items(), 1):
            with st.container(border=True, key=f"card-{name}", gap="xsmall"):
                _card(number, name, lesson, known.get(name))
    about = "Delete what this browser has kept of your lessons and predictions; nothing of it is anywhere else."
    st.button("Forget my progress", icon=":material/delete:", on_click=forget, disabled=not known, help=about)


def _in_words(done: int, every: int, *, begun: bool) -> str:
    if done == every:
        return f"**All {every} lessons are done.** Any of them can be gone through again, with another prediction."
    if begun:
        return f"**{done} of {every} lessons done.** Your progress is kept in this browser, and nowhere else."
    return "**Begin with the first, or with whichever you like.** Your progress is kept in this browser, nowhere else."


def mark(known: Progress | None) -> tuple[str, str]:
    """The icon and the word for how far the reader has come in a lesson."""
    if known is None:
        return NEW
    return DONE if known.done else BEGUN


def _card(number: int, name: str, lesson: Lesson, known: Progress | None) -> None:
    icon, word = mark(known)
    st.markdown(f"**{number}. {lesson.title}**  \n:small[:material/{icon}: {word} · {lesson.minutes} minutes]")
    st.caption(lesson.purpose)
    begun = known is not None and not known.done
    label = "Go on" if begun else "Again" if known else "Start"
    about = "Where you left it." if begun else "It begins with a question."
    if st.button(label, icon=":material/play_arrow:", key=f"start-{name}", help=about):
        if begun and known is not None and known.step:
            go(name, known.step)
        st.query_params[LESSON] = name
        st.rerun()
