"""Blocks of a deep network on the Merge page: what a click does, and what is said of it."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from pages.merge import gate_rows
from pages.shared.show.live_plot import Click
from softmerge_core.events import Gates, Progress, Stage
from softmerge_core.runs.writer import RunWriter
from tests.pages.conftest import Desk
from tests.pages.merge.test_page import spec_of, texts

Open = Callable[..., AppTest]
NAMES = tuple(f"layer{block}.{unit}.conv{place}" for block in (1, 2, 3) for unit in range(4) for place in (1, 2))
CLICK = Click(count=1, curve=0, name="gates", point=None, row=1, col=1, x="b", y="layer2, 8 layers", customdata=None)


@pytest.fixture
def deep(desk: Desk) -> str:
    """A run that has told of gates in many layers."""
    run_id = desk.store.create(spec_of())
    with RunWriter(desk.store.folder(run_id)) as writer:
        writer.emit(Stage(step=0, stage="layer", title="Layer", parts=NAMES, sources=("a", "b")))
        value = tuple((0.0, 1.0) for _ in NAMES)
        writer.emit(Gates(step=1, stage="layer", probability=value, value=value))
        writer.emit(Progress(step=1, total=9))
        writer.end("stopped")
    return run_id


def search(page: AppTest) -> list[str]:
    return [str(field.key) for field in page.text_input if field.key == gate_rows.WANTED]


def test_a_click_opens_a_block_once_and_another_closes_it(
    open_app: Open, deep: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_app(**{"merge:run": deep})
    assert gate_rows.HOW in texts(page)
    clicks = [CLICK]
    monkeypatch.setattr(gate_rows, "newest_click", lambda key: clicks[-1])
    page.run()
    assert page.session_state[gate_rows.OPENED] == {"layer2.*"}
    page.run()
    assert page.session_state[gate_rows.OPENED] == {"layer2.*"}
    assert "layer2.3.conv2" in page.session_state[gate_rows.SHOWN]
    clicks.append(replace(CLICK, count=2, row=3, y="layer2.0.conv2"))  # nothing lies in a layer of layer gates
    page.run()
    clicks.append(replace(CLICK, count=3))
    page.run()
    assert page.session_state[gate_rows.OPENED] == set()


def test_a_name_that_no_layer_has_is_told_and_all_blocks_stay(open_app: Open, deep: str) -> None:
    page = open_app(**{"merge:run": deep})
    page.text_input(key=gate_rows.WANTED).set_value("nowhere").run()
    assert "No layer has “nowhere” in its name." in texts(page)
    assert list(page.session_state[gate_rows.SHOWN]) == [f"layer{block}, 8 layers" for block in (1, 2, 3)]


def test_a_small_network_has_no_search(open_app: Open, desk: Desk) -> None:
    assert search(open_app()) == []


def test_a_deep_one_has(open_app: Open, deep: str) -> None:
    assert search(open_app(**{"merge:run": deep})) == [gate_rows.WANTED]
