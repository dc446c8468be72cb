"""Uploads become models of the library, by the same command that the command line has."""

import contextlib
import gc
import io
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st

from pages.shared.choose import own
from pages.shared.choose.own import keep_data, keep_weights
from pages.shared.show.text import plain
from softmerge_core.checkpoints.files import save_checkpoint
from softmerge_core.errors import CheckpointError, DataError, RunError
from softmerge_core.networks import build_network
from softmerge_core.zoo import families, library, own_families
from tests.pages.conftest import APP, Desk, opened, press

UPLOADS = """from pages.shared.choose.own import bring_own
from softmerge_core.zoo import families
bring_own(families()["moons-mlp-label-noise"])
"""


def weights(tmp_path: Path, classes: int = 2) -> bytes:
    save_checkpoint(build_network("mlp", (2,), classes, 0), tmp_path / "net.safetensors")
    return (tmp_path / "net.safetensors").read_bytes()


def test_uploaded_weights_are_kept_under_the_name_of_their_file(tmp_path: Path) -> None:
    file = "C:\\my nets\\--Größe 1 <b>.SafeTensors"
    name, finite = keep_weights(file, weights(tmp_path), network="mlp", dataset="moons")
    assert finite
    assert library()[name].title == "--Größe 1 <b>.SafeTensors"
    assert library()[name].origin == "uploaded"
    assert 0 <= library()[name].accuracy["test"] <= 1


@pytest.mark.parametrize("file", ["net.safetensors", "net.pt"])
def test_what_is_no_weights_file_is_refused_in_the_words_of_the_command(file: str) -> None:
    with pytest.raises(CheckpointError, match=r"^net\.\w+: expected a mlp for moons: ") as refused:
        keep_weights(file, b"nothing", network="mlp", dataset="moons")
    assert "tmp" not in str(refused.value)
    assert library() == {}


def test_weights_of_no_network_are_refused_by_the_layer_that_differs_from_the_one_expected(tmp_path: Path) -> None:
    state = build_network("mlp", (2,), 2, 0).state_dict()
    state["hidden2.weight"] = state["hidden2.weight"][:-1].clone()
    save_checkpoint(state, tmp_path / "net.safetensors")
    with pytest.raises(CheckpointError, match=r"^net\.safetensors: expected a mlp for moons: layer 'hidden2\.weight'"):
        keep_weights("net.safetensors", (tmp_path / "net.safetensors").read_bytes(), network="mlp", dataset="moons")


def test_weights_of_another_network_are_kept_and_do_not_take_part_beside_the_family(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own.st, "session_state", {})
    save_checkpoint(build_network("cnn1d", (1, 40), 10, 0), tmp_path / "net.safetensors")
    upload = uploaded(tmp_path / "net.safetensors")
    answer = own._once(upload, "x", lambda: own._keep(upload, families()["moons-mlp-label-noise"], "mnist1d"))
    (family,) = own_families().values()
    assert (answer.problem, answer.notice) == ("", "")
    assert dict(st.session_state) | {"upload-answers": {}} == {own.OTHERS: {family.name}, "upload-answers": {}}


def test_uploads_of_another_kind_are_offered_with_a_button_that_chooses_them(tmp_path: Path, desk: Desk) -> None:
    save_checkpoint(build_network("cnn1d", (1, 40), 10, 0), tmp_path / "net.safetensors")
    name, _ = keep_weights(
        "net.safetensors", (tmp_path / "net.safetensors").read_bytes(), network="mlp", dataset="mnist1d"
    )
    (family,) = own_families().values()
    page = opened(APP, **{own.OTHERS: {family.name}})
    assert any(plain(family.title, 120) in str(told.value) for told in page.info)
    press(page, "Choose them")
    assert page.selectbox(key="family").value == family.name
    assert page.toggle(key=f"use:library/{name}").value
    assert not any(plain(family.title, 120) in str(told.value) for told in page.info)


class File:
    """An uploaded file."""

    name, file_id = "My data.npz", "1"

    def __init__(self, **arrays: Any) -> None:
        kept = io.BytesIO()
        np.savez(kept, **arrays)
        self.content = kept.getvalue()

    def getvalue(self) -> bytes:
        return self.content


def uploaded(path: Path) -> File:
    """A file of weights, uploaded."""
    upload = File(np_file=np.zeros(1))
    upload.name, upload.content = path.name, path.read_bytes()
    return upload


def test_uploaded_data_are_kept_once_they_are_checked(home_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own.st, "session_state", {})
    inputs, labels = np.zeros((4, 2), np.float32), np.array([0, 1, 0, 1])
    splits = {"train_inputs": inputs, "train_labels": labels, "validation_inputs": inputs, "validation_labels": labels}
    keep_data(File(**splits))
    (kept,) = (home_folder / "data").glob("*.npz")
    assert kept.name.startswith("my-data-")
    assert st.session_state == {own.DATA: str(kept)}
    del splits["train_labels"]
    with pytest.raises(DataError, match="train_labels") as refused:
        keep_data(File(**splits))
    assert "tmp" not in str(refused.value)
    assert list((home_folder / "data").glob("*.npz")) == [kept]


def test_weights_that_are_not_finite_are_told_with_the_setting_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = build_network("mlp", (2,), 2, 0)
    next(network.parameters()).data[0] = float("nan")
    save_checkpoint(network, tmp_path / "net.safetensors")
    monkeypatch.setattr(own.st, "session_state", {})
    upload = uploaded(tmp_path / "net.safetensors")
    answer = own._once(upload, "x", lambda: own._keep(upload, families()["moons-mlp-label-noise"], "moons"))
    assert answer.problem == ""
    assert "“NaN or Inf weights” to “exclude”" in answer.notice


@pytest.mark.parametrize("error", [DataError("no"), OSError(28, "full")])
def test_a_refused_file_stays_refused(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(own.st, "session_state", {})
    upload = File(x=np.zeros(1))

    def work() -> None:
        raise error

    assert own._once(upload, "data", work).problem
    assert own._once(upload, "data", lambda: None).problem


@pytest.mark.parametrize("error", [RunError("busy"), ZeroDivisionError(), KeyboardInterrupt()])
def test_what_came_to_no_end_is_not_called_fit(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    monkeypatch.setattr(own.st, "session_state", {})
    upload = File(x=np.zeros(1))

    def work() -> None:
        raise error

    with contextlib.suppress(ZeroDivisionError, KeyboardInterrupt):
        assert own._once(upload, "data", work).problem == "busy"
    assert st.session_state["upload-answers"] == {}


def test_what_was_refused_is_worked_on_again_for_something_else_and_what_was_kept_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own.st, "session_state", {})
    upload = File(x=np.zeros(1))

    def refuse() -> None:
        raise DataError("it does not fit")

    assert own._once(upload, "weights", refuse, "one").problem
    assert own._once(upload, "weights", lambda: pytest.fail("worked on"), "one").problem
    assert not own._once(upload, "weights", lambda: None, "another").problem
    assert not own._once(upload, "weights", lambda: pytest.fail("worked on"), "a third").problem


def test_a_session_works_on_so_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own.st, "session_state", {})
    upload = File(x=np.zeros(1))
    for number in range(own.MOST_FILES):
        assert not own._once(upload, str(number), lambda: None).problem
    assert "more than 50 files" in own._once(upload, "one more", lambda: pytest.fail("worked on")).problem
    assert not own._once(upload, "0", lambda: pytest.fail("worked on")).problem


def test_what_a_closed_tab_uploaded_is_let_go(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[weakref.ref[Any]] = []

    def keep(file: Any) -> None:
        seen.append(weakref.ref(file))
        raise DataError("it does not fit")

    monkeypatch.setattr(own, "keep_data", keep)
    page = opened(UPLOADS)
    page.file_uploader(key="upload-data").upload("points.npz", b"samples")
    page.run()
    assert [str(error.value) for error in page.error] == ["It does not fit\\."]
    assert list(page.session_state["upload-answers"].values()) == [own.Answer(problem="it does not fit")]
    (file,) = seen
    del page
    gc.collect()
    assert file() is None  # only the session held it
