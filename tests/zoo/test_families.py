import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from softmerge_core import evaluation
from softmerge_core.checkpoints.files import load_checkpoint, state_hash
from softmerge_core.data import load_dataset
from softmerge_core.data.skills import SKILLS
from softmerge_core.errors import CheckpointError, NotFoundError
from softmerge_core.evaluation import evaluate
from softmerge_core.settings import AttackSettings, SourceSpec
from softmerge_core.training import train
from softmerge_core.zoo import families, find_source, load_base, load_family, load_source, sources
from softmerge_core.zoo.layers import layer_infos, scores
from softmerge_core.zoo.manifest import FOLDER
from softmerge_core.zoo.recipes import RECIPES

NAMES = [recipe.name for recipe in RECIPES]


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """What 256 images become fits into a processor's cache: the numbers are the same in half the time."""
    monkeypatch.setattr(evaluation, "BATCH", 256)


def test_every_recipe_is_shipped_and_nothing_else() -> None:
    assert sorted(families()) == sorted(NAMES)
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(NAMES)
    for recipe in RECIPES:
        family = families()[recipe.name]
        assert (family.title, family.description) == (recipe.title, recipe.description)
        assert (family.dataset, family.network, family.trunk) == (recipe.dataset, recipe.network, recipe.trunk)
        assert tuple(model.settings for model in family.models) == recipe.sources
        assert (family.joint and family.joint.settings) == recipe.joint
        assert not recipe.titles or tuple(model.title for model in family.models) == recipe.titles
        assert {i: m.attack for i, m in enumerate(family.models) if m.attack} == recipe.attacks


def test_what_must_be_there() -> None:
    kinds = {"shared-trunk": 8, "independent": 4, "label-noise": 4, "specialists": 4, "poisoned-1": 4, "poisoned-3": 4}
    for kind, count in kinds.items():
        assert len(families()[f"mnist1d-cnn-{kind}"].models) == count
    assert len({family.network for family in families().values()}) >= 4
    attacks = {model.attack.kind for family in families().values() for model in family.models if model.attack}
    assert attacks == {"extreme", "noise", "sign_flip"}


def test_all_weights_together_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 10_000_000


@pytest.mark.parametrize("name", NAMES)
def test_a_family_loads_and_does_what_its_manifest_says(name: str) -> None:
    family = load_family(name)
    assert family.data is load_dataset(family.info.dataset)
    assert len(family.sources) == len(family.info.models)
    for model, network in zip(family.info.models, family.sources, strict=True):
        assert state_hash(network.state_dict()) == model.sha256
        assert layer_infos(network) == family.info.layers
        accuracy, loss = scores(network, family.data)
        assert model.accuracy == pytest.approx(accuracy, abs=1e-6)
        assert model.loss == pytest.approx(loss, rel=1e-5, abs=1e-6)
        assert not network.training
        assert model.how.endswith(".")
        assert [step for step, _, _ in model.history] == sorted({step for step, _, _ in model.history})


@pytest.mark.parametrize("name", NAMES)
def test_a_trunk_is_shipped_where_the_sources_share_one(name: str) -> None:
    info = families()[name]
    assert (info.base is None) == (info.trunk is None)
    base = load_base(name)
    if info.base is None:
        assert base is None
        return
    assert base is not None
    assert not base.training
    assert state_hash(base.state_dict()) == info.base.sha256
    assert state_hash(load_source(SourceSpec(model=f"{name}/base")).module.state_dict()) == info.base.sha256
    assert info.base.accuracy == pytest.approx(scores(base, load_dataset(info.dataset))[0], abs=1e-6)
    assert "base" not in {model.name for model in info.models}


@pytest.mark.parametrize("name", [recipe.name for recipe in RECIPES if recipe.joint])
def test_joint_training_is_shipped_beside_the_sources_and_none_of_them(name: str) -> None:
    info = families()[name]
    assert info.joint is not None
    joint = load_source(SourceSpec(model=f"{name}/joint")).module
    assert state_hash(joint.state_dict()) == info.joint.sha256
    assert info.joint.accuracy == pytest.approx(scores(joint, load_dataset(info.dataset))[0], abs=1e-6)
    assert info.joint.accuracy["test"] > max(model.accuracy["test"] for model in info.models)
    assert "joint" not in {model.name for model in info.models}


def test_experts_know_one_skill_each_and_no_other() -> None:
    family = load_family("skills-mlp-experts")
    for own, network in zip(SKILLS, family.sources, strict=True):
        for skill, classes in SKILLS.items():
            of = torch.isin(family.data.test_labels, torch.tensor(list(classes)))
            right = evaluate(network, family.data.test_inputs[of], family.data.test_labels[of])[0]
            assert (right > 0.5) == (own == skill), f"the {own} expert is right on {right:.0%} of {skill}"


def test_a_source_is_its_trunk_trained_on() -> None:
    """Bit for bit on the machine the families were built on; elsewhere rounding may differ, the weights hardly."""
    family = load_family("moons-mlp-label-noise")
    network, data = load_base(family.info.name), family.data
    settings = family.info.models[0].settings
    assert network is not None
    assert settings is not None
    train(network, data.train_inputs, data.train_labels, settings, classes=data.classes)
    for ours, shipped in zip(network.parameters(), family.sources[0].parameters(), strict=True):
        torch.testing.assert_close(ours, shipped, rtol=1e-2, atol=1e-2)


def test_layers_name_blocks_in_order() -> None:
    family = families()["mnist1d-cnn-independent"]
    assert [layer.block for layer in family.layers] == ["conv1", "conv2", "conv3", "head"]
    assert [layer.channels for layer in family.layers] == [24, 24, 24, 10]
    assert sum(layer.parameters for layer in family.layers) == sum(
        p.numel() for p in load_family(family.name).sources[0].parameters()
    )


def test_one_source_plain_and_spoiled() -> None:
    name = "moons-mlp-label-noise/source-2"
    plain = load_source(SourceSpec(model=name))
    spoiled = load_source(SourceSpec(model=name, attack=AttackSettings(kind="sign_flip")))
    assert (plain.name, spoiled.name) == ("source-2", "source-2 (sign_flip)")
    assert plain.info == spoiled.info == families()["moons-mlp-label-noise"].models[1]
    for first, second in zip(plain.module.parameters(), spoiled.module.parameters(), strict=True):
        assert torch.equal(first, -second)


@pytest.mark.parametrize(
    "model",
    [
        "nothing/source-1",
        "moons-mlp-label-noise/source-9",
        "moons-mlp-label-noise",
        "moons-mlp-label-noise/",
        "",
        "../x",
    ],
)
def test_unknown_models(model: str) -> None:
    for find in (find_source, lambda name: load_source(SourceSpec(model=name))):
        with pytest.raises(NotFoundError):
            find(model)


def test_unknown_family() -> None:
    with pytest.raises(NotFoundError, match="unknown family"):
        load_family("nothing")


def test_a_changed_file_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "moons-mlp-label-noise"
    shutil.copytree(FOLDER / name, tmp_path / name)
    shutil.copy(tmp_path / name / "source-1.safetensors", tmp_path / name / "source-2.safetensors")
    monkeypatch.setattr(sources, "FOLDER", tmp_path)
    load_source(SourceSpec(model=f"{name}/source-1"))
    with pytest.raises(CheckpointError, match=r"source-2\.safetensors: expected SHA-256"):
        load_source(SourceSpec(model=f"{name}/source-2"))
    with pytest.raises(CheckpointError, match=r"source-2\.safetensors"):
        load_family(name)


def test_a_broken_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "manifest.json").write_text('{"name": "broken"')
    with pytest.raises(CheckpointError, match=r"broken/manifest\.json"):
        families(tmp_path)


def test_a_weights_file_is_recognised() -> None:
    path = FOLDER / "digits-vit-shared-trunk" / "source-3.safetensors"
    assert find_source(str(path)) is None
    source = load_source(SourceSpec(model=str(path)))
    assert (source.name, source.info) == ("source-3", None)
    assert state_hash(source.module.state_dict()) == state_hash(load_checkpoint(path))


def test_manifests_are_read_without_torch() -> None:
    code = (
        "import sys; from softmerge_core.zoo import families, library; families(); library();"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
