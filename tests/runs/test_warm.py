"""The warm-up of a process: it gets everything ready, and says what it could not."""

import logging

import pytest
import torch

from softmerge_core.runs import warm


def test_everything_a_warm_up_does_works(caplog: pytest.LogCaptureFixture) -> None:
    warm.warm_up()
    assert torch.get_num_threads() == 1
    assert caplog.records == []


def test_a_step_that_fails_is_logged_with_its_traceback_and_the_others_are_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done = []

    def broken() -> None:
        raise ModuleNotFoundError("No module named 'mnist2d'")

    monkeypatch.setattr(warm, "STEPS", (broken, lambda: done.append("after")))
    warm.dask_setup(object())
    assert done == ["after"]
    assert [(record.name, record.levelno) for record in caplog.records] == [(warm.__name__, logging.WARNING)]
    assert "failed in broken" in caplog.text
    assert "ModuleNotFoundError: No module named 'mnist2d'" in caplog.text
