"""Whatever lies in a run folder, the others go on, and only errors of ours come out of every door."""

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.shared.runs import services
from pages.shared.runs.reader import LIVE, RunReader
from softmerge_core.errors import RunError, SoftMergeError
from softmerge_core.runs import RunStore, files
from softmerge_core.runs.status import ENDED, RESUMABLE
from softmerge_core.runs.writer import conduct
from tests.runs.counting import CountingSpec

SMALL = (files.MANIFEST, files.SPEC, files.QUEUE, files.REQUEST, files.BEGUN, files.RESULT, files.END)
FEWER = settings(max_examples=settings().max_examples // 2)  # each writes and reads a run
EVERY = (*SMALL, files.EVENTS, files.SNAPSHOT, files.PAUSED, files.TRACEBACK, files.WEIGHTS, files.LOCK)
STATUSES = {*LIVE, *ENDED, *RESUMABLE}
KIND = "counting"

anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def store(home_folder: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """A sound run, and a damaged one called "damaged", which is not."""
    store = RunStore(home_folder / "runs")
    monkeypatch.setattr(services, "run_store", lambda: store)
    conduct(store.folder(store.create(CountingSpec(steps=2))))
    folder = store.root / "damaged"
    store.folder(store.create(CountingSpec(steps=2))).rename(folder)
    conduct(folder)
    for name, values in ((files.QUEUE, {"attempt": 1, **files.this_process()}), (files.REQUEST, {"request": "pause"})):
        files.write_json(folder / name, values)
    for name in (files.SNAPSHOT, files.PAUSED, files.TRACEBACK):
        (folder / name).write_bytes(b"x")
    (folder / files.WEIGHTS).mkdir()
    shutil.copytree(folder, home_folder / "kept")
    return store


def put(path: Path, content: bytes | None) -> None:
    """Write ``content`` in the place of a file or folder; None: a folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.mkdir() if content is None else path.write_bytes(content)


def said(door: Callable[[], Any]) -> str:
    """The words in which a door refuses, or else nothing; what it gives makes sense."""
    try:
        value = door()
    except SoftMergeError as error:
        return str(error)
    assert value is None or value in STATUSES
    return ""


def check_doors(store: RunStore) -> None:
    """Read and steer the damaged run in every way, then bring it back as it was."""
    sound = {run.id for run in store.list()} - {"damaged"}
    assert len(sound) == 1
    assert len(store.list()) + len(store.quarantined()) == 2
    assert sound <= set(services.newest_runs(KIND, 10))
    assert services.newest_live(KIND) in (None, "damaged")
    doors: tuple[Callable[[], Any], ...] = (
        lambda: store.read("damaged").status,
        lambda: store.status("damaged").status,
        lambda: RunReader(store, "damaged").view.status,
        lambda: store.weights("damaged", "merged"),
        lambda: store.request("damaged", "stop"),
    )
    for door in doors:
        told = said(door)
        assert len(told) < 2000
        assert str(store.root) not in told
    kept = store.root.parent / "kept"
    with contextlib.suppress(SoftMergeError):
        store.delete("damaged")
        assert not (store.root / "damaged").exists()
    shutil.rmtree(store.root / "damaged", ignore_errors=True)
    shutil.copytree(kept, store.root / "damaged")


@FEWER
@given(name=st.sampled_from(EVERY), content=st.binary(max_size=60))
def test_random_bytes_in_any_file(store: RunStore, name: str, content: bytes) -> None:
    put(store.root / "damaged" / name, content)
    check_doors(store)


@FEWER
@given(name=st.sampled_from((*SMALL, files.EVENTS)), share=st.floats(0, 1))
def test_a_file_cut_short(store: RunStore, name: str, share: float) -> None:
    path = store.root / "damaged" / name
    whole = path.read_bytes()
    put(path, whole[: int(share * len(whole))])
    check_doors(store)


@FEWER
@given(name=st.sampled_from(SMALL), values=anything)
def test_any_json_in_any_small_file(store: RunStore, name: str, values: Any) -> None:
    put(store.root / "damaged" / name, json.dumps(values).encode())
    check_doors(store)


@FEWER
@given(name=st.sampled_from(SMALL), data=st.data())
def test_any_value_in_any_field(store: RunStore, name: str, data: st.DataObject) -> None:
    path = store.root / "damaged" / name
    values = json.loads(path.read_bytes())
    field = data.draw(st.sampled_from([*values, "dropped", "error"]))
    put(path, json.dumps({**values, field: data.draw(anything)}).encode())
    check_doors(store)


@pytest.mark.parametrize("content", [None, b'{"name": "\\ud800"}', b'{"attempt": ' + b"9" * 4000 + b"}"])
@pytest.mark.parametrize("name", EVERY)
def test_a_folder_half_a_character_and_a_huge_number(store: RunStore, name: str, content: bytes | None) -> None:
    put(store.root / "damaged" / name, content)
    check_doors(store)


@pytest.mark.parametrize("name", EVERY)
def test_a_pipe_or_a_circle_of_links_is_not_waited_for(store: RunStore, name: str) -> None:
    path = store.root / "damaged" / name
    for make in (os.mkfifo, lambda place: place.symlink_to(place)):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        make(path)
        check_doors(store)


def test_a_file_that_is_far_too_long_is_not_read(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_BYTES", 100)
    with pytest.raises(RunError, match="at most 100 bytes"):
        store.read("damaged")


@pytest.mark.parametrize("name", [files.LOCK, files.EVENTS, files.BEGUN, files.END])
def test_a_run_that_cannot_be_written_is_refused_in_words(store: RunStore, name: str) -> None:
    for sound in (files.END, files.BEGUN, files.QUEUE):
        (store.root / "damaged" / sound).unlink()
    put_folder = store.root / "damaged" / name
    put(put_folder, None)
    (put_folder / "inside").touch()
    with pytest.raises(RunError, match="'damaged'"):
        conduct(store.root / "damaged")
