"""Run folders: whatever their bytes are, they are read, set apart or refused, never trusted."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmerge_core.errors import NotFoundError, RunError, SoftMergeError
from softmerge_core.events import Loss, parse_event
from softmerge_core.runs import files
from softmerge_core.runs import store as store_module
from softmerge_core.runs.log import parse_lines, read_log
from softmerge_core.runs.store import RunStore, create_folder
from softmerge_core.runs.writer import conduct
from tests.runs.counting import CountingSpec, values

FEWER = settings(max_examples=settings().max_examples // 2)  # each writes and reads a run
OUTSIDE = [
    "../../x",
    "..",
    ".",
    "",
    "/etc",
    "a/b",
    "A",
    "x" * 200,
    "a\0b",
    "example:../x",
    "example:",
    None,
    3,
]


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


def finished(store: RunStore, **fields: Any) -> str:
    """The id of a run that was run to its end here."""
    run_id = store.create(CountingSpec(**fields))
    conduct(store.folder(run_id))
    return run_id


def test_an_empty_store_lists_nothing(store: RunStore) -> None:
    assert (store.list(), store.quarantined()) == ([], [])


def test_the_store_lies_in_the_home_folder(home_folder: Path) -> None:
    assert RunStore().root == home_folder / "runs"


def test_a_created_run_waits(store: RunStore) -> None:
    spec = CountingSpec(name="<b>$x^2$</b> ../../x", steps=3)
    run_id = store.create(spec)
    view = store.read(run_id)
    assert (view.spec, view.status, view.events, view.next, view.result, view.error) == (
        spec,
        "waiting",
        (),
        0,
        None,
        None,
    )
    summary = store.list()[0]
    assert (summary.id, summary.name, summary.kind, summary.status) == (
        run_id,
        spec.name,
        "counting",
        "waiting",
    )


def test_a_finished_run_tells_everything(store: RunStore) -> None:
    run_id = finished(store, steps=4, seed=7)
    view = store.read(run_id)
    assert (view.status, view.error, view.damaged) == ("finished", None, 0)
    assert [event.task for event in view.events if isinstance(event, Loss)] == values(7, 4)
    assert view.result == {
        "total": pytest.approx(sum(values(7, 4))),
        "step": 4,
        "reason": "counted",
        "not_finite": None,
    }
    assert store.list()[0].message == "counted"
    seconds = [event.seconds for event in view.events]
    assert seconds == sorted(seconds)


def test_runs_are_listed_newest_first(store: RunStore) -> None:
    now = datetime.now().astimezone()
    for age in (3, 1, 2):
        create_folder(store.root / f"run-{age}", CountingSpec(), now - timedelta(hours=age))
    assert [run.id for run in store.list()] == ["run-1", "run-2", "run-3"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_from_outside_never_become_paths(store: RunStore, name: Any) -> None:
    store.create(CountingSpec())
    for refused in (
        lambda: store.read(name),
        lambda: store.request(name, "stop"),
        lambda: store.delete(name),
        lambda: store.weights(name, "merged"),
    ):
        with pytest.raises((NotFoundError, RunError)):
            refused()
    assert len(store.list()) == 1


@pytest.mark.parametrize("name", ["../spec", "", "a.b", "/etc/passwd", "x" * 65, "a\n"])
def test_names_of_weights_never_become_paths(store: RunStore, name: str) -> None:
    run_id = store.create(CountingSpec())
    with pytest.raises(RunError, match="weights"):
        store.weights(run_id, name)
    with pytest.raises(NotFoundError, match="merged"):
        store.weights(run_id, "merged")


JUNK = [b"", b"\x00\xff\xfe", b"{", b"[]", b"[" * 50_000]
DAMAGE = [
    *((file, content) for file in (files.MANIFEST, files.SPEC, files.END, files.QUEUE) for content in JUNK),
    *((file, b'{"version": 99}') for file in (files.MANIFEST, files.SPEC, files.END)),
    (files.MANIFEST, b'{"version": 1, "created": "yesterday"}'),
    (files.MANIFEST, None),
    (files.SPEC, None),
]


@pytest.mark.parametrize(("file", "content"), DAMAGE)
def test_a_damaged_run_is_set_apart_and_the_rest_list(
    store: RunStore, caplog: pytest.LogCaptureFixture, file: str, content: bytes | None
) -> None:
    good, bad = finished(store, steps=2), finished(store, steps=2)
    damage(store.folder(bad) / file, content)
    assert [run.id for run in store.list()] == [good]
    assert [(each.id, bool(each.reason)) for each in store.quarantined()] == [(bad, True)]
    assert len(caplog.messages) == 1  # however often the runs are listed
    assert f"{bad} is set apart" in caplog.text
    if content is None or b"created" not in content:  # the date is only for the list
        with pytest.raises(SoftMergeError):
            store.read(bad)
    store.delete(bad)
    assert (store.quarantined(), [run.id for run in store.list()]) == ([], [good])


@pytest.mark.parametrize("content", JUNK)
@pytest.mark.parametrize("file", [files.REQUEST, files.BEGUN, files.SNAPSHOT, files.EVENTS])
def test_damage_to_what_can_be_done_without_is_lived_with(store: RunStore, file: str, content: bytes) -> None:
    run_id = finished(store, steps=2)
    damage(store.folder(run_id) / file, content)
    assert [run.id for run in store.list()] == [run_id]
    assert store.read(run_id).status == "finished"


def damage(path: Path, content: bytes | None) -> None:
    """Put ``content`` where a file was, or nothing."""
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_bytes(content)


def test_foreign_things_among_the_runs_do_no_harm(store: RunStore, tmp_path: Path) -> None:
    run_id = store.create(CountingSpec())
    (store.root / "Not A Run").mkdir()
    (store.root / "note.txt").write_text("x")
    (store.root / "link").symlink_to(store.folder(run_id))
    assert [run.id for run in store.list()] == [run_id]
    assert [each.id for each in store.quarantined()] == ["Not A Run", "link"]
    with pytest.raises(NotFoundError):
        store.delete("link")


@FEWER
@given(junk=st.lists(st.tuples(st.integers(0, 8), st.binary(min_size=1, max_size=40)), max_size=4))
def test_random_bytes_in_the_log_cost_only_their_lines(tmp_path: Path, junk: list[tuple[int, bytes]]) -> None:
    lines = [Loss(step=step, series="s", task=0.5, total=0.5).model_dump_json().encode() for step in range(8)]
    mixed = list(lines)
    for position, content in sorted(junk, reverse=True):
        mixed.insert(position, content)
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\n".join(mixed) + b"\n")
    piece = read_log(path)
    assert [event.step for event in piece.events] == list(range(8))
    assert piece.next == path.stat().st_size


@FEWER
@given(cuts=st.lists(st.integers(0, 700), max_size=6))
def test_reading_in_pieces_equals_reading_at_once(tmp_path: Path, cuts: list[int]) -> None:
    whole = b"".join(
        Loss(step=step, series="é", task=float("nan"), total=1e300).model_dump_json().encode() + b"\n"
        for step in range(6)
    )
    path, seen, after = tmp_path / "events.jsonl", [], 0
    for cut in [*sorted(cuts), len(whole)]:
        path.write_bytes(whole[:cut])
        piece = read_log(path, after)
        seen, after = [*seen, *piece.events], piece.next
        assert piece.damaged == 0
    assert [event.step for event in seen] == list(range(6))
    assert after == len(whole)


@given(st.integers(-(10**20), 10**20))
def test_any_offset_is_answered(after: int) -> None:
    path = Path(__file__)  # a file whose lines are no events
    piece = read_log(path, after)
    assert piece.events == ()
    assert 0 <= piece.next <= path.stat().st_size


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(block: bytes) -> None:
    events, damaged = parse_lines(block)
    assert len(events) + damaged == sum(bool(line.strip()) for line in block.split(b"\n"))


def test_a_log_without_lines_is_skipped_in_bounded_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softmerge_core.runs.log.CHUNK", 100)
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x" * 250)
    after, damaged = 0, 0
    for _ in range(3):
        piece = read_log(path, after)
        after, damaged = piece.next, damaged + piece.damaged
    assert (after, damaged) == (200, 2)


def test_requests_are_kept_and_a_stop_is_not_taken_back(store: RunStore) -> None:
    run_id = store.create(CountingSpec())
    path = store.folder(run_id) / files.REQUEST
    for request, kept in (("pause", "pause"), ("resume", "resume"), ("stop", "stop"), ("resume", "stop")):
        store.request(run_id, request)  # type: ignore[arg-type]
        assert json.loads(path.read_text())["request"] == kept
    with pytest.raises(RunError, match="expected stop, pause or resume"):
        store.request(run_id, "rm -rf")  # type: ignore[arg-type]


def test_creating_on_a_full_disk_says_so_and_leaves_nothing(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_atomic", full)
    with pytest.raises(RunError, match="No space left on device"):
        store.create(CountingSpec())
    assert list(store.root.iterdir()) == []


def test_examples_are_read_like_runs_and_never_changed(
    store: RunStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "EXAMPLES", tmp_path / "examples")
    assert store.examples() == []
    create_folder(tmp_path / "examples" / "first-run", CountingSpec(steps=3, name="First"))
    conduct(tmp_path / "examples" / "first-run")
    assert [(run.id, run.name, run.status) for run in store.examples()] == [("example:first-run", "First", "finished")]
    assert len(store.read("example:first-run").events) == 7
    assert store.list() == []
    for change in (
        lambda: store.delete("example:first-run"),
        lambda: store.request("example:first-run", "stop"),
    ):
        with pytest.raises(RunError, match="example"):
            change()


def test_shipped_examples_can_be_read() -> None:
    store = RunStore()
    for example in store.examples():
        view = store.read(example.id)
        assert view.status == "finished"
        assert view.events
        assert view.damaged == 0
        lines = [event.model_dump_json() for event in view.events]  # as text, for NaN is not equal to itself
        assert [parse_event(line).model_dump_json() for line in lines] == lines


@settings(max_examples=5 * settings().max_examples)
@given(name=st.text(max_size=100) | st.from_regex(r"(example:)?[a-z0-9_.-]{0,90}") | st.sampled_from(OUTSIDE))
def test_any_name_of_a_run_from_an_address_is_refused_in_words(store: RunStore, name: Any) -> None:
    with pytest.raises((NotFoundError, RunError)) as refused:
        store.read(name)
    assert len(str(refused.value)) < 300
    assert str(store.root) not in str(refused.value)


def test_a_result_is_read_again_only_when_it_has_changed(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = store.create(CountingSpec())
    conduct(store.folder(run_id))
    path, read = store.folder(run_id) / files.RESULT, files.read_json
    first, asked = store.read(run_id).result, []
    monkeypatch.setattr(files, "read_json", lambda found: asked.append(found.name) or read(found))
    assert store.read(run_id).result == first
    assert files.RESULT not in asked
    files.write_json(path, {**(first or {}), "reason": "another"})
    assert (store.read(run_id).result or {})["reason"] == "another"
    path.write_bytes(b"broken")
    assert store.read(run_id).harm
