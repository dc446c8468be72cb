"""A device that no worker has is told before a run is made, or else before its work begins."""

from typing import Any

import pytest

from softmerge_core.checks import devices
from softmerge_core.errors import SettingsError
from softmerge_core.experiments.merge.run import run
from softmerge_core.experiments.merge.spec import MergeSpec, small
from softmerge_core.runs import Runner
from softmerge_core.runs.writer import RunWriter, conduct

ABSENT = next(name for name in ("cuda:7", "xpu:7") if name not in devices())


def on(device: str) -> MergeSpec:
    """A small merge on this device."""
    spec = small()
    return spec.model_copy(update={"settings": spec.settings.model_copy(update={"device": device})})


def test_a_device_that_no_worker_has_starts_no_run(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "_devices", ("cpu", "cuda:0"))
    with pytest.raises(SettingsError, match=r"^device: expected one that is there \(auto, cpu, cuda:0\), got 'cuda:7'"):
        runner.submit(on("cuda:7"))
    assert runner.store.list() == []
    for device in ("auto", "cpu", "cpu:0", "cuda", "cuda:0"):
        runner.submit(on(device))
    assert len(runner.store.list()) == 5
    with pytest.raises(SettingsError, match="got 'mps:0'"):
        runner.submit(on("mps:0"))


def test_until_the_workers_have_told_the_run_tells(runner: Runner) -> None:
    run_id = runner.submit(on(ABSENT))
    assert conduct(runner.store.folder(run_id)) == "failed"
    error = runner.store.read(run_id).error
    assert error is not None
    assert error.startswith("device: expected one that is there (auto, cpu")


def test_an_absent_device_is_told_before_anything_is_loaded(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(_: Any) -> None:
        pytest.fail("it began")

    monkeypatch.setattr("softmerge_core.experiments.merge.run.load_data", load)
    folder = runner.store.folder(runner.store.create(on(ABSENT)))
    with RunWriter(folder) as writer, pytest.raises(SettingsError, match=f"got '{ABSENT}'"):
        run(on(ABSENT), writer)
