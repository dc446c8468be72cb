"""Uploaded data are checked, kept and chosen."""

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st

from pages.shared.choose import own_data, uploads
from pages.shared.choose.own_data import keep_data
from softmerge_core.errors import DataError
from tests.pages.conftest import Desk, opened
from tests.pages.shared.choose.files import File

UPLOADS = """from pages.shared.choose.own import bring_own
from softmerge_core.zoo import families
bring_own(families()["moons-mlp-label-noise"])
"""


def test_uploaded_data_are_kept_once_they_are_checked(home_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(st, "session_state", {})
    inputs, labels = np.zeros((4, 2), np.float32), np.array([0, 1, 0, 1])
    splits = {"train_inputs": inputs, "train_labels": labels, "validation_inputs": inputs, "validation_labels": labels}
    keep_data(File(**splits))
    (kept,) = (home_folder / "data").glob("*.npz")
    assert kept.name.startswith("my-data-")
    assert st.session_state == {own_data.DATA: str(kept)}
    del splits["train_labels"]
    with pytest.raises(DataError, match="train_labels") as refused:
        keep_data(File(**splits))
    assert "tmp" not in str(refused.value)
    assert list((home_folder / "data").glob("*.npz")) == [kept]


def test_what_a_closed_tab_uploaded_is_let_go(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[weakref.ref[Any]] = []

    def keep(file: Any) -> None:
        seen.append(weakref.ref(file))
        raise DataError("it does not fit")

    monkeypatch.setattr(own_data, "keep_data", keep)
    page = opened(UPLOADS)
    page.file_uploader(key="upload-data").upload("points.npz", b"samples")
    page.run()
    assert [str(error.value) for error in page.error] == ["It does not fit\\."]
    assert list(page.session_state["upload-answers"].values()) == [uploads.Answer(problem="it does not fit")]
    (file,) = seen
    del page
    gc.collect()
    assert file() is None  # only the session held it
