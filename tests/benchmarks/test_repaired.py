"""The networks of the tables on matching and REPAIR, and what is measured of a pair."""

import runpy
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import repaired
from benchmarks.repaired import measured
from softmerge_core.data import load_dataset
from softmerge_core.networks import build_network, registration


def test_vgg11_has_the_usual_count_of_weights_and_names_and_takes_images_of_many_sizes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registration, "_FOUND", {})
    module = runpy.run_path(str(Path(repaired.__file__).with_name(f"{repaired.PAPER}.py")))
    assert list(registration.registered()) == [repaired.PAPER]
    network = module["build"]((3, 32, 32), 10).eval()
    assert sum(parameter.numel() for parameter in network.parameters()) == 9_231_114  # as usual for CIFAR
    assert {"features.0.weight", "features.25.weight", "features.26.running_var", "classifier.bias"} <= set(
        network.state_dict()
    )
    for size in (8, 28, 32, 40):
        assert network(torch.zeros(2, 3, size, size)).shape == (2, 10)


def test_a_permuted_copy_has_no_barrier_left_once_it_is_matched() -> None:
    data = load_dataset("digits")
    network = build_network("mlp1", data.input_shape, data.classes, 0)
    twin = build_network("mlp1", data.input_shape, data.classes, 0)
    order = torch.randperm(128, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for module, axis in ((twin.get_submodule("hidden1"), 0), (twin.get_submodule("head"), 1)):
            assert isinstance(module, nn.Linear)
            module.weight.copy_(module.weight.index_select(axis, order))
        twin.get_submodule("hidden1").bias.copy_(twin.get_submodule("hidden1").bias[order])  # type: ignore[operator,union-attr]
    one, other, _, _, matched, mended = measured([network, twin], data)
    assert one == other == matched
    assert mended == pytest.approx(one, abs=0.01)
