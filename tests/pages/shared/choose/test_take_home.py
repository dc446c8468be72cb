"""Files that are made when they are asked for: their bytes, and what is told where there are none."""

import io
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.choose import take_home as module
from pages.shared.choose import zoo_command
from pages.shared.choose.take_home import FAILURE, HELP, Making, exported, onnx_note
from softmerge_core.errors import CheckpointError, RunError, SoftMergeError
from tests.pages.conftest import Desk, texts

MODEL = "moons-mlp-label-noise/source-1"
EXAMPLE = "example:first-look"
Open = Callable[..., AppTest]


def key(form: str) -> str:
    return f"take-home:{form}:{EXAMPLE}"


@pytest.mark.usefixtures("warm_python")
def test_the_archive_comes_from_a_process_of_its_own() -> None:
    making = Making()
    with zipfile.ZipFile(io.BytesIO(exported(MODEL, "zip", making))) as archive:
        assert archive.testzip() is None
        assert {Path(name).name for name in archive.namelist()} >= {"model.pt", "load_model.py", "README.md"}
    assert making.begun.is_set()
    assert making.done.is_set()
    assert making.problem == ""


@pytest.mark.usefixtures("warm_python")
def test_a_refusal_and_a_busy_server_are_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    making = Making()
    with pytest.raises(CheckpointError, match="no model 'absent'"):
        exported("library/absent", "pt", making)
    assert making.done.is_set()
    assert "no model 'absent'" in making.problem
    monkeypatch.setattr(zoo_command, "PATIENCE", 0.01)
    making = Making()
    with zoo_command.one_of_few(), zoo_command.one_of_few(), pytest.raises(RunError):
        exported(MODEL, "pt", making)
    assert "busy with other files: try again" in making.problem


@pytest.mark.parametrize(
    "code", ["import os; os.abort()", "print('no JSON')", "print('{}')", "import time; time.sleep(60)"]
)
def test_a_process_that_breaks_is_no_broken_file(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    run = subprocess.run

    def broken(command: list[str], **options: Any) -> Any:
        return run([sys.executable, "-c", code], **{**options, "timeout": 2})

    monkeypatch.setattr(zoo_command.subprocess, "run", broken)
    making = Making()
    with pytest.raises(SoftMergeError, match=f"^{FAILURE}$"):
        exported(MODEL, "pt", making)
    assert making.problem == FAILURE


def pressed(page: AppTest, form: str) -> AppTest:
    page.get_by_key(key(form)).click()
    page.run()
    assert not page.exception
    return page


def test_a_press_tells_the_problem_of_its_own_file_once(open_app: Open, desk: Desk) -> None:
    page = open_app()
    making: Making = page.session_state[f"{key('zip')}:making"]
    making.problem = "<b>It</b> **broke**"
    making.begun.set()
    threading.Timer(0.5, making.done.set).start()
    pressed(page, "zip")
    (toast,) = page.toast
    assert "broke" in str(toast.value)
    assert "<b>" not in str(toast.value)
    assert "**broke**" not in str(toast.value)
    page.run()
    assert not page.toast


def test_a_press_for_a_file_that_comes_says_nothing(open_app: Open, desk: Desk) -> None:
    page = open_app()
    making: Making = page.session_state[f"{key('pt')}:making"]
    making.begun.set()
    making.done.set()
    assert not pressed(page, "pt").toast


def test_a_file_that_nobody_asks_for_is_not_waited_for(
    open_app: Open, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BEGINS", 0.01)
    (toast,) = pressed(open_app(), "pt").toast
    assert "press the button again" in str(toast.value)


def test_what_nobody_expected_is_told_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(what: str, form: str) -> bytes:
        raise RuntimeError("an accident of its own")

    monkeypatch.setattr(module, "_made", broken)
    making = Making()
    with pytest.raises(RuntimeError):
        exported(MODEL, "pt", making)
    assert making.problem == FAILURE
    assert making.done.is_set()


def test_each_button_has_its_help_and_a_name_that_says_what_it_holds(open_app: Open, desk: Desk) -> None:
    page = open_app()
    buttons = {button.label: button for button in page.download_button}
    assert {label: buttons[label].help for label in ("As .pt", "Everything (.zip)")} == {
        "As .pt": HELP["pt"],
        "Everything (.zip)": HELP["zip"],
    }
    assert all(text.endswith(".") and text.count(".") <= 2 for text in HELP.values())


def test_the_page_says_in_one_line_what_onnx_needs(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    told = "An ONNX file needs more packages: pip install onnx onnxscript"
    monkeypatch.setattr(module, "missing", lambda: told)
    assert onnx_note() == "An ONNX file needs more packages beside this app: `pip install onnx onnxscript`"
    assert onnx_note() in texts(open_app())
    monkeypatch.setattr(module, "missing", lambda: "")
    assert onnx_note() == ""
    assert "ONNX" not in texts(open_app())
