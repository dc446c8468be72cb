"""A weights file whose reading ends the process that reads it: the caller lives, names the file, and goes on."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from softmerge_core import cli_zoo
from softmerge_core.checkpoints.files import save_checkpoint
from softmerge_core.errors import CheckpointError
from softmerge_core.networks import build_network
from softmerge_core.zoo import Asked, FileAsked, intake, library, take_in

fcntl = pytest.importorskip("fcntl")
pytestmark = [
    pytest.mark.timeout(600),  # torch, on a busy machine
    pytest.mark.usefixtures("warm_python"),
    pytest.mark.skipif(not hasattr(fcntl, "F_SETLEASE"), reason="only Linux tells that a file is being opened"),
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two files that fit; the first is the one at which its reader is to die."""
    paths = tmp_path / "deadly.safetensors", tmp_path / "good.safetensors"
    for seed, path in enumerate(paths):
        save_checkpoint(build_network("mlp", (2,), 2, seed), path)
    return paths


@pytest.fixture
def deadly(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """SIGKILL comes to the process that opens the first file, as from a system without memory.

    A lease on the file keeps whoever opens it waiting, and says that somebody does: so it is dead before it has read
    anything, however fast or slow this machine is. Yields how the processes ended, by their order.
    """
    started, ended = [], list[int]()
    start = intake._start

    def starting() -> object:
        started.append(process := start())
        return process

    monkeypatch.setattr(intake, "_start", starting)
    monkeypatch.setattr(intake, "_WAITING", [])
    over = threading.Event()
    with files[0].open("rb") as held:
        fcntl.fcntl(held, fcntl.F_SETSIG, signal.SIGURG)  # which is ignored; the usual one would end the tests
        fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)

        def watch() -> None:
            while not over.is_set():
                if fcntl.fcntl(held, fcntl.F_GETLEASE) != fcntl.F_WRLCK:
                    started[-1].kill()
                    ended.append(started[-1].wait())
                    fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_UNLCK)
                    return
                time.sleep(0.01)

        watcher = threading.Thread(target=watch)
        watcher.start()
        yield ended
        over.set()
        watcher.join()


def test_the_file_is_named_and_those_after_it_are_read(files: tuple[Path, Path], deadly: list[int]) -> None:
    asked = Asked(files=tuple(FileAsked(path=path, title=path.name) for path in files), dataset="moons")
    lost, good = take_in(asked)
    assert deadly == [-signal.SIGKILL]
    assert lost.file == "deadly.safetensors"
    assert not lost.fits
    assert lost.problem.startswith("takes more than ")
    assert lost.problem.endswith(" to read, which is not allowed")
    assert (good.file, good.fits, good.network) == ("good.safetensors", True, "mlp")
    again, _ = take_in(asked)  # nobody kills its reader now: it was nothing in the file
    assert again.fits


def test_a_command_ends_with_a_typed_error_that_names_the_file(files: tuple[Path, Path], deadly: list[int]) -> None:
    with pytest.raises(
        CheckpointError, match=r"^deadly\.safetensors: takes more than .* to read, which is not allowed"
    ):
        cli_zoo.zoo_add([str(files[0])], "", "moons", "", "")
    assert deadly == [-signal.SIGKILL]
    assert not library()
