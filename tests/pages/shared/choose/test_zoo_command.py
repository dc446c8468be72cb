"""What a page does in a process of its own: its answer, its refusals, and what happens when it breaks."""

import subprocess
import sys
from typing import Any

import pytest

from pages.shared.choose import zoo_command as module
from pages.shared.choose.zoo_command import zoo_command
from softmerge_core.errors import CheckpointError, RunError
from softmerge_core.zoo import families


def test_the_object_that_the_command_prints_comes_back() -> None:
    assert [family["name"] for family in zoo_command("list", "--json", failure="none")] == list(families())


@pytest.mark.usefixtures("warm_python")
def test_a_refusal_keeps_its_words() -> None:
    with pytest.raises(CheckpointError, match=r"^unknown model 'nothing/x'"):
        zoo_command("poison", "nothing/x", "--attack=nan", failure="it broke")


@pytest.mark.parametrize(
    "code",
    [
        "raise SystemExit('error: unexpected KeyError: x')",
        "import os; os.abort()",
        "print('no JSON')",
        "import time; time.sleep(60)",
    ],
)
def test_a_command_that_breaks_is_told_in_the_words_of_the_page(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    run = subprocess.run

    def broken(command: list[str], **options: Any) -> Any:
        return run([sys.executable, "-c", code], **{**options, "timeout": 2})

    monkeypatch.setattr(module.subprocess, "run", broken)
    with pytest.raises(CheckpointError, match=r"^it broke$"):
        zoo_command("list", failure="it broke")


def test_an_argument_that_no_program_takes_is_no_crash() -> None:
    with pytest.raises(CheckpointError, match=r"^it broke$"):
        zoo_command("add", "a\0b", failure="it broke")


def test_two_at_a_time_for_all_sessions_and_the_third_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    with module.one_of_few(), module.one_of_few(), pytest.raises(RunError, match=r"busy .*try again"):
        zoo_command("list", failure="it broke")
    with pytest.raises(ZeroDivisionError), module.one_of_few():
        _ = 1 / 0
    with module.one_of_few(), module.one_of_few():
        pass
