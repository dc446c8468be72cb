"""The command: files in a folder, one archive, or a sentence on why there are none."""

import io
import json
import zipfile
from pathlib import Path

import pytest
import safetensors.torch
import torch

from softmerge_core.__main__ import main
from softmerge_core.checkpoints.files import load_checkpoint
from softmerge_core.checkpoints.metadata import read_metadata
from softmerge_core.experiments import parse_spec
from softmerge_core.export import exchange
from softmerge_core.export.command import export
from softmerge_core.export.merged import merged_run
from softmerge_core.runs import RunStore, files
from softmerge_core.runs.store import create_folder
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import families
from tests.experiments.merge.specs import merge_spec
from tests.runs.counting import CountingSpec
from tests.test_main import refusal

OF_A_MERGE = {"README.md", "merged.safetensors", "merged.pt", "load_merged.py", "recipe.json", "gates.csv"}


@pytest.fixture(autouse=True)
def no_onnx(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where its packages are not there: it has tests of its own."""
    monkeypatch.setattr(exchange, "find_spec", lambda name: None)


def test_all_files_lie_in_a_folder_and_hold_the_same_network(
    ended: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "out"
    assert main(["export", str(ended), "--out", str(out)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {path.name for path in out.iterdir()} == OF_A_MERGE == {Path(path).name for path in told["files"]}
    assert "pip install onnx" in told["notice"]
    kept = load_checkpoint(ended / "weights" / "merged.safetensors")
    for found in (
        torch.load(out / "merged.pt", weights_only=True),
        safetensors.torch.load_file(out / "merged.safetensors"),
        load_checkpoint(out / "merged.pt"),
    ):
        assert list(found) == list(kept)
        assert all(torch.equal(found[name], kept[name]) for name in kept)
    assert read_metadata(out / "merged.safetensors") == read_metadata(ended / "weights" / "merged.safetensors")
    assert parse_spec(json.loads((out / "recipe.json").read_text())) == merged_run(str(ended)).spec


def test_a_run_is_found_by_its_id_and_one_format_is_one_file(
    ended: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for form in ("pt", "safetensors"):
        assert main(["export", ended.name, "--out", str(tmp_path / "out"), "--format", form]) == 0
        told = json.loads(capsys.readouterr().out)
        assert [Path(path).name for path in told["files"]] == [f"merged.{form}"]
        assert "notice" not in told


def test_the_archive_is_one_folder_with_everything_and_the_same_each_time(ended: Path, tmp_path: Path) -> None:
    contents = []
    for place in ("one", "two"):
        (path,) = export(str(ended), str(tmp_path / place), "zip")["files"]
        contents.append(Path(path).read_bytes())
    assert contents[0] == contents[1]
    with zipfile.ZipFile(io.BytesIO(contents[0])) as archive:
        assert archive.testzip() is None
        folder = f"merged-{ended.name}"
        assert set(archive.namelist()) == {f"{folder}/{name}" for name in OF_A_MERGE}


def test_without_a_place_the_files_go_to_a_new_folder_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = export("moons-mlp-label-noise/source-1", None, "pt")
    (path,) = told["files"]
    assert path == str(tmp_path / "model-moons-mlp-label-noise-source-1" / "model.pt")
    assert told["name"] == families()["moons-mlp-label-noise"].models[0].title


def test_models_of_the_library_and_examples_can_be_taken_along(sources: tuple[SourceSpec, ...], tmp_path: Path) -> None:
    taken = export("library/second", str(tmp_path / "own"))
    assert {Path(path).name for path in taken["files"]} == {
        "README.md",
        "model.safetensors",
        "model.pt",
        "load_model.py",
    }
    assert read_metadata(tmp_path / "own" / "model.safetensors")["softmerge.model"] == "library/second"
    taken = export("example:first-look", str(tmp_path / "example"))
    assert {Path(path).name for path in taken["files"]} == OF_A_MERGE


def test_nothing_of_the_reader_s_is_overwritten(
    ended: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "merged.pt").write_text("mine")
    told = refusal(capsys, "export", str(ended), "--out", str(tmp_path))
    assert "holds merged.pt already" in told
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["merged.pt"]
    assert (tmp_path / "merged.pt").read_text() == "mine"
    (tmp_path / "file").write_text("")
    assert "could not be written" in refusal(capsys, "export", str(ended), "--out", str(tmp_path / "file"))


def test_onnx_alone_is_refused_with_what_to_install(ended: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "pip install onnx onnxscript" in refusal(capsys, "export", str(ended), "--format", "onnx")


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("20200101-000000-00000000", "unknown run"),
        ("../..", "unknown run"),
        ("library/absent", "no model 'absent'"),
        ("moons-mlp-label-noise/absent", "absent"),
        ("nothing/x", "unknown run"),
        ("a\0b", "unknown run"),
        ("x" * 5000, "unknown run"),
    ],
)
def test_what_is_not_there_is_one_clear_line(capsys: pytest.CaptureFixture[str], what: str, expected: str) -> None:
    assert expected in refusal(capsys, "export", what)


def test_runs_that_have_no_merged_network_say_why(
    ended: Path, sources: tuple[SourceSpec, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting = RunStore().create(merge_spec(*sources))
    assert "has no result: it is waiting" in refusal(capsys, "export", waiting)
    create_folder(tmp_path / "counting", CountingSpec())
    assert "is no merge: expected kind 'merge', got 'counting'" in refusal(capsys, "export", str(tmp_path / "counting"))
    files.weights_path(ended, "merged").write_bytes(b"nothing")
    assert "merged.safetensors" in refusal(capsys, "export", str(ended))
    files.weights_path(ended, "merged").unlink()
    assert "kept no weights called 'merged'" in refusal(capsys, "export", str(ended))
