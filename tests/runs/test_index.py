"""The index agrees with the folders, whatever is done to them or to it."""

import json
import os
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from softmerge_core.errors import RunError, SettingsError
from softmerge_core.experiments import experiment
from softmerge_core.home import bring_back
from softmerge_core.runs import files
from softmerge_core.runs.index import RunIndex
from softmerge_core.runs.labels import LABELS, Labels, read_labels
from softmerge_core.runs.store import RunStore, create_folder

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(home_folder: Path) -> RunStore:
    return RunStore()


@pytest.fixture
def index(store: RunStore) -> RunIndex:
    return RunIndex(store.root)


def made(store: RunStore, number: int, kind: str = "merge", status: str = "finished", message: str = "") -> str:
    """The id of a run that ended so; the higher its number, the newer it is."""
    name = f"run-{number}"
    spec = experiment(kind).example().model_copy(update={"name": f"Try {number}"})
    create_folder(store.root / name, spec, BEGIN + timedelta(minutes=number))
    if status != "waiting":
        files.write_json(store.root / name / files.END, {"status": status, "attempt": 1, "message": message})
    return name


def ids(index: RunIndex, words: str = "", **chosen: object) -> list[str]:
    index.refresh()
    return [run.id for run in index.find(words, **chosen)]  # type: ignore[arg-type]


def test_it_lists_what_the_store_lists(store: RunStore, index: RunIndex) -> None:
    for number, kind in enumerate(("merge", "compare", "merge", "federated")):
        made(store, number, kind, message=f"outcome {number}")
    index.refresh()
    found = index.find()
    told = [(run.id, run.name, run.kind, run.status, run.created, run.message) for run in store.list()]
    assert [(run.id, run.name, run.kind, run.status, run.created, run.message) for run in found] == told
    assert [run.spec for run in found] == [store.read(run.id).spec for run in found]
    assert all(run.made.startswith("Three skills") for run in found if run.kind == "merge")


def test_words_kinds_states_and_tags_are_looked_for(store: RunStore, index: RunIndex) -> None:
    made(store, 1, message="Soft merging is 3.1 points above plain averaging.")
    made(store, 2, "compare", "failed", message="It ran OUT of memory.")
    made(store, 3, "compare")
    store.label("run-3", Labels("Über die Köpfe", ("Vorlesung 3", 'say "hi"')))
    assert ids(index) == ["run-3", "run-2", "run-1"]
    assert ids(index, "3.1 PLAIN") == ["run-1"]
    assert ids(index, "out of") == ["run-2"]
    assert ids(index, "über KÖPFE") == ["run-3"]
    assert ids(index, "vorlesung") == ids(index, tags=["Vorlesung 3", 'say "hi"']) == ["run-3"]
    assert ids(index, "%") == ids(index, "' OR 1=1") == ids(index, tags=["Vorlesung"]) == []
    assert ids(index, kinds=["compare"]) == ["run-3", "run-2"]
    assert ids(index, "try", kinds=["compare", "merge"], states=["finished"]) == ["run-1"]
    assert ids(index, most=1) == ["run-3"]
    assert index.tags() == ['say "hi"', "Vorlesung 3"]


def test_what_changes_in_the_folders_is_taken_over(store: RunStore, index: RunIndex) -> None:
    first, second = made(store, 1, status="waiting"), made(store, 2)
    assert {run.id: run.status for run in index.find()} == {}
    index.refresh()
    assert {run.id: run.status for run in index.find()} == {first: "waiting", second: "finished"}
    files.write_json(store.root / first / files.END, {"status": "stopped", "attempt": 1})
    store.delete(second)
    made(store, 3)
    index.refresh()
    assert {run.id: run.status for run in index.find()} == {"run-3": "finished", first: "stopped"}


def test_nothing_is_read_again_when_nothing_has_changed(store: RunStore, index: RunIndex) -> None:
    for number in range(3):
        folder = store.root / made(store, number)
        os.utime(folder, (BEGIN.timestamp(), BEGIN.timestamp()))
    assert index.refresh() == 3
    assert index.refresh() == 0
    made(store, 4, status="waiting")
    assert index.refresh() == index.refresh() == 1  # of one that has not ended nobody knows


@pytest.mark.parametrize("harm", ["missing", "damaged", "empty", "older"])
def test_it_is_made_anew_from_the_folders(store: RunStore, index: RunIndex, harm: str) -> None:
    for number in range(3):
        made(store, number)
    before = ids(index)
    path = index.path
    if harm == "missing":
        path.unlink()
    elif harm == "older":
        with sqlite3.connect(path) as base:
            base.execute("PRAGMA user_version = 999")
    else:
        path.write_bytes(b"" if harm == "empty" else b"no database" * 500)
    assert ids(index) == before == ["run-2", "run-1", "run-0"]


def test_a_place_where_nothing_can_be_written_is_listed_all_the_same(tmp_path: Path) -> None:
    index = RunIndex(tmp_path / "file" / "runs")
    (tmp_path / "file").write_text("no folder")
    assert (index.refresh(), index.find(), index.problems()) == (0, [], [])


def test_a_disk_that_takes_no_more_is_listed_from_memory(
    store: RunStore, index: RunIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(store, 1)
    index.refresh()
    real = sqlite3.connect

    def full(place: object, **options: object) -> sqlite3.Connection:
        base = real(place, **options)  # type: ignore[call-overload]
        if place != ":memory:":
            base.execute("PRAGMA max_page_count = 1")
        return base  # type: ignore[no-any-return]

    monkeypatch.setattr(sqlite3, "connect", full)
    for number in range(2, 60):
        made(store, number)
    assert len(ids(index)) == 59
    made(store, 60)
    assert ids(index)[:2] == ["run-60", "run-59"]


def test_folders_that_are_no_runs_are_set_apart(store: RunStore, index: RunIndex) -> None:
    made(store, 1)
    (store.root / "Not A Run").mkdir()
    (store.root / made(store, 2) / files.SPEC).write_text("{")
    index.refresh()
    assert [run.id for run in index.find()] == ["run-1"]
    assert [name for name, _ in index.problems()] == ["Not A Run", "run-2"]
    assert all(reason for _, reason in index.problems())
    (store.root / "run-2" / files.SPEC).write_bytes((store.root / "run-1" / files.SPEC).read_bytes())
    os.utime(store.root / "run-2")
    assert ids(index) == ["run-2", "run-1"]


def test_the_run_before_is_the_newest_older_one_of_its_kind(store: RunStore, index: RunIndex) -> None:
    for number, kind in enumerate(("merge", "compare", "merge")):
        made(store, number, kind)
    index.refresh()
    newest, compared, first = index.find()
    assert (index.before(newest), index.before(compared), index.before(first)) == (first, None, None)
    assert index.get(["run-1", "gone", "run-2"]) == [compared, newest]


def test_readers_at_once_agree(store: RunStore, index: RunIndex) -> None:
    for number in range(20):
        made(store, number)
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append(ids(index))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(each == found[0] and len(each) == 20 for each in found)


def test_labels_are_kept_in_the_folder_in_their_usual_form(store: RunStore) -> None:
    run_id = made(store, 1)
    assert read_labels(store.folder(run_id)) == Labels()
    store.label(run_id, Labels("  two   words ", (" a  b ", "a b", "", "c")))
    assert read_labels(store.folder(run_id)) == Labels("two words", ("a b", "c"))
    assert store.read(run_id).spec.name == "Try 1"  # what the run was started with stays
    for labels, message in (
        (Labels("x" * 121), "at most 120 letters, got 121"),
        (Labels("", ("x" * 41,)), "at most 40 letters each"),
        (Labels("", tuple(map(str, range(21)))), "at most 20, got 21"),
    ):
        with pytest.raises(SettingsError, match=message):
            store.label(run_id, labels)
    with pytest.raises(RunError, match="example"):
        store.label("example:first-look", Labels("mine"))


@pytest.mark.parametrize(
    "text", ["", "[]", '{"name": 3, "tags": 4}', '{"tags": [["a"]]}', '{"name": "' + "x" * 999 + '"}']
)
def test_damaged_labels_count_as_something_harmless(store: RunStore, index: RunIndex, text: str) -> None:
    run_id = made(store, 1)
    (store.root / run_id / LABELS).write_text(text)
    assert ids(index) == [run_id]
    assert json.dumps(read_labels(store.folder(run_id)))


def test_runs_are_thrown_away_together_and_brought_back(store: RunStore, index: RunIndex) -> None:
    both = [made(store, 1), made(store, 2)]
    store.label("run-2", Labels("mine", ("kept",)))
    ticket = store.set_aside(both)
    assert ids(index) == []
    bring_back(ticket)
    assert ids(index) == ["run-2", "run-1"]
    assert index.get(["run-2"])[0].tags == ("kept",)
    with pytest.raises(RunError, match="example"):
        store.set_aside([*both, "example:first-look"])
    assert ids(index) == ["run-2", "run-1"]
