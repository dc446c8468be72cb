"""Networks that a reader registers: in a notebook, or in a file of Python that is named when the app is started.

The file, ``$SOFTMERGE_NETWORKS``, is the reader's own program: every process that builds networks runs it, once, and
takes no other from anywhere. The server asks a process for what it registers, and loads no torch.
"""

import contextlib
import hashlib
import importlib.util
import json
import logging
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softmerge_core.errors import DataError, SettingsError, SoftMergeError, short
from softmerge_core.networks.base import KIND_OF_RANK, Network
from softmerge_core.registry import add, declared

if TYPE_CHECKING:
    from torch import nn

FILE = "SOFTMERGE_NETWORKS"
MODULE = "softmerge_registered_networks"  # as what the file is imported
PATIENCE = 120  # seconds in which the file must have registered its networks
ROOT = Path(__file__).parents[2]
Build = Callable[[tuple[int, ...], int], "nn.Module"]

logger = logging.getLogger(__name__)
_ONE = threading.RLock()
_FOUND: dict[str, Network] = {}
_MODE = {"asks": False, "runs": False}  # whether this process asks another one; whether it is running the file


def register_network(name: str, build: Build, *, title: str = "", takes: "str | Mapping[str, int]") -> None:
    """Make a network known by ``name`` (small letters, digits and _), wherever networks are chosen, told or built.

    ``build(input_shape, classes)`` returns a new ``torch.nn.Module`` that gives logits [N, classes] of inputs
    [N, *input_shape], its weights drawn from the current random state. ``takes``: the kind of its inputs ("vector" [F],
    "sequence" [channels, L] or "image" [channels, H, W]), or for each kind the smallest size of its axes but the
    channels. Raises SettingsError. Registered outside the file of ``$SOFTMERGE_NETWORKS``, a name replaces its earlier
    one, and is known in this process only.
    """
    caller = sys._getframe(1)
    where = f"{Path(caller.f_code.co_filename).name}, line {caller.f_lineno}"
    if not callable(build):
        raise SettingsError(f"network {short(name)!r}: expected a function that builds it, got {type(build).__name__}")
    file = caller.f_code.co_filename
    own = _Own(str(name), where, file, build)
    made = Network(name, str(title or name), _takes(name, takes), own, where, _hash_of(file))
    taken = {key: module for key, (module, _) in declared(__package__ or "", "NETWORK").items()}
    if _MODE["runs"]:
        taken |= {key: network.where for key, network in _FOUND.items()}
    try:
        add(dict.fromkeys(taken), str(name), made, f"network {short(name)!r}", taken)
    except SoftMergeError as error:
        raise SettingsError(str(error)) from error
    _FOUND[made.name] = made


def registered() -> dict[str, Network]:
    """The registered networks by name. The first call runs the file, or in a server asks a process that does."""
    path = "" if _MODE["runs"] else os.environ.get(FILE)  # the file itself may ask
    if path and _MODE["asks"]:
        return {**_told(path)[0], **_FOUND}
    if path:
        _run(path)
    return dict(_FOUND)


def problems() -> tuple[str, ...]:
    """What is wrong with the file, each with its name and line; nothing where none is named."""
    path = os.environ.get(FILE)
    if not path or _MODE["runs"]:
        return ()
    return _told(path)[1] if _MODE["asks"] else _run(path)


def ask_another_process() -> None:
    """Let this process, a server, run no file of networks, for that loads torch; another one tells what it has."""
    _MODE["asks"] = True


def check_outputs(network: Network, module: "nn.Module", input_shape: tuple[int, ...], classes: int) -> None:
    """Raise DataError unless a registered network gives logits [N, classes] of such inputs."""
    import torch

    try:
        with torch.no_grad():
            given = module.eval()(torch.zeros(2, *input_shape))
    except Exception as error:
        raise DataError(
            f"network {network.name!r} ({network.where}) cannot read inputs of shape {tuple(input_shape)}: "
            f"{type(error).__name__}: {short(error, 200)}"
        ) from error
    module.train()
    if tuple(getattr(given, "shape", ())) != (2, classes):
        got = tuple(getattr(given, "shape", ())) or type(given).__name__
        raise DataError(f"network {network.name!r} ({network.where}): expected logits {(2, classes)}, got {got}")


@dataclass(frozen=True)
class _Own:
    """Builds a registered network; whatever goes wrong there is an error that names the file and the line."""

    name: str
    where: str
    file: str
    build: Build

    def __call__(self, input_shape: tuple[int, ...], classes: int) -> "nn.Module":
        from torch import nn

        try:
            made = self.build(input_shape, classes)
        except Exception as error:
            wanted = f"inputs of shape {tuple(input_shape)} and {classes} classes"
            raise DataError(
                f"network {self.name!r} cannot be built for {wanted} ({_told_of(error, Path(self.file))})"
            ) from error
        if not isinstance(made, nn.Module):
            got = type(made).__name__
            raise DataError(f"network {self.name!r} ({self.where}): expected a torch.nn.Module, got {got}")
        return made


def _hash_of(file: str) -> str:
    """Return the SHA-256 (hex) of a file of Python; "" where there is none, as in a notebook."""
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return ""


def _takes(name: str, takes: "str | Mapping[str, int]") -> Any:
    """Return ``takes`` with a size for each kind; raises SettingsError."""
    given = {takes: 1} if isinstance(takes, str) else takes
    kinds = list(KIND_OF_RANK.values())
    fine = isinstance(given, Mapping) and given and all(kind in kinds for kind in given)
    if not fine or not all(type(size) is int and size >= 1 for size in given.values()):
        expected = f"one of {', '.join(kinds)}, or the smallest size of each"
        raise SettingsError(f"network {short(name)!r}: takes: expected {expected}, got {short(takes)}")
    return dict(given)


def _run(path: str) -> tuple[str, ...]:
    """Run the file, once, and return what went wrong; what it registered before that stays."""
    with _ONE:
        return _ran(path)


@cache
def _ran(path: str) -> tuple[str, ...]:
    file = Path(path).expanduser().absolute()
    if not file.is_file():
        return _logged(f"{short(file.name)}: expected a file of Python that registers networks, found none")
    loader = SourceFileLoader(MODULE, str(file))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(MODULE, loader))  # type: ignore[arg-type]
    sys.modules[MODULE] = module  # so that what it defines can be pickled
    sys.path.append(str(file.parent))  # for what lies beside it, as of any program
    _MODE["runs"] = True
    try:
        with contextlib.redirect_stdout(sys.stderr):  # commands print their results
            loader.exec_module(module)
    except (Exception, SystemExit) as error:
        return _logged(_told_of(error, file))
    finally:
        _MODE["runs"] = False
    return ()


def _logged(problem: str) -> tuple[str, ...]:
    logger.warning("%s", problem)
    return (problem,)


def _told_of(error: BaseException, file: Path) -> str:
    """Return "<file>, line <n>: <what went wrong>", with the last line of the file that took part."""
    frames = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    line = error.lineno if isinstance(error, SyntaxError) else next(iter(frames[::-1]), None)
    said = str(error) if isinstance(error, SoftMergeError) else f"{type(error).__name__}: {error}"
    return f"{short(file.name)}, line {line or 1}: {short(said, 240)}"


@cache
def _told(path: str) -> tuple[dict[str, Network], tuple[str, ...]]:
    """(networks, problems) as a process tells them that runs the file."""
    command = [sys.executable, "-m", "softmerge_core.networks.teller"]
    name = short(Path(path).name)
    try:
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, FILE: str(Path(path).expanduser().absolute())}, timeout=PATIENCE,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        told = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return {}, (f"{name}: did not end within {PATIENCE} s",)
    except ValueError:
        said = short(done.stderr.strip().rpartition("\n")[2], 200)
        return {}, (f"{name}: ended its process ({said or f'exit code {done.returncode}'})",)
    networks = {row["name"]: Network(**row, build=partial(_build_here, row["name"])) for row in told["networks"]}
    return networks, tuple(told["problems"])


def _build_here(name: str, input_shape: tuple[int, ...], classes: int) -> "nn.Module":
    _run(os.environ[FILE])
    return _FOUND[name].build(input_shape, classes)
