"""The lesson beside a page: what to look at and what to do, while the page itself stays as it is."""

from itertools import pairwise
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared.runs.services import run_store, started_here
from pages.shared.show.site_map import page_at
from pages.shared.teach.going import LEARN, LESSON, Place, go, kind_of, leave, standing, tell
from pages.shared.teach.lesson import lessons
from pages.shared.teach.progress import Progress, keep_progress, note, progress
from pages.shared.teach.spotlight import spotlight
from softmerge_core.errors import SoftMergeError

_STYLE = (Path(__file__).parent / "teach.css").read_text(encoding="utf-8")


def teach_style() -> None:
    """The rules of what lessons draw."""
    st.html(f"<style>{_STYLE}</style>")


def lesson_slot() -> DeltaGenerator:
    """The place of the panel; always there, so that nothing of a page is drawn anew when a lesson ends."""
    return st.container(key="lesson-slot")


def lesson_panel(page: str) -> None:
    """Draw the step at which the reader stands, for the page ``page``; nothing outside of lessons, or in their list."""
    place = None if page == LEARN else standing()
    if place is not None:
        tell(place)
        _panel(place, page)


def _panel(place: Place, page: str) -> None:
    here = place.step.page == page
    done = _done(place)
    if done and place.last:
        note(place.name, done=True, step=place.number)
    teach_style()
    with st.container(key="lesson-panel", gap="xsmall"):
        _words(place, here=here, done=done)
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key="lesson-buttons"):
            _buttons(place, here=here)
        title = f"Lesson: {place.lesson.title}, step {place.number} of {len(place.lesson.steps)}"
        spotlight(title, place.step.shows if here else "", f"{place.name}:{place.number}:{page}")
        keep_progress(ask=False)


def _words(place: Place, *, here: bool, done: bool) -> None:
    lesson, step = place.lesson, place.step
    count = f"{place.number} of {len(lesson.steps)}"
    st.markdown(f":small[{lesson.title} · {count}]  \n**{step.title}**")
    with st.container(key="lesson-text"):
        text = step.text if here else f"This step is on the page {page_at(step.page).title}."
        st.markdown(text + (_waiting(done=done) if here and step.done == "run" else ""))


def _waiting(*, done: bool) -> str:
    if done:
        return " :material/check_circle: **Done: the run that you started has ended.**"
    return " :material/hourglass_empty: *Done when a run that you start has ended.*"


def _buttons(place: Place, *, here: bool) -> None:
    """Back, on, and out; where the reader has gone elsewhere, to the page of the step."""
    back = st.button("Back", icon=":material/arrow_back:", key="lesson-back", help="The step before, or the question.")
    if not here:
        label, icon, about = "To its page", "arrow_forward", "The page of this step, in the state that belongs to it."
    elif not place.last:
        label, icon, about = "Next", "arrow_forward", "The next step; it sets the page as it needs it."
    elif _following(place.name):
        label, icon, about = "Next lesson", "arrow_forward", f"“{lessons()[_following(place.name)].title}”."
    else:
        label, icon, about = "All lessons", "school", "The list of lessons, with what you have done."
    on = st.button(label, icon=f":material/{icon}:", type="primary", key="lesson-next", help=about)
    about = "Close the lesson; the page stays as it is, and is yours."
    out = st.button("Leave the lesson", icon=":material/close:", key="lesson-leave", type="tertiary", help=about)
    if back:
        go(place.name, place.number - 1) if place.number > 1 else to_question(place.name)
    elif on and not (here and place.last):
        go(place.name, place.number + here)
    elif on:
        to_question(_following(place.name))
    elif out:
        leave()
        st.rerun()


def to_question(name: str) -> None:
    """Go to the question of a lesson, or with "" to the list of lessons; the lesson that was open is closed."""
    leave()
    st.switch_page(page_at(LEARN), query_params={LESSON: name} if name else {})


def _following(name: str) -> str:
    """The lesson after this one; "" after the last."""
    names = list(lessons())
    return dict(pairwise(names)).get(name, "")


def _done(place: Place) -> bool:
    """Whether the step is done: it was read, or a run of its page ended that the reader started there."""
    known = progress().get(place.name, Progress())
    if place.step.done == "read" or (place.last and known.done):
        return True
    run_id = st.session_state.get(f"{kind_of(place.step.page)}:run")
    if not isinstance(run_id, str) or run_id < place.since or not run_id[:1].isdecimal():
        return False
    try:
        return started_here(run_id) and run_store().status(run_id).status == "finished"
    except SoftMergeError:
        return False
