"""Networks that a reader registers are networks like any other, in every process; what is wrong with them is told."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from softmerge_core import register_network
from softmerge_core.checkpoints.files import save_checkpoint
from softmerge_core.checkpoints.metadata import read_metadata
from softmerge_core.errors import DataError, NotFoundError, SettingsError
from softmerge_core.experiments import parse_spec
from softmerge_core.experiments.federated.spec import FederatedSpec
from softmerge_core.experiments.kinds import registered_files
from softmerge_core.experiments.merge.lineage import network_origin
from softmerge_core.networks import build_network, find_network, fits, network_names, networks, registered
from softmerge_core.runs import Runner, RunStore
from softmerge_core.zoo import recognise

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.timeout(600)  # processes that import torch
PYTHON = sys.executable
OWN = """
from torch import nn
from beside import WIDTH
from softmerge_core import register_network

class Wide(nn.Module):
    def __init__(self, inputs, classes):
        super().__init__()
        self.first = nn.Linear(inputs, WIDTH)
        self.head = nn.Linear(WIDTH, classes)

    def forward(self, x):
        return self.head(self.first(x).tanh())

print("this is no result")
register_network("wide", lambda shape, classes: Wide(shape[0], classes), title="A wide one", takes="vector")
"""
BAD = """def bad(shape, classes):
    return undefined
register_network("bad", bad, takes="vector")
"""


@pytest.fixture
def forget() -> Iterator[None]:
    """Leave no network behind that a test registers in this process."""
    from softmerge_core.networks import registration as module

    before = dict(module._FOUND)
    yield
    module._FOUND.clear()
    module._FOUND.update(before)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that registers a network, with what it imports beside it."""
    (tmp_path / "beside.py").write_text("WIDTH = 24\n")
    (tmp_path / "mine.py").write_text(OWN)
    return tmp_path / "mine.py"


def in_a_process(
    code: str, networks: Path, *, python: str = PYTHON, asks: str = PYTHON
) -> subprocess.CompletedProcess[str]:
    """Run Python in a process to which this file of networks is named; by ``asks`` it asks another one."""
    environment = {**os.environ, "SOFTMERGE_NETWORKS": str(networks)}
    command = [python, "-c", f"import sys\nsys.executable = {asks!r}\n{code}"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a fresh process."""
    done = [sys.executable, "-m", "softmerge_core", *arguments]
    return subprocess.run(done, cwd=ROOT, capture_output=True, text=True, check=False)


def weights(folder: Path, count: int = 2) -> list[str]:
    """Files of the network ``wide`` for points and two classes, made without it."""
    made = []
    for seed in range(count):
        torch.manual_seed(seed)
        parts = {"first": nn.Linear(2, 24), "head": nn.Linear(24, 2)}
        state = {f"{name}.{key}": value for name, part in parts.items() for key, value in part.state_dict().items()}
        made.append(str(folder / f"wide-{seed}.pt"))
        torch.save(state, made[-1])
    return made


def merge_spec(models: list[str]) -> dict[str, Any]:
    return {
        "kind": "merge", "sources": [{"model": model} for model in models], "data": {"dataset": "moons"},
        "settings": {"granularity": "layer", "steps": 4, "evaluate_every": 2},
    }  # fmt: skip


@pytest.mark.usefixtures("forget")
def test_a_registered_network_is_listed_built_and_recognised() -> None:
    register_network(
        "wide_one", lambda shape, classes: nn.Sequential(nn.Linear(shape[0], 7), nn.Linear(7, classes)),
        title="Wide", takes={"vector": 2},
    )  # fmt: skip
    assert list(registered()) == ["wide_one"]
    assert network_names()[-1] == "wide_one"
    assert (networks()["wide_one"].title, networks()["wide_one"].takes) == ("Wide", {"vector": 2})
    assert fits("wide_one", (2,), 3)
    assert not fits("wide_one", (1,), 3)
    assert not fits("wide_one", (1, 8, 8), 3)
    first, again = (build_network("wide_one", (4,), 3, seed=1).state_dict() for _ in range(2))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert recognise(first, (4,)) == ("wide_one", (4,), 3)
    assert recognise(first, (5,)) is None
    register_network("wide_one", lambda shape, classes: nn.Linear(shape[0], classes), takes="vector")  # a cell, again
    assert networks()["wide_one"].title == "wide_one"


@pytest.mark.usefixtures("forget")
def test_a_network_that_is_registered_comes_before_a_built_in_one_of_the_same_tensors() -> None:
    state = build_network("mlp", (2,), 2, 0).state_dict()
    assert recognise(state) == ("mlp", (2,), 2)
    register_network("mine", lambda shape, classes: find_network("mlp").build(shape, classes), takes="vector")
    assert recognise(state) == ("mine", (2,), 2)


@pytest.mark.usefixtures("forget")
def test_a_network_of_one_size_is_recognised_with_the_classes_that_it_tells() -> None:
    register_network("small", lambda shape, classes: nn.Sequential(nn.Linear(2, 5), nn.Linear(5, 4)), takes="vector")
    assert recognise(nn.Sequential(nn.Linear(2, 5), nn.Linear(5, 4)).state_dict(), (2,)) == ("small", (2,), 4)
    build_network("small", (2,), 4, 0)
    with pytest.raises(DataError, match=r"'small' \(test_registration\.py, line \d+\): expected logits \(2, 3\), got"):
        build_network("small", (2,), 3, 0)


@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize(
    ("name", "build", "takes", "expected"),
    [
        ("mlp", nn.Linear, "vector", "'mlp' is taken by softmerge_core.networks.mlp"),
        ("My net", nn.Linear, "vector", "expected a name of small letters"),
        ("../x", nn.Linear, "vector", "expected a name of small letters"),
        ("mine", "a text", "vector", "expected a function that builds it, got str"),
        ("mine", nn.Linear, "video", "takes: expected one of vector, sequence, image"),
        ("mine", nn.Linear, {"image": 0}, "takes: expected one of"),
        ("mine", nn.Linear, {}, "takes: expected one of"),
    ],
)
def test_what_cannot_be_registered_is_said(name: str, build: Any, takes: Any, expected: str) -> None:
    with pytest.raises(SettingsError, match=expected):
        register_network(name, build, takes=takes)
    assert registered() == {}


def wrong(shape: tuple[int, ...], classes: int) -> nn.Module:
    raise RuntimeError("no such layer")


@pytest.mark.usefixtures("forget")
@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (wrong, r"cannot be built for inputs of shape \(2,\) .*test_registration\.py, line \d+: RuntimeError: no such"),
        (lambda shape, classes: 3, "expected a torch.nn.Module, got int"),
        (lambda shape, classes: nn.Linear(9, classes), r"cannot read inputs of shape \(2,\): RuntimeError"),
        (lambda shape, classes: nn.LSTM(2, classes), "expected logits .* got"),
    ],
)
def test_a_build_that_fails_is_told_with_its_file_and_line(build: Any, expected: str) -> None:
    register_network("mine", build, takes="vector")
    with pytest.raises(DataError, match=expected):
        build_network("mine", (2,), 3, 0)


CARDS_OF = "from softmerge_core.export.subject import open_subject; print(*(open_subject(w).card([]) for w in {!r}))"
ASK = """
import sys
from softmerge_core.networks import fits, networks
from softmerge_core.networks.registration import ask_another_process, problems
ask_another_process()
for name in networks():
    fits(name, (2,), 2)
found = networks()
print([name for name in found if name in ("wide", "bad")], end=" ")
print(found["wide"].title if "wide" in found else "", "torch" in sys.modules)
print(*problems(), sep="\\n")
"""


@pytest.mark.usefixtures("forget")
def test_what_is_registered_in_no_file_has_no_hash_and_what_ships_is_registered_by_nobody() -> None:
    build = "register_network('mine', lambda shape, classes: None, takes='vector')"
    exec(compile(build, "<cell 3>", "exec"), {"register_network": register_network})
    assert (networks()["mine"].file, networks()["mine"].sha256) == ("<cell 3>", "")
    assert network_origin("mlp") is None
    assert registered_files(FederatedSpec(network="mlp")) == {}
    assert registered_files(FederatedSpec(network="mine")) == {"mine": {"file": "<cell 3>", "sha256": ""}}


def test_a_server_knows_the_file_and_loads_no_torch(file: Path) -> None:
    done = in_a_process(ASK, file)
    assert done.stdout.splitlines() == ["['wide'] A wide one False", ""], done.stderr


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("\n\ndef f(:\n", "mine.py, line 3: SyntaxError: invalid syntax"),
        ("import nothing_of_this_name\n", "mine.py, line 1: ModuleNotFoundError: No module named"),
        (
            "from softmerge_core import register_network as r\nr('mlp', print, takes='vector')\n",
            "mine.py, line 2: network 'mlp': the name 'mlp' is taken by softmerge_core.networks.mlp",
        ),
        (
            "from softmerge_core import register_network as r\nr('Mine!', print, takes='vector')\n",
            "mine.py, line 2: network 'Mine!': expected a name of small letters, digits and _",
        ),
        (OWN + "register_network('wide', Wide, takes='vector')\n", "the name 'wide' is taken by mine.py, line 16"),
        (f"{OWN}{BAD}", "mine.py, line 18: NameError: name 'undefined' is not defined"),
        ("import sys\nsys.exit(3)\n", "mine.py, line 2: SystemExit: 3"),
        ("import os\nos._exit(3)\n", "mine.py: ended its process (exit code 3)"),
    ],
)
def test_a_file_that_fails_is_told_with_its_line_and_the_others_stay(
    file: Path, warm_program: str, code: str, expected: str
) -> None:
    file.write_text(code)
    done = in_a_process(ASK, file, asks=warm_program)
    first, problem = done.stdout.splitlines()
    assert expected in problem
    assert ("'wide'" in first, "'bad'" in first, first[-5:]) == (OWN in code, BAD in code, "False")
    assert done.returncode == 0


def test_a_file_that_is_not_there_is_told(tmp_path: Path, warm_program: str) -> None:
    done = in_a_process(ASK, tmp_path / "none.py", asks=warm_program)
    assert "none.py: expected a file of Python that registers networks, found none" in done.stdout


def test_the_command_line_takes_such_files_in_and_merges_them(file: Path, tmp_path: Path, warm_python: str) -> None:
    paths = weights(tmp_path)
    done = command("--networks", str(file), "zoo", "add", *paths, "--dataset", "moons")
    assert done.returncode == 0, done.stderr
    added, digest = json.loads(done.stdout), hashlib.sha256(file.read_bytes()).hexdigest()
    assert [(model["network"], model["classes"]) for model in added] == [("wide", 2)] * 2
    for number, models in enumerate((paths, [f"library/{model['name']}" for model in added])):
        spec = tmp_path / "spec.json"
        spec.write_text(json.dumps(merge_spec(models)))
        done = command("--networks", str(file), "merge", str(spec), "--out", str(tmp_path / f"out{number}"))
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert result["accuracy"]["soft"] > 0
        assert result["networks"] == {"wide": {"file": "mine.py", "sha256": digest}}
        out = tmp_path / f"out{number}"
        told = json.loads(read_metadata(out / "weights" / "merged.safetensors")["softmerge.lineage"])
        assert told["registered"] == {"file": "mine.py", "sha256": digest}
    cards = in_a_process(CARDS_OF.format([str(tmp_path / "out0"), "library/wide-0"]), file, python=warm_python)
    assert cards.stdout.count(f"| Architecture registered in | mine.py, SHA-256 `{digest}` |") == 2, cards.stderr


@pytest.mark.usefixtures("warm_python")
def test_a_command_says_why_a_network_is_not_known(file: Path, tmp_path: Path) -> None:
    file.write_text("\nraise ValueError('not today')\n")
    options = ("--network", "wide", "--dataset", "moons")
    done = command("--networks", str(file), "zoo", "add", *weights(tmp_path, 1), *options)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: unknown network 'wide'; expected one of: cnn1d")
    assert "mine.py, line 2: ValueError: not today" in done.stderr.splitlines()[-1]


def test_a_worker_builds_such_networks(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTMERGE_NETWORKS", str(file))
    runner = Runner(RunStore(tmp_path / "runs"))
    try:
        run = runner.submit(parse_spec(merge_spec(weights(tmp_path))))
        deadline = time.monotonic() + 300
        while runner.store.status(run).status not in ("finished", "failed"):
            assert time.monotonic() < deadline, "waited too long"
            time.sleep(0.1)
        assert runner.store.read(run).status == "finished", runner.store.read(run).error
    finally:
        runner.close()


def test_an_unknown_network_is_said_without_a_file() -> None:
    with pytest.raises(NotFoundError, match=r"unknown network 'wide'; expected one of: cnn1d"):
        find_network("wide")


def test_weights_of_such_a_network_are_nothing_without_the_file(tmp_path: Path) -> None:
    save_checkpoint(nn.Sequential(nn.Linear(2, 24), nn.Linear(24, 2)), tmp_path / "a.safetensors")
    assert recognise(nn.Sequential(nn.Linear(2, 24), nn.Linear(24, 2)).state_dict()) is None
