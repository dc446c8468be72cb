"""The result of the widgets on the left of a page: the spec of a run, or the problem that keeps it from starting."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from softmerge_core.errors import ArchitectureError, SoftMergeError
from softmerge_core.experiments import Spec, experiment
from softmerge_core.settings import DataSpec


@dataclass(frozen=True)
class Setup:
    """A spec that can be run, or None with the problem, if there is one to tell.

    ``wanted``: the spec that has the problem, where there is a whole one. ``mixed``: the problem is that sources are of
    several architectures, which a comparison of methods takes.
    """

    spec: Spec | None
    problem: str | None = None
    wanted: Spec | None = None
    mixed: bool = False

    @property
    def described(self) -> Spec | None:
        """The spec that the widgets describe, whether or not it can be run; None where they describe none."""
        return self.spec or self.wanted


def checked(spec: Spec, data: DataSpec) -> Setup:
    """The spec, or the problem that its check finds before any work."""
    path = Path(data.dataset)
    changed = path.stat().st_mtime if data.dataset.endswith(".npz") and path.is_file() else 0.0
    problem, mixed = _problem(spec.model_dump_json(), changed, spec)
    return Setup(None, problem, spec, mixed) if problem else Setup(spec)


@st.cache_data(max_entries=64, show_spinner=False)
def _problem(spec_json: str, changed: float, _spec: Spec) -> tuple[str, bool]:
    """The problem with a spec, or "", and whether it is that of several architectures.

    Data files are read to find it, so the answer is remembered.
    """
    try:
        experiment(_spec.kind).check(_spec)
    except SoftMergeError as error:
        return str(error), isinstance(error, ArchitectureError)
    return "", False
