"""Runs on real worker processes: started, steered, killed, taken up again, and none left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from distributed.scheduler import KilledWorker

from softmerge_core.errors import NotFoundError, RunError, SettingsError
from softmerge_core.events import Loss, Progress
from softmerge_core.experiments import Spec
from softmerge_core.runs import Runner, RunStore, RunSummary, files
from softmerge_core.runs.cluster import LOGGED
from softmerge_core.runs.runner import MOST_DEATHS
from softmerge_core.runs.writer import RunWriter, conduct
from tests.runs.counting import CountingSpec, values
from tests.runs.strangers import check_stranger_is_refused

PRELOAD = ("tests.runs.counting",)
LONG = CountingSpec(steps=4000, pause=0.01, snapshot_every=7)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    """One warm cluster for all tests here."""
    before = children()  # a browser and servers of other tests, perhaps
    runner = Runner(RunStore(tmp_path_factory.mktemp("shared") / "runs"), preload=PRELOAD)
    wait_until(runner.ready)
    yield runner
    runner.close()
    assert [child for child in children() if child not in before] == []


def wait_until(condition: Callable[[], bool], seconds: float = 110) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def wait_for(runner: Runner, run_id: str, *statuses: str) -> None:
    wait_until(lambda: runner.store.status(run_id).status in statuses)


def children() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def workers(runner: Runner) -> set[str]:
    """The addresses of the workers that can be given runs."""
    return set(runner._client.scheduler_info()["workers"])


def steps(runner: Runner, run_id: str) -> list[int]:
    """The steps the run has acknowledged."""
    return [event.step for event in runner.store.read(run_id).events if isinstance(event, Progress)]


def kill_writer(runner: Runner, run_id: str) -> None:
    """SIGKILL the process that is writing the run, and wait until it is gone: until then the run still runs."""
    path = runner.store.folder(run_id) / files.BEGUN
    wait_until(path.exists)
    begun = files.read_json(path)
    assert begun is not None
    os.kill(begun["pid"], signal.SIGKILL)
    wait_until(lambda: not files.is_alive(begun))


def test_a_worker_does_what_is_no_run(runner: Runner) -> None:
    assert runner.compute(abs, -3).result(60) == 3
    with pytest.raises(ValueError, match="invalid literal"):
        runner.compute(int, "x").result(60)


def test_few_messages_are_kept_for_those_who_look_for_faults(runner: Runner) -> None:
    for number in range(2 * LOGGED):
        assert runner.compute(round, number).result(30) == number
    log = runner._client.scheduler_comm.recent_message_log
    assert 0 < len(log) <= LOGGED


def test_a_run_goes_from_spec_to_result(runner: Runner, caplog: pytest.LogCaptureFixture) -> None:
    run_id = runner.submit(CountingSpec(steps=5, seed=1, name="mine"))
    wait_for(runner, run_id, "finished")
    view = runner.store.read(run_id)
    assert [event.task for event in view.events if isinstance(event, Loss)] == values(1, 5)
    assert view.result is not None
    assert view.result["step"] == 5
    assert [record for record in caplog.records if record.name.startswith("softmerge_core")] == []


def test_nobody_without_the_key_can_use_the_workers(runner: Runner) -> None:
    check_stranger_is_refused(runner)


def test_a_refused_spec_leaves_no_run(runner: Runner) -> None:
    before = runner.store.list()
    with pytest.raises(SettingsError, match="expected none, got refuse"):
        runner.submit(CountingSpec(trouble="refuse"))
    with pytest.raises(NotFoundError, match="unknown experiment 'nothing'"):
        runner.submit(Spec(kind="nothing"))
    assert runner.store.list() == before


def test_a_failed_run_says_why_and_the_next_one_runs(runner: Runner) -> None:
    run_id = runner.submit(CountingSpec(trouble="error"))
    wait_for(runner, run_id, "failed")
    assert runner.store.read(run_id).error == "layer 'head': the loss is not finite at step 10"
    wait_for(runner, runner.submit(CountingSpec(steps=1)), "finished")


def test_a_run_is_paused_resumed_and_stopped_twice(runner: Runner) -> None:
    run_id = runner.submit(LONG)
    wait_until(lambda: len(steps(runner, run_id)) > 3)
    runner.pause(run_id)
    wait_for(runner, run_id, "paused")
    seen = len(steps(runner, run_id))
    runner.resume(run_id)
    wait_until(lambda: len(steps(runner, run_id)) > seen)
    runner.stop(run_id)
    runner.stop(run_id)
    wait_for(runner, run_id, "stopped")
    assert runner.store.read(run_id).result is not None


def test_a_paused_run_can_be_stopped(runner: Runner) -> None:
    run_id = runner.submit(LONG)
    runner.pause(run_id)
    wait_for(runner, run_id, "paused")
    runner.stop(run_id)
    wait_for(runner, run_id, "stopped")


def test_a_run_that_waits_for_a_worker_can_be_stopped(runner: Runner) -> None:
    busy = [runner.submit(LONG) for _ in range(2)]
    for run_id in busy:
        wait_for(runner, run_id, "running")
    waiting = runner.submit(LONG)
    assert runner.store.status(waiting).status == "waiting"
    runner.stop(waiting)
    assert runner.store.status(waiting).status == "stopped"
    for run_id in busy:
        runner.stop(run_id)
    for run_id in busy:
        wait_for(runner, run_id, "stopped")
    wait_for(runner, runner.submit(CountingSpec(steps=1)), "finished")
    assert runner.store.read(waiting).events == ()


@pytest.mark.parametrize("after", [0, 2, 20])
def test_a_killed_worker_loses_no_acknowledged_step_and_the_run_goes_on(
    runner: Runner, caplog: pytest.LogCaptureFixture, after: int
) -> None:
    caplog.set_level("INFO", "softmerge_core")
    run_id = runner.submit(CountingSpec(steps=40, pause=0.02, snapshot_every=7, seed=5))
    wait_until(lambda: len(steps(runner, run_id)) >= after)
    acknowledged = steps(runner, run_id)
    kill_writer(runner, run_id)
    wait_for(runner, run_id, "interrupted")
    assert steps(runner, run_id)[: len(acknowledged)] == acknowledged
    assert "killed" in str(runner.store.read(run_id).error)
    wait_until(lambda: f"Run {run_id}, attempt 1: its worker died" in caplog.text)
    assert run_id in [run.id for run in runner.recover()]
    assert runner.submit(CountingSpec(steps=40, pause=0.02, snapshot_every=7, seed=5), run_id) == run_id
    assert f"Run {run_id} goes on: attempt 2" in caplog.text
    wait_for(runner, run_id, "finished")
    assert steps(runner, run_id) == list(range(1, 41))
    result = runner.store.read(run_id).result
    assert result is not None
    assert result["total"] == pytest.approx(sum(values(5, 40)))


def test_workers_that_were_killed_are_replaced(runner: Runner) -> None:
    run_id = runner.submit(LONG)
    wait_for(runner, run_id, "running")
    wait_until(lambda: len(workers(runner)) == 2)
    before = workers(runner)
    kill_writer(runner, run_id)
    wait_until(lambda: len(workers(runner)) == 2 and workers(runner) != before)
    runner.resume(run_id)
    wait_for(runner, run_id, "running")
    runner.stop(run_id)
    wait_for(runner, run_id, "stopped")


def test_a_run_with_another_spec_is_not_gone_on_with(runner: Runner) -> None:
    run_id = runner.submit(CountingSpec(steps=2))
    wait_for(runner, run_id, "finished")
    with pytest.raises(RunError, match="another spec"):
        runner.submit(CountingSpec(steps=3), run_id)
    with pytest.raises(RunError, match="finished"):
        runner.submit(CountingSpec(steps=2), run_id)


def test_a_run_that_is_being_written_is_not_started_again(runner: Runner) -> None:
    run_id = runner.store.create(CountingSpec())
    with RunWriter(runner.store.folder(run_id)), pytest.raises(RunError, match="running"):
        runner.submit(CountingSpec(), run_id)


SERVER = """
import sys, time
from pathlib import Path
from softmerge_core.runs import Runner, RunStore
from tests.runs.counting import CountingSpec
if __name__ == "__main__":
    runner = Runner(RunStore(Path(sys.argv[1])), preload=("tests.runs.counting",))
    for _ in range(3):  # two begin, the third waits
        runner.submit(CountingSpec(steps=100000, pause=0.01))
    time.sleep(600)
"""


def test_a_killed_server_leaves_no_process_and_its_runs_go_on_later(runner: Runner) -> None:
    store, before = runner.store, {run.id for run in runner.store.list()}

    def runs() -> list[RunSummary]:
        return [run for run in store.list() if run.id not in before]

    with subprocess.Popen([sys.executable, "-c", SERVER, str(store.root)]) as server:
        wait_until(lambda: sorted(run.status for run in runs()) == ["running", "running", "waiting"])
        family = psutil.Process(server.pid).children(recursive=True)
        server.kill()
    assert len(family) >= 5  # the scheduler, two nannies, two workers
    wait_until(lambda: not any(process.is_running() and process.status() != "zombie" for process in family))
    interrupted = [run for run in runs() if run.status == "interrupted"]
    assert len(interrupted) == 3
    assert all(run.message for run in interrupted)
    assert {run.id for run in interrupted} <= {run.id for run in runner.recover()}
    for run in interrupted:
        runner.resume(run.id)
        wait_for(runner, run.id, "running")
        runner.stop(run.id)
        wait_for(runner, run.id, "stopped")


def test_a_closed_runner_says_so_and_its_runs_can_be_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("softmerge_core.runs.runner.CONNECT", 1)
    store = RunStore(tmp_path / "runs")
    runner = Runner(store, scheduler="tcp://127.0.0.1:1")  # nobody listens there
    run_id = runner.submit(CountingSpec())
    assert store.status(run_id).status == "waiting"
    assert not runner.ready()
    runner.close()
    runner.close()
    assert store.status(run_id).status == "interrupted"
    assert "The workers could not be started" in caplog.text
    assert "Traceback" in caplog.text
    with pytest.raises(RunError, match="closed"):
        runner.resume(run_id)


class Future:
    """What Dask says of an attempt that is done."""

    def __init__(self, error: BaseException | None) -> None:
        self.status = "error" if error else "finished"
        self._error = error

    def exception(self) -> BaseException | None:
        return self._error

    def add_done_callback(self, call: Callable[["Future"], None]) -> None:
        call(self)


class Scheduler:
    """In place of Dask: its first workers die, before an attempt begins or after; the next one does the work."""

    def __init__(self, deaths: int, *, begun: bool = False) -> None:
        self.deaths, self.begun, self.keys = deaths, begun, list[str]()

    def submit(self, _: object, folder: str, attempt: int, *, key: str, **options: Any) -> Future:
        self.keys.append(key)
        if len(self.keys) <= self.deaths:
            if self.begun:
                files.write_json(Path(folder) / files.BEGUN, {"attempt": attempt})
            return Future(KilledWorker(key, SimpleNamespace(address="tls://127.0.0.1:1"), 0))
        conduct(Path(folder), attempt)
        return Future(None)

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("scheduler", "status", "sent"),
    [
        (Scheduler(2), "finished", 3),
        (Scheduler(MOST_DEATHS), "finished", MOST_DEATHS + 1),
        (Scheduler(MOST_DEATHS + 1), "interrupted", MOST_DEATHS + 1),
        (Scheduler(1, begun=True), "interrupted", 1),
    ],
)
def test_a_run_whose_worker_dies_before_it_began_is_begun_by_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: Scheduler, status: str, sent: int
) -> None:
    monkeypatch.setattr(Runner, "_connect", lambda self, *_: setattr(self, "_client", scheduler))
    runner = Runner(RunStore(tmp_path / "runs"))
    run_id = runner.submit(CountingSpec(steps=1))
    wait_for(runner, run_id, "finished", "interrupted")
    runner.close()
    assert runner.store.status(run_id).status == status
    assert len(set(scheduler.keys)) == len(scheduler.keys) == sent
    assert files.read_attempt(runner.store.folder(run_id) / files.QUEUE) == 1
