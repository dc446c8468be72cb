"""A process that begins with torch loaded does and ends as any other does."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is a usual process")


def run(program: str, *arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]


def test_it_has_its_own_arguments_surroundings_and_streams(warm_program: str, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("NAME = 'beside'\n")
    code = "import os, sys; print(input(), sys.argv, os.getcwd(), os.environ['MARK'], 'torch' in sys.modules)"
    done = run(warm_program, "-c", code, "x", input="said", cwd=tmp_path, env={"MARK": "here"})
    assert done.stdout == f"said ['-c', 'x'] {tmp_path} here True\n", done.stderr
    (tmp_path / "script.py").write_text("import beside, sys; sys.exit(beside.NAME + sys.argv[1])")
    done = run(warm_program, str(tmp_path / "script.py"), "!")
    assert (done.returncode, done.stderr) == (1, "beside!\n")
    assert "No module named 'beside'" in run(warm_program, "-I", str(tmp_path / "script.py")).stderr
    assert "No module named 'softmerge_core'" in run(warm_program, "-c", "import softmerge_core", cwd=tmp_path).stderr


ENDS = {"raise SystemExit(3)": 3, "import os; os._exit(4)": 4, "1 / 0": 1, "import os; os.kill(os.getpid(), 9)": -9}


@pytest.mark.parametrize(("code", "ended"), ENDS.items())
def test_it_ends_as_it_would(warm_program: str, code: str, ended: int) -> None:
    done = run(warm_program, "-c", code)
    assert done.returncode == ended
    assert ("ZeroDivisionError: division by zero" in done.stderr) == (ended == 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_whoever_ends_it_ends_the_work(warm_program: str, number: int) -> None:
    code = "import time; print('begun', flush=True); time.sleep(1000)"
    with subprocess.Popen([warm_program, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(number)
        assert process.wait() == -number
        assert process.stdout.read() == "", "its output ends only with the work"


def test_options_that_it_does_not_know_are_for_a_usual_process(warm_program: str) -> None:
    assert run(warm_program, "-V").stdout == f"Python {sys.version.split()[0]}\n"
