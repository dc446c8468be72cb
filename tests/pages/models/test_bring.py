"""Bringing data in on the Models page: what is asked, how it goes, and what is shown of it."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.models import bring, importing
from pages.models import page as models
from pages.models.importing import Job, start
from pages.models.samples import facts_sentence
from softmerge_core.data import data_facts, data_files, datasets, keep_data_file
from softmerge_core.data.forms import forms
from softmerge_core.data.importing import Wishes
from softmerge_core.errors import DataError
from tests.data.originals import DEBIAN, image_files, needs_debian, write_all
from tests.pages.conftest import Desk, opened, press, texts
from tests.pages.models.test_page import PAGE

pytestmark = pytest.mark.timeout(600)
Open = Callable[..., AppTest]
TITLES = {form.title for form in forms().values()}


@pytest.fixture
def open_bring(desk: Desk) -> Open:
    def start(**state: object) -> AppTest:
        return opened(PAGE, do=models.BRING, **state)

    return start


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was asked to be brought in; nothing is."""
    seen: list[dict[str, Any]] = []

    def import_data(form: Any, source: Any, wishes: Wishes, stem: str, **more: Any) -> Path:
        inside = sorted(path.name for path in source.iterdir()) if source and source.is_dir() else []
        content = source.read_bytes() if source and source.is_file() else b""
        seen.append({"form": form.name, "source": source, "wishes": wishes, "stem": stem, "inside": inside,
                     "content": content, "called": more["called"]})  # fmt: skip
        return keep_data_file(npz(), "x.npz", stem)

    monkeypatch.setattr(importing, "import_data", import_data)
    return seen


def npz() -> bytes:
    images, labels = np.arange(96, dtype=np.uint8).reshape(6, 1, 4, 4), np.array([0, 1, 0, 1, 0, 1])
    splits = {f"{split}_{part}": value for split in ("train", "validation")
              for part, value in (("inputs", images), ("labels", labels))}  # fmt: skip
    made = io.BytesIO()
    told = {"class_names": np.array(["<b>cat</b>", "$dog$"]), "origin": np.array("From **here**")}
    np.savez(made, **splits, **told)  # type: ignore[arg-type]
    return made.getvalue()


def finished(page: AppTest) -> AppTest:
    """The page once its job has ended."""
    job: Job = page.session_state[bring.JOB]
    assert job.thread is not None
    job.thread.join(300)
    page.run()
    assert not page.exception
    return page


def test_every_form_is_offered_and_says_what_it_wants(open_bring: Open) -> None:
    page = open_bring()
    assert set(page.selectbox(key="bring-form").options) == TITLES | {"Data file (.npz)"}
    for name, form in forms().items():
        page.selectbox(key="bring-form").set_value(name)
        page.run()
        assert not page.exception
        assert form.about.split(".")[0] in texts(page).replace("\\", "")
        assert page.number_input(key="bring-samples").label == "Samples"


@needs_debian
def test_what_the_system_has_is_offered_without_a_download(open_bring: Open) -> None:
    said = texts(open_bring()).replace("\\", "")
    assert f"They lie in {DEBIAN}; nothing is downloaded" in said


def test_a_press_brings_in_and_shows_the_samples(open_bring: Open, started: list[dict[str, Any]]) -> None:
    page = open_bring()
    page.number_input(key="bring-samples").set_value(500)
    page.number_input(key="bring-seed").set_value(7)
    page.text_input(key="bring-name").set_value("My clothes")
    page.run()
    finished(press(page, "Bring in"))
    (asked,) = started
    assert (asked["form"], asked["source"], asked["stem"]) == ("fashion_mnist", None, "my-clothes")
    assert asked["wishes"] == Wishes(samples=500, seed=7)
    (path,) = data_files()
    assert page.selectbox(key=bring.SHOWN).value == str(path)
    assert "is kept" in str(page.success[0].value)
    said = texts(page)
    assert "6 training and 6 validation samples of 2 classes; each is a grey image of 4\u00a0×\u00a04 pixels" in said
    assert "**here**" not in said
    page.selectbox(key=bring.SHOWN).set_value("moons")
    page.run()
    assert not page.exception
    assert page.selectbox(key=bring.SHOWN).value == "moons"


def test_a_place_on_the_server_is_named(open_bring: Open, started: list[dict[str, Any]], tmp_path: Path) -> None:
    page = open_bring(**{"bring-form": "images"})
    page.button_group(key="bring-from-images").set_value(bring.FOLDER)
    page.run()
    assert page.button(key="bring").disabled
    page.text_input(key="bring-place").set_value(str(tmp_path))
    page.number_input(key="bring-size").set_value(16)
    page.run()
    finished(press(page, "Bring in"))
    assert started[0]["source"] == tmp_path
    assert started[0]["wishes"].size == 16


def test_uploads_are_brought_in_by_their_own_names(open_bring: Open, started: list[dict[str, Any]]) -> None:
    page = open_bring(**{"bring-form": "csv"})
    page.text_input(key="bring-label").set_value("kind")
    page.file_uploader(key="bring-upload-csv").upload("../my table.csv", b"1,2\n")
    page.run()
    finished(press(page, "Bring in"))
    assert (started[0]["source"].name, started[0]["content"]) == ("my table.csv", b"1,2\n")
    assert started[0]["wishes"].label == "kind"
    assert not started[0]["source"].exists()


def test_several_files_are_put_into_one_folder(started: list[dict[str, Any]]) -> None:
    files = [("a-ubyte.gz", b"1"), ("C:\\x\\b-ubyte.gz", b"2"), ("..", b"3")]
    job = start(forms()["mnist"], None, files, Wishes(), "")
    assert job.thread is not None
    job.thread.join(60)
    assert started[0]["inside"] == ["2", "a-ubyte.gz", "b-ubyte.gz"]
    assert started[0]["called"] == "the 3 files"


def test_a_data_file_is_kept_as_it_is(open_bring: Open) -> None:
    page = open_bring(**{"bring-form": "npz"})
    page.file_uploader(key="bring-upload-npz").upload("points.npz", npz())
    page.run()
    finished(press(page, "Bring in"))
    assert data_files()[0].name.startswith("points-")


def test_what_went_wrong_is_told(open_bring: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Path:
        raise DataError("<b>mine</b>: no file 'x' in it; put it there")

    monkeypatch.setattr(importing, "import_data", refuse)
    page = finished(press(open_bring(), "Bring in"))
    assert "no file" in str(page.error[0].value)
    assert "<b>" not in str(page.error[0].value)
    assert not page.button(key="bring").disabled


def test_work_that_goes_on_can_be_stopped(open_bring: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def wait(*_: Any, tell: Any, stop: Any, **__: Any) -> Path:
        tell("Downloading It, 3 MB", 0.3)
        stop.wait(60)
        raise DataError("It: stopped")

    monkeypatch.setattr(importing, "import_data", wait)
    page = press(open_bring(), "Bring in")
    assert page.button(key="bring").disabled
    page.button(key="bring-stop").click()
    page.run()
    assert "stopped" in str(finished(page).error[0].value)


@pytest.mark.parametrize("name", datasets())
def test_every_data_set_that_ships_is_shown(open_bring: Open, name: str) -> None:
    page = open_bring(**{bring.SHOWN: name})
    assert "samples of" in texts(page)
    assert not page.error


def test_a_chosen_data_file_is_shown_beside_ones_own_models(desk: Desk) -> None:
    keep_data_file(npz(), "mine.npz", "mine")
    page = opened(PAGE, models=models.MINE)
    assert "each is a grey image of 4\u00a0×\u00a04 pixels" in texts(page)


def test_a_server_that_others_can_reach_reads_only_folders_that_were_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bring.place_problem("/etc") == ""
    monkeypatch.setattr(st, "get_option", lambda name: "0.0.0.0")
    assert "SOFTMERGE_FOLDER" in bring.place_problem("/etc")
    monkeypatch.setenv("SOFTMERGE_FOLDER", str(tmp_path))
    assert bring.place_problem(str(tmp_path / "mine")) == ""
    assert bring.place_problem(str(tmp_path / ".." / ".." / "etc"))
    assert bring.place_problem("a\0b")


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((3, 32, 32), "a colour image of 32\u00a0×\u00a032 pixels"),
        ((1, 40), "a sequence of 40 points"),
        ((2, 40), "a sequence of 40 points with 2 values each"),
        ((2,), "a row of 2 numbers"),
        ((2, 3, 4, 5), "an array of 2\u00a0×\u00a03\u00a0×\u00a04\u00a0×\u00a05"),
    ],
)
def test_kinds_of_samples_have_words(shape: tuple[int, ...], words: str) -> None:
    from softmerge_core.data.kept import Facts

    facts = Facts(input_shape=shape, classes=2, samples={"train": 1200}, sha256="", size=0, changed=0)
    assert facts_sentence(facts) == f"1,200 training samples of 2 classes; each is {words}."


@pytest.mark.usefixtures("warm_python")
def test_a_folder_of_images_really_comes_in(open_bring: Open, tmp_path: Path) -> None:
    page = open_bring(**{"bring-form": "images", "bring-place": str(write_all(tmp_path / "pets", image_files(each=9)))})
    page.button_group(key="bring-from-images").set_value(bring.FOLDER)
    page.run()
    page = finished(press(page, "Bring in"))
    assert data_facts(data_files()[0]).class_names == ("cat", "dog")
    assert "12\u00a0×\u00a012 pixels" in texts(page)
