"""The Permutation page on the server's side: what is sent to the browser, what is taken from it, and the matching."""

import base64
from concurrent.futures import Future
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.permutation import matching
from pages.permutation.hand import KEPT, KEY, newest, standing
from pages.permutation.networks import is_drawable, layers_of, samples_of
from pages.permutation.orders import Orders, as_texts, as_trained, from_texts, sound
from pages.permutation.page import Pair, way_on
from softmerge_core.data import datasets
from softmerge_core.errors import CheckpointError, NotFoundError, SettingsError
from softmerge_core.zoo import families
from softmerge_core.zoo.arrays import arrays_of
from tests.browser.every_widget import data_of
from tests.pages.conftest import Desk, button, texts

FAMILY = "spirals-mlp-independent"
ONE, OTHER = f"{FAMILY}/source-1", f"{FAMILY}/source-2"
SIZES = (32, 32)
HIDDEN = ("hidden1", "hidden2")
TURNED: Orders = [list(range(31, -1, -1)), list(range(32))]
SCRIPT = """
import streamlit as st
from pages.shared.show.page_state import close_page, open_page, page_query
from pages.shared.show.site_map import register_pages
from pages.site import PAGES, site_pages
register_pages(site_pages())
open_page("permutation")
PAGES["permutation"][0]()
st.text(close_page())
st.text(page_query())
"""


def opened(query: dict[str, str] | None = None, **state: object) -> AppTest:
    """The page alone, at an address with this query."""
    made = AppTest.from_string(SCRIPT, default_timeout=60)
    for name, text in (query or {}).items():
        made.query_params[name] = text
    for name, value in state.items():
        made.session_state[name] = value
    made.run()
    assert not made.exception
    return made


def sent(page: AppTest) -> dict[str, Any]:
    """What the browser is sent of the networks."""
    data = [data_of(each.proto) for each in page.get("bidi_component")]  # type: ignore[attr-defined]
    (found,) = (each for each in data if "samples" in each)
    return found


def numbers(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")


def test_the_first_visit_shows_a_network_beside_itself_as_it_was_trained(desk: Desk) -> None:
    page = opened()
    data = sent(page)
    assert (data["first"]["title"], data["second"], data["answer"]) == ("Source 1", None, None)
    assert data["orders"] == as_trained(SIZES)
    weights = arrays_of(ONE)
    for layer, name in zip(data["first"]["layers"], (*HIDDEN, "head"), strict=True):
        assert np.array_equal(numbers(layer["weight"]), weights[f"{name}.weight"].ravel())
        assert np.array_equal(numbers(layer["bias"]), weights[f"{name}.bias"])
    assert np.array_equal(numbers(data["samples"]["inputs"]), datasets()["spirals"].load()["test_inputs"].ravel())
    assert button(page, "Walk from Source 1 to Source 2, aligned or not")


def test_another_network_is_chosen_and_named_by_what_it_shares(desk: Desk) -> None:
    page = opened()
    page.button_group[0].set_value("source-3").run()
    data = sent(page)
    assert (data["second"]["title"], data["trunk"]) == ("Source 3", False)
    assert data["sign"] == [ONE, f"{FAMILY}/source-3", *SIZES]
    assert button(page, "Walk from Source 1 to Source 3, aligned or not")
    page.selectbox(key="permutation-family").set_value("spirals-mlp-shared-trunk").run()
    labels = [option.content for option in page.button_group[0].proto.options]
    assert labels[:2] == ["The same one, shuffled", "Source 2, of the same trunk"]
    assert not page.exception
    assert sent(page)["trunk"]


def test_the_way_on_leads_to_three_models_that_differ() -> None:
    for family in filter(is_drawable, families().values()):
        for first in family.everything():
            for second in family.everything():
                roles = way_on(Pair(family, first, second))
                assert roles["from"] == first
                assert roles["to"] == second or second == first
                assert len({model.name for model in roles.values()}) == len(roles) == min(3, len(family.everything()))


def test_a_link_holds_the_order_and_what_cannot_be_is_told(desk: Desk) -> None:
    page = opened(**{KEPT: TURNED})
    assert sent(page)["orders"] == TURNED
    assert "order=32.31.30." in page.text[1].value
    page = opened({"order": "1.2.3"})
    assert "expected the units of 2 hidden layers of 32, 32 in some order" in page.text[0].value
    assert sent(page)["orders"] == as_trained(SIZES)


def test_a_file_that_cannot_be_read_is_told(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(model: str) -> dict[str, np.ndarray]:
        raise CheckpointError("source-1.safetensors: expected plain numbers")

    monkeypatch.setattr("pages.permutation.networks.arrays_of", broken)
    assert "expected plain numbers" in texts(opened())


def test_the_families_that_can_be_drawn_are_perceptrons_over_the_plane() -> None:
    drawable = {name for name, family in families().items() if is_drawable(family)}
    assert drawable == {FAMILY, "spirals-mlp-shared-trunk", "spirals-mlp-wide", "moons-mlp-label-noise"}
    for name in drawable:
        (low_x, high_x, low_y, high_y), family = samples_of(families()[name].dataset)["extent"], families()[name]
        assert low_x < high_x
        assert low_y < high_y
        assert all(layers_of(family.source(model)) for model in family.everything())


def test_layers_that_do_not_follow_each_other_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = arrays_of(ONE)
    for spoiled in ({"hidden2.weight": arrays["hidden2.weight"][:, :5]}, {"hidden2.bias": arrays["hidden2.bias"][:5]}):
        monkeypatch.setattr("pages.permutation.networks.arrays_of", lambda model, new=spoiled: {**arrays, **new})
        with pytest.raises(CheckpointError, match="layer 'hidden2': expected a linear layer that reads 32 numbers"):
            layers_of(ONE)


def test_orders_and_their_texts() -> None:
    assert as_texts(as_trained(SIZES)) == []
    assert from_texts(as_texts(TURNED), SIZES) == TURNED
    for wrong in (["1"], ["x", "y"], [], as_texts(TURNED)[:1], [".".join(["1"] * 32)] * 2):
        with pytest.raises(SettingsError, match="expected the units of 2 hidden layers"):
            from_texts(wrong, SIZES)
    for junk in (None, 3, [[0, 1]], [[0, 0], [0, 1]], [[0, True], [0, 1]], ["ab", "cd"], [[0, 2], [0, 1]]):
        assert sound(junk, (2, 2)) is None


def test_what_the_browser_tells_counts_once_and_junk_never(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, Any] = {KEY: {"orders": {"count": 5, "orders": TURNED}}}
    monkeypatch.setattr(st, "session_state", kept)
    assert standing(SIZES) == TURNED
    kept[KEPT] = as_trained(SIZES)  # as a link may ask
    assert standing(SIZES) == as_trained(SIZES)
    for told in ({"count": 6}, {"count": "6", "orders": TURNED}, {"count": -6, "orders": TURNED}, [], "x", None):
        kept[KEY] = {"orders": told}
        assert standing(SIZES) == as_trained(SIZES)
        assert newest("orders", SIZES) is None
    assert standing((3,)) == [[0, 1, 2]]  # of another family


def test_a_press_of_align_is_answered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {KEY: {"asked": {"count": 7, "orders": TURNED}}}
    monkeypatch.setattr(st, "session_state", asked)
    calls = []

    def matched(*about: Any) -> dict[str, Any]:
        calls.append(about)
        return {"orders": as_trained(SIZES), "seconds": 0.01, "waited": 0.2}

    monkeypatch.setattr(matching, "matched", matched)
    first, again = (matching.answer_to(ONE, ONE, HIDDEN, SIZES) for _ in range(2))
    assert first == again == {"count": 7, "orders": as_trained(SIZES), "seconds": 0.01, "waited": 0.2}
    assert calls == [(ONE, ONE, HIDDEN, TURNED)]

    def refused(*about: Any) -> dict[str, Any]:
        raise CheckpointError("source-1: expected finite numbers")

    monkeypatch.setattr(matching, "matched", refused)
    asked[KEY]["asked"]["count"] = 8
    assert matching.answer_to(ONE, ONE, HIDDEN, SIZES) == {"count": 8, "problem": "Source-1: expected finite numbers."}


class Worker:
    """Answers as a worker does, or says what is wrong."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def compute(self, work: Any, *about: Any) -> Future[Any]:
        done: Future[Any] = Future()
        if isinstance(self.answer, Exception):
            done.set_exception(self.answer)
        else:
            done.set_result(work(*about))
        return done


def test_the_engine_finds_the_hidden_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "runner", lambda: Worker(None))
    monkeypatch.setattr(matching, "zoo_command", None)
    found = matching.matched(ONE, ONE, HIDDEN, [TURNED[0], [5, *range(5), *range(6, 32)]])
    assert found["orders"] == as_trained(SIZES)
    assert 0 < found["seconds"] <= found["waited"]


def test_while_no_worker_answers_a_process_does(monkeypatch: pytest.MonkeyPatch) -> None:
    given = []

    def command(*arguments: str, failure: str) -> dict[str, Any]:
        given.append(arguments)
        return {"seconds": 0.5, "groups": [{"name": "hidden1.weight:0", "order": [1, 0, 2]}]}

    monkeypatch.setattr(matching, "runner", lambda: Worker(TimeoutError()))
    monkeypatch.setattr(matching, "zoo_command", command)
    found = matching.matched(ONE, OTHER, HIDDEN, [[2, 0, 1], [1, 0]])
    assert given == [("match", ONE, OTHER, "--orders=[[2, 0, 1], [1, 0]]")]
    assert found["orders"] == [[0, 2, 1], [1, 0]]  # a layer that was not matched stays as it is


def test_an_unknown_model_is_named() -> None:
    with pytest.raises(NotFoundError, match="nothing"):
        layers_of("nothing/x")
