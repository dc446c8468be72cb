"""The recorded runs that ship with the project: what to see in each, and its outcome at a glance."""

import html
import json
from collections.abc import Sequence
from functools import cache

import streamlit as st

from pages.runs.listing import kind_title
from pages.shared.runs.opening import open_button
from pages.shared.runs.services import run_store
from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.glance import FROM_EVENTS, Group, glance
from softmerge_core.runs.store import EXAMPLE, EXAMPLES, RunSummary

TALLEST = 100  # percent of the height of a glance: the largest value of the run


def gallery() -> None:
    """Draw a card for each recorded run."""
    st.header("Recorded examples", anchor=False)
    st.caption("Runs worth seeing, which come with the project; each opens on its page, where you can start your own.")
    see, examples = _sentences(), {run.id.removeprefix(EXAMPLE): run for run in run_store().examples()}
    ordered = [examples[name] for name in (*see, *(name for name in examples if name not in see)) if name in examples]
    with st.container(key="run-cards"):
        for run in ordered:
            name = run.id.removeprefix(EXAMPLE)
            with st.container(border=True, key=f"card-{name}", gap="xsmall"):
                _card(run, see.get(name, run.message))


def _card(run: RunSummary, see: str) -> None:
    what, picture = _glance(run.id)
    bars = f" · bars: {plain(what, 120)}" if what else ""
    st.markdown(f"**{plain(run.name, 80)}**  \n:small[{kind_title(run.kind)}{bars}]")
    if picture:
        st.html(picture)
    st.caption(plain(see, 400), help=plain(run.message, 400) or None)
    open_button(run.kind, run.id, "Open")


@cache
def _sentences() -> dict[str, str]:
    """What to see in each run, in the order of the gallery."""
    return {each["run"]: each["see"] for each in json.loads((EXAMPLES / "gallery.json").read_text(encoding="utf-8"))}


@cache  # examples never change
def _glance(run_id: str) -> tuple[str, str]:
    """(what the bars are, the outcome of a run as bars); empty where it has none."""
    try:
        view = run_store().read(run_id, 2**62)  # without its events, which take longer to read
        if view.spec.kind in FROM_EVENTS:
            view = run_store().read(run_id)
    except SoftMergeError:
        return "", ""
    title, groups = glance(view.spec, view.result or {}, view.events)
    return (f"{title[:1].lower()}{title[1:]}", _bars(title, groups)) if groups else ("", "")


def _bars(title: str, groups: Sequence[Group]) -> str:
    """Bars of the same unit, those that the run is about in colour."""
    top = max(max(group.values) for group in groups) or 1.0
    drawn = "".join(_group(group, top) for group in groups)
    said = html.escape(f"{title}: {'; '.join(_told(group) for group in groups)}")
    return f'<div class="sm-glance" role="img" aria-label="{said}" title="{said}">{drawn}</div>'


def _told(group: Group) -> str:
    """A group in words: its only value, or how it goes."""
    numbers = [f"{100 * value:.0f}\u00a0%" for value in group.values]
    return f"{group.name} {numbers[0]}" if len(numbers) == 1 else f"{group.name} {numbers[0]} to {numbers[-1]}"


def _group(group: Group, top: float) -> str:
    inside = "".join(f'<i style="height: {TALLEST * value / top:.0f}%"></i>' for value in group.values)
    return f'<span class="{"sm-strong" if group.strong else "sm-other"}">{inside}</span>'
