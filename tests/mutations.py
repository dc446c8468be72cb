"""Damage to bytes that a seed tells, and a watch over the process that reads them.

``mutated`` makes the damage. ``Watch`` forbids what no reader of files has to do: start a process, open a connection,
or write outside a folder. Python's audit hooks cannot be taken away again, so a harness runs in a process of its own
(``outcome``, or ``python -m tests.mutations HARNESS COUNT SEED``). ``HARNESS`` is a module with ``samples(folder)``,
which yields (name, whole file, reader of such a file), and with ``TYPED``, the errors that a reader may raise.
"""

import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

COUNT = int(os.environ.get("SOFTMERGE_MUTATIONS", "600"))  # of each harness; `make fuzz` asks for more
SEED = int(os.environ.get("SOFTMERGE_MUTATION_SEED", "0"))
SECONDS = 2.0  # of processor time, which a file may take
SIZES = (0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
CANARY = "canary"
FORBIDDEN = (
    *("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "pty.spawn"),
    *("os.startfile", "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "socket.sendmsg"),
    *("urllib.Request", "http.client.connect", "ftplib.connect", "webbrowser.open", "code.__new__", "os.kill"),
    *("os.chmod", "os.chown", "os.link", "os.symlink", "os.putenv", "shutil.chown"),
)
# event -> (place of a path among its arguments, place of the open folder that it is in), for each path
CHANGING = {
    "os.remove": [(0, 1)], "os.rmdir": [(0, 1)], "os.mkdir": [(0, 2)], "os.rename": [(0, 2), (1, 3)],
    "os.truncate": [(0, 9)], "shutil.rmtree": [(0, 1)],
}  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
Reader = Callable[[Path], object]
Sample = tuple[str, bytes, Reader]  # name, whole file, its reader


def mutated(content: bytes, seed: object, others: Sequence[bytes] = ()) -> bytes:
    """Return ``content`` with one to four kinds of damage; ``seed`` (of any type) and the arguments tell which.

    Bits flip, bytes change, the end or a block is lost, a block stands twice, a length or a small number becomes an
    extreme one, or a piece of one of ``others`` takes the place of a piece.
    """
    draw = random.Random(repr(seed))
    made = bytearray(content)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 4))):
        damage = draw.choice(DAMAGES)
        damage(made, draw, others)
    return bytes(made)


def _place(made: bytearray, draw: random.Random) -> int:
    """Return a place; most headers are at the beginning or at the end, and are what a reader believes."""
    size = max(1, len(made))
    part = draw.random()
    if part < 0.4:
        return draw.randrange(min(size, 256))
    return size - 1 - draw.randrange(min(size, 256)) if part < 0.6 else draw.randrange(size)


def _flip(made: bytearray, draw: random.Random, others: Sequence[bytes]) -> None:
    for _ in range(draw.choice((1, 1, 2, 8))):
        if made:
            made[_place(made, draw)] ^= 1 << draw.randrange(8)


def _set(made: bytearray, draw: random.Random, others: Sequence[bytes]) -> None:
    at = _place(made, draw)
    made[at : at + 1] = bytes([draw.choice((0, 1, 0x20, 0x2C, 0x2E, 0x2F, 0x7F, 0x80, 0xFF, draw.randrange(256)))])


def _truncate(made: bytearray, draw: random.Random, others: Sequence[bytes]) -> None:
    del made[_place(made, draw) :]


def _lose(made: bytearray, draw: random.Random, others: Sequence[bytes]) -> None:
    at = _place(made, draw)
    del made[at : at + draw.choice((1, 2, 4, 16, 64))]


def _repeat(made: bytearray, draw: random.Random, others: Sequence[bytes]) -> None:
    at = _place(made, draw)
    block = made[at : at + draw.choice((1, 4, 16, 64, 512))]
    made[at:at] = block * draw.choice((1, 1, 2, 16))


def _length(made: bytearray, draw: random.Random, others: Sequence[bytes]) -> None:
    """Put an extreme number where a length may stand, in 1 to 8 bytes of either order."""
    width, at = draw.choice((1, 2, 4, 4, 8)), _place(made, draw)
    number = draw.choice((*SIZES, draw.getrandbits(8 * width))) % 256**width
    made[at : at + width] = number.to_bytes(width, draw.choice(("little", "big")))


def _splice(made: bytearray, draw: random.Random, others: Sequence[bytes]) -> None:
    other = draw.choice(others) if others else bytes(made)
    start = draw.randrange(max(1, len(other)))
    at = _place(made, draw)
    block = other[start : start + draw.choice((1, 8, 64, 512))]
    made[at : at + (len(block) if draw.random() < 0.5 else 0)] = block


DAMAGES = (_flip, _set, _truncate, _lose, _repeat, _length, _length, _splice)


class ForbiddenError(BaseException):
    """What is read had something done that no reader does; no ``except Exception`` hides it."""


class Watch:
    """The audit hook: what it saw that is forbidden, while it is ``on``."""

    def __init__(self, folder: Path) -> None:
        self.folder = os.path.realpath(folder)
        self.on = False
        self.seen: list[str] = []

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note and stop what is forbidden. (Called by Python at every audited event.)"""
        if self.on and self.forbids(event, arguments):
            self.seen.append(f"{event} {arguments!r}"[:300])
            raise ForbiddenError(self.seen[-1])

    def forbids(self, event: str, arguments: tuple[Any, ...]) -> bool:
        """Whether an audited event is one that no reader of files brings about."""
        if event in FORBIDDEN:
            return True
        if event == "open":
            return self._writes(arguments) and self._outside(arguments[0])
        return any(self._outside(arguments[path], *arguments[at : at + 1]) for path, at in CHANGING.get(event, ()))

    def _writes(self, arguments: tuple[Any, ...]) -> bool:
        _, mode, flags = arguments
        return bool(set("wax+") & set(mode)) if isinstance(mode, str) else bool(flags & WRITING)

    def _outside(self, path: Any, within: Any = -1) -> bool:
        if isinstance(path, int):  # a file that is open already
            return False
        base = f"/proc/self/fd/{within}" if isinstance(within, int) and within >= 0 else "."
        place = os.path.realpath(os.path.join(base, os.fsdecode(path)))
        return place != os.devnull and os.path.commonpath([place, self.folder]) != self.folder


def watched(folder: Path) -> Watch:
    """Return a watch that is off, and is in this process for good; while it is on only ``folder`` is written."""
    watch = Watch(folder)
    sys.addaudithook(watch)
    return watch


def run(
    samples: Iterable[tuple[str, bytes, Reader]], typed: Any, count: int, seed: int, folder: Path
) -> dict[str, Any]:
    """Read ``count`` mutated files under a watch, each by the reader of its kind, and return what came of it.

    "read", "refused": numbers of files; "failures": what raised another error than ``typed``, took too long or did what
    is forbidden, each with the seed that makes the file again; "slowest": in seconds of processing; "peak": in bytes.
    """
    whole = list(samples)
    watch, others = watched(folder), [content for _, content, _ in whole]
    told: dict[str, Any] = {"read": 0, "refused": 0, "failures": [], "slowest": 0.0}
    for number in range(count):
        name, content, read = whole[number % len(whole)]
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(mutated(content, (seed, number), others))
        begun = time.process_time()
        end, trouble = _attempt(watch, read, path, typed)
        seconds = time.process_time() - begun
        trouble = trouble or (f"took {seconds:.1f} s" if seconds > SECONDS else "")
        told["slowest"] = max(told["slowest"], round(seconds, 3))
        told[end] = told.get(end, 0) + 1
        if trouble:
            told["failures"].append(f"{name}, seed ({seed}, {number}): {trouble}"[:600])
        if (folder / CANARY).exists():
            told["failures"].append(f"{name}, seed ({seed}, {number}): the canary is there, code in a file was run")
            (folder / CANARY).unlink()
    return {**told, "peak": _peak()}


def _attempt(watch: Watch, read: Reader, path: Path, typed: Any) -> tuple[str, str]:
    """Return how the reading of a file ended, and what is wrong with that or ""."""
    watch.on, end, trouble = True, "read", ""
    try:
        read(path)
    except typed as error:
        said, end = str(error), "refused"
        trouble = "" if 10 < len(said) < 1000 and said.isprintable() else f"says {said[:200]!r}"
    except BaseException as error:
        end, trouble = "broken", f"{type(error).__name__}: {error}"
    finally:
        watch.on = False
    return end, f"did {watch.seen.pop()}" if watch.seen else trouble


def _peak() -> int:
    """Return the most bytes that this process ever held, or 0 where the system does not say."""
    try:
        import resource
    except ImportError:
        return 0
    status = Path("/proc/self/status")
    if status.is_file():  # where the peak of the process that started this one would count as well
        (peak,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return 1024 * int(peak.split()[1])
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)


def outcome(harness: str, count: int = COUNT, seed: int = SEED) -> dict[str, Any]:
    """Return what ``run`` tells of a harness (the name of a module) in a process of its own; raises where that died."""
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.mutations", harness, str(count), str(seed)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"the process that reads mutated files died ({done.returncode}): {done.stderr[-3000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def main() -> None:
    """Run the harness that the arguments name, and print what came of it as one JSON object."""
    name, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        harness = importlib.import_module(name)
        print(json.dumps(run(harness.samples(folder), harness.TYPED, count, seed, folder)))


if __name__ == "__main__":
    main()
