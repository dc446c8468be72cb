"""Sources that are opened give what is loaded, whenever they are asked for."""

import weakref
from pathlib import Path

import pytest
import torch

from softmerge_core.checkpoints.files import save_checkpoint, state_hash
from softmerge_core.checkpoints.sources import FileMaker
from softmerge_core.errors import CheckpointError, SourceError
from softmerge_core.experiments.merge.run import run
from softmerge_core.settings import AttackSettings, SoftMergeSettings, SourceSpec
from softmerge_core.zoo import families, library_folder, load_source
from softmerge_core.zoo.library import WEIGHTS
from softmerge_core.zoo.opening import open_sources
from tests.contracts.memory import Memory
from tests.experiments.library import trained
from tests.experiments.merge.specs import merge_spec

FAMILY = "moons-mlp-label-noise"


def test_opened_sources_are_the_loaded_ones(tmp_path: Path) -> None:
    own = trained("own", 1)
    save_checkpoint(load_source(own).module, file := tmp_path / "mine.safetensors")
    attack = AttackSettings(kind="noise", strength=2.0)
    spoiled = own.model_copy(update={"attack": attack})
    specs = [own, SourceSpec(model=shipped()), SourceSpec(model=str(file)), spoiled]
    sources, names = open_sources(specs)
    for spec, source, name in zip(specs, sources, names, strict=True):
        loaded = load_source(spec)
        assert name == loaded.name
        assert type(source) is type(loaded.module)
        assert state_hash(source.state_dict()) == state_hash(loaded.module.state_dict())
    assert sources.stored is None
    assert sources[0] is not sources[0]
    assert sources[3] is sources[3]  # an attack may be a training


def shipped() -> str:
    return f"{FAMILY}/{families()[FAMILY].models[0].name}"


def test_a_file_in_half_precision_is_kept_so_and_one_of_no_network_is_named(tmp_path: Path) -> None:
    module = load_source(SourceSpec(model=shipped())).module
    save_checkpoint(module.to(torch.bfloat16), half := tmp_path / "half.safetensors")
    sources, _ = open_sources([SourceSpec(model=str(half))] * 2)
    assert sources.stored == torch.bfloat16
    assert next(sources[0].parameters()).dtype == torch.float32
    save_checkpoint({"w": torch.ones(2)}, odd := tmp_path / "odd.safetensors")
    with pytest.raises(SourceError, match=r"odd\.safetensors: its layers fit none"):
        open_sources([SourceSpec(model=str(odd))])


def test_a_library_model_that_was_changed_is_refused_when_it_is_read() -> None:
    own, other = trained("own", 1), trained("other", 2)
    sources, _ = open_sources([own])
    save_checkpoint(load_source(other).module, library_folder() / "own" / WEIGHTS)
    with pytest.raises(CheckpointError, match=r"own/weights\.safetensors: expected SHA-256"):
        sources[0]


def test_a_run_holds_few_of_its_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[weakref.ref[torch.nn.Module]] = []
    most, read = 0, FileMaker.__call__

    def counted(maker: FileMaker) -> torch.nn.Module:
        nonlocal most
        alive.append(weakref.ref(found := read(maker)))
        most = max(most, sum(reference() is not None for reference in alive))
        return found

    monkeypatch.setattr(FileMaker, "__call__", counted)
    specs = [trained(f"m{number}", number, steps=3) for number in range(5)]
    settings = SoftMergeSettings(granularity="model", steps=2, batch_size=16)
    result = run(merge_spec(*specs, settings=settings), Memory())
    assert len(result["accuracy"]["sources"]) == 5
    assert len(alive) > 5
    assert most <= 3
