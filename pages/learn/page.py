"""The Learn page: lessons, each of which begins with a prediction and ends on a real page of the app."""

import streamlit as st

from pages.learn.cards import cards
from pages.learn.question import question
from pages.shared.show.copy_link import page_head
from pages.shared.show.page_state import beside
from pages.shared.show.theme import landing
from pages.shared.teach.going import LESSON, asked_lesson, asked_place, go
from pages.shared.teach.panel import teach_style
from pages.shared.teach.progress import keep_progress

PURPOSE = (
    "Ten short lessons on merging networks: predict first, compare with a recorded run, then go on by yourself on "
    "the page where it was made."
)


def page() -> None:
    """Draw the list of lessons, or the question of the one that the address names; of a step, go there."""
    page_head("Learn", PURPOSE)
    landing()
    teach_style()
    place, name = asked_place(), asked_lesson()
    if place is not None:
        go(place.name, place.number)
    beside(LESSON, [name] if name else [])
    slot = st.container(key="learn-kept-slot")
    with st.container(key="learn-body"):
        if name is None:
            cards()
        else:
            question(name)
    with slot:
        keep_progress(ask=True)  # last: what was noted meanwhile is kept as well
