"""A run that used the reader's own models and data goes to another home in a bundle, and runs again there."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from softmerge_core.checkpoints.files import load_checkpoint, save_checkpoint
from softmerge_core.data import keep_data_file, load_dataset
from softmerge_core.errors import RunError
from softmerge_core.experiments.merge.spec import small
from softmerge_core.export.bundle import manifest as known
from softmerge_core.export.bundle import models
from softmerge_core.export.bundle.bringing import bring_in
from softmerge_core.export.bundle.mark import mark_sentence, read_mark
from softmerge_core.export.bundle.packing import pack
from softmerge_core.export.bundle.stills import NONE
from softmerge_core.figures import still
from softmerge_core.home import home
from softmerge_core.runs import RunStore, files
from softmerge_core.runs.labels import Labels, read_labels, write_labels, write_owner
from softmerge_core.runs.store import EXAMPLES
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import Asked, Verdict, library
from softmerge_core.zoo.intake_process import _judged
from softmerge_core.zoo.library import library_folder
from softmerge_core.zoo.preflight import wanted
from tests.experiments.library import trained
from tests.export.conftest import finished

ROOT = Path(__file__).parents[3]
pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("warm_python")]  # torch, on a busy machine


def own_data() -> str:
    """A data file of one's own, kept in the home."""
    moons = load_dataset("moons")
    splits = {
        "train": (moons.train_inputs, moons.train_labels),
        "validation": (moons.validation_inputs, moons.validation_labels),
    }
    path = home() / "moons.npz"
    named = {
        f"{split}_{part}": values.numpy()[:120]
        for split, pair in splits.items()
        for part, values in zip(("inputs", "labels"), pair, strict=True)
    }
    np.savez(path, **named)
    return str(keep_data_file(path, "moons.npz", "moons"))


def judged_here(asked: Asked) -> list[Verdict]:
    """What the process at the door says of weights files, in this one, which has torch already."""
    return [_judged(file, wanted(asked)) for file in asked.files]


def test_own_models_and_data_travel_along_and_no_path_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = trained("first", 1), trained("second", 2)
    bare = tmp_path / "bare.pt.safetensors"
    save_checkpoint(load_checkpoint(library_folder() / "second" / "weights.safetensors"), bare)
    run = finished(first, second, SourceSpec(model=str(bare)), dataset=own_data(), name="Ünïcode <b>")
    write_labels(run, Labels("Mine", ("seen",)))
    write_owner(run, "a secret token")
    monkeypatch.setattr(still, "PACKAGE", "no-such-package")
    manifest = pack(run, run.name, tmp_path / "mine.zip")
    assert manifest.left_out == (NONE,)  # nobody drew pictures
    assert manifest.seeds == {"settings.seed": 0}
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    for name, content in packed.items():
        assert b"secret" not in content, name
        assert str(tmp_path).encode() not in content, name
    made = {name: (run / name).read_bytes() for name in (files.EVENTS, files.RESULT, files.END)}
    weights = (run / files.WEIGHTS / "merged.safetensors").read_bytes()

    there = tmp_path / "elsewhere"
    monkeypatch.setenv("SOFTMERGE_HOME", str(there))
    monkeypatch.setattr(models, "take_in", judged_here)
    found = bring_in(tmp_path / "mine.zip", "mine.zip")
    assert (found.run_id, found.there, found.notices) == (run.name, False, ())
    other = RunStore().folder(found.run_id)
    assert other.is_relative_to(there)
    assert {name: (other / name).read_bytes() for name in made} == made
    assert (other / files.WEIGHTS / "merged.safetensors").read_bytes() == weights
    spec = RunStore().read(found.run_id).spec
    assert [source.model for source in spec.sources[:2]] == ["library/first", "library/second"]
    assert Path(spec.sources[2].model).is_relative_to(other)
    assert Path(spec.data.dataset).parent == there / "data"
    assert set(library()) == {"first", "second"}
    assert read_labels(other) == Labels("Mine", ("seen", "imported"))
    mark = read_mark(other)
    assert mark is not None
    assert run.name in mark_sentence(mark)

    again = RunStore().folder(RunStore().create(spec))  # with what came along, and nothing of the first home
    assert conduct(again) == "finished"
    both = [json.loads((folder / files.RESULT).read_bytes()) for folder in (run, again)]
    assert both[0]["accuracy"] == both[1]["accuracy"]
    assert both[0]["gates"] == both[1]["gates"]
    twice = bring_in(tmp_path / "mine.zip", "mine.zip")
    assert (twice.run_id, twice.there) == (run.name, True)
    assert pack(other, other.name, tmp_path / "again.zip").digest == manifest.digest


def test_the_script_of_a_bundle_prints_the_same_digits(tmp_path: Path) -> None:
    store = RunStore()
    folder = store.folder(store.create(small()))
    assert conduct(folder) == "finished"
    pack(folder, folder.name, tmp_path / "it.zip")
    with zipfile.ZipFile(tmp_path / "it.zip") as archive:
        archive.extractall(tmp_path / "it")
    recorded = json.loads((folder / files.RESULT).read_bytes())
    done = again(tmp_path / "it")
    assert done.returncode == 0, done.stdout + done.stderr
    value = repr(recorded["accuracy"]["soft"])
    row = next(line.split() for line in done.stdout.splitlines() if line.startswith("accuracy.soft"))
    assert row == ["accuracy.soft", value, value, "same"]
    assert "all are the same" in done.stdout


def test_what_is_too_large_is_left_out_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "LARGEST", 2**19)
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / "gates.svg").write_text("<svg></svg>")
    manifest = pack(EXAMPLES / "first-look", "example:first-look", tmp_path / "it.zip", tmp_path / "drawn")
    assert "figures/gates.svg" in manifest.files
    left = manifest.left_out[0]
    assert (left.file, left.why[:12]) == ("run/weights/merged.safetensors", "it has 1 MiB")
    with zipfile.ZipFile(tmp_path / "it.zip") as archive:
        assert left.file in archive.read("README.txt").decode()
        assert left.file not in archive.namelist()
    found = bring_in(tmp_path / "it.zip", "it.zip")
    assert found.notices == (f"{left.file} is not in the bundle: {left.why}",)


def again(bundle: Path) -> "subprocess.CompletedProcess[str]":
    """Run a bundle's script in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "run.py"]
    return subprocess.run(command, cwd=bundle, env=environment, capture_output=True, text=True, check=False)


def test_a_live_run_has_no_bundle(tmp_path: Path) -> None:
    store = RunStore()
    folder = store.folder(store.create(small()))
    with pytest.raises(RunError, match="waiting"):
        pack(folder, folder.name, tmp_path / "it.zip")
    assert not (tmp_path / "it.zip").exists()
