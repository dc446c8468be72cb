"""Where in a lesson the reader stands: the session and the address know it, and so do links."""

import math
import time
from datetime import UTC, datetime
from typing import NamedTuple

import streamlit as st

from pages.shared.runs.address import LAG
from pages.shared.runs.address import RUN as RUN_NAME
from pages.shared.runs.opening import PAGE_OF
from pages.shared.runs.panel import show_run
from pages.shared.show.links import read
from pages.shared.show.page_state import beside, refuse
from pages.shared.show.site_map import page_at
from pages.shared.teach.lesson import Lesson, Step, lessons
from pages.shared.teach.progress import note

LEARN = "learn"  # the page on which lessons begin
LESSON, STEP = "lesson", "step"  # their names in an address
_PLACE, _TOLD, _SINCE = "lesson:place", "lesson:told", "lesson:since"


class Place(NamedTuple):
    """A step of a lesson, counted from 1; ``since``: when the reader came to it, as the ids of runs begin."""

    name: str
    number: int
    since: str = ""

    @property
    def lesson(self) -> Lesson:
        """The lesson itself."""
        return lessons()[self.name]

    @property
    def step(self) -> Step:
        """The step itself."""
        return self.lesson.steps[self.number - 1]

    @property
    def last(self) -> bool:
        """Whether no step follows."""
        return self.number == len(self.lesson.steps)


def kind_of(page: str) -> str:
    """The kind of the runs of a page."""
    return next((kind for kind, path in PAGE_OF.items() if path == page), page)


def asked_lesson() -> str | None:
    """The lesson that the address names; one that is not known is told as such."""
    name = st.query_params.get(LESSON)
    if name is None or name in lessons():
        return name
    refuse(LESSON, name, "there is no such lesson")
    return None


def asked_place() -> Place | None:
    """The step that the address names."""
    name, text = asked_lesson(), st.query_params.get(STEP)
    if name is None or text is None:
        return None
    if text.isascii() and text.isdigit() and 1 <= int(text[:3]) <= len(lessons()[name].steps):
        return Place(name, int(text[:3]), _now())
    refuse(STEP, text, "the lesson has no such step")
    return None


def standing() -> Place | None:
    """The step at which the reader stands, on whatever page; None outside of lessons.

    The session knows it, for the navigation leads to addresses that name none, and until the browser has the address
    that it was told, its requests come from the old one. Only another step, named later, is the reader's own.
    """
    place: Place | None = st.session_state.get(_PLACE)
    asked, told = asked_place(), st.session_state.get(_TOLD)
    late = time.monotonic() - st.session_state.get(_SINCE, -math.inf) > LAG
    if asked is not None and asked[:2] != (place[:2] if place else told) and late:
        place = st.session_state[_PLACE] = asked
        note(asked.name, step=asked.number)
        if not {*st.query_params} - {LESSON, STEP, *read(asked.step.state).all}:  # a link to the step, and no more
            _set_state(asked.step)
    return place


def tell(place: Place) -> None:
    """Let the address and the links to this page name the step."""
    beside(LESSON, [place.name])
    beside(STEP, [str(place.number)])
    if st.session_state.get(_TOLD) != place[:2]:
        st.session_state[_TOLD], st.session_state[_SINCE] = place[:2], time.monotonic()
    for name, text in ((LESSON, place.name), (STEP, str(place.number))):
        if st.query_params.get(name) != text:
            st.query_params[name] = text


def go(name: str, number: int) -> None:
    """Leave for a step of a lesson: its page, in the state that the step sets."""
    place = Place(name, number, _now())
    step, asked = place.step, read(place.step.state).all
    note(name, step=number)
    st.session_state[_PLACE] = place
    st.session_state[_TOLD], st.session_state[_SINCE] = place[:2], time.monotonic()
    _set_state(step)
    query = {**asked, LESSON: [name], STEP: [str(number)]}
    st.switch_page(page_at(step.page), query_params=query)


def _set_state(step: Step) -> None:
    """Let the page of a step show the run that belongs to it, with the settings that made it on the left."""
    kind = kind_of(step.page)
    for run_id in read(step.state).all.get(RUN_NAME, ()):
        show_run(kind, run_id)
        st.session_state[f"{kind}:fetch"] = run_id


def leave() -> None:
    """End the lesson; the page stays as it is."""
    place: Place | None = st.session_state.pop(_PLACE, None)
    st.session_state[_TOLD], st.session_state[_SINCE] = place[:2] if place else None, time.monotonic()
    for name in (LESSON, STEP):
        if name in st.query_params:
            del st.query_params[name]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
