"""A finished merge is gone through like a film: its pictures follow the slider."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.merge.replay import PLAYING
from softmerge_core.experiments.merge.spec import example
from tests.pages.conftest import Desk, button, press, started, texts

Open = Callable[..., AppTest]
SLIDER = "replay:example:first-look"
LAST = 27  # moment of the recorded example


@pytest.fixture
def film(desk: Desk, open_app: Open) -> AppTest:
    """The Merge page with its recorded example, and the film begun."""
    page = open_app()
    page.toggle(key="replay-on").set_value(True).run()
    assert not page.exception
    return page


def test_the_film_begins_at_the_first_moment_and_its_words_follow(film: AppTest) -> None:
    slider = film.select_slider(key=SLIDER)
    assert slider.value == 0
    assert "Since step 0: model gates begin" in texts(film).replace("\\", "")
    assert "100 % of gates are open" in texts(film).replace("\u00a0", " ")
    press(film, "On")
    assert film.select_slider(key=SLIDER).value == 1
    press(film, "Back")
    press(film, "Back")
    assert film.select_slider(key=SLIDER).value == 0


def test_what_happened_leads_to_its_moment(film: AppTest) -> None:
    label = next(found.label for found in film.button if "from layer gates" in found.label)
    press(film, label)
    assert film.select_slider(key=SLIDER).value > 0
    assert "from layer gates, refined to channel gates" in texts(film).replace("\\", "")


def test_it_plays_holds_and_ends(film: AppTest) -> None:
    press(film, "Play")
    assert film.session_state[PLAYING] is not None
    assert button(film, "Pause")
    first = film.select_slider(key=SLIDER).value
    film.run()
    assert film.select_slider(key=SLIDER).value > first
    for _ in range(60):
        if PLAYING not in film.session_state:
            break
        film.run()
    assert PLAYING not in film.session_state
    assert film.select_slider(key=SLIDER).value == LAST
    assert not film.exception
    press(film, "Play")  # from the end it begins anew
    assert film.select_slider(key=SLIDER).value < 5


def test_switched_off_the_run_is_as_it_ended(film: AppTest) -> None:
    film.toggle(key="replay-on").set_value(False).run()
    assert not film.select_slider
    assert PLAYING not in film.session_state
    assert "kept" in texts(film).lower()


def test_a_run_that_is_live_has_no_film(desk: Desk, open_app: Open) -> None:
    started(desk.store.create(example()))
    page = open_app()
    assert page.toggle(key="replay-on").disabled
    assert not page.select_slider
