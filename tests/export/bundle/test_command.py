"""The commands: a bundle is written, becomes a run, and nothing that is there is overwritten."""

import json
from pathlib import Path

import pytest

from softmerge_core.__main__ import main
from softmerge_core.runs import RunStore

EXAMPLE = "example:first-attack"


def test_a_bundle_is_written_and_becomes_a_run_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "it.zip"
    assert main(["bundle", EXAMPLE, str(path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["out"], told["bytes"]) == (str(path), path.stat().st_size)
    assert "tables/accuracies.csv" in told["files"]
    assert main(["bundle", EXAMPLE, str(path)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert main(["import", str(path)]) == 0
    came = json.loads(capsys.readouterr().out)
    assert [run.id for run in RunStore().list()] == [came["run_id"]]
    assert (came["kind"], came["there"], came["name"]) == ("robustness", False, told["name"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bundle", "absent", "it.zip"], "expected the id or the folder of a run"),
        (["import", "absent.zip"], "absent.zip: expected a bundle, found no such file"),
        (["replay", "example:first-attack", "it.html"], "expected a merge, got kind 'robustness'"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
