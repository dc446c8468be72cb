"""Whatever lies in a run's folder, its page is drawn, with all pictures, sentences, tables and downloads."""

import contextlib
import copy
import json
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from pages.shared.runs import panel, services
from pages.shared.runs.page import RunPage
from pages.shared.runs.picture import Picture
from pages.shared.runs.reader import RunReader
from pages.shared.runs.record import CANNOT
from pages.site import PAGES
from softmerge_core.cli import prepare
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments import experiment
from softmerge_core.experiments.describe import differences, what_made
from softmerge_core.runs import RunStore, files
from softmerge_core.runs.store import scan
from tests.pages.conftest import APP, Desk, opened, texts
from tests.pages.shared.runs.records import record

RUN_PAGES: dict[str, RunPage] = {name: page for name, (page, *_) in PAGES.items() if isinstance(page, RunPage)}
KINDS = (*RUN_PAGES,)
ONE_OF = 150  # pictures: to draw one takes as long as all the rest
MANY = settings(max_examples=settings().max_examples // 2)  # 50 of each test: hundreds together; `make fuzz` has 500
CAUGHT: set[str] = set()
EVERY = (
    files.MANIFEST,
    files.SPEC,
    files.QUEUE,
    files.REQUEST,
    files.BEGUN,
    files.END,
    files.RESULT,
    files.EVENTS,
    files.SNAPSHOT,
    files.PAUSED,
    files.TRACEBACK,
    files.WEIGHTS,
    files.LOCK,
)
SMALL = (files.MANIFEST, files.SPEC, files.QUEUE, files.REQUEST, files.BEGUN, files.END)
strange_numbers = st.sampled_from(
    [0, -1, 1, 2, 0.5, -0.5, 1e308, -1e308, 1e-320, 2**31, 2**63, 10**30, 10**400, True, float("nan"), float("inf")]
)
strange_words = st.sampled_from(
    ["", "soft", "average", "plain:0", "source:x", "start:1", "NaN", "\0", "a:²", "<b>", "x" * 3000]
)
turns = st.integers(0, ONE_OF - 1)
anything = st.recursive(
    st.none() | strange_numbers | strange_words | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strange_words, inner, max_size=3),
    max_leaves=6,
)


@dataclass
class Records:
    """Sound records, a copy of which is damaged, drawn, and brought back."""

    store: RunStore
    sound: Path

    def bring_back(self, kind: str) -> Path:
        """The folder of a sound run, alone in the store."""
        shutil.rmtree(self.store.root)
        shutil.copytree(self.sound / kind, self.store.root / kind)
        return self.store.root / kind


@pytest.fixture(scope="module")
def sound_records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = RunStore(tmp_path_factory.mktemp("records") / "runs")
    assert set(record(store)) == {*KINDS, "train"}
    return store.root


@pytest.fixture
def records(desk: Desk, sound_records: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Records]:
    shutil.copytree(sound_records, desk.store.root)
    logging.disable(logging.ERROR)  # Streamlit's, that there is no session
    yield Records(desk.store, sound_records)
    logging.disable(logging.NOTSET)


def places(values: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything inside JSON values."""
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    return [path, *(place for key, inner in items for place in places(inner, (*path, key)))]


def changed(values: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with ``new`` at that path; without what is there if ``new`` is ...."""
    if not path:
        return new
    made = copy.deepcopy(values)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    if new is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = new
    return made


def draw(kind: str, monkeypatch: pytest.MonkeyPatch, turn: int) -> None:
    """Draw the run of this kind as its page would, but only few of its pictures."""
    real, count = Picture.figure, iter(range(turn, 1000))

    def built(picture: Picture, reader: RunReader, theme: Any, **chosen: Any) -> Any:
        return None if next(count) % ONE_OF else real(picture, reader, theme, **chosen)

    with monkeypatch.context() as patch:
        patch.setattr(Picture, "figure", built)
        look(kind)


def look(kind: str) -> None:
    """Everything a page does with a run, but for what only Streamlit does."""
    store = services.run_store()
    folder = store.root / kind
    listed, apart = scan(store.root)
    assert len(listed) + len(apart) == len(list(store.root.iterdir()))
    assert services.newest_live(kind) in (kind, None)
    panel._entry(kind, kind)
    try:
        reader = RunReader(store, kind)
    except SoftMergeError:
        return
    if reader.view.spec.kind != kind:
        return
    page = RUN_PAGES[kind]
    page.draw(reader)
    CAUGHT.update(reader.unmade)
    if reader.view.status == "finished" and reader.view.result is None and (folder / files.RESULT).exists():
        assert "damaged" in reader.view.harm or "cannot be read" in reader.view.harm
    spec = reader.view.spec
    example = experiment(kind).example()
    for text in (what_made(spec), *differences(spec, example), *differences(example, spec)):
        assert isinstance(text, str)
    assert isinstance(page.state_of(spec), dict)
    with contextlib.suppress(SoftMergeError):
        prepare(folder, spec)  # what the command line does with --out and a folder that has a run already


@pytest.mark.parametrize("kind", KINDS)
def test_sound_records_are_drawn_whole(records: Records, kind: str) -> None:
    look(kind)
    assert not CAUGHT


@MANY
@given(kind=st.sampled_from(KINDS), data=st.data())
def test_events_of_any_shape(records: Records, monkeypatch: pytest.MonkeyPatch, kind: str, data: st.DataObject) -> None:
    path = records.bring_back(kind) / files.EVENTS
    lines = path.read_text().splitlines()
    number = data.draw(st.integers(0, len(lines) - 1))
    event = json.loads(lines[number])
    place = data.draw(st.sampled_from(places(event)[1:]))
    lines[number] = json.dumps(changed(event, place, data.draw(anything | st.just(...))))
    path.write_text("\n".join(lines) + "\n")
    draw(kind, monkeypatch, data.draw(turns))


@MANY
@given(kind=st.sampled_from(("merge", "merge", *KINDS)), data=st.data())
def test_a_result_of_any_shape(
    records: Records, monkeypatch: pytest.MonkeyPatch, kind: str, data: st.DataObject
) -> None:
    path = records.bring_back(kind) / files.RESULT
    values = json.loads(path.read_text())
    new = data.draw(anything | st.just(...))
    place = data.draw(st.sampled_from(places(values)[new is ... :]))
    path.write_text(json.dumps(changed(values, place, new)))
    draw(kind, monkeypatch, data.draw(turns))


@MANY
@given(kind=st.sampled_from(KINDS), name=st.sampled_from((*SMALL, files.SPEC)), data=st.data())
def test_small_files_of_any_shape(
    records: Records, monkeypatch: pytest.MonkeyPatch, kind: str, name: str, data: st.DataObject
) -> None:
    path = records.bring_back(kind) / name
    values = json.loads(path.read_text()) if path.exists() else {"request": "stop"}
    place = data.draw(st.sampled_from(places(values)))
    path.write_text(json.dumps(changed(values, place, data.draw(anything))))
    draw(kind, monkeypatch, data.draw(turns))


@MANY
@given(
    kind=st.sampled_from(KINDS), name=st.sampled_from(EVERY), content=st.none() | st.just(...) | st.binary(max_size=30)
)
def test_any_bytes_a_folder_or_nothing_in_any_file(
    records: Records, monkeypatch: pytest.MonkeyPatch, kind: str, name: str, content: Any
) -> None:
    path = records.bring_back(kind) / name
    path.unlink(missing_ok=True)
    if content is None:
        path.mkdir()
    elif content is not ...:
        path.write_bytes(content)
    draw(kind, monkeypatch, 1)


@MANY
@given(kind=st.sampled_from(KINDS), data=st.data())
def test_events_that_are_lost_said_twice_or_in_another_order(
    records: Records, monkeypatch: pytest.MonkeyPatch, kind: str, data: st.DataObject
) -> None:
    path = records.bring_back(kind) / files.EVENTS
    lines = data.draw(st.lists(st.sampled_from(path.read_text().splitlines()), max_size=30))
    path.write_text("".join(f"{line}\n" for line in lines))
    draw(kind, monkeypatch, data.draw(turns))


def test_what_is_wrong_is_said_on_the_page(desk: Desk, sound_records: Path, caplog: pytest.LogCaptureFixture) -> None:
    shutil.copytree(sound_records, desk.store.root)
    folder = desk.store.root / "merge"
    (folder / files.RESULT).write_text('{"accuracy": {"soft": "high"}}')
    lines = (folder / files.EVENTS).read_text().splitlines()
    (folder / files.EVENTS).write_text("\n".join([*lines, '{"kind": "gates"}', "garbage"]) + "\n")
    page = opened(APP, **{"merge:run": "merge"})
    told = texts(page).replace("\\", "")
    assert "result.json of run 'merge' is damaged" in told
    assert "2 lines of this run's log could not be read and were left out" in told


def test_what_cannot_be_drawn_says_so_in_its_place(
    desk: Desk, sound_records: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(sound_records, desk.store.root)

    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("soft")

    monkeypatch.setattr("pages.merge.pictures.gates_figure", broken)
    monkeypatch.setattr("pages.merge.outcome.gain_sentence", broken)
    page = AppTest.from_string(APP, default_timeout=60)
    page.session_state["merge:run"] = "merge"
    page.run()
    assert not page.exception
    assert texts(page).count(CANNOT) == 2
    assert len(page.get("plotly_chart")) == 0
    assert [message for message in caplog.messages if "cannot be shown" in message]
    assert "Traceback" not in caplog.text
