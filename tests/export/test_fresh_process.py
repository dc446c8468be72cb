"""What is taken along is loaded by a fresh process that has torch and not this project, and computes the same."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from softmerge_core.data import load_dataset
from softmerge_core.evaluation import predict
from softmerge_core.export import exchange
from softmerge_core.export.subject import Subject
from softmerge_core.export.writing import everything
from tests.export.subjects import NAMES, of_torchvision, subject

pytestmark = pytest.mark.timeout(600)  # torch, on a busy machine
warm = pytest.mark.usefixtures("warm_python")  # the first test here sees that all is loaded by a true one
STRANGER = """
import contextlib, io, json, os, runpy, sys
from pathlib import Path
import numpy, torch
found = {}
for folder in sorted(path for path in Path.cwd().iterdir() if path.is_dir()):
    printed = io.StringIO()
    sys.argv = ["load_model.py"]
    with contextlib.redirect_stdout(printed):
        runpy.run_path(str(folder / "load_model.py"), run_name="__main__")
    script = runpy.run_path(str(folder / "load_model.py"))
    inputs = torch.from_numpy(numpy.load(folder / "inputs.npy"))
    with torch.no_grad():
        first = script["load"]()(inputs)
        os.remove(folder / "model.pt")
        second = script["load"]()(inputs)
    state = torch.load(folder / "again.pt", weights_only=True)
    assert type(state) is dict, type(state)
    numpy.save(folder / "logits.npy", first.numpy())
    found[folder.name] = [printed.getvalue(), torch.equal(first, second), list(state), script["TITLE"]]
try:
    import softmerge_core
except ImportError:
    pass
assert "softmerge_core" not in sys.modules
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """(the folders, what a process that has never heard of this project found in each)."""
    root = tmp_path_factory.mktemp("taken")
    for name in NAMES:
        it = subject(name)
        (root / name).mkdir()
        for file, content in files_of(it).items():
            (root / name / file).write_bytes(content)
        (root / name / "again.pt").write_bytes((root / name / "model.pt").read_bytes())
        np.save(root / name / "inputs.npy", load_dataset(it.dataset).test_inputs.numpy())
    done = alone(root, "-c", STRANGER)
    assert done.returncode == 0, done.stderr
    return root, json.loads(done.stdout.splitlines()[-1])


def files_of(it: Subject) -> dict[str, bytes]:
    """All files but the one for ONNX, which takes long to make and has tests of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange, "find_spec", lambda name: None)
        return everything(it)[0]


def alone(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, without the paths and settings of this process."""
    environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    command = [sys.executable, "-I", *arguments]
    limited = {**environment, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=folder, env=limited, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_computes_what_the_project_computes(strangers: tuple[Path, dict[str, Any]], name: str) -> None:
    root, found = strangers
    it = subject(name)
    data = load_dataset(it.dataset)
    ours, theirs = predict(it.network, data.test_inputs), torch.from_numpy(np.load(root / name / "logits.npy"))
    assert theirs.shape == (len(data.test_labels), it.kind[2])
    assert theirs.std() > 1e-3  # so that agreeing says something
    torch.testing.assert_close(theirs, ours, rtol=1e-6, atol=1e-6)
    right = [(logits.argmax(1) == data.test_labels).double().mean().item() for logits in (theirs, ours)]
    assert right[0] == right[1]
    printed, same, layers, title = found[name]
    assert printed.startswith("random sample 1: class ")
    assert same, "the .pt and the safetensors file give different logits"
    assert layers == list(it.state)
    assert title == it.title


@warm
def test_the_script_runs_as_is_on_one_sample_on_several_and_tells_a_wrong_one(tmp_path: Path) -> None:
    it = subject("cnn1d")
    for file, content in files_of(it).items():
        (tmp_path / file).write_bytes(content)
    data = load_dataset("mnist1d")
    np.save(tmp_path / "one.npy", data.test_inputs[0].numpy())
    np.save(tmp_path / "three.npy", data.test_inputs[:3].double().numpy())
    np.save(tmp_path / "wrong.npy", np.zeros((2, 41)))
    told = predict(it.network, data.test_inputs[:3]).softmax(1).max(1)
    lines = [
        f"sample {number}: class {place} ({100 * share:.1f}%)"
        for number, (share, place) in enumerate(zip(told.values.tolist(), told.indices.tolist(), strict=True), 1)
    ]
    for file, expected in (("one.npy", lines[:1]), ("three.npy", lines)):
        done = alone(tmp_path, "load_model.py", file)
        assert done.stdout.splitlines() == expected, done.stderr
    done = alone(tmp_path, "load_model.py", "wrong.npy")
    assert done.returncode == 1
    assert done.stderr == "wrong.npy: expected samples of shape (1, 40), got (2, 41)\n"


@warm
def test_other_weights_under_the_same_name_are_noticed(tmp_path: Path) -> None:
    files = files_of(subject("mlp"))
    (tmp_path / "load_model.py").write_bytes(files["load_model.py"])
    state = torch.load(io.BytesIO(files["model.pt"]), weights_only=True)
    torch.save({name: value + 1 for name, value in state.items()}, tmp_path / "model.pt")
    done = alone(tmp_path, "load_model.py")
    assert done.returncode == 1
    assert "not the one that was saved" in done.stderr


@warm
def test_a_title_that_looks_like_code_is_none(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    title = f'"""; open({str(canary)!r}, "w"); x = """\n\nopen({str(canary)!r}, "w")\n#'
    it = of_torchvision(("torchvision/squeezenet1_1", (3, 32, 32), 4), "digits", title)
    for file, content in files_of(it).items():
        (tmp_path / file).write_bytes(content)
    done = alone(tmp_path, "load_model.py")
    assert done.returncode == 0, done.stderr
    assert not canary.exists()
