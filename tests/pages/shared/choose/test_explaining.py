"""What a process tells of a run is asked for once; a failure is told, and tried again the next time."""

import time
from typing import Any

import pytest

from pages.shared.choose import explaining
from pages.shared.choose.explaining import explained
from softmerge_core.errors import CheckpointError, RunError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    calls: list[tuple[str, ...]] = []

    def answer(*arguments: str, failure: str) -> dict[str, Any]:
        calls.append(arguments)
        time.sleep(0.05)
        if "broken" in arguments:
            raise CheckpointError(failure)
        around = "a" if "--part=a" in arguments else "b"
        return {"names": ["a", "b"], "parts": {around: {}}}

    monkeypatch.setattr(explaining, "engine_command", answer)
    monkeypatch.setattr(explaining, "_ASKED", type(explaining._ASKED)())
    monkeypatch.setattr(explaining, "LOOK", 0.01)
    return calls


def test_the_same_is_asked_once_and_the_reader_is_told_meanwhile(asked: list[tuple[str, ...]]) -> None:
    told: list[int] = []
    for _ in range(2):
        assert explained("run", "--step", "3", part="b", waiting=lambda: told.append(1))["parts"] == {"b": {}}
    assert asked == [("explain", "run", "--step", "3")]
    assert told


def test_a_part_that_was_not_told_is_asked_for_by_its_name(asked: list[tuple[str, ...]]) -> None:
    assert explained("run", part="a", waiting=lambda: None)["parts"] == {"a": {}}
    assert explained("run", part="no such part", waiting=lambda: None)["parts"] == {"b": {}}
    assert asked == [("explain", "run"), ("explain", "run", "--part=a")]


def test_a_failure_is_told_and_tried_again(asked: list[tuple[str, ...]]) -> None:
    for _ in range(2):
        with pytest.raises(RunError, match="could not be gone through again"):
            explained("broken", part="", waiting=lambda: None)
    assert len(asked) == 2


def test_only_so_many_answers_are_kept(asked: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explaining, "KEPT", 2)
    for number in ("1", "2", "3", "1"):
        explained(number, part="b", waiting=lambda: None)
    assert [call[1] for call in asked] == ["1", "2", "3", "1"]
