"""What if: a branch from a moment of a finished merge, and a paused run that goes on with other settings."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.merge import moments
from pages.merge.branching import changes_marked, changes_of
from pages.shared.runs.reader import RunReader
from softmerge_core.experiments.merge.spec import MergeSpec, small
from softmerge_core.merging.changes import Change
from softmerge_core.runs import files
from softmerge_core.runs.film import Film
from softmerge_core.runs.status import State
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.writer import RunWriter, conduct
from tests.pages.conftest import Desk, button, press, started, texts

Open = Callable[..., AppTest]


def made(desk: Desk, *changes: Change) -> str:
    """A small merge that is over."""
    spec = small().model_copy(update={"name": "Small", "changes": changes})
    run_id = desk.store.create(spec)
    conduct(desk.store.folder(run_id))
    return run_id


def at(desk: Desk, open_app: Open, run_id: str, step: int) -> AppTest:
    """The Merge page with the film of a run at a moment."""
    film = Film(desk.store.folder(run_id) / files.EVENTS)
    film.read_on()
    told = {"at": {"run": run_id, "place": list(film.steps).index(step), "jump": 0}}
    return open_app(**{"merge:run": run_id, moments.ON: True, moments.BAR: told})


def newest(desk: Desk) -> MergeSpec:
    spec = desk.store.read(desk.store.list()[0].id).spec
    assert isinstance(spec, MergeSpec)
    return spec


def test_a_moment_branches_with_what_was_set_anew(desk: Desk, open_app: Open) -> None:
    run_id = made(desk, Change(step=1, penalty=0.5), Change(step=5, temperature=0.2))
    page = at(desk, open_app, run_id, 3)
    prefix = f"branch:{run_id}:3:"
    assert page.number_input(key=f"{prefix}penalty").value == 0.5  # as it holds there
    assert "what was changed later is not" in texts(page)
    page.number_input(key=f"{prefix}learning_rate").set_value(0.3).run()
    press(page, "Start")
    spec = newest(desk)
    assert spec.changes == (Change(step=1, penalty=0.5), Change(step=3, learning_rate=0.3))
    assert (spec.name, spec.parent) == ("Small from step 3", (run_id, 3))
    assert page.session_state["merge:run"] == desk.store.list()[0].id
    assert "branched from run" in texts(page)


def test_a_value_outside_its_limits_starts_nothing(desk: Desk, open_app: Open) -> None:
    run_id = made(desk)
    page = at(desk, open_app, run_id, 0)
    page.number_input(key=f"branch:{run_id}:0:penalty").set_value(11.0).run()
    press(page, "Start")
    assert "expected at most 10, got 11" in texts(page)
    assert len(desk.store.list()) == 1


def test_no_moment_and_the_last_one_of_a_finished_merge_have_no_branch(desk: Desk, open_app: Open) -> None:
    run_id = made(desk)
    last = desk.store.read(run_id).events[-1].step
    for page in (open_app(**{"merge:run": run_id}), at(desk, open_app, run_id, last)):
        assert not [each for each in page.button if each.key == "branch-start"]
        assert not page.exception


@pytest.fixture
def paused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run of this reader that is paused."""
    run_id = started(desk.store.create(small()))
    with RunWriter(desk.store.folder(run_id)):
        pass
    monkeypatch.setattr(RunStore, "status", lambda self, _: State("paused"))
    monkeypatch.setattr("softmerge_core.runs.store.derive", lambda folder: State("paused"))
    return run_id


def test_a_paused_run_goes_on_with_what_is_new(desk: Desk, open_app: Open, paused: str) -> None:
    page = open_app(**{"merge:run": paused})
    page.number_input(key=f"change:{paused}:0:temperature").set_value(0.3).run()
    press(page, "Go on with these")
    assert desk.requests == [("resume", paused)]
    assert desk.changes == [{"temperature": 0.3}]


def test_somebody_elses_paused_run_cannot_be_changed(desk: Desk, open_app: Open, paused: str) -> None:
    page = open_app(**{"merge:run": paused, "visitor": "another"})
    assert not [each for each in page.button if each.label == "Go on with these"]
    assert button(page, "Resume").disabled


def test_what_was_changed_is_told_and_marked(desk: Desk) -> None:
    import plotly.graph_objects as go

    run_id = made(desk, Change(step=2, penalty=0.5))
    words = "the penalty went from 0.002 to 0.5"
    assert changes_of(desk.store.folder(run_id) / files.EVENTS) == [(2, words)]
    figure = changes_marked(RunReader(desk.store, run_id), go.Figure(), "light")
    assert figure is not None
    assert [(line.x0, line.x1) for line in figure.layout.shapes] == [(2, 2)]
    assert [note.text for note in figure.layout.annotations] == [words]
    (desk.store.folder(run_id) / files.SPEC).write_text("{")
    assert changes_of(desk.store.folder(run_id) / files.EVENTS) == []
