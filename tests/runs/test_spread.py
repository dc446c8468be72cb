"""Tasks of one run, spread over worker processes."""

import os
import time
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from softmerge_core.errors import TrainingError
from softmerge_core.events import Progress
from softmerge_core.experiments import experiments
from softmerge_core.experiments.base import Context, Experiment, Spec
from softmerge_core.runs import Runner, RunStore, spread
from softmerge_core.runs.writer import in_turn


class SquaresSpec(Spec):
    """Squares of 0 to ``count`` - 1, ``rounds`` times; each takes ``pause`` s, and the one at ``fails`` is refused."""

    kind: Literal["squares"] = "squares"
    count: int = 6
    pause: float = 0.0
    fails: int = -1
    rounds: int = 1


def square(task: tuple[int, float, int]) -> tuple[int, int]:
    number, pause, fails = task
    time.sleep(pause)
    if number == fails:
        raise TrainingError(f"number {number} is refused")
    return number * number, os.getpid()


def run(spec: SquaresSpec, context: Context) -> dict[str, Any]:
    tasks = [(number, spec.pause, spec.fails) for number in range(spec.count)]
    found, processes = {}, set()
    for number in range(spec.rounds):
        for position, (value, process) in context.parallel(square, tasks):
            found[number * spec.count + position] = value
            processes.add(process)
            context.emit(Progress(step=len(found), total=spec.rounds * spec.count))
    return {"squares": [found[key] for key in sorted(found)], "processes": len(processes)}


experiments()["squares"] = Experiment(
    "squares", "Squares", SquaresSpec, __name__, lambda spec: None, SquaresSpec, SquaresSpec
)


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    runner = Runner(RunStore(tmp_path_factory.mktemp("spread") / "runs"), preload=("tests.runs.test_spread",))
    yield runner
    runner.close()


def ended(runner: Runner, run_id: str, seconds: float = 110) -> str:
    deadline = time.monotonic() + seconds
    while (status := runner.store.status(run_id).status) in ("waiting", "running"):
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)
    return status


def test_in_turn_gives_every_result_and_ends_when_asked() -> None:
    assert list(in_turn(abs, [-1, -2], lambda: False)) == [(0, 1), (1, 2)]
    assert list(in_turn(abs, [-1, -2], lambda: True)) == []


def test_tasks_are_done_by_more_than_one_process(runner: Runner) -> None:
    while not runner.ready() or len(runner._client.scheduler_info()["workers"]) < 2:
        time.sleep(0.05)
    run_id = runner.submit(SquaresSpec(count=6, pause=0.3))
    assert ended(runner, run_id) == "finished"
    result = runner.store.read(run_id).result
    assert result is not None
    assert result["squares"] == [0, 1, 4, 9, 16, 25]
    assert result["processes"] == 2


def test_a_task_that_is_refused_fails_the_run_with_its_words(runner: Runner) -> None:
    run_id = runner.submit(SquaresSpec(fails=2))
    assert ended(runner, run_id) == "failed"
    assert runner.store.read(run_id).error == "number 2 is refused"


def test_a_run_may_spread_tasks_again_and_again(runner: Runner) -> None:
    run_id = runner.submit(SquaresSpec(count=3, rounds=4))
    assert ended(runner, run_id) == "finished"
    result = runner.store.read(run_id).result
    assert result is not None
    assert result["squares"] == [0, 1, 4] * 4


def test_stop_ends_the_run_without_the_tasks_that_are_left(runner: Runner) -> None:
    run_id = runner.submit(SquaresSpec(count=200, pause=0.1))
    while len(runner.store.read(run_id).events) < 2:
        time.sleep(0.02)
    runner.stop(run_id)
    assert ended(runner, run_id, 10) == "stopped"
    result = runner.store.read(run_id).result
    assert result is not None
    assert 1 < len(result["squares"]) < 200


def test_as_many_runs_as_workers_with_tasks_of_their_own_do_not_block_each_other(runner: Runner) -> None:
    runs = [runner.submit(SquaresSpec(count=5, pause=0.05)) for _ in range(4)]
    assert [ended(runner, run_id) for run_id in runs] == ["finished"] * 4


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_client_that_missed_its_greeting_is_closed_and_made_again(
    failures: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, closed = list[int](), list[int]()

    class Half:
        def close(self, timeout: float) -> None:
            closed.append(len(made))
            raise RuntimeError("was never connected")

    def get_client() -> str:
        made.append(1)
        assert len(made) > failures
        return "client"

    monkeypatch.setattr(spread, "get_client", get_client)
    monkeypatch.setattr(spread, "default_client", Half)
    assert spread._connected() == "client"
    assert closed == list(range(1, failures + 1))


def test_a_client_that_misses_it_again_and_again_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def get_client() -> None:
        raise AssertionError

    monkeypatch.setattr(spread, "get_client", get_client)
    with pytest.raises(AssertionError):
        spread._connected()
