"""What the left sides of all pages that merge come to: the spec of a run, or what keeps it from being started."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages.shared.choose.sources import PickedSource
from pages.shared.runs.reader import RunReader
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments import Spec, experiment
from softmerge_core.settings import DataSpec


@dataclass(frozen=True)
class Setup:
    """The spec, or None with the problem that keeps the run from being started."""

    spec: Spec | None
    problem: str | None = None


def too_few(picked: Sequence[PickedSource]) -> str:
    """What is missing among the sources, or nothing."""
    if len(picked) < 2:
        return f"Choose two or more sources: {len(picked)} {'is' if len(picked) == 1 else 'are'} chosen"
    return ""


def checked(spec: Spec, data: DataSpec) -> Setup:
    """The spec, or what is known to be wrong with it before any work."""
    path = Path(data.dataset)
    changed = path.stat().st_mtime if data.dataset.endswith(".npz") and path.is_file() else 0.0
    problem = _problem(spec.model_dump_json(), changed, spec)
    return Setup(None, problem) if problem else Setup(spec)


@st.cache_data(max_entries=64, show_spinner=False)
def _problem(spec_json: str, changed: float, _spec: Spec) -> str:
    """What is wrong with a spec, or nothing. Data files are read for it, so the answer is remembered."""
    try:
        experiment(_spec.kind).check(_spec)
    except SoftMergeError as error:
        return str(error)
    return ""


def file_stem(reader: RunReader) -> str:
    """What downloads of this run are called, without their endings."""
    return reader.run_id.removeprefix("example:")


def spec_button(reader: RunReader) -> None:
    """The spec of a run as a file."""
    st.download_button(
        "Spec",
        json.dumps(reader.view.spec.model_dump(mode="json"), indent=2),
        f"{file_stem(reader)}.json",
        "application/json",
        icon=":material/data_object:",
        on_click="ignore",
        help="Everything this run was told, for the command line or another machine.",
    )
