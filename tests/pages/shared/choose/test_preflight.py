"""What does not fit is told by the exact layer: on the command line and on a page, by the same words."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from softmerge_core.__main__ import main
from softmerge_core.checkpoints.files import save_checkpoint
from softmerge_core.networks import build_network
from softmerge_core.zoo import library
from tests.pages.conftest import Desk, opened

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("warm_python")]  # torch, on a busy machine
PAGE = """from pages.shared.choose.own import bring_own
from softmerge_core.zoo import families
bring_own(families()["mnist1d-cnn-shared-trunk"])
"""
CASES = {  # what is wrong with a file -> what is said of it, and whether it can be used
    "width": ("layer 'conv2.weight': expected shape (24, 24, 3), got (32, 24, 3): another width", False),
    "depth": (
        "layer 'conv4.bias' does not belong to this network (nor does 1 other tensor): it has 1 layer more",
        False,
    ),
    "classes": ("layer 'head.weight': expected shape (10, 120), got (7, 120): it tells 7 classes", False),
    "swapped": (
        "layer 'conv3.weight': expected shape (24, 24, 3), got (24, 72): a linear layer in the place of",
        False,
    ),
    "missing": ("layer 'conv3.bias' is missing (1 of 8 tensors are)", False),
    "shallow": ("layer 'conv3.weight' is missing (2 of 8 tensors are): it has 1 layer less", False),
    "nan": ("layer 'conv2.weight' holds NaN", True),
    "inf": ("layer 'head.bias' holds Inf", True),
    "extreme": ("layer 'conv1.weight': its largest weight is 5e+08", True),
    "good": ("", True),
    "half": ("", True),
}


def changed(case: str) -> dict[str, Tensor]:
    """The state dict of a small CNN with one thing wrong."""
    if case == "classes":
        return build_network("cnn1d", (1, 40), 7, 0).state_dict()
    state = {name: value.clone() for name, value in build_network("cnn1d", (1, 40), 10, 0).state_dict().items()}
    if case == "width":
        state["conv2.weight"], state["conv2.bias"] = torch.randn(32, 24, 3), torch.randn(32)
    elif case == "depth":
        state |= {"conv4.weight": torch.randn(24, 24, 3), "conv4.bias": torch.randn(24)}
    elif case == "swapped":
        state["conv3.weight"] = state["conv3.weight"].flatten(1)
    elif case == "missing":
        del state["conv3.bias"]
    elif case == "shallow":
        del state["conv3.bias"], state["conv3.weight"]
    elif case == "half":
        state = {name: value.half() for name, value in state.items()}
    place, value = {
        "nan": ("conv2.weight", float("nan")), "inf": ("head.bias", float("inf")), "extreme": ("conv1.weight", 5e8),
    }.get(case, ("conv1.weight", 0.1))  # fmt: skip
    state[place].view(-1)[1] = value
    return state


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A file for each case."""
    for case in CASES:
        save_checkpoint(changed(case), tmp_path / "nets" / f"{case}.safetensors")
    return tmp_path / "nets"


def test_the_command_line_names_the_layer_of_each_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "check", str(folder), "--dataset", "mnist1d", "--json"]) == 2
    captured = capsys.readouterr()
    found = {verdict["file"].removesuffix(".safetensors"): verdict for verdict in json.loads(captured.out)}
    assert list(found) == sorted(CASES)
    for case, (said, fits) in CASES.items():
        verdict = found[case]
        told = verdict["problem"] or "; ".join(verdict["notes"])
        assert (told.startswith(said), bool(told), verdict["fits"]) == (True, bool(said), fits), (case, told)
        assert (verdict["network"], verdict["finite"]) == ("cnn1d", case not in ("nan", "inf"))
    assert (found["half"]["stored"], found["good"]["stored"]) == ("float16", "float32")
    assert captured.err.splitlines()[-1] == "error: 6 of 11 files do not fit"
    assert library() == {}


def test_the_page_names_the_layer_of_each_file(folder: Path, desk: Desk) -> None:
    page = opened(PAGE)
    for case in CASES:
        name = f"{case}.safetensors"
        page.file_uploader(key="upload-weights").upload(name, (folder / name).read_bytes())
    page.run()
    assert not page.exception
    told = next(str(found.proto.body) for found in page.get("html") if "sm-files" in str(found.proto.body))
    rows = {row.partition(".safetensors")[0]: row for row in told.split("<tr><td>")[1:]}
    for case, (said, fits) in CASES.items():
        assert f"<td>{'yes' if fits else 'no'}</td>" in rows[case], case
        assert said.replace("'", "&#x27;") in rows[case], case
    assert sorted(library()) == sorted(case for case, (_, fits) in CASES.items() if fits)
    assert [str(error.value) for error in page.error] == ["5 of 11 files fit: the table says why."]
