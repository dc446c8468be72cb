"""Networks to take along: their bytes, and what is told where there are none."""

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.choose import take_home as module
from pages.shared.choose import zoo_command
from pages.shared.choose.take_home import FAILURE, HELP, exported, onnx_note
from softmerge_core.errors import CheckpointError, RunError, SoftMergeError
from tests.pages.conftest import Desk, file_buttons, texts

MODEL = "moons-mlp-label-noise/source-1"
Open = Callable[..., AppTest]


@pytest.mark.usefixtures("warm_python")
def test_the_archive_comes_from_a_process_of_its_own() -> None:
    with zipfile.ZipFile(io.BytesIO(exported(MODEL, "zip"))) as archive:
        assert archive.testzip() is None
        assert {Path(name).name for name in archive.namelist()} >= {"model.pt", "load_model.py", "README.md"}


@pytest.mark.usefixtures("warm_python")
def test_a_refusal_and_a_busy_server_are_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CheckpointError, match="no model 'absent'"):
        exported("library/absent", "pt")
    monkeypatch.setattr(zoo_command, "PATIENCE", 0.01)
    with (
        zoo_command.one_of_few(),
        zoo_command.one_of_few(),
        pytest.raises(RunError, match="busy with other files: try again"),
    ):
        exported(MODEL, "pt")


@pytest.mark.parametrize(
    "code", ["import os; os.abort()", "print('no JSON')", "print('{}')", "import time; time.sleep(60)"]
)
def test_a_process_that_breaks_is_no_broken_file(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    run = subprocess.run

    def broken(command: list[str], **options: Any) -> Any:
        return run([sys.executable, "-c", code], **{**options, "timeout": 2})

    monkeypatch.setattr(zoo_command.subprocess, "run", broken)
    with pytest.raises(SoftMergeError, match=f"^{FAILURE}$"):
        exported(MODEL, "pt")


def test_each_button_has_its_help_and_an_address_that_holds_for_any_run_of_the_script(
    open_app: Open, desk: Desk
) -> None:
    buttons = file_buttons(open_app())
    assert {label: buttons[label]["help"] for label in ("As .pt", "Everything (.zip)")} == {
        "As .pt": HELP["pt"],
        "Everything (.zip)": HELP["zip"],
    }
    assert buttons["As .pt"]["address"] == "app/made/pt/example%3Afirst-look"
    assert all(text.endswith(".") and text.count(".") <= 2 for text in HELP.values())


def test_the_page_says_in_one_line_what_onnx_needs(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    told = "An ONNX file needs more packages: pip install onnx onnxscript"
    monkeypatch.setattr(module, "missing", lambda: told)
    assert onnx_note() == "An ONNX file needs more packages beside this app: `pip install onnx onnxscript`"
    assert onnx_note() in texts(open_app())
    monkeypatch.setattr(module, "missing", lambda: "")
    assert onnx_note() == ""
    assert "ONNX" not in texts(open_app())
