"""The menu "Why?" below the gates: for which cells there is a history, and what is said of it."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.merge import pictures, why
from pages.merge.why import DEEP, LIVE, UNTRAINED, _picked, _unable
from pages.shared.choose import explaining
from pages.shared.runs.reader import RunReader
from pages.shared.show.live_plot import Click, LivePlotResult
from softmerge_core.experiments.merge.kept import Kept
from softmerge_core.figures.gate_factors import NAME as FACTOR
from softmerge_core.figures.gates import last_gates
from tests.experiments.merge.test_gate_why import history
from tests.pages.conftest import Desk, texts

FIRST_LOOK = "example:first-look"  # it has kept channel gates, several in a row of its picture


def click(row: int, col: int, name: str = "gates") -> Click:
    return Click(count=1, curve=0, name=name, point=None, row=row, col=col, x="", y="", customdata=None)


@pytest.fixture
def reader(desk: Desk) -> RunReader:
    return RunReader(desk.store, FIRST_LOOK)


def shown(reader: RunReader) -> tuple[Any, Any]:
    found = last_gates(pictures.gate_events(reader))
    assert found is not None
    return found[0], pictures.kept_of(reader)


def test_a_cell_stands_for_its_parts_in_the_stage_that_was_kept(reader: RunReader) -> None:
    stage, kept = shown(reader)
    assert _unable(reader, stage, kept) == ""
    found = _picked(reader, stage, kept, click(0, 2), most=300)
    assert found is not None
    assert (found.stage, found.until, found.source) == (kept.winner, kept.step, 2)
    assert found.parts == ("hidden1 0", "hidden1 1")
    for other in (None, click(0, 9), click(9999, 0), click(0, 0, FACTOR)):
        assert _picked(reader, stage, kept, other, most=300) is None


def test_where_no_history_can_be_told_the_button_says_so(reader: RunReader, monkeypatch: pytest.MonkeyPatch) -> None:
    stage, kept = shown(reader)
    assert _unable(None, None, None) == LIVE
    assert _unable(reader, stage.model_copy(update={"sizes": (3,)}), kept) == DEEP
    assert _unable(reader, stage, Kept("average", "plain average")) == UNTRAINED
    monkeypatch.setattr(RunReader, "live", property(lambda self: True))
    assert _unable(reader, stage, kept) == LIVE


def test_opened_it_says_why(open_app: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def answer(*arguments: str, failure: str) -> dict[str, Any]:
        asked.append(arguments)
        told = history()
        return {**told, "names": ["hidden1 0"], "groups": ["hidden1"], "parts": {"hidden1 0": told["parts"]["conv1"]}}

    monkeypatch.setattr(explaining, "engine_command", answer)
    monkeypatch.setattr(explaining, "_ASKED", type(explaining._ASKED)())
    drawn = LivePlotResult(click(0, 1), fresh=True)
    monkeypatch.setattr("pages.shared.show.picture.live_plot", lambda *args, **more: drawn)
    page = open_app(**{why.MENU: True})
    said = texts(page).replace("\\", "").replace("\u2060", "")
    assert "closed at step 150, 50 steps after this stage began" in said
    assert asked[0][:2] == ("explain", FIRST_LOOK)
    assert any(str(button.label) == "Explain step 150" for button in page.button)
