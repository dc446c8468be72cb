"""ONNX computes what torch does, where its packages are there; else one sentence says what to install."""

import importlib.util
import sys
from functools import cache
from typing import Any

import pytest
import torch

from softmerge_core.errors import SoftMergeError
from softmerge_core.evaluation import predict
from softmerge_core.export import exchange
from softmerge_core.export.exchange import INPUTS, as_onnx, missing
from softmerge_core.export.writing import everything
from tests.export.subjects import EVIL, NAMES, subject


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let this process have all packages of ONNX but these."""
    monkeypatch.setattr(exchange, "find_spec", lambda name: None if name in names else object())


def test_what_is_missing_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch)
    assert missing() == ""
    without(monkeypatch, "onnxscript")
    assert missing() == "An ONNX file needs more packages: pip install onnxscript"
    without(monkeypatch, "onnx", "onnxscript")
    assert missing() == "An ONNX file needs more packages: pip install onnx onnxscript"
    with pytest.raises(SoftMergeError, match=r"^An ONNX file needs more packages: pip install onnx onnxscript$"):
        as_onnx(torch.nn.Linear(2, 2), (2,))


def test_everything_else_is_there_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "onnx")
    files, notice = everything(subject("mlp"))
    assert set(files) == {"README.md", "model.safetensors", "model.pt", "load_model.py"}
    assert notice == missing()
    assert "model.onnx" not in files["README.md"].decode()


def test_a_network_that_cannot_be_translated_costs_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch)

    def broken(*arguments: Any, **options: Any) -> None:
        raise KeyError("some pass of the exporter")

    monkeypatch.setattr(torch.onnx, "export", broken)
    files, notice = everything(subject("mlp"))
    assert "model.onnx" not in files
    assert notice == "torch could not write this network as ONNX (KeyError)"


@cache
def written(name: str) -> tuple[Any, tuple[int, ...], bytes]:
    """A network, the shape of its inputs, and its file with remarks."""
    it = subject(name)
    network: Any = it.network
    if name == "mobilenet_v3_small":  # its first blocks have all of its kinds of layers
        network.features, network.classifier = network.features[:6], torch.nn.Linear(40, 10)
    return network, it.kind[1], as_onnx(network, it.kind[1], {"softmerge.model": EVIL, "half": "\ud800"})


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NAMES)
def test_another_runtime_computes_the_same_for_any_number_of_samples(name: str) -> None:
    for package in ("onnx", "onnxscript"):
        pytest.importorskip(package)
    network, shape, content = written(name)
    for count in (1, 5):
        inputs = torch.randn(count, *shape, generator=torch.Generator().manual_seed(count))
        torch.testing.assert_close(computed(content, inputs), predict(network, inputs), rtol=1e-5, atol=1e-5)


def test_the_file_says_what_made_it_and_nothing_of_this_machine() -> None:
    for package in ("onnx", "onnxscript"):
        pytest.importorskip(package)
    import onnx

    *_, content = written("resnet")
    told = {each.key: each.value for each in onnx.load_from_string(content).metadata_props}
    assert told == {"softmerge.model": EVIL, "half": "?"}
    for place in (b"softmerge_core", b".py", b"File ", sys.prefix.encode()):
        assert place not in content


def computed(content: bytes, inputs: torch.Tensor) -> torch.Tensor:
    """What onnxruntime makes of inputs, or where that is not there, the evaluator that comes with onnx."""
    given = {INPUTS: inputs.numpy()}
    if importlib.util.find_spec("onnxruntime") is None:
        from onnx.reference import ReferenceEvaluator

        return torch.from_numpy(ReferenceEvaluator(content).run(None, given)[0])
    from onnxruntime import InferenceSession

    return torch.from_numpy(InferenceSession(content).run(None, given)[0])
