"""Networks that are read from their files when they are asked for."""

import weakref
from pathlib import Path

import pytest
import torch
from torch import nn

from softmerge_core import SoftMergeSettings, soft_merge
from softmerge_core.checkpoints.files import load_checkpoint, save_checkpoint, state_hash, stored_dtypes
from softmerge_core.checkpoints.sources import FileMaker, LazySources, from_files, hollow
from softmerge_core.errors import CheckpointError
from tests.networks_for_tests import NETWORKS, make_data, make_sources, train_sources


def written(folder: Path, networks: list[nn.Module], ending: str = "safetensors") -> list[Path]:
    paths = [folder / f"{number}.{ending}" for number in range(len(networks))]
    for path, network in zip(paths, networks, strict=True):
        if ending == "pt":
            torch.save(network.state_dict(), path)
        else:
            save_checkpoint(network, path)
    return paths


@pytest.mark.parametrize("ending", ["safetensors", "pt"])
@pytest.mark.parametrize("kind", NETWORKS)
def test_what_is_in_the_files_comes_back(kind: str, ending: str, tmp_path: Path) -> None:
    networks = make_sources(kind, 2)
    lazy = from_files(written(tmp_path, networks, ending), networks[0])
    assert len(lazy) == 2
    for network, found in zip(networks, lazy, strict=True):
        assert state_hash(found.state_dict()) == state_hash(network.state_dict())
        assert [name for name, _ in found.named_parameters()] == [name for name, _ in network.named_parameters()]
        assert all(parameter.requires_grad and parameter.is_leaf for parameter in found.parameters())
        assert not any(module.training for module in found.modules())


def test_changing_a_network_changes_neither_the_file_nor_the_next_one(tmp_path: Path) -> None:
    (network,) = make_sources("convolutional", 1)
    paths = written(tmp_path, [network])
    lazy = from_files(paths, network)
    with torch.no_grad():
        for tensor in lazy[0].state_dict().values():
            tensor.fill_(7)
    expected = state_hash(network.state_dict())
    assert state_hash(lazy[0].state_dict()) == state_hash(load_checkpoint(paths[0])) == expected


def test_mapped_tensors_are_those_that_are_read(tmp_path: Path) -> None:
    header = (
        b'{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}'
    )
    path = tmp_path / "odd.safetensors"
    for padding in (b"", b" ", b"  "):
        start = len(header + padding).to_bytes(8, "little") + header + padding
        path.write_bytes(start + b"\x02" + b"\x00\x00\x80\x3f")
        mapped = load_checkpoint(path, mapped=True)
        assert {name: tensor.tolist() for name, tensor in mapped.items()} == {"a": [True], "b": [1.0]}
    path.write_bytes(start + b"\x02")
    with pytest.raises(CheckpointError, match=r"odd\.safetensors: damaged"):
        load_checkpoint(path, mapped=True)


def test_a_shell_has_no_weights_and_does_not_change_its_network() -> None:
    (network,) = make_sources("tied", 1)
    shell = hollow(network)
    assert all(parameter.is_meta for parameter in shell.parameters())
    assert shell.first.weight is shell.second.weight
    assert not any(parameter.is_meta for parameter in network.parameters())


def test_a_file_that_does_not_fit_is_named(tmp_path: Path) -> None:
    (network,) = make_sources("perceptron", 1)
    path = tmp_path / "mine.safetensors"
    save_checkpoint({"0.weight": torch.zeros(3)}, path)
    with pytest.raises(CheckpointError, match=r"mine\.safetensors: layer '0\.bias' is missing"):
        from_files([path], network)[0]
    path.unlink()
    with pytest.raises(CheckpointError, match=r"mine\.safetensors: expected a weights file, found none"):
        from_files([path], network)[0]


def test_the_hash_is_asked_for_again_when_the_file_is_another(tmp_path: Path) -> None:
    one, other = make_sources("perceptron", 2)
    (path,) = written(tmp_path, [one])
    maker = FileMaker(path, hollow(one), "family/one", state_hash(one.state_dict()))
    maker()
    maker()
    save_checkpoint(other, path)
    with pytest.raises(CheckpointError, match=r"family/one: expected SHA-256"):
        maker()


def test_half_precision_is_told_where_all_files_have_it(tmp_path: Path) -> None:
    networks = make_sources("perceptron", 2)
    halves = written(tmp_path, [network.to(torch.bfloat16) for network in make_sources("perceptron", 2)])
    save_checkpoint(networks[0], whole := tmp_path / "whole.safetensors")
    lazy = from_files(halves, networks[0])
    assert lazy.stored == lazy.pick([1]).stored == lazy[:1].stored == torch.bfloat16
    assert next(lazy[0].parameters()).dtype == torch.float32
    assert from_files([*halves, whole], networks[0]).stored is None
    assert LazySources.of([network.half() for network in networks]).stored == torch.float16
    assert stored_dtypes(tmp_path / "absent.safetensors") == set()


def test_a_merge_from_files_is_that_of_the_networks_and_holds_few_of_them(tmp_path: Path) -> None:
    data = make_data()
    networks = [network.eval() for network in train_sources("convolutional", 4, data)]
    lazy = from_files(written(tmp_path, networks), networks[0])
    alive: list[weakref.ref[nn.Module]] = []
    most = 0

    def counted(maker: FileMaker) -> nn.Module:
        nonlocal most
        alive.append(weakref.ref(found := maker()))
        most = max(most, sum(reference() is not None for reference in alive))
        return found

    sources = LazySources([lambda maker=maker: counted(maker) for maker in lazy.makers])  # type: ignore[misc]
    settings = SoftMergeSettings(granularity="channel", steps=6, evaluate_every=3, batch_size=16)
    from_lazy, from_list = soft_merge(sources, data, settings), soft_merge(networks, data, settings)
    assert from_lazy.gates == from_list.gates
    assert state_hash(from_lazy.model.state_dict()) == state_hash(from_list.model.state_dict())
    assert len(alive) > 4
    assert most <= 3  # the first is compared with each, and the next one is there before the last one is gone
    assert not any(reference() is not None for reference in alive)
