"""Processes of Python that begin with torch loaded, so that a test's child takes a tenth of a second instead of three.

One process of a test session loads packages of others, none of this project, and waits (``waiting.py``). In the place
of ``sys.executable`` stands a small program (``asking.py``), which has the waiting process forked, hands it its
arguments, its surroundings and its three streams, and ends as the fork ends. Whatever a test wants to know of how a
process starts, of what it loads or of what it may use needs a true one, as any test has it without ``warm_python``.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent


@contextmanager
def warm() -> Iterator[str]:
    """Give the path of a program that does as Python does, as long as the context is open."""
    if sys.platform != "linux":  # elsewhere a process that has loaded so much is not safely forked
        yield sys.executable
        return
    folder = Path(tempfile.mkdtemp(prefix="warm-"))  # a short path, as a socket wants it
    place, program = folder / "socket", folder / "python"
    asking = (HERE / "asking.py").read_text(encoding="utf-8")
    program.write_text(f"#!{sys.executable} -SE\nPLACE, PYTHON = {str(place)!r}, {sys.executable!r}\n{asking}")
    program.chmod(0o700)
    command = [sys.executable, str(HERE / "waiting.py"), str(place)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n", "the waiting process has not come to wait"
        yield str(program)
    finally:
        process.communicate()  # it ends as its input does
        shutil.rmtree(folder)
