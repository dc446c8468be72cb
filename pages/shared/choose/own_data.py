"""A reader's own data files: uploaded, and chosen instead of a family's data set."""

from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.choose.form import one_of
from pages.shared.choose.linked import link, linked
from pages.shared.choose.uploads import once, tell
from pages.shared.choose.zoo_command import one_of_few
from pages.shared.show.page_state import refuse
from softmerge_core.data import data_files, keep_data_file
from softmerge_core.zoo import FamilyInfo, slug

DATA = "own-data"


def upload_data() -> None:
    """A place to drop a file of samples, which is then kept and chosen."""
    file = st.file_uploader(
        "Data",
        type=["npz"],
        key="upload-data",
        help="An .npz with train_inputs, train_labels, validation_inputs and validation_labels (and test_..., if any).",
    )
    if file is not None:
        tell(file.name, once(file, "data", lambda: keep_data(file)), "can be chosen below")


def keep_data(file: Any) -> None:
    """Check an uploaded file of samples, keep it and choose it; raises DataError where it cannot be used."""
    with one_of_few():
        path = keep_data_file(file.getvalue(), file.name, slug(Path(file.name).stem, "data"))
    st.session_state[DATA] = str(path)


def own_data(family: FamilyInfo) -> str | None:
    """The chosen data file, or None for the family's own data set; asks only where there is a file."""
    files = [str(path) for path in data_files()]
    if asked := linked(DATA):
        named = next((path for path in files if Path(path).name == asked[0]), None)
        st.session_state.setdefault(DATA, named)
        if named is None:
            refuse(DATA, asked[0], "no such data file here")
    if not files:
        link(DATA, [])
        return None
    if st.session_state.get(DATA) not in [None, *files]:
        st.session_state[DATA] = None
    chosen = one_of(
        st.selectbox,
        "Samples",
        [None, *files],
        format_func=lambda path: Path(path).name if path else f"The family's own: {Path(family.dataset).name}",
        key=DATA,
        persist_state="session",
        help="On which samples the gates are trained and judged.",
    )
    link(DATA, [Path(chosen).name] if chosen else [])
    return chosen
