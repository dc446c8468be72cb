"""One writer a run: what it acknowledged is never lost or doubled, and every end is written down."""

import errno
import os
import resource
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmerge_core.errors import RunError
from softmerge_core.events import Event, Loss, Notice, Progress
from softmerge_core.runs import files
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.writer import POLL, RunWriter, conduct, describe
from tests.runs.counting import CountingSpec

FEWER = settings(max_examples=settings().max_examples // 2)  # each writes and reads a run


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


def told(store: RunStore, run_id: str) -> list[tuple[Any, ...]]:
    """Every event but for its time."""
    return [(event.kind, *sorted(event.model_dump(exclude={"seconds"}).items())) for event in store.read(run_id).events]


def whole_run(store: RunStore, spec: CountingSpec) -> list[tuple[Any, ...]]:
    """The events of an undisturbed run."""
    run_id = store.create(spec)
    assert conduct(store.folder(run_id)) == "finished"
    return told(store, run_id)


class Killed(BaseException):
    """Ends a writer as a kill does: nothing is written any more."""


@FEWER
@given(deaths=st.lists(st.integers(1, 30), max_size=4), torn=st.binary(max_size=20), every=st.integers(1, 7))
def test_a_run_cut_short_anywhere_goes_on_as_if_nothing_had_been(
    tmp_path: Path, deaths: list[int], torn: bytes, every: int
) -> None:
    store, spec = RunStore(tmp_path / "runs"), CountingSpec(steps=12, seed=3, snapshot_every=every)
    run_id = store.create(spec)
    acknowledged: list[tuple[Any, ...]] = []
    for events in deaths:
        left = [events]

        def listen(_: Event, left: list[int] = left) -> None:
            left[0] -= 1
            if not left[0]:
                raise Killed

        try:
            conduct(store.folder(run_id), listen=listen)
        except Killed:
            assert store.status(run_id).status == "interrupted"
        with (store.folder(run_id) / files.EVENTS).open("ab") as log:
            log.write(torn.replace(b"\n", b""))  # half a line that was never acknowledged
        assert told(store, run_id)[: len(acknowledged)] == acknowledged
        acknowledged = told(store, run_id)
    conduct(store.folder(run_id))
    assert told(store, run_id) == whole_run(store, spec)
    assert store.read(run_id).damaged == 0


def test_time_goes_on_from_the_last_attempt_whatever_the_clock_says(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = store.create(CountingSpec())
    with RunWriter(store.folder(run_id)) as writer:
        writer._started -= 100  # as if it had run for 100 s
        writer.emit(Progress(step=1, total=3))
    monkeypatch.setattr(time, "time", lambda: 0.0)  # set back by decades
    with RunWriter(store.folder(run_id)) as writer:
        writer.emit(Progress(step=2, total=3))
    first, second = (event.seconds for event in store.read(run_id).events)
    assert 100 <= first <= second < 200


def test_a_second_writer_is_refused(store: RunStore) -> None:
    run_id = store.create(CountingSpec())
    with RunWriter(store.folder(run_id)) as writer:
        writer.emit(Notice(step=0, text="mine"))
        assert store.status(run_id).status == "running"
        with pytest.raises(RunError, match="written by another process"), RunWriter(store.folder(run_id)):
            pass
        with pytest.raises(RunError, match="running"):
            store.delete(run_id)
        writer.emit(Notice(step=1, text="still mine"))
    assert [event.step for event in store.read(run_id).events] == [0, 1]


def test_readers_never_stand_in_a_writers_way(store: RunStore) -> None:
    run_id, done = store.create(CountingSpec(steps=40, snapshot_every=1)), threading.Event()

    def look() -> None:
        while not done.is_set():
            assert store.status(run_id).status in ("waiting", "running", "finished")

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    try:
        assert conduct(store.folder(run_id)) == "finished"
    finally:
        done.set()
        for reader in readers:
            reader.join()


def test_one_attempt_is_made_once(store: RunStore) -> None:
    run_id = store.create(CountingSpec())
    conduct(store.folder(run_id), attempt=1)
    with pytest.raises(RunError, match="attempt 1"):
        conduct(store.folder(run_id), attempt=1)


def test_a_stop_before_the_start_starts_nothing(store: RunStore) -> None:
    run_id = store.create(CountingSpec())
    store.request(run_id, "stop")
    assert conduct(store.folder(run_id)) == "stopped"
    assert (store.read(run_id).status, store.read(run_id).events) == ("stopped", ())


def test_a_stop_asked_twice_keeps_the_result_so_far(store: RunStore) -> None:
    run_id = store.create(CountingSpec(steps=1000, pause=0.01))

    def listen(event: Event) -> None:
        if event.step == 3:
            store.request(run_id, "stop")

    assert conduct(store.folder(run_id), listen=listen) == "stopped"
    store.request(run_id, "stop")
    view = store.read(run_id)
    assert view.status == "stopped"
    assert view.result is not None
    assert 3 <= view.result["step"] < 1000


@pytest.mark.parametrize("then", ["resume", "stop"])
def test_a_paused_run_waits_and_then(store: RunStore, then: Any) -> None:
    run_id = store.create(CountingSpec(steps=8))
    store.request(run_id, "pause")
    worker = threading.Thread(target=conduct, args=(store.folder(run_id),))
    worker.start()
    wait_until(lambda: store.status(run_id).status == "paused")
    before = store.read(run_id)
    time.sleep(3 * POLL)
    assert store.read(run_id) == before
    store.request(run_id, then)
    worker.join(timeout=20)
    assert store.status(run_id).status == {"resume": "finished", "stop": "stopped"}[then]


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_asking_whether_to_stop_rarely_touches_the_disk(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[float] = []
    clock = [0.0]
    monkeypatch.setattr("softmerge_core.runs.writer.requested", lambda _: looks.append(clock[0]))
    with RunWriter(store.folder(store.create(CountingSpec()))) as writer:
        monkeypatch.setattr("softmerge_core.runs.writer.time.monotonic", lambda: clock[0])
        for _ in range(1000):
            clock[0] += 0.001
            assert not writer.should_stop()
    assert 15 <= len(looks) <= 21


@pytest.mark.parametrize(
    ("trouble", "message", "has_trace"),
    [
        ("error", "layer 'head': the loss is not finite at step 10", False),
        ("crash", "Unexpected ZeroDivisionError: division by <b>zero</b>", True),
        ("memory", "The worker ran out of memory.", True),
        ("disk", "A file could not be written or read: No space left on device.", True),
        ("refuse", "trouble: expected none, got refuse", False),
    ],
)
def test_a_failure_says_why(
    store: RunStore, caplog: pytest.LogCaptureFixture, trouble: Any, message: str, has_trace: bool
) -> None:
    run_id = store.create(CountingSpec(trouble=trouble))
    assert conduct(store.folder(run_id)) == "failed"
    assert (store.read(run_id).error, store.list()[0].message) == (message, message)
    assert (store.folder(run_id) / files.TRACEBACK).exists() == has_trace
    assert [f"{run_id} failed unexpectedly" in text for text in caplog.messages] == [True] * has_trace


def test_a_traceback_that_cannot_be_kept_is_logged(
    store: RunStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    run_id = store.create(CountingSpec(trouble="crash", snapshot_every=100))
    monkeypatch.setattr("softmerge_core.runs.writer.write_atomic", full)
    assert conduct(store.folder(run_id)) == "failed"
    assert "ZeroDivisionError" in caplog.text


def test_a_line_cut_short_by_a_full_disk_is_taken_back(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id, write, log = store.create(CountingSpec(steps=6)), os.write, store.folder
    budget = [200]

    def limited(descriptor: int, content: bytes) -> int:
        if not os.readlink(f"/proc/self/fd/{descriptor}").endswith(files.EVENTS):
            return write(descriptor, content)
        if not budget[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        done = write(descriptor, content[: budget[0]])
        budget[0] -= done
        return done

    monkeypatch.setattr(os, "write", limited)
    assert conduct(store.folder(run_id)) == "failed"
    monkeypatch.undo()
    view = store.read(run_id)
    assert view.error == "A file could not be written or read: No space left on device."
    assert (log(run_id) / files.EVENTS).read_bytes().endswith(b"}\n")
    assert 1 <= len(view.events) < 13
    assert conduct(store.folder(run_id)) == "finished"
    assert told(store, run_id) == whole_run(store, CountingSpec(steps=6))


def test_weights_and_snapshots_come_back(store: RunStore) -> None:
    import torch

    from softmerge_core.checkpoints.files import load_checkpoint

    run_id = store.create(CountingSpec())
    with RunWriter(store.folder(run_id)) as writer:
        assert writer.load_snapshot() is None
        writer.save_snapshot(b"\x00half")
        writer.save_snapshot(b"\x00whole")
        writer.save_weights("merged", {"w": torch.ones(2)})
        with pytest.raises(RunError):
            writer.save_weights("../merged", {"w": torch.ones(2)})
        assert writer.load_snapshot() == b"\x00whole"
    assert torch.equal(load_checkpoint(store.weights(run_id, "merged"))["w"], torch.ones(2))


def test_a_result_that_is_no_json_fails_the_run(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.runs.counting.run", lambda *_: {"network": object()})
    run_id = store.create(CountingSpec(steps=1))
    assert conduct(store.folder(run_id)) == "failed"
    assert "not JSON serializable" in str(store.read(run_id).error)


def test_torchs_own_words_for_no_memory_are_understood() -> None:
    import torch

    with pytest.raises(RuntimeError) as caught:
        torch.zeros(2**50)
    assert describe(caught.value) == "The worker ran out of memory."


def test_a_file_that_may_not_grow_ends_the_run_which_goes_on_once_it_may(store: RunStore) -> None:
    spec = CountingSpec(steps=30)
    run_id = store.create(spec)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        assert conduct(store.folder(run_id)) == "failed"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    view = store.read(run_id)
    assert view.error == "A file could not be written or read: File too large."
    assert view.events
    assert conduct(store.folder(run_id)) == "finished"
    assert told(store, run_id) == whole_run(store, spec)


def test_a_full_device_is_told_and_nothing_is_reported_as_written(store: RunStore) -> None:
    run_id = store.create(CountingSpec())
    with RunWriter(store.folder(run_id), listen=lambda _: pytest.fail("it was not written")) as writer:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, writer._log)
        os.close(full)
        with pytest.raises(OSError, match="No space left"):
            writer.emit(Notice(step=0, text="lost"))
        assert writer.fail(OSError(errno.ENOSPC, "No space left on device")) == "failed"
    assert store.read(run_id).events == ()


def test_steps_told_the_second_time_may_be_others_and_never_go_back(store: RunStore) -> None:
    run_id = store.create(CountingSpec())
    for steps in ((1, 5, 9), (2, 6, 9, 10, 13)):  # thinned by time, so not the same twice
        with RunWriter(store.folder(run_id)) as writer:
            for step in steps:
                writer.emit(Progress(step=step, total=20))
                writer.emit(Loss(step=step, series="s", task=1, total=1))
    events = store.read(run_id).events
    for kind in (Progress, Loss):
        assert [event.step for event in events if isinstance(event, kind)] == [1, 5, 9, 10, 13]


def test_the_same_report_twice_in_one_attempt_is_written_twice(store: RunStore) -> None:
    run_id = store.create(CountingSpec())
    for _ in range(2):  # the second attempt repeats what the first one said
        with RunWriter(store.folder(run_id)) as writer:
            writer.emit(Loss(step=1, series="s", task=1, total=1))
            writer.emit(Loss(step=1, series="s", task=2, total=2))
    assert [event.task for event in store.read(run_id).events if isinstance(event, Loss)] == [1, 2]


def test_a_result_tells_the_time_of_all_attempts(store: RunStore) -> None:
    run_id = store.create(CountingSpec())
    with RunWriter(store.folder(run_id)) as writer:
        writer._started -= 100  # as if it had run for 100 s
        writer.emit(Progress(step=1, total=3))
    with RunWriter(store.folder(run_id)) as writer:
        writer.finish({"seconds": 1.0})
    assert (store.read(run_id).result or {})["seconds"] >= 100
