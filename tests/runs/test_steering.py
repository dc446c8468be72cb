"""New settings for a paused run: taken down for its worker, or refused in words before anything is written."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from softmerge_core.errors import RunError, SettingsError
from softmerge_core.experiments import Spec
from softmerge_core.experiments.merge.spec import small
from softmerge_core.runs import Runner, files
from softmerge_core.runs.writer import RunWriter
from tests.runs.counting import CountingSpec


@contextmanager
def paused(runner: Runner, spec: Spec) -> Iterator[str]:
    """A run that is paused."""
    run_id = runner.store.create(spec)
    with RunWriter(runner.store.folder(run_id)):
        (runner.store.folder(run_id) / files.PAUSED).touch()
        yield run_id


def test_the_request_to_go_on_brings_the_change(runner: Runner) -> None:
    with paused(runner, small()) as run_id:
        with pytest.raises(SettingsError, match="Penalty: expected at most 10, got 11"):
            runner.resume(run_id, change={"penalty": 11})
        runner.store.request(run_id, "pause")
        runner.resume(run_id, change={"penalty": 1, "temperature": None})
        asked = files.read_json(runner.store.folder(run_id) / files.REQUEST)
        assert asked == {"request": "resume", "change": {"penalty": 1.0}}
        runner.resume(run_id)
        assert files.read_json(runner.store.folder(run_id) / files.REQUEST) == {"request": "resume"}


def test_only_paused_runs_of_kinds_that_allow_it_take_new_settings(runner: Runner) -> None:
    run_id = runner.store.create(small())
    with pytest.raises(RunError, match="is waiting: only a paused run"):
        runner.resume(run_id, change={"penalty": 1})
    with paused(runner, CountingSpec()) as other, pytest.raises(RunError, match="cannot be changed on the way"):
        runner.resume(other, change={"seed": 1})


def test_a_change_holds_from_a_step_that_was_not_told_of_before(runner: Runner) -> None:
    run_id = runner.store.create(CountingSpec())
    with RunWriter(runner.store.folder(run_id)) as writer:
        assert writer.take_change(3) is None
        writer._change, writer._told = {"penalty": 1.0}, 7  # an earlier attempt came so far
        assert writer.take_change(3) == (7, {"penalty": 1.0})
        assert writer.take_change(4) is None  # once
