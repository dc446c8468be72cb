"""A pinned run is a ghost behind others of its kind, on every page that runs something."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.runs import picture
from softmerge_core.experiments import experiments
from softmerge_core.experiments.behind import apart
from softmerge_core.settings import DataSpec
from tests.pages.conftest import Desk, opened, press, started, texts

Open = Callable[..., AppTest]
PAGES = {  # kind -> its recorded run
    "merge": "first-look", "compare": "first-comparison", "robustness": "first-attack",
    "connectivity": "first-path", "scope": "first-scope", "federated": "first-federation",
}  # fmt: skip


def told(page: AppTest) -> str:
    return texts(page).replace("\\", "").replace("\u2060", "")


def at(kind: str) -> str:
    """The page of a kind, alone."""
    return f"from pages.{kind}.page import page\npage()\n"


@pytest.mark.parametrize("kind", PAGES)
def test_every_page_pins_a_run_and_draws_it_behind_another(kind: str, desk: Desk, monkeypatch: Any) -> None:
    drawn: list[str] = []
    real = picture.with_ghost
    monkeypatch.setattr(
        picture, "with_ghost", lambda figure, ghost, theme: drawn.append(ghost.name) or real(figure, ghost, theme)
    )
    example = f"example:{PAGES[kind]}"
    page = press(opened(at(kind)), "Pin this")
    assert page.session_state[f"{kind}:pinned"] == example
    assert "pinned" not in told(page)  # it is the one shown
    assert not drawn
    other = desk.store.create(desk.store.read(example).spec)
    copied = desk.store.folder(other)
    for file in desk.store.folder(example).glob("*.json*"):
        (copied / file.name).write_bytes(file.read_bytes())
    page = opened(at(kind), **{f"{kind}:run": other, f"{kind}:pinned": example})
    assert "Pinned behind it" in told(page)
    assert drawn
    press(page, "Unpin it")
    assert page.session_state[f"{kind}:pinned"] is None
    assert "Pinned behind it" not in told(page)


def test_a_run_on_other_data_is_not_drawn_and_the_page_says_so(desk: Desk, open_app: Open) -> None:
    spec = desk.store.read("example:first-look").spec
    other = started(desk.store.create(spec.model_copy(update={"data": DataSpec(dataset="digits")})))
    page = open_app(**{"merge:run": other, "merge:pinned": "example:first-look"})
    assert "is pinned, but not drawn here: it was measured on other data" in told(page)


def test_a_pinned_run_that_was_deleted_is_let_go_with_a_sentence(desk: Desk, open_app: Open) -> None:
    spec = desk.store.read("example:first-look").spec
    run_id = desk.store.create(spec.model_copy(update={"name": "Short lived"}))
    page = open_app(**{"merge:pinned": run_id})
    assert "dotted or hollow: Short lived" in told(page)
    desk.store.delete(run_id)
    page.run()
    assert page.session_state["merge:pinned"] is None
    assert "Short lived was pinned and has been deleted since" in told(page)


def test_only_what_was_measured_on_the_same_samples_is_comparable() -> None:
    for kind, experiment in experiments().items():
        spec = experiment.example()
        assert apart(spec, spec) == "", kind
        if hasattr(spec, "data"):
            other = spec.model_copy(update={"data": DataSpec(dataset="/tmp/mine.npz")})
            assert "mine.npz instead of" in apart(spec, other)
    spec = experiments()["merge"].example()
    few = spec.model_copy(update={"data": spec.data.model_copy(update={"validation_samples": 7})})
    assert "validation samples" in apart(spec, few)
