"""Sweeps on real workers: every point finishes exactly once, also where a worker is killed on the way."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from softmerge_core.errors import NotFoundError, SettingsError
from softmerge_core.events import Evaluation, Loss, Stage
from softmerge_core.experiments import experiment
from softmerge_core.experiments.merge.spec import MergeSpec, small
from softmerge_core.experiments.sweeping.spec import Axis, Listed, Sweep, expand
from softmerge_core.runs import Runner, RunStore, files
from softmerge_core.runs.labels import read_labels
from softmerge_core.runs.runner import CLOSED
from softmerge_core.runs.sweeps import (
    MOST_TOGETHER,
    create_sweep,
    groups,
    is_point,
    read_sweep,
    sweep_ids,
    sweeps_folder,
)
from softmerge_core.runs.together import conduct_together
from softmerge_core.runs.writer import conduct

ROOT = Path(__file__).parents[2]
LEARNING = Axis(path="settings.learning_rate", range=Listed(listed=(0.02, 0.05, 0.1, 0.2)))


def sweep(*, steps: int = 6, seeds: tuple[int, ...] = (0, 1, 2)) -> Sweep:
    settings = small().settings.model_copy(update={"steps": steps, "granularity": "channel"})
    return Sweep(base=small().model_copy(update={"settings": settings}), axes=(LEARNING,), seeds=seeds)


def wait_until(condition: object, seconds: float = 110) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@contextlib.contextmanager
def process(*command: str) -> Iterator[subprocess.Popen[str]]:
    """A process of Dask's own command line; it is killed at the end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DASK_LOGGING__DISTRIBUTED": "error"}
    with subprocess.Popen([sys.executable, "-m", "dask", *command], env=environment, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def worker(address: str, folder: Path) -> "contextlib.AbstractContextManager[subprocess.Popen[str]]":
    place = ("--local-directory", str(folder))
    return process("worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard", *place)


def test_all_points_finish_each_once_on_a_scheduler_by_address_with_one_worker_killed(tmp_path: Path) -> None:
    store, found = RunStore(tmp_path / "runs"), tmp_path / "scheduler.json"
    options = (
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--dashboard-address",
        "127.0.0.1:0",
        "--scheduler-file",
        str(found),
    )
    with process("scheduler", *options):
        wait_until(lambda: found.exists() and found.read_text().endswith("}"))
        address = json.loads(found.read_text())["address"]
        with worker(address, tmp_path / "one") as first, worker(address, tmp_path / "other"):
            runner = Runner(store, address)
            try:
                wait_until(lambda: runner.ready() and len(runner._client.scheduler_info()["workers"]) == 2)
                kept = runner.submit_sweep(sweep(steps=80))
                assert len(kept.runs) == 12
                wait_until(lambda: len(begun_by(store, kept.runs, first.pid)) == 6)  # half of them, side by side
                half = begun_by(store, kept.runs, first.pid)
                first.kill()
                wait_until(lambda: all(store.status(run_id).status == "finished" for run_id in kept.runs))
                wait_until(lambda: runner._ledger.futures == {})  # a worker is done with a run after its end
            finally:
                runner.close()
    points = expand(kept.sweep)
    for run_id, point in zip(kept.runs, points, strict=True):
        view = store.read(run_id)
        assert view.spec == point.spec
        assert view.status == "finished", view.error
        losses = [event.step for event in view.events if isinstance(event, Loss) and event.series == "soft"]
        assert losses == list(range(1, len(losses) + 1)), "no step is doubled or left out"
        assert len([event for event in view.events if isinstance(event, Stage)]) == 1
        end = files.read_json(store.folder(run_id) / files.END)
        assert end is not None
        assert end["attempt"] == (2 if run_id in half else 1), "begun again only where its worker died"
        assert store.weights(run_id, "merged").is_file()


def begun_by(store: RunStore, runs: tuple[str, ...], pid: int) -> list[str]:
    """The runs that this process has begun, and of which it has written a step."""
    begun = [run_id for run_id in runs if (files.read_json(store.folder(run_id) / files.BEGUN) or {}).get("pid") == pid]
    logs = {run_id: store.folder(run_id) / files.EVENTS for run_id in begun}
    return [run_id for run_id, log in logs.items() if log.exists() and b'"kind":"loss"' in log.read_bytes()]


def test_runs_side_by_side_leave_what_they_leave_alone(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    kept = create_sweep(store, sweep(steps=30, seeds=(0,)))
    conduct_together([(store.folder(run_id), 1) for run_id in kept.runs])
    for run_id, point in zip(kept.runs, expand(kept.sweep), strict=True):
        alone = store.create(point.spec)
        assert conduct(store.folder(alone)) == "finished"
        mine, other = store.read(run_id), store.read(alone)
        assert mine.status == "finished"
        assert [event.model_dump(exclude={"seconds", "least", "most"}).keys() for event in mine.events] == [
            event.model_dump(exclude={"seconds", "least", "most"}).keys()
            for event in other.events
            if event.kind != "boundary" or event.kept  # on the way, only a run that goes alone tells its decisions
        ]
        assert mine.result is not None
        assert other.result is not None
        assert mine.result["together"] == len(kept.runs)
        assert mine.result.keys() - other.result.keys() == {"together"}
        assert mine.result["winner"] == other.result["winner"]
        for name, value in other.result["accuracy"].items():
            assert mine.result["accuracy"][name] == pytest.approx(value, abs=0.02), name
        for one, two in zip(mine.result["gates"]["value"], other.result["gates"]["value"], strict=True):
            assert one == pytest.approx(two, abs=1e-3)
        left = [{path.name for path in (store.folder(name) / files.WEIGHTS).iterdir()} for name in (run_id, alone)]
        assert left[0] == left[1] == {"merged.safetensors", "predictions.safetensors"}


def test_a_point_that_is_stopped_ends_alone_and_one_that_was_ended_is_left_out(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    kept = create_sweep(store, sweep(seeds=(0,)))
    ended, stopped, *others = kept.runs
    files.write_json(store.folder(ended) / files.END, {"status": "stopped", "attempt": 1})
    store.request(stopped, "stop")
    conduct_together([(store.folder(run_id), 1) for run_id in kept.runs])
    assert not (store.folder(ended) / files.BEGUN).exists()
    assert store.status(stopped).status == "stopped"
    assert {store.status(run_id).status for run_id in others} == {"finished"}


def test_an_attempt_after_one_that_went_together_begins_its_log_afresh(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    kept = create_sweep(store, sweep(seeds=(0,)))
    run_id = kept.runs[0]
    conduct_together([(store.folder(run_id), 1) for run_id in kept.runs])
    before = store.read(run_id).events
    assert conduct(store.folder(run_id)) == "finished"
    after = store.read(run_id).events
    kinds = Counter(event.kind for event in before if event.kind != "boundary")
    assert Counter(event.kind for event in after if event.kind != "boundary") == kinds
    assert [e.step for e in after if isinstance(e, Evaluation)] == [e.step for e in before if isinstance(e, Evaluation)]


def test_a_sweep_is_kept_with_its_runs_and_each_run_tells_it(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    first, second = create_sweep(store, sweep(), "me"), create_sweep(store, sweep(seeds=(4,)))
    assert sweep_ids(store) == sorted([first.id, second.id], reverse=True)
    assert read_sweep(store, first.id) == first
    assert set(first.runs).isdisjoint(second.runs)
    for run_id in first.runs:
        assert is_point(store.folder(run_id))
        assert read_labels(store.folder(run_id)).tags == (first.tag,)
        assert store.status(run_id).status == "waiting"
    assert not is_point(store.folder(store.create(small())))
    with pytest.raises(NotFoundError):
        read_sweep(store, "20260101-000000-00000000")
    with pytest.raises(NotFoundError):
        read_sweep(store, "../runs/x")
    path = sweeps_folder(store) / f"{second.id}.json"
    path.write_text(path.read_text().replace("learning_rate", "learning"))
    with pytest.raises(SettingsError, match="learning"):
        read_sweep(store, second.id)


def test_a_sweep_that_cannot_be_run_leaves_no_run(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    wrong = sweep().model_copy(update={"axes": (LEARNING.model_copy(update={"range": Listed(listed=(-1.0,))}),)})
    with pytest.raises(SettingsError, match=r"learning rate .1: .*expected more than 0"):
        create_sweep(store, wrong)
    assert not store.root.exists()
    assert sweep_ids(store) == []


def test_groups_keep_all_workers_busy_and_hold_only_what_is_alike() -> None:
    specs = [point.spec for point in expand(sweep(seeds=tuple(range(15))))]
    found = groups(specs, 2)
    assert sorted(place for places in found for place in places) == list(range(60))
    assert [len(places) for places in found] == [15] * 4
    assert max(map(len, groups(specs * 3, 1))) <= MOST_TOGETHER
    other = experiment("merge").small()
    assert isinstance(other, MergeSpec)
    layer = other.model_copy(update={"settings": other.settings.model_copy(update={"granularity": "layer"})})
    mixed = groups([*specs[:4], layer, experiment("train").small()], 2)
    assert sorted(map(sorted, mixed)) == [[0, 2], [1, 3], [4], [5]]


class Client:
    """In place of Dask: it notes what it is handed, and with which priority."""

    status = "pending"

    def __init__(self) -> None:
        self.handed: list[tuple[int, int]] = []

    def scheduler_info(self) -> dict[str, object]:
        return {"workers": {"one": {}, "two": {}}}

    def submit(self, _: object, work: list[object], *, priority: int, **options: object) -> "Client":
        self.handed.append((len(work), -priority))
        return self

    def add_done_callback(self, call: object) -> None: ...
    def cancel(self) -> None: ...
    def close(self) -> None: ...


def test_a_sweep_lets_others_have_their_turns_between_its_groups(runner: Runner) -> None:
    client = runner._client = Client()
    runner.submit_sweep(sweep(seeds=tuple(range(15))), owner="me")
    single = runner.submit(small(), owner="another")
    assert runner.before(single) == 1
    runner._lane.submit(lambda: None).result()
    assert client.handed == [(15, 1), (15, 16), (15, 31), (15, 46)]
    assert runner._ledger.turn([single]) == 1


def test_a_point_that_waits_is_stopped_without_the_others_of_its_group(runner: Runner) -> None:
    runner._client = Client()
    kept = runner.submit_sweep(sweep(seeds=(0,)))
    runner._lane.submit(lambda: None).result()
    runner.stop(kept.runs[0])
    assert runner.store.status(kept.runs[0]).status == "stopped"
    assert set(runner._ledger.futures) == set(kept.runs[1:])
    runner.resume_sweep(kept)
    runner._lane.submit(lambda: None).result()
    assert set(runner._ledger.futures) == set(kept.runs)


def test_a_closed_runner_tells_of_each_point(runner: Runner) -> None:
    runner.submit_sweep(sweep(seeds=(0,)), owner="me")
    runs = [run.id for run in runner.store.list()]
    runner.close()
    assert {runner.store.status(run_id).message for run_id in runs} == {CLOSED}
