"""A home that cannot be written: the page says so where something was pressed, and nothing half-made is left."""

import contextlib
import errno
import io
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.models import page as models
from pages.models.cards import MINE
from pages.shared.runs import services
from softmerge_core.__main__ import main
from softmerge_core.data import data_files, kept
from softmerge_core.experiments.robustness.spec import example
from softmerge_core.home import TRASH
from softmerge_core.runs import Runner, RunStore, files
from softmerge_core.runs import store as store_module
from softmerge_core.runs.index import FILE
from softmerge_core.zoo import library
from tests.pages.conftest import opened, press, started
from tests.pages.conftest import texts as written
from tests.pages.models.test_page import PAGE as MODELS
from tests.pages.models.test_page import own as own_model
from tests.pages.shared.choose.test_own_data import UPLOADS

ROBUSTNESS = "from pages.robustness.page import page\npage()\n"
ERRORS = [errno.ENOSPC, errno.EROFS]


@pytest.fixture
def desk(home_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    """A runner without workers on the test's own home, in place of the server's."""
    monkeypatch.setattr(Runner, "_connect", lambda *_: None)
    monkeypatch.setattr(Runner, "_send", lambda *_: None)
    monkeypatch.setattr(RunStore, "examples", lambda self: [])
    made = Runner(RunStore(home_folder / "runs"))
    made.store.root.mkdir(parents=True)
    monkeypatch.setattr(services, "_runner", lambda folder, scheduler: made)
    yield made
    made.close()


@pytest.fixture
def break_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let everything that writes into the home fail with this error from now on."""

    def start(error: int) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise OSError(error, os.strerror(error))

        for module in (files, store_module):
            monkeypatch.setattr(module, "write_atomic", fail)
        monkeypatch.setattr(kept, "_write", fail)
        for name in ("rename", "replace", "write_bytes"):
            monkeypatch.setattr(Path, name, fail)

    return start


def tree(home: Path) -> list[tuple[str, bytes]]:
    """Every file and folder of the home with its content, but for the folder of what was thrown away and the index."""
    found = (path for path in home.rglob("*") if path.name != TRASH and FILE not in path.name)
    return sorted((str(path), path.read_bytes() if path.is_file() else b"") for path in found)


def told(page: AppTest, error: int) -> bool:
    """Whether the page tells what the disk says, once and without a place on the server."""
    said = [str(element.value).replace("\\", "") for kind in (page.error, page.toast) for element in kind]
    about = [text for text in said if os.strerror(error) in text]
    assert not any(os.environ["SOFTMERGE_HOME"] in text for text in said)
    return len(about) == 1


def test_start_and_stop_say_what_the_disk_says(
    desk: Runner, home_folder: Path, break_disk: Callable[[int], None]
) -> None:
    error = errno.ENOSPC
    run_id = started(desk.submit(example()))
    before = tree(home_folder)
    page = opened(ROBUSTNESS)
    break_disk(error)
    assert told(press(page, "Stop"), error)
    assert desk.store.status(run_id).status == "waiting"
    services._STARTED.pop(run_id)
    page = opened(ROBUSTNESS)
    assert told(press(page, "Start attacking"), error)
    assert "Traceback" not in written(page)
    assert tree(home_folder) == before


def test_train_and_delete_say_what_the_disk_says(
    desk: Runner, home_folder: Path, break_disk: Callable[[int], None]
) -> None:
    error = errno.EROFS
    name, path = own_model(), kept_data(home_folder)
    training, mine = opened(MODELS, do=models.TRAIN), opened(MODELS, models=MINE)
    before = tree(home_folder)  # with what is known of the file, now that it was looked at
    break_disk(error)
    assert told(press(training, "Start training"), error)
    for key in (f"delete:model:{name}", f"delete:data file:{path.name}"):
        mine.button(key=key).click().run()
        assert not mine.exception
        assert told(mine, error)
        assert "can come back for a day" not in written(mine)
    assert (list(library()), data_files()) == ([name], [path])
    assert tree(home_folder) == before


@pytest.mark.parametrize("error", ERRORS)
def test_undo_says_what_the_disk_says_and_can_be_pressed_again(
    desk: Runner, home_folder: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    name = own_model()
    page = press(opened(MODELS, models=MINE), "Delete")
    rename = Path.rename

    def fail(*_: Any) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(Path, "rename", fail)
    assert told(press(page, "Undo"), error)
    assert library() == {}
    monkeypatch.setattr(Path, "rename", rename)
    press(page, "Undo")
    assert list(library()) == [name]


@pytest.mark.parametrize("error", ERRORS)
def test_what_cannot_be_deleted_for_good_is_told_and_can_still_come_back(
    desk: Runner, home_folder: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    name, path = own_model(), kept_data(home_folder)
    page = press(opened(MODELS, models=MINE), "Delete")
    page.button(key=f"delete:data file:{path.name}").click().run()
    before = tree(home_folder)

    def fail(*_: Any, **__: Any) -> None:
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as broken:
        for call in ("unlink", "rmdir"):
            broken.setattr(os, call, fail)
        for ticket in [str(found.key) for found in page.button if found.label == "Free its space"]:
            page.button(key=ticket).click().run()
            assert not page.exception
            assert told(page, error)
    assert tree(home_folder) == before
    press(press(page, "Undo"), "Undo")
    assert (list(library()), data_files()) == ([name], [path])


@pytest.mark.parametrize("error", ERRORS)
def test_a_poisoned_copy_that_cannot_be_kept_is_told_and_leaves_nothing(
    desk: Runner, home_folder: Path, monkeypatch: pytest.MonkeyPatch, break_disk: Callable[[int], None], error: int
) -> None:
    def here(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(command[command.index("softmerge_core") + 1 :])
        return subprocess.CompletedProcess(command, code, out.getvalue(), err.getvalue())

    monkeypatch.setattr(subprocess, "run", here)  # so that the disk breaks in the command as well
    page = opened(MODELS, do=models.POISON)
    break_disk(error)
    assert told(press(page, "Make poisoned copy"), error)
    assert library() == {}
    assert not any(path.is_file() and FILE not in path.name for path in home_folder.rglob("*"))


@pytest.mark.parametrize("error", ERRORS)
def test_uploads_say_what_the_disk_says(
    desk: Runner, home_folder: Path, break_disk: Callable[[int], None], error: int
) -> None:
    page = opened(UPLOADS)
    break_disk(error)
    page.file_uploader(key="upload-weights").upload("net.safetensors", b"weights")
    page.run()
    assert not page.exception
    shown = written(page) + "".join(str(element.value) for element in page.html)
    assert os.strerror(error) in shown, "the table of files says it"
    assert os.environ["SOFTMERGE_HOME"] not in shown
    page.file_uploader(key="upload-weights").clear()
    page.file_uploader(key="upload-data").upload("points.npz", b"samples")
    page.run()
    assert not page.exception
    assert told(page, error)
    assert not any(path.is_file() and FILE not in path.name for path in home_folder.rglob("*"))


def kept_data(home: Path) -> Path:
    """A file of samples as it lies among the reader's own, with nothing beside it."""
    folder = home / "data"
    folder.mkdir(parents=True)
    inputs, labels = np.zeros((4, 2), np.float32), np.array([0, 1, 0, 1])
    splits = {
        f"{split}_{part}": each
        for split in ("train", "validation")
        for part, each in (("inputs", inputs), ("labels", labels))
    }
    np.savez(folder / "points.npz", **splits)
    return folder / "points.npz"
