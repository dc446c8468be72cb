"""The commands of ``softmerge data``: JSON on stdout, progress on stderr, one clear line when it cannot be."""

import json
from pathlib import Path

import pytest

from softmerge_core.__main__ import main
from softmerge_core.data import data_files
from softmerge_core.data.forms import forms
from tests.data.originals import image_files, write_all
from tests.test_main import refusal

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("warm_python")]  # torch, on a busy machine


def test_the_forms_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "forms"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {entry["form"] for entry in told} == set(forms())
    assert all(entry["about"] for entry in told)


def test_a_table_is_brought_in_with_every_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{'ab'[k % 2]},{k},{k * k}\n" for k in range(200))
    (tmp_path / "my table.csv").write_text("kind,x,y\n" + rows)
    command = ["data", "import", "CSV", str(tmp_path / "my table.csv"), "--samples", "100", "--validation", "0.2"]
    assert main([*command, "--seed", "3", "--label", "kind"]) == 0
    told = capsys.readouterr()
    facts = json.loads(told.out)
    assert facts["samples"] == {"train": 60, "validation": 20, "test": 20}
    assert (facts["class_names"], facts["input_shape"]) == (["a", "b"], [2])
    assert "100 of 200 samples" in facts["origin"]
    assert Path(facts["path"]).name.startswith("my-table-")
    assert "Checking the data file" in told.err


def test_pictures_are_brought_in_at_a_size_and_under_a_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_all(tmp_path / "pets", image_files(each=9))
    assert main(["data", "import", "images", str(folder), "--size", "8", "--name", "Small pets"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["input_shape"], Path(facts["path"]).name[:11]) == ([1, 8, 8], "small-pets-")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["imagenet"], "unknown form of data 'imagenet'"),
        (["csv"], "nothing to download; name the file"),
        (["csv", "absent.csv"], "absent.csv: expected one .csv file, found none"),
        (["csv", "x", "--samples", "1"], "Samples: expected at least 2"),
        (["csv", "x", "--validation", "0.9"], "Validation share"),
        (["mnist", "."], "no file 'train-images-idx3-ubyte' of MNIST"),
    ],
)
def test_what_cannot_be_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert message in refusal(capsys, "data", "import", *arguments)
    assert data_files() == []
