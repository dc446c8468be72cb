"""The damage is the same for the same seed, and the watch sees what it forbids."""

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mutations import CANARY, Reader, Watch, mutated, outcome

WHOLE = bytes(range(256)) * 4
TYPED = ValueError


def parse(path: Path) -> None:
    """A good reader: it refuses what is not whole."""
    if path.read_bytes() != WHOLE:
        raise ValueError(f"{path.name}: not what was written")


def run_it(path: Path) -> None:
    """A reader that does what a file says."""
    pickle.loads(pickle.dumps(Command(path.parent / CANARY)))


class Command:
    """Pickled, it runs a command."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.path}",)


def leave_traces(path: Path) -> None:
    """A reader that leaves a file elsewhere."""
    (path.parent.parent / "trace").write_text("I was here")


def samples(folder: Path) -> Iterator[tuple[str, bytes, Reader]]:
    """One good reader and two bad ones."""
    yield "good", WHOLE, parse
    yield "evil", WHOLE, run_it
    yield "untidy", WHOLE, leave_traces


def test_damage_is_the_same_for_the_same_seed_and_rarely_none() -> None:
    made = [mutated(WHOLE, (7, number), [b"other"]) for number in range(300)]
    assert made == [mutated(WHOLE, (7, number), [b"other"]) for number in range(300)]
    assert len(set(made)) > 280
    assert sum(content == WHOLE for content in made) < 10
    assert mutated(b"", 1) is not None


def test_bad_readers_are_told_and_a_good_one_is_not() -> None:
    told = outcome("tests.test_mutations", count=60)
    assert (told["read"], told["refused"] > 15) == (0, True)
    assert {failure.split(",")[0] for failure in told["failures"]} == {"evil", "untidy"}
    assert len(told["failures"]) == 40
    assert all("os.system" in failure or "trace" in failure for failure in told["failures"])


@pytest.mark.parametrize("deed", ["start", "system", "connect", "write", "create", "remove", "rename"])
def test_the_watch_forbids(tmp_path: Path, deed: str) -> None:
    watch = Watch(tmp_path / "scratch")
    event, arguments = {
        "start": ("subprocess.Popen", ("sh", ["sh"], None, None)),
        "system": ("os.system", (b"id",)),
        "connect": ("socket.connect", (None, ("127.0.0.1", 1))),
        "write": ("open", (str(tmp_path / "elsewhere"), "w", os.O_WRONLY)),
        "create": ("open", (str(tmp_path / "elsewhere"), None, os.O_RDWR | os.O_CREAT)),
        "remove": ("os.remove", (tmp_path / "elsewhere", -1)),
        "rename": ("os.rename", (str(tmp_path / "scratch" / "a"), str(tmp_path / "b"), -1, -1)),
    }[deed]
    assert watch.forbids(event, arguments)
    assert not watch.forbids("open", (str(tmp_path / "elsewhere"), "r", os.O_RDONLY))
    assert not watch.forbids("open", (str(tmp_path / "scratch" / "a"), "w", os.O_WRONLY))
    assert not watch.forbids("open", (3, "w", os.O_WRONLY))


DEEDS = """
import os, socket, subprocess, sys
from pathlib import Path
from tests.mutations import ForbiddenError, watched
watch = watched(Path(sys.argv[1]))
watch.on = True
for deed in (
    lambda: subprocess.run(["true"]), lambda: os.system("true"), lambda: os.posix_spawn("/bin/true", ["true"], {}),
    os.fork, lambda: os.execv("/bin/true", ["true"]), lambda: socket.create_connection(("127.0.0.1", 9)),
    lambda: socket.socket().bind(("127.0.0.1", 0)), lambda: open("/tmp/never-written", "a"),
    lambda: os.open("/tmp/never-written", os.O_CREAT | os.O_RDWR), lambda: os.remove("/tmp/never-written"),
):
    try:
        deed()
    except ForbiddenError:
        print("stopped")
"""


def test_pythons_own_events_are_those_that_the_watch_knows(tmp_path: Path) -> None:
    """In a process that a hook watches, for it stays for good."""
    command = [sys.executable, "-c", DEEDS, str(tmp_path)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["stopped"] * 10, done.stderr
