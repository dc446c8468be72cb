"""A merged network can be kept in the library, once, and another merge can build on it."""

import json
from pathlib import Path

import pytest

from softmerge_core.__main__ import main
from softmerge_core.checkpoints.files import load_checkpoint, state_hash
from softmerge_core.export.keeping import how, keep_merged, kept_before
from softmerge_core.export.merged import merged_run
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import library, own_families
from tests.export.conftest import finished
from tests.export.subjects import EVIL
from tests.test_main import refusal


def test_the_network_is_kept_with_how_it_came_about(ended: Path) -> None:
    model, run = keep_merged(str(ended)), merged_run(str(ended))
    assert model == library()[model.name]
    assert (model.origin, model.title, model.network, model.dataset) == ("merged", f"Merged: {EVIL}", "mlp", "moons")
    assert model.sha256 == state_hash(load_checkpoint(run.weights))
    assert model.accuracy["test"] == pytest.approx(run.result["accuracy"]["soft"])
    assert model.accuracy["validation"] == pytest.approx(run.result["validation_accuracy"]["soft"])
    assert model.how == how(run)
    assert "first, second and third (noise) by gates" in model.how
    assert kept_before(model.sha256) == model
    assert keep_merged(str(ended), "another") == model
    assert len(library()) == 4


def test_a_second_merge_builds_on_the_first(ended: Path) -> None:
    model = keep_merged(ended.name, "mine", "Mine")
    assert (model.name, model.title) == ("mine", "Mine")
    (family,) = own_families().values()
    assert model in family.models
    again = merged_run(str(finished(SourceSpec(model="library/mine"), SourceSpec(model="library/first"))))
    assert again.lineage.sources[0].sha256 == model.sha256


def test_the_command_prints_the_model(ended: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "keep", ended.name, "--name", "mine", "--title", "My own"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["title"], told["origin"]) == ("mine", "My own", "merged")
    assert "expected 1-64 letters" in refusal(capsys, "zoo", "keep", ended.name, "--name", "../x")
    assert "unknown run" in refusal(capsys, "zoo", "keep", "absent")


def test_the_best_source_and_the_average_are_told_as_what_they_are(ended: Path) -> None:
    run = merged_run(str(ended))
    for winner, words in (("best_source", "the best source won"), ("average", "their plain average won")):
        object.__setattr__(run, "result", {**run.result, "winner": winner})
        assert words in how(run)
