import importlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch

from softmerge_core.checkpoints.files import save_checkpoint, state_hash
from softmerge_core.errors import CheckpointError, NotFoundError, SettingsError, SourceError
from softmerge_core.home import bring_back
from softmerge_core.networks import build_network
from softmerge_core.settings import AttackSettings, SourceSpec
from softmerge_core.zoo import (
    LibraryModel,
    add_file_to_library,
    add_poisoned_copy,
    add_to_library,
    families,
    find_source,
    library,
    library_folder,
    load_source,
    remove_from_library,
    same_data,
    same_kind,
    slug,
)
from softmerge_core.zoo.manifest import FOLDER

ORIGIN: dict[str, Any] = {
    "origin": "trained",
    "network": "mlp",
    "dataset": "moons",
    "input_shape": (2,),
    "classes": 2,
    "how": "Made for a test.",
}


def add(name: str = "mine", seed: int = 0, **changes: Any) -> LibraryModel:
    return add_to_library(name, build_network("mlp", (2,), 2, seed), **(ORIGIN | changes))


def test_the_same_file_is_kept_once_under_one_title(tmp_path: Path) -> None:
    save_checkpoint(build_network("mlp", (2,), 2, 5), tmp_path / "net.safetensors")
    path = tmp_path / "net.safetensors"
    first = add_file_to_library(path, "net", "", "moons", "My net")
    assert add_file_to_library(path, "net", "", "moons", "My net") == first
    assert list(library()) == ["net"]
    assert add_file_to_library(path, "net", "", "moons", "Another title").name == "net-2"


def test_an_empty_library_needs_no_folder(home_folder: Path) -> None:
    assert library() == {}
    assert not home_folder.exists()


def test_a_kept_model_comes_back_bit_for_bit(home_folder: Path) -> None:
    module = build_network("mlp", (2,), 2, 5)
    model = add_to_library("mine", module, **ORIGIN, accuracy={"test": 0.5}, history=((1, 0.5, 0.25),))
    assert library() == {"mine": model}
    assert library_folder() == home_folder / "models"
    source = load_source(SourceSpec(model="library/mine"))
    assert (source.name, source.info) == ("mine", model)
    assert state_hash(source.module.state_dict()) == state_hash(module.state_dict()) == model.sha256
    assert [layer.name for layer in model.layers] == ["hidden1", "hidden2", "head"]
    assert find_source("library/mine") == model


def test_a_name_that_is_taken_gets_a_number() -> None:
    assert [add().name for _ in range(3)] == ["mine", "mine-2", "mine-3"]
    long = "x" * 64
    assert [add(long).name for _ in range(2)] == [long, "x" * 62 + "-2"]


def test_names_stay_apart_when_many_are_added_at_once() -> None:
    with ThreadPoolExecutor(4) as pool:
        names = [model.name for model in pool.map(lambda seed: add(seed=seed), range(8))]
    assert len(set(names)) == 8
    assert set(library()) == set(names)


@pytest.mark.parametrize(
    "name", ["../../x", "..", ".", "", "a/b", "a\\b", "/etc", "-x", "_x", "a b", "x" * 65, "a\n", "é"]
)
def test_names_that_could_leave_the_folder_are_refused(name: str, home_folder: Path) -> None:
    with pytest.raises(SettingsError, match="model name"):
        add(name)
    for use in (remove_from_library, lambda n: load_source(SourceSpec(model=f"library/{n}"))):
        with pytest.raises(SettingsError, match="model name"):
            use(name)
    assert not home_folder.exists()


@pytest.mark.parametrize(
    ("text", "name"),
    [("My <b>model</b> $x$", "my-b-model-b-x"), ("../../x", "x"), ("", "model"), ("---", "model"), ("é", "model")],
)
def test_slugs_are_names(text: str, name: str) -> None:
    assert slug(text) == name
    assert add(slug(text)).name == name


def test_models_of_one_network_and_data_are_of_one_kind_and_others_are_not() -> None:
    first, same, other = (
        families()[name] for name in ("spirals-mlp-shared-trunk", "spirals-mlp-independent", "moons-mlp-label-noise")
    )
    assert same_kind(first, same)
    assert not same_kind(first, other)
    assert same_kind(add(), other)
    assert not same_kind(add(dataset="rings"), other)
    assert same_data(first, families()["spirals-mlp-wide"])
    assert not same_kind(first, families()["spirals-mlp-wide"])
    assert not same_data(first, other)
    assert not same_data(add(dataset="rings"), other)


def test_removing() -> None:
    add()
    remove_from_library("mine")
    assert library() == {}
    with pytest.raises(NotFoundError, match="no model 'mine'"):
        remove_from_library("mine")


def test_what_was_deleted_comes_back_bit_for_bit_while_its_name_is_free() -> None:
    kept = add()
    ticket = remove_from_library("mine")
    assert library() == {}
    other = add(seed=1)
    with pytest.raises(FileExistsError, match="Another one has its name by now"):
        bring_back(ticket)
    assert library() == {"mine": other}
    remove_from_library("mine")
    bring_back(ticket)
    assert library() == {"mine": kept}
    assert state_hash(load_source(SourceSpec(model="library/mine")).module.state_dict()) == kept.sha256
    with pytest.raises(FileNotFoundError, match="deleted for good"):
        bring_back(ticket)


def test_weights_that_do_not_fit_leave_nothing_behind(home_folder: Path) -> None:
    with pytest.raises(CheckpointError, match="'mine'"):
        add_to_library("mine", build_network("mlp", (2,), 3, 0), **ORIGIN)
    assert not home_folder.exists()


def test_a_full_disk_leaves_no_half_model(home_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for place in ("softmerge_core.checkpoints.files", "softmerge_core.zoo.library"):
        with monkeypatch.context() as patch:
            patch.setattr(importlib.import_module(place), "write_atomic", full)
            with pytest.raises(CheckpointError, match=r"'mine'.*No space left on device"):
                add()
        assert list((home_folder / "models").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_typed_error(home_folder: Path) -> None:
    home_folder.write_text("a file where the folder should be")
    with pytest.raises(CheckpointError, match="model 'mine' could not be kept: "):
        add()


def test_whatever_stops_the_keeping_leaves_no_half_model(home_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.import_module("softmerge_core.zoo.library"), "write_atomic", interrupt)
    with pytest.raises(KeyboardInterrupt):
        add()
    assert list((home_folder / "models").iterdir()) == []


def test_what_cannot_be_deleted_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system", "/home/secret")

    add()
    monkeypatch.setattr(Path, "rename", read_only)
    with pytest.raises(CheckpointError, match=r"model 'mine' could not be deleted: Read-only file system$"):
        remove_from_library("mine")
    assert list(library()) == ["mine"]


def test_a_damaged_manifest_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "manifest.json").write_text('{"%s": 1}' % ("x" * 10**5))
    with pytest.raises(CheckpointError, match=r"^odd/manifest\.json: not a family's manifest") as refused:
        families(tmp_path)
    assert len(str(refused.value)) < 300


def test_unreadable_folders_are_left_out() -> None:
    add("good")
    for name, text in (("random", b"\x00\xff"), ("half", b'{"name": "ha'), ("other", b"{}")):
        (library_folder() / name).mkdir()
        (library_folder() / name / "info.json").write_bytes(text)
    (library_folder() / "empty").mkdir()
    assert list(library()) == ["good"]


def test_a_model_that_claims_another_name_is_left_out() -> None:
    add("good")
    (library_folder() / "good").rename(library_folder() / "moved")
    assert library() == {}


def test_changed_weights_are_refused() -> None:
    add("first", seed=1)
    save_checkpoint(build_network("mlp", (2,), 2, 2), library_folder() / "first" / "weights.safetensors")
    with pytest.raises(CheckpointError, match=r"first/weights\.safetensors: expected SHA-256"):
        load_source(SourceSpec(model="library/first"))


def test_a_file_is_brought_along(tmp_path: Path) -> None:
    module = build_network("mlp", (2,), 2, 3)
    torch.save({f"module.{name}": value for name, value in module.state_dict().items()}, tmp_path / "theirs.pt")
    model = add_file_to_library(tmp_path / "theirs.pt", "theirs", "mlp", "moons")
    assert (model.origin, model.dataset, set(model.accuracy)) == ("uploaded", "moons", {"train", "validation", "test"})
    assert "theirs.pt" in model.how
    assert model.sha256 == state_hash(module.state_dict())


def test_a_file_of_another_network_is_refused(tmp_path: Path) -> None:
    save_checkpoint(build_network("mlp", (2,), 3, 0), tmp_path / "theirs.safetensors")
    with pytest.raises(CheckpointError, match=r"theirs\.safetensors: layer"):
        add_file_to_library(tmp_path / "theirs.safetensors", "theirs", "mlp", "moons")
    assert library() == {}


def test_a_file_that_fits_no_network_or_is_not_there(tmp_path: Path) -> None:
    save_checkpoint({"odd": torch.ones(3)}, tmp_path / "odd.safetensors")
    with pytest.raises(SourceError, match=r"odd\.safetensors: its layers fit none"):
        load_source(SourceSpec(model=str(tmp_path / "odd.safetensors")))
    with pytest.raises(CheckpointError, match=r"none\.safetensors"):
        find_source(str(tmp_path / "none.safetensors"))
    for name in ("n" * 300 + ".safetensors", "\ud800.safetensors"):
        with pytest.raises(CheckpointError, match=r"found none$"):
            find_source(name)


@pytest.mark.parametrize("kind", ["extreme", "noise", "sign_flip", "nan", "inf"])
def test_a_poisoned_copy(kind: str) -> None:
    before = (FOLDER / "moons-mlp-label-noise" / "source-1.safetensors").read_bytes()
    model = add_poisoned_copy("moons-mlp-label-noise/source-1", AttackSettings(kind=kind))
    assert model.name == f"moons-mlp-label-noise-source-1-{kind.replace('_', '-')}"
    assert (model.origin, model.attack) == ("poisoned", AttackSettings(kind=kind))
    assert (FOLDER / "moons-mlp-label-noise" / "source-1.safetensors").read_bytes() == before
    again = library()[model.name]
    assert again.model_dump_json() == model.model_dump_json()
    module = load_source(SourceSpec(model=f"library/{model.name}")).module
    assert state_hash(module.state_dict()) == model.sha256
