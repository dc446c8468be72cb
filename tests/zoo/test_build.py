from dataclasses import replace
from pathlib import Path

import pytest
import torch

from softmerge_core.checkpoints.files import load_checkpoint, state_hash
from softmerge_core.errors import NotFoundError
from softmerge_core.settings import AttackSettings, TrainSettings
from softmerge_core.zoo import build as builder
from softmerge_core.zoo.manifest import families
from softmerge_core.zoo.recipes import Recipe

QUICK = TrainSettings(epochs=2, batch_size=50, learning_rate=0.01)
TINY = Recipe(
    "tiny",
    "Tiny",
    "Two sources of one trunk, one of them spoiled.",
    "moons",
    "mlp",
    (QUICK.model_copy(update={"seed": 1, "share": 0.5}), QUICK.model_copy(update={"seed": 2, "label_noise": 0.5})),
    QUICK,
    {1: AttackSettings(kind="extreme", strength=5)},
)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "RECIPES", (TINY,))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.usefixtures("tiny")
def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    first, second = (builder.build(["tiny"], tmp_path / name)[0] for name in "ab")
    assert contents(first) == contents(second)
    names = {"manifest.json", "base.safetensors", "source-1.safetensors", "source-2.safetensors"}
    assert set(contents(first)) == names
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_joint_training_and_titles_are_written_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    joint = QUICK.model_copy(update={"seed": 7, "epochs": 1})
    monkeypatch.setattr(builder, "RECIPES", (replace(TINY, joint=joint, titles=("One", "Other")),))
    place = builder.build(["tiny"], tmp_path)[0]
    family = families(tmp_path)["tiny"]
    assert [(model.name, model.title) for model in family.models] == [("one", "One"), ("other", "Other")]
    assert family.joint is not None
    assert (family.joint.settings, family.model("joint")) == (joint, family.joint)
    assert family.joint.how.startswith("Started from random weights (seed 7)")
    assert state_hash(load_checkpoint(place / "joint.safetensors")) == family.joint.sha256


@pytest.mark.usefixtures("tiny")
def test_the_manifest_tells_the_training(tmp_path: Path) -> None:
    builder.build(folder=tmp_path)
    family = families(tmp_path)["tiny"]
    first, second = family.models
    assert first.how.startswith("Started from the trunk all share (2 epochs")
    assert "its own 50 % of the samples" in first.how
    assert "50 % of whose labels are random; afterwards its weights were blown up 5-fold" in second.how
    assert second.title == "Source 2, 50 % label noise, extreme values"
    assert family.trunk == QUICK
    assert family.base is not None
    assert (family.base.settings, family.model("base")) == (QUICK, family.base)
    assert family.base.how.startswith("Started from random weights (seed 0), then trained 2 epochs")


@pytest.mark.usefixtures("tiny")
def test_sources_start_from_the_trunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    still = TrainSettings(epochs=1, learning_rate=1e-30, optimiser="sgd")
    recipe = Recipe("tiny", "Tiny", "", "moons", "mlp", (still, still.model_copy(update={"seed": 1})), QUICK)
    monkeypatch.setattr(builder, "RECIPES", (recipe,))
    folder = builder.build(folder=tmp_path)[0]
    assert (folder / "base.safetensors").read_bytes() == (folder / "source-1.safetensors").read_bytes()
    assert (folder / "source-1.safetensors").read_bytes() == (folder / "source-2.safetensors").read_bytes()


@pytest.mark.usefixtures("tiny")
def test_files_of_sources_that_are_no_more_are_removed(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "source-9.safetensors").write_bytes(b"old")
    builder.build(None, tmp_path)
    assert not (tmp_path / "tiny" / "source-9.safetensors").exists()


@pytest.mark.usefixtures("tiny")
def test_no_trunk_no_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "RECIPES", (Recipe("tiny", "Tiny", "", "moons", "mlp", TINY.sources),))
    folder = builder.build(folder=tmp_path)[0]
    assert not (folder / "base.safetensors").exists()
    assert families(tmp_path)["tiny"].base is None


def test_unknown_family(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="unknown family 'nothing'"):
        builder.build(["nothing"], tmp_path)
    assert not any(tmp_path.iterdir())
