"""Uploads become models of the library, by the same command that the command line has."""

from pathlib import Path

import numpy as np
import pytest
import streamlit as st

from pages.shared.choose import own
from pages.shared.choose.own import keep_weights
from pages.shared.show.text import plain
from softmerge_core.checkpoints.files import save_checkpoint
from softmerge_core.errors import CheckpointError
from softmerge_core.networks import build_network
from softmerge_core.zoo import families, library, own_families
from tests.pages.conftest import APP, Desk, opened, press
from tests.pages.shared.choose.files import File


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


def uploaded(path: Path) -> File:
    """A file of weights, uploaded."""
    upload = File(np_file=np.zeros(1))
    upload.name, upload.content = path.name, path.read_bytes()
    return upload


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
