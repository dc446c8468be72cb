"""Gates forced by hand on the Merge page: clicks and menus, undo and redo, the link, and the run that begins there."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.merge import surgery, surgery_state
from pages.shared.runs.reader import RunReader
from softmerge_core.errors import RunError
from softmerge_core.experiments.merge.spec import MergeSpec, small
from softmerge_core.merging.forced import Forced
from softmerge_core.runs.surgery_process import OpenRuns
from softmerge_core.runs.writer import conduct
from tests.pages.conftest import Desk, button, press, texts

Open = Callable[..., AppTest]
GATES = "surgery-gates-plot"


class Here:
    """Answers as the process does, in this one."""

    def __init__(self) -> None:
        self.runs, self.asked, self.problem = OpenRuns(), 0, ""

    def _ask(self, what: str, folder: Path, forced: Sequence[Forced] = ()) -> dict[str, Any]:
        if self.problem:
            raise RunError(self.problem)
        pieces = [each.model_dump() for each in forced]
        return self.runs.answer({"what": what, "folder": str(folder), "forced": pieces})

    def opened(self, folder: Path) -> dict[str, Any]:
        return self._ask("open", folder)

    def forced(self, folder: Path, forced: Sequence[Forced]) -> dict[str, Any]:
        self.asked += 1
        return self._ask("force", folder, forced)

    def start(self, folder: Path) -> dict[str, Any]:
        return self._ask("start", folder)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Here:
    made = Here()
    monkeypatch.setattr(surgery_state, "_surgeon", lambda folder: made)
    return made


@pytest.fixture
def run_id(desk: Desk, here: Here) -> str:
    """A small merge that is over, with a gate for each layer."""
    spec = small()
    settings = spec.settings.model_copy(update={"granularity": "layer"})
    made = desk.store.create(spec.model_copy(update={"name": "Small", "settings": settings}))
    conduct(desk.store.folder(made))
    return made


def hand(page: AppTest, run_id: str) -> surgery_state.Hand:
    found: surgery_state.Hand = page.session_state["surgery:hands"][run_id]
    return found


def choose(page: AppTest, layer: int, source: str) -> AppTest:
    page.selectbox(key="surgery-layer").set_value(layer).run()
    return page.selectbox(key="surgery-source").set_value(source).run()


def test_menus_force_gates_which_can_be_undone_and_done_again(desk: Desk, open_app: Open, run_id: str) -> None:
    page = open_app(**{"merge:run": run_id, surgery_state.ON: True})
    assert "Nothing is forced" in texts(page)
    assert button(page, "Undo").disabled
    press(choose(page, 1, "1"), "Open")
    forced = (Forced(first=0, last=0, source=1, to="open"),)
    assert hand(page, run_id).now == forced
    assert "With 1 gate forced" in texts(page)
    press(page, "Undo")
    assert hand(page, run_id).now == ()
    assert "Nothing is forced" in texts(page)
    press(page, "Redo")
    assert hand(page, run_id).now == forced
    press(page, "Reset")
    press(page, "Undo")
    assert hand(page, run_id).now == forced
    press(page, "As learned")
    assert hand(page, run_id).now == ()


def test_what_leaves_nothing_to_mix_is_refused_and_changes_nothing(desk: Desk, open_app: Open, run_id: str) -> None:
    page = open_app(**{"merge:run": run_id, surgery_state.ON: True})
    press(choose(page, 1, "all"), "Shut")
    assert "there would be nothing to mix" in texts(page)
    assert hand(page, run_id).now == ()
    press(choose(page, 1, "0"), "Open")
    assert "nothing to mix" not in texts(page)


def test_a_click_changes_a_cell_once(desk: Desk, open_app: Open, run_id: str, here: Here) -> None:
    click = {"count": 5, "curve": 0, "name": "gates", "point": None, "row": 1, "col": 0, "x": "", "y": ""}
    page = open_app(**{"merge:run": run_id, surgery_state.ON: True, GATES: {"click": {**click, "customdata": None}}})
    assert hand(page, run_id).now == (Forced(first=1, last=1, source=0, to="shut"),)
    assert "now forced shut" in "".join(each.value for each in page.get("text"))
    asked = here.asked
    page.run()
    assert len(hand(page, run_id).states) == 2
    assert here.asked == asked  # what is known is not asked again


def test_a_run_begins_with_what_is_forced_and_says_so(desk: Desk, open_app: Open, run_id: str) -> None:
    page = open_app(**{"merge:run": run_id, surgery_state.ON: True})
    press(choose(page, 1, "1"), "Open")
    page.checkbox(key="surgery-keep").check().run()
    page.button(key="surgery-start").click().run()
    assert not page.exception
    newest = desk.store.list()[0].id
    spec = desk.store.read(newest).spec
    assert isinstance(spec, MergeSpec)
    assert spec.start is not None
    assert (spec.start.run, spec.start.keep) == (run_id, True)
    assert spec.start.forced == (Forced(first=0, last=0, source=1, to="open"),)
    assert page.session_state["merge:run"] == newest
    assert "open by hand, and kept so" in texts(page)


def test_a_run_that_is_waiting_has_nothing_to_edit(desk: Desk, open_app: Open, here: Here) -> None:
    page = open_app(**{"merge:run": desk.store.create(small()), surgery_state.ON: True})
    assert next(each for each in page.toggle if each.key == surgery_state.ON).disabled
    assert not [each for each in page.button if each.key == "surgery-undo"]


def test_what_the_process_cannot_do_is_told_in_its_place(desk: Desk, open_app: Open, run_id: str, here: Here) -> None:
    here.problem = "others are being answered just now: try again in a moment"
    page = open_app(**{"merge:run": run_id, surgery_state.ON: True})
    assert "Others are being answered just now" in texts(page)
    here.problem = ""
    page.run()
    assert "Nothing is forced" in texts(page)


def test_a_link_forces_what_it_holds_and_says_what_it_cannot(desk: Desk, open_app: Open, run_id: str) -> None:
    for asked, wanted in (
        (["0-0.1.open", "1-2.0.shut"], 2),
        (["0-99.1.open"], 0),
        (["<b>"], 0),
    ):
        page = AppTest.from_string("from pages.site import main\nmain()\n", default_timeout=60)
        page.session_state["merge:run"] = run_id
        page.session_state[surgery_state.ON] = True
        page.query_params["forced"] = asked
        page.run()
        assert not page.exception
        assert len(hand(page, run_id).now) == wanted
        assert ("forced gates: expected" in texts(page).replace("\\", "").lower()) == (not wanted)


def test_another_state_of_the_run_is_asked_for_anew(desk: Desk, here: Here, run_id: str) -> None:
    found = surgery_state.Hand(run_id)
    folder = desk.store.folder(run_id)
    found.told = {"mark": "before", "gates": {"sources": ["a"]}, "parts": 9}
    found.scored((Forced(first=0, last=0, source=1, to="open"),))
    assert found.told is None
    assert here.opened(folder)["mark"].startswith("result.json:")


def test_what_was_learned_is_made_once_for_each_layer_and_state_of_the_run(
    desk: Desk, here: Here, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, told = RunReader(desk.store, run_id), here.opened(desk.store.folder(run_id))
    monkeypatch.setattr(surgery, "_layer", lambda: layer)
    layer = 0
    before = surgery._rows(reader, {**told, "mark": "before"}, ())
    now = surgery._rows(reader, told, ())
    assert surgery._rows(reader, told, ()) is now
    assert now is not before
    layer = 1
    assert len(surgery._rows(reader, told, ()).spans) < len(now.spans)
