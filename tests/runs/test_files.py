"""What names a process must hold whatever happens to the machine's clock."""

import subprocess
import sys

import psutil
import pytest

from softmerge_core.runs.files import is_alive, process_runs, this_process


def test_this_process_runs() -> None:
    assert is_alive(this_process())


def test_a_process_outlives_a_change_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    me = this_process()
    born = psutil.Process().create_time()
    # As on Linux after the clock was set forward by an hour.
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: born + 3600)
    if sys.platform == "linux":
        assert is_alive(me)


def test_a_process_that_ended_does_not_run_nor_one_that_was_given_its_number() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        mine = this_process()["started"]
        assert not process_runs(child.pid, mine)  # the number is in use, but by a process that started later
        assert not process_runs(child.pid, 1_700_000_000.25)  # as written by earlier versions
        child.communicate(b"\n")
    assert not process_runs(child.pid, mine)


@pytest.mark.parametrize("pid", [None, "", "x", -1, 2**80])
def test_what_is_no_number_of_a_process_does_not_run(pid: object) -> None:
    assert not process_runs(pid, this_process()["started"])


def test_a_process_of_another_machine_is_believed_to_run() -> None:
    assert is_alive({**this_process(), "host": "elsewhere", "pid": -1})
