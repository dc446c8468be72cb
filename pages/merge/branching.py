"""What if: a new run that goes on from a moment of another, and a paused run that goes on with other settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.shared.choose.form import settings_form
from pages.shared.runs.panel import begin
from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.events import Progress, newest
from softmerge_core.experiments.merge.branch import branched, new_values, settings_at, told_changes
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.words import sentence
from softmerge_core.figures.changes import mark_changes
from softmerge_core.figures.style import Theme
from softmerge_core.merging.changes import CHANGEABLE
from softmerge_core.runs.store import read_spec
from softmerge_core.settings import SoftMergeSettings

BRANCH = "A new run that goes on from the moment shown, with other settings or the same."
CHANGE = "Pause a run to let it go on with another penalty, learning rate or temperature."


def branch_button(reader: RunReader | None, step: int | None) -> None:
    """Draw the button that branches from ``step`` of the run; it has its place while no moment is chosen as well."""
    spec = reader.view.spec if reader else None
    at_end = reader is not None and step is not None and _ended(reader, step)
    able = isinstance(spec, MergeSpec) and step is not None and not at_end
    place = st.popover(
        "Branch from here",
        icon=":material/fork_right:",
        key=f"branch:{reader.run_id if reader else ''}",
        disabled=not able,
        help="The merge ends here; choose an earlier moment." if at_end else BRANCH,
    )
    if reader is not None and isinstance(spec, MergeSpec) and step is not None and able:
        with place:
            _branch(spec, reader.run_id, step)


def _ended(reader: RunReader, step: int) -> bool:
    """Whether the run was done at this step, so that nothing could be other after it."""
    told = newest(reader.events, Progress)
    return reader.view.status == "finished" and told is not None and step >= told.step


def _branch(spec: MergeSpec, run_id: str, step: int) -> None:
    st.markdown(f"**A new run from step {step:,}**")
    values = _form(spec, step, f"branch:{run_id}:{step}:")
    later = len(spec.changes) > len(branched(spec, run_id, step, {}).changes)
    st.caption("Up to there it is the same run" + ("; what was changed later is not." if later else "."))
    if not st.button("Start", key="branch-start", type="primary", icon=":material/play_arrow:", help=BRANCH):
        return
    try:
        begin("merge", branched(spec, run_id, step, values))
    except SoftMergeError as error:
        st.error(plain(sentence(str(error)), 400), icon=":material/error:")
    else:
        st.rerun()


def change_button(reader: RunReader | None) -> Mapping[str, Any] | None:
    """Draw the button that changes settings of a paused run; returns the new values once it is to go on with them."""
    spec = reader.view.spec if reader else None
    key = f"change:{reader.run_id if reader else ''}"  # another one is closed once the run goes on
    place = st.popover("Change", icon=":material/tune:", key=key, disabled=reader is None, help=CHANGE)
    if reader is None or not isinstance(spec, MergeSpec):
        return None
    with place:
        told = newest(reader.events, Progress)
        step = told.step if told else 0
        values = _form(spec, step, f"change:{reader.run_id}:{len(spec.changes)}:")
        about = "Let the run go on; these hold from its next step on."
        if st.button("Go on with these", key="change-go", type="primary", icon=":material/resume:", help=about):
            return new_values(settings_at(spec, step), values)
    return None


def _form(spec: MergeSpec, step: int, prefix: str) -> dict[str, Any]:
    """The settings that may change, at first as they hold at ``step``."""
    held = settings_at(spec, step).model_dump(include=set(CHANGEABLE))
    return settings_form(SoftMergeSettings, prefix=prefix, fields=CHANGEABLE, columns=1, defaults=held, bind=False)


def changes_of(log: Path) -> list[tuple[int, str]]:
    """Step and words of what was changed on the way of the run with this log; none where its spec cannot be read."""
    try:
        spec = read_spec(log.parent)
    except SoftMergeError:
        return []
    return told_changes(spec) if isinstance(spec, MergeSpec) else []


def changes_marked(reader: RunReader, figure: go.Figure | None, theme: Theme) -> go.Figure | None:
    """The figure with a line at each step at which settings of the run were changed."""
    spec, told = reader.view.spec, newest(reader.events, Progress)
    if figure is not None and told is not None and isinstance(spec, MergeSpec):
        mark_changes(figure, told_changes(spec, told.step), theme)
    return figure
