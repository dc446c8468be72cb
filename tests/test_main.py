"""The command line: one JSON object on stdout, one clear line on stderr when it cannot be."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from softmerge_core.__main__ import main
from softmerge_core.attacks import find_attack
from softmerge_core.checkpoints.files import load_checkpoint, save_checkpoint, state_hash
from softmerge_core.data import kept
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.networks import build_network
from softmerge_core.runs import files
from softmerge_core.runs.store import RunStore
from softmerge_core.zoo import families, library
from tests.experiments.library import trained
from tests.reading_here import reading_here  # noqa: F401 (a fixture)
from tests.runs.counting import CountingSpec

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture
def spec() -> dict[str, Any]:
    """A small merge that runs."""
    sources = [trained(name, seed, steps=5).model_dump() for name, seed in (("first", 1), ("second", 2))]
    settings = {"granularity": "layer", "steps": 4, "evaluate_every": 2}
    return {"sources": sources, "data": {"dataset": "moons"}, "settings": settings}


def write(path: Path, values: Any) -> str:
    path.write_text(values if isinstance(values, str) else json.dumps(values))
    return str(path)


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line a refused command prints."""
    try:
        code = main(arguments)
    except SystemExit as leaving:
        code = int(str(leaving.code))
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    lines = captured.err.strip().splitlines()
    assert lines[-1].startswith("error: ")
    assert "Traceback" not in captured.err
    return lines[-1]


def test_merge_prints_one_object_and_keeps_the_run(
    spec: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "deep" / "out"
    assert main(["merge", write(tmp_path / "spec.json", spec), "--out", str(out)]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    for table in ("accuracy", "validation_accuracy", "validation_loss"):
        assert set(result[table]) == {"soft", "average", "best_source", "ensemble", "sources"}
        assert len(result[table]["sources"]) == 2
    assert result["stop_reason"] == "finished"
    assert result["seconds"] > 0
    assert len(result["gates"]["value"]) == len(result["gates"]["parts"])
    assert captured.err
    assert load_checkpoint(out / "weights" / "merged.safetensors")
    view = RunStore(out.parent).read("out")
    assert (view.status, view.result) == ("finished", {k: result[k] for k in view.result or {}})


def test_explain_tells_a_step_or_the_history_of_a_run(
    spec: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "run")
    assert main(["merge", write(tmp_path / "spec.json", spec), "--out", out]) == 0
    capsys.readouterr()
    assert main(["explain", out, "--step", "3"]) == 0
    step = json.loads(capsys.readouterr().out)
    assert (step["step"], step["stage"], step["differs"]) == (3, "layer", None)
    assert main(["explain", out, "--step", "4", "--stage", "layer"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == [0, 1, 2, 3, 4]
    assert "steps 1 to 4" in refusal(capsys, "explain", out, "--step", "5")
    assert "expected a merge" in refusal(capsys, "explain", "example:first-path", "--step", "1")


def test_the_same_command_again_repeats_and_another_spec_is_refused(
    spec: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, path = str(tmp_path / "out"), write(tmp_path / "spec.json", spec)
    printed = []
    for _ in range(2):
        assert main(["merge", path, "--out", out]) == 0
        printed.append({**json.loads(capsys.readouterr().out), "seconds": 0})
    assert printed[0] == printed[1]
    other = write(tmp_path / "other.json", {**spec, "name": "other"})
    assert "another spec" in refusal(capsys, "merge", other, "--out", out)
    assert "neither empty nor" in refusal(capsys, "merge", path, "--out", str(tmp_path))


def test_a_spec_is_read_from_standard_input(
    spec: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(spec)))
    assert main(["merge", "-", "--out", str(tmp_path / "out")]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "merge"


def test_run_runs_any_kind_and_joins_the_apps_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "spec.json", CountingSpec(steps=3, name="mine").model_dump())
    assert main(["run", path]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["step"], result["not_finite"]) == (3, None)
    assert [(run.name, run.status) for run in RunStore().list()] == [("mine", "finished")]


def test_a_run_cut_short_is_taken_up_by_the_same_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = write(tmp_path / "spec.json", CountingSpec(steps=20).model_dump()), tmp_path / "out"

    def interrupt(_: float) -> None:
        if (out / files.SNAPSHOT).exists():
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tests.runs.counting.time.sleep", interrupt)
        assert main(["run", path, "--out", str(out)]) == 130
    assert "goes on" in capsys.readouterr().err
    assert RunStore(tmp_path).read("out").status == "interrupted"
    assert main(["run", path, "--out", str(out)]) == 0
    assert [event.step for event in RunStore(tmp_path).read("out").events if event.kind == "progress"] == list(
        range(1, 21)
    )


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"sources": []}, "two or more sources, got 0"),
        ({"sources": [{"model": "library/first"}]}, "two or more sources, got 1"),
        ({"sources": [{"model": "library/first"}, {"model": "library/absent"}]}, "'absent'"),
        ({"sources": [{"model": "library/first"}, {"model": "no.safetensors"}]}, "no.safetensors"),
        ({"data": {"dataset": "digits"}}, "expects (2,)"),
        ({"data": {"dataset": "moons", "validation_samples": 0}}, "validation"),
        ({"data": {"dataset": "absent.npz"}}, "absent.npz"),
        ({"settings": {"steps": 0}}, "settings.steps"),
        ({"settings": {"stepps": 5}}, "settings.stepps"),
        ({"settings": {"parts": {"no such layer": "average"}}}, "no such layer"),
        ({"kind": "train"}, "'merge'"),
    ],
)
def test_a_spec_that_cannot_run_is_one_clear_line(
    spec: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], change: dict[str, Any], expected: str
) -> None:
    path = write(tmp_path / "spec.json", {**spec, **change})
    assert expected in refusal(capsys, "merge", path, "--out", str(tmp_path / "out"))


def test_a_label_outside_the_classes_is_one_clear_line(
    spec: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs, labels = np.zeros((6, 2), np.float32), np.array([0, 1, 0, 1, 0, 2])
    data = {"train_inputs": inputs, "train_labels": labels, "validation_inputs": inputs, "validation_labels": labels}
    np.savez(tmp_path / "own.npz", **data)
    path = write(tmp_path / "spec.json", {**spec, "data": {"dataset": str(tmp_path / "own.npz")}})
    assert "classes" in refusal(capsys, "merge", path, "--out", str(tmp_path / "out"))
    labels[5] = -1
    np.savez(tmp_path / "own.npz", **data)
    assert "-1" in refusal(capsys, "merge", path, "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out" / "events.jsonl").exists()


def test_a_data_file_is_kept_or_refused(
    tmp_path: Path, home_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def found(path: Path, name: str) -> kept._Record:
        if name == "bad.npz":
            return kept._Record(None, {}, {}, "data file 'bad.npz': no")
        facts = {"input_shape": (2,), "classes": 2, "samples": {}, "sha256": "f" * 64}
        return kept._Record(kept.Facts(**facts, size=1, changed=path.stat().st_mtime_ns), {}, {})

    monkeypatch.setattr(kept, "_check", found)
    for name in ("My data.npz", "bad.npz"):
        (tmp_path / name).write_bytes(b"x")
    assert main(["data", "add", str(tmp_path / "My data.npz")]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["path"] == str(home_folder / "data" / "my-data-ffffffff.npz")
    assert answer["classes"] == 2
    assert "data file 'bad.npz': no" in refusal(capsys, "data", "add", str(tmp_path / "bad.npz"))
    assert "could not be kept" in refusal(capsys, "data", "add", str(tmp_path / "none.npz"))


def test_a_source_with_nan_is_one_clear_line(
    spec: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoiled = {**spec["sources"][0], "attack": {"kind": "nan"}}
    path = write(tmp_path / "spec.json", {**spec, "sources": [spoiled, spec["sources"][1]]})
    assert "NaN or Inf" in refusal(capsys, "merge", path, "--out", str(tmp_path / "out"))
    assert "loss" not in (tmp_path / "out" / "events.jsonl").read_text()


def test_sources_of_two_architectures_are_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sources = [{"model": "spirals-mlp-shared-trunk/source-1"}, {"model": "mnist1d-cnn-shared-trunk/source-1"}]
    path = write(tmp_path / "spec.json", {"kind": "merge", "sources": sources, "data": {"dataset": "spirals"}})
    assert "network of the first is mlp, of the second cnn1d" in refusal(
        capsys, "merge", path, "--out", str(tmp_path / "out")
    )


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 90_000, '{"kind": "nothing"}', "\x00", '{"kind": []}'])
def test_a_file_that_is_no_spec_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = write(tmp_path / "spec.json", text)
    for command in (["run", path], ["merge", path, "--out", str(tmp_path / "out")]):
        assert refusal(capsys, *command)
    assert not (tmp_path / "out").exists()


def test_wrong_usage_is_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["nothing"], ["merge", "x.json"], ["zoo"], ["merge", str(tmp_path), "--out", "x"]):
        assert refusal(capsys, *arguments)
    assert "absent.json" in refusal(capsys, "run", str(tmp_path / "absent.json"))


def test_a_failed_run_is_one_clear_line_and_keeps_its_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "spec.json", CountingSpec(trouble="error").model_dump())
    assert "layer 'head'" in refusal(capsys, "run", path, "--out", str(tmp_path / "out"))
    assert RunStore(tmp_path).read("out").status == "failed"


def test_the_example_spec_is_a_valid_spec(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spec"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert len(MergeSpec.model_validate(values).sources) >= 2


def test_the_schema_helps_with_every_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["spec", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    for model in (schema, *schema["$defs"].values()):
        for name, field in model["properties"].items():
            assert field.get("description"), name


def test_zoo_list_tells_what_the_manifests_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [family["name"] for family in listed] == list(families())
    assert all(model["accuracy"] for family in listed for model in family["models"])
    assert main(["zoo", "list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(listed)


@pytest.mark.usefixtures("warm_python")
def test_zoo_add_keeps_a_file_and_prints_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_checkpoint(build_network("mlp", (2,), 2, 3), tmp_path / "Their net.safetensors")
    file, kind = str(tmp_path / "Their net.safetensors"), ["--network", "mlp", "--dataset", "moons"]
    assert main(["zoo", "add", file, *kind]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed == {**library()["their-net"].model_dump(mode="json"), "finite": True}
    assert (printed["name"], printed["title"], printed["origin"]) == ("their-net", "Their net.safetensors", "uploaded")
    assert main(["zoo", "add", file, *kind, "--name", "mine", "--title=- my own"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert (printed["name"], printed["title"]) == ("mine", "- my own")


@pytest.mark.usefixtures("warm_python")
def test_zoo_add_keeps_a_folder_of_files_of_what_their_tensors_say(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    networks = {name: build_network("mlp", (2,), 5, seed) for seed, name in enumerate("abc")}
    for name, network in networks.items():
        save_checkpoint(network, tmp_path / f"{name}.safetensors")
    (tmp_path / "notes.txt").write_text("These are three networks.")
    assert main(["zoo", "add", str(tmp_path), "--dataset", "moons"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [(model["name"], model["network"], model["classes"]) for model in printed] == [
        (name, "mlp", 5) for name in "abc"
    ]
    assert [model["sha256"] for model in printed] == [state_hash(net.state_dict()) for net in networks.values()]


@pytest.mark.usefixtures("reading_here")
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("width", "b.safetensors: layer 'hidden1.weight'"),
        ("depth", "b.safetensors: layer 'more.weight' does not belong"),
        ("classes", "b.safetensors: layer 'head.weight': expected shape (5, 32), got (4, 32)"),
        ("missing", "b.safetensors: layer 'hidden2.bias' is missing"),
    ],
)
def test_a_file_of_another_architecture_than_the_first_is_told_by_its_layer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: str, expected: str
) -> None:
    state = build_network("mlp", (2,), 5, 0).state_dict()
    save_checkpoint(state, tmp_path / "a.safetensors")
    changed = {
        "width": {**state, "hidden1.weight": torch.zeros(48, 2)},
        "depth": {**state, "more.weight": torch.zeros(32, 32)},
        "classes": {**state, "head.weight": torch.zeros(4, 32), "head.bias": torch.zeros(4)},
        "missing": {name: value for name, value in state.items() if name != "hidden2.bias"},
    }
    save_checkpoint(changed[change], tmp_path / "b.safetensors")
    assert expected in refusal(capsys, "zoo", "add", str(tmp_path), "--dataset", "moons")
    assert list(library()) == ["a"]


@pytest.mark.usefixtures("reading_here")
@pytest.mark.parametrize(
    ("file", "options", "expected"),
    [
        ("", ["--dataset", "moons"], "expected a folder with weights files, found none"),
        ("net.safetensors", ["--dataset", "mnist1d"], "it is a mlp and expects inputs of shape (2,), got data of"),
        ("odd.safetensors", ["--dataset", "mnist1d"], "layer 'odd' does not belong"),
        ("strange.safetensors", ["--dataset", "mnist1d"], "fit none of the built-in networks"),
        ("odd.safetensors", ["--dataset", "moons", "--like", "mlp"], "layer 'odd' does not belong"),
        ("five.safetensors", ["--dataset", "mnist1d"], "tells 5 classes, and the data have 10"),
        ("absent.pt", ["--network", "mlp", "--dataset", "moons"], "absent.pt"),
        ("net.safetensors", ["--network", "mlp", "--dataset", "spirals"], "net.safetensors: layer"),
        ("net.safetensors", ["--network", "none", "--dataset", "moons"], "unknown network 'none'"),
        ("net.safetensors", ["--network", "mlp", "--dataset", "none"], "unknown data set 'none'"),
        ("net.safetensors", ["--network", "mlp", "--dataset", "moons", "--name", "../x"], "model name"),
        ("net.safetensors", ["--network", "mlp"], "--dataset"),
    ],
)
def test_a_file_that_cannot_be_kept_is_one_clear_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], file: str, options: list[str], expected: str
) -> None:
    if file:
        save_checkpoint(build_network("mlp", (2,), 2, 3), tmp_path / "net.safetensors")
        save_checkpoint(build_network("cnn1d", (1, 40), 5, 3), tmp_path / "five.safetensors")
        odd = {**build_network("mlp", (2,), 2, 3).state_dict(), "odd": torch.zeros(1)}
        save_checkpoint(odd, tmp_path / "odd.safetensors")
        save_checkpoint({"a": torch.zeros(2, 3), "b": torch.zeros(3)}, tmp_path / "strange.safetensors")
    assert expected in refusal(capsys, "zoo", "add", str(tmp_path / file), *options)
    assert library() == {}


def test_zoo_poison_keeps_a_copy_and_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    model = "moons-mlp-label-noise/source-1"
    assert main(["zoo", "poison", model, "--attack", "noise", "--name", "bad"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["attack"] == {"kind": "noise", "strength": find_attack("noise").usual, "seed": 0}
    assert library()["bad"].sha256 == printed["sha256"]
    assert main(["zoo", "poison", model, "--attack", "noise", "--strength", "0.5", "--seed", "7"]) == 0
    assert json.loads(capsys.readouterr().out)["attack"] == {"kind": "noise", "strength": 0.5, "seed": 7}
    assert main(["zoo", "poison", "library/bad", "--attack", "nan"]) == 0
    assert json.loads(capsys.readouterr().out)["accuracy"]["test"] is not None


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["moons-mlp-label-noise/source-1", "--attack", "none"], "unknown attack 'none'"),
        (["moons-mlp-label-noise/source-1", "--attack", "noise", "--strength", "-1"], "attack: Strength"),
        (["moons-mlp-label-noise/source-1", "--attack", "noise", "--strength", "much"], "--strength"),
        (["moons-mlp-label-noise/source-1", "--attack", "nan", "--name", "../x"], "model name"),
        (["library/gone", "--attack", "nan"], "no model 'gone'"),
        (["moons-mlp-label-noise/source-1"], "--attack"),
    ],
)
def test_a_copy_that_cannot_be_made_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    assert expected in refusal(capsys, "zoo", "poison", *arguments)
    assert library() == {}


def test_as_a_module_it_runs_and_stays_quiet_about_tracebacks(
    spec: dict[str, Any], tmp_path: Path, warm_program: str
) -> None:
    command = ["-m", "softmerge_core", "merge", "-", "--out", str(tmp_path / "out")]

    def run(python: str, given: str) -> subprocess.CompletedProcess[str]:
        words = [python, *command]
        return subprocess.run(words, input=given, capture_output=True, text=True, cwd=REPOSITORY, check=False)

    done = run(sys.executable, json.dumps(spec))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accuracy"]["soft"] > 0
    refused = run(warm_program, "{}")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.splitlines() == ["error: expected two or more sources, got 0"]
