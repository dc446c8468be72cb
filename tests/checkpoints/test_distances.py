"""Distances between files against plain numpy on whole state dicts, and what a file may hold."""

from pathlib import Path

import numpy as np
import pytest
import torch

from softmerge_core.checkpoints import distances as work
from softmerge_core.checkpoints.distances import Distances, distances
from softmerge_core.checkpoints.files import save_checkpoint
from softmerge_core.errors import CheckpointError
from softmerge_core.networks import build_network


def files(tmp_path: Path, states: list[dict[str, torch.Tensor]]) -> list[Path]:
    paths = [tmp_path / f"{number}.safetensors" for number in range(len(states))]
    for path, state in zip(paths, states, strict=True):
        save_checkpoint(state, path)
    return paths


def states(dtype: torch.dtype = torch.float32) -> list[dict[str, torch.Tensor]]:
    made = [build_network("resnet", (1, 8, 8), 10, seed).to(dtype).state_dict() for seed in range(3)]
    return [{name: tensor.clone() for name, tensor in state.items()} for state in made]


def weights(state: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    skipped = ("running_mean", "running_var", "num_batches_tracked")
    return {name: tensor.double().numpy().ravel() for name, tensor in state.items() if not name.endswith(skipped)}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_products_are_those_of_all_weights_layer_by_layer(
    tmp_path: Path, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "BLOCK", 37)  # so that every tensor is read in pieces
    made = states(dtype)
    found = distances(files(tmp_path, made))
    plain = [weights(state) for state in made]
    whole = np.stack([np.concatenate(list(each.values())) for each in plain])
    assert np.sum([layer.products for layer in found.layers], axis=0) == pytest.approx(whole @ whole.T)
    assert found.parameters == whole.shape[1]
    for layer in found.layers:
        names = [name for name in plain[0] if name.rpartition(".")[0] == layer.name]
        own = np.stack([np.concatenate([each[name] for name in names]) for each in plain])
        assert np.array(layer.products) == pytest.approx(own @ own.T)
        assert layer.largest == pytest.approx(np.abs(own).max(1))
        assert layer.not_finite == [0, 0, 0]


def test_only_tensors_of_two_dimensions_tell_who_is_kin(tmp_path: Path) -> None:
    found = distances(files(tmp_path, states()))
    norms = [layer for layer in found.layers if "norm" in layer.name or "bn" in layer.name]
    assert norms
    assert all(not np.any(layer.kin) for layer in norms)
    assert sum(np.any(layer.kin) for layer in found.layers) > 2


def test_what_is_not_finite_is_counted_and_spoils_nothing_else(tmp_path: Path) -> None:
    made = states()
    name = next(name for name in made[1] if name.endswith("weight"))
    made[1][name].view(-1)[:3] = torch.tensor([float("nan"), float("inf"), -float("inf")])
    found = distances(files(tmp_path, made))
    assert [layer.not_finite for layer in found.layers if any(layer.not_finite)] == [[0, 3, 0]]
    assert np.isfinite([layer.products for layer in found.layers]).all()


def test_finite_weights_of_any_size_have_finite_products(tmp_path: Path) -> None:
    made = states()
    for tensor in made[0].values():
        if tensor.is_floating_point():
            tensor.fill_(3e38)
    found = distances(files(tmp_path, made))
    assert np.isfinite([layer.products for layer in found.layers]).all()


def test_other_tensors_are_named(tmp_path: Path) -> None:
    made = states()
    name = next(iter(made[2]))
    made[2][name] = torch.zeros(3, 3)
    with pytest.raises(CheckpointError, match=rf"2\.safetensors: tensor '{name}': expected shape .*got F32 of shape"):
        distances(files(tmp_path, made))
    del made[2][name]
    with pytest.raises(CheckpointError, match="got none"):
        distances(files(tmp_path, made))


def test_no_safetensors_is_refused_and_a_cut_file_too(tmp_path: Path) -> None:
    paths = files(tmp_path, states())
    paths[1].write_bytes(paths[1].read_bytes()[:-5])
    with pytest.raises(CheckpointError, match=r"1\.safetensors"):
        distances(paths)
    (tmp_path / "other.pt").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="expected a safetensors file"):
        distances([tmp_path / "other.pt"])
    (tmp_path / "empty.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"empty\.safetensors"):
        distances([tmp_path / "empty.safetensors"])


def test_it_comes_back_from_json(tmp_path: Path) -> None:
    found = distances(files(tmp_path, states()))
    assert Distances.from_json(found.as_json()) == found
