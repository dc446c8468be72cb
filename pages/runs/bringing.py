"""A bundle that is dropped on the page becomes a run again."""

import tempfile
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.choose.uploads import once, tell
from pages.shared.choose.zoo_command import one_of_few
from pages.shared.runs.opening import open_button
from pages.shared.runs.services import remember_start, run_store
from pages.shared.show.text import plain
from softmerge_core.export.bundle.bringing import Brought, bring_in

TOLD = 5  # notices


def bring_run() -> None:
    """Draw the place to drop a bundle, and tell what came of it."""
    with st.expander("Bring a run", icon=":material/unarchive:"):
        most = int(st.get_option("server.maxUploadSize"))
        file = st.file_uploader(
            "Bundle",
            type=["zip"],
            key="upload-bundle",
            help="What the Bundle button below a run has made, here or on another machine: it becomes the same run, "
            f"with its own models and data; up to {most} MB.",
        )
        if file is not None:
            _tell(file)


def _tell(file: Any) -> None:
    with st.spinner("Checking the bundle"):
        answer = once(file, "bundle", lambda: _bring(file))
    found: Brought | None = st.session_state.get(f"brought:{file.file_id}")
    tell(file.name, answer, "was among the runs already" if found and found.there else "is a run again")
    if found is not None and not answer.problem:
        open_button(found.kind, found.run_id, "Open it", place="brought")


def _bring(file: Any) -> str:
    """Make an uploaded bundle a run; returns what could not be kept of it, as Markdown. Raises SoftMergeError."""
    with one_of_few(), tempfile.TemporaryDirectory(prefix="softmerge-") as folder:
        path = Path(folder) / "bundle.zip"
        path.write_bytes(file.getvalue())
        found = bring_in(path, file.name, run_store())
    st.session_state[f"brought:{file.file_id}"] = found
    if not found.there:
        remember_start(found.run_id)
    return "  \n".join(plain(notice, 300) for notice in found.notices[:TOLD])
