"""A merge is gone through like a film: its pictures and words follow the moment that is looked at."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from streamlit.testing.v1 import AppTest

from pages.merge import film_bar, film_route, moments, replay
from pages.merge.gate_rows import Chosen
from pages.merge.moment_figures import moment_figures
from softmerge_core.events import Gates, Stage
from softmerge_core.experiments.merge.spec import example
from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import RunWriter
from tests.pages.conftest import Desk, press, started, texts

Open = Callable[..., AppTest]
RUN = "example:first-look"
LAST, END = 27, 675  # the last moment of the recorded example, and its step


@pytest.fixture
def film(desk: Desk, open_app: Open) -> AppTest:
    """The Merge page with its recorded example, and the film begun."""
    return switched(open_app())


def switched(page: AppTest) -> AppTest:
    page.toggle(key=moments.ON).set_value(True).run()
    assert not page.exception
    return page


def said(page: AppTest) -> str:
    return texts(page).replace("\\", "").replace("\u00a0", " ")


def at(page: AppTest, place: int | None, run: str = RUN) -> AppTest:
    """The page once the controls in the browser have told of that place."""
    page.session_state[moments.BAR] = {"at": {"run": run, "place": place, "jump": 0}}
    page.run()
    assert not page.exception
    return page


def test_the_film_begins_at_the_first_moment_and_all_words_follow(film: AppTest) -> None:
    assert "At step 0: The soft merge classifies" in said(film)
    assert "Since step 0: model gates begin" in said(film)
    assert "100 % of gates are open" in said(film)
    at(film, LAST)
    assert f"At step {END}: The soft merge classifies" in said(film)
    assert "100 % of gates are open" not in said(film)
    assert "Kept:" not in said(film)  # that is known at the end only
    at(film, 10**9)  # whatever another program sends
    assert f"At step {END}:" in said(film)


@pytest.mark.parametrize(
    "told",
    [
        {"run": RUN, "place": -1, "jump": 0},
        {"run": RUN, "place": True, "jump": 0},
        {"run": RUN, "place": "1", "jump": 0},
        {"run": "another", "place": 1, "jump": 0},
        {"run": RUN, "place": 1},
        [],
        None,
    ],
)
def test_what_the_controls_would_not_send_is_no_place(told: Any) -> None:
    assert not moments.sound(told, RUN)
    assert moments.sound({"run": RUN, "place": 1, "jump": 0}, RUN)
    assert moments.sound({"run": RUN, "place": None, "jump": 3}, RUN)


def test_what_happened_leads_to_its_moment(film: AppTest) -> None:
    at(film, 3)
    film.session_state[replay.MENU] = True
    film.run()
    label = next(found.label for found in film.button if "from layer gates" in found.label)
    press(film, label)
    assert "from layer gates, refined to channel gates" in said(film)
    film.session_state[moments.BAR] = {"at": {"run": RUN, "place": 3, "jump": 0}}  # sent before the jump was heard of
    film.run()
    assert "from layer gates, refined to channel gates" in said(film)
    film.session_state[moments.BAR] = {"at": {"run": RUN, "place": 0, "jump": 1}}
    film.run()
    assert "At step 0:" in said(film)


def test_switched_off_the_run_is_as_it_ended_and_no_log_is_read_for_a_film(
    desk: Desk, open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(moments, "_film", lambda log: opened.append(log) or moments.Film(log))
    page = open_app()
    assert not opened
    assert "At step 0:" in said(switched(page))
    assert opened
    page.toggle(key=moments.ON).set_value(False).run()
    assert "At step" not in said(page)
    assert "kept" in said(page).lower()


def test_a_live_run_is_followed_until_the_reader_goes_back(desk: Desk, open_app: Open) -> None:
    run_id = started(desk.store.create(example()))
    with RunWriter(desk.store.folder(run_id)) as writer:
        writer.emit(Stage(step=0, stage="model", title="model gates", parts=("p",), sources=("a", "b")))
        for step in (0, 5, 10):
            writer.emit(Gates(step=step, stage="model", probability=((0.9, step / 10),), value=((1.0, step / 10),)))
        page = switched(open_app(**{"merge:run": run_id}))
        assert "The verdict is given here when the run ends" in said(page)
        assert "All 2 sources take part" in said(page)
        at(page, 0, run_id)
        assert "At step 0: Waiting for the first evaluation." in said(page)
        assert "1 of 2 sources is closed everywhere" in said(page)
        writer.emit(Gates(step=15, stage="model", probability=((0.9, 0.5),), value=((1.0, 0.5),)))
        page.run()
        assert "At step 0:" in said(page)  # it stays, while the run goes on
        at(page, 3, run_id)
        assert "At step 15:" in said(page)
        at(page, None, run_id)
        assert "The verdict is given here when the run ends" in said(page)
        at(page, 0, "another")  # nothing was told of this run
        writer.end("stopped")
    page.run()
    assert "At step" not in said(page)  # who has followed it sees its end
    page.toggle(key=moments.ON).set_value(False).run()
    assert "At step 0:" in said(switched(page))


def answered(run_id: str, place: int, query: str) -> tuple[int, Any, str]:
    """What the route answers: status, content, and for how long it may be kept."""
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "query_string": query.encode()}
    answer = film_route._send(Request({**scope, "path_params": {"run_id": run_id, "place": place}}))
    return answer.status_code, json.loads(bytes(answer.body)), answer.headers["cache-control"]


def test_the_browser_fetches_a_moment_as_the_page_would_draw_it(desk: Desk) -> None:
    address = replay.address_of(RUN, "dark", Chosen(opened=("layer 1",), wanted="a&b"))
    path, _, query = address.format(place=5).partition("?")
    assert f"/{path}" == film_route.film_route().path.replace(":int", "").format(run_id=RUN, place=5)
    assert query == "theme=dark&opened=layer+1&wanted=a%26b"
    status, moment, kept = answered(RUN, 5, "theme=dark")
    assert (status, kept) == (200, "no-store")
    assert moment == moment_figures(RUN, 5, theme="dark")
    assert moment["figures"].keys() == {"gates-plot", "shares-plot"}
    film = moments.film_of(RUN)
    assert film
    told = film.gates(5)
    assert told
    assert moment["step"] == film.steps[5]
    assert len(json.loads(moment["figures"]["gates-plot"])["data"][0]["z"][0]) == len(told[0].sources)
    assert moment["said"].startswith("Since step")


@pytest.mark.parametrize(
    ("run_id", "place", "query"),
    [
        (RUN, LAST + 1, ""),
        ("example:none", 1, ""),
        ("../x", 1, ""),
        (RUN, 1, "theme=x"),
        (RUN, 1, "wanted=" + 4000 * "x"),
    ],
)
def test_of_what_is_no_moment_there_is_none(desk: Desk, run_id: str, place: int, query: str) -> None:
    status, answer, _ = answered(run_id, place, query)
    assert (status, answer) == (404, {"problem": "There is no such moment."})


def test_steps_are_sent_as_rows_of_equal_distance() -> None:
    steps = [0, 5, 10, 11, 12, 40]
    rows = film_bar.in_rows(steps)
    assert rows == [(0, 5, 3), (11, 1, 2), (40, 0, 1)]
    assert [first + distance * place for first, distance, count in rows for place in range(count)] == steps
    assert film_bar.in_rows(range(0, 10**6, 5)) == [(0, 5, 200_000)]
    assert film_bar.in_rows([]) == []


def test_the_moment_that_others_act_on(desk: Desk) -> None:
    film = moments.film_of(RUN)
    assert film
    view = RunStore().read(RUN)
    assert replay.chosen_step(moments.PastReader(film, 4, view)) == film.steps[4]
    assert replay.chosen_step(None) is None
