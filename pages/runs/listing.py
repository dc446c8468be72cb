"""The list of all runs: what is looked for, and the table of what was found."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from pages.shared.choose.linked import link, linked
from pages.shared.runs.panel import WORDS
from pages.shared.runs.services import run_index
from pages.shared.show.page_state import refuse
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments import experiments
from softmerge_core.experiments.describe import difference
from softmerge_core.experiments.words import clipped, plural
from softmerge_core.runs.index import IndexedRun, RunIndex
from softmerge_core.runs.status import ENDED

PAGE = 100  # runs that are shown at first, and more at each press
KEY = "runs-"
CHOSEN = "runs-chosen"  # the name of the runs that are chosen in the address
FIRST = "runs-first"  # the rows that are chosen in a new table
TALL = 420  # px: of the table


class Search(NamedTuple):
    """What is looked for."""

    words: str
    kinds: tuple[str, ...]
    states: tuple[str, ...]
    tags: tuple[str, ...]
    points: bool = False

    @property
    def everything(self) -> bool:
        """Whether nothing is excluded."""
        return not any(self[:4])


def kind_title(kind: str) -> str:
    """An experiment's name as readers know it."""
    known = experiments().get(kind)
    return known.title if known else kind


def ask() -> Search:
    """Draw the search and the filters."""
    words, kinds, states, tags = st.columns([3, 2, 2, 2], gap="small")
    with words:
        said = st.text_input(
            "Search", key=f"{KEY}words", placeholder="words of a name, outcome, setting or tag", bind="query-params",
            help="Runs that have all these words in their name, sources, settings, outcome or tags.",
        )  # fmt: skip
    with kinds:
        kind = _several("Kinds", list(experiments()), kind_title, "Only runs of these kinds; none chosen: all.")
    with states:
        state = _several("States", list(WORDS), lambda name: WORDS[name].capitalize(), "Only runs in these states.")
    with tags:
        tag = _several("Tags", run_index().tags(), str, "Only runs with all of these tags, which you give below.")
    points = st.toggle(
        "Points of sweeps", key=f"{KEY}points", bind="query-params",
        help="List each run of a sweep too; the Sweep page shows them together.",
    )  # fmt: skip
    return Search(said or "", tuple(kind), tuple(state), tuple(tag), points or bool(tag))


def _several(label: str, options: Sequence[str], title: Callable[[str], str], about: str) -> list[str]:
    key = f"{KEY}{label.lower()}"
    if any(name not in options for name in st.session_state.get(key, [])):  # the last run of a tag is gone
        st.session_state[key] = [name for name in st.session_state[key] if name in options]
    chosen: list[str] = st.multiselect(
        label,
        options,
        key=key,
        format_func=title,
        placeholder="all",
        bind="query-params",
        help=about,
    )
    return chosen


def found(search: Search) -> list[IndexedRun]:
    """The runs that were looked for, newest first."""
    return run_index().find(
        search.words, kinds=search.kinds, states=search.states, tags=search.tags, points=search.points
    )


def in_words(search: Search, runs: Sequence[IndexedRun]) -> str:
    """One sentence about what was found."""
    live = sum(run.status not in (*ENDED, "interrupted") for run in runs)
    hidden = run_index().count() - len(runs) if search.everything and not search.points else 0
    apart = f"{plural(hidden, 'run')} of sweeps {'is' if hidden == 1 else 'are'} on the Sweep page" if hidden else ""
    if not runs:
        if apart:
            return f"No single run has been started here yet; {apart}."
        return "No run is like that." if not search.everything else "No run has been started here yet."
    what = plural(len(runs), "run") + ("" if search.everything else f" like that, of {run_index().count():,}")
    newest = f"the newest is “{clipped(runs[0].name, 60)}”"
    told = [what, newest, *([f"{live} live"] if live else []), *([apart] if apart else [])]
    return "; ".join(told) + "."


def table(runs: Sequence[IndexedRun]) -> list[IndexedRun]:
    """Draw the runs as a table; returns those that are chosen in it."""
    most = st.session_state.get(f"{KEY}most", PAGE)
    asked = {run_id for run_id in linked(CHOSEN) if _among(runs, run_id)}
    most = max([most, *(place + 1 for place, run in enumerate(runs) if run.id in asked)])
    shown = runs[:most]
    if asked:
        st.session_state.update({f"{KEY}most": most, FIRST: [at for at, run in enumerate(shown) if run.id in asked]})
    first = [place for place in st.session_state.get(FIRST, ()) if place < len(shown)]
    picked = st.dataframe(
        _rows(shown),
        key=f"{KEY}table-{st.session_state.get(f'{KEY}turn', 0)}",
        height=min(TALL, 38 + 35 * max(len(shown), 1)),
        hide_index=True,
        on_select="rerun",
        selection_mode="multi-row",
        selection_default={"selection": {"rows": first, "columns": [], "cells": []}},
        column_config=_columns(),
        column_order=["When", "Name", "Kind", "State", "Outcome", "Changed", "Made from", "Tags"],
    )
    if len(runs) > most:
        st.button(
            f"Show {min(PAGE * 5, len(runs) - most):,} more of {len(runs):,}", on_click=_more, type="tertiary",
            help="Lengthen the table by the next older runs.",
        )  # fmt: skip
    rows = [row for row in picked["selection"]["rows"] if isinstance(row, int) and 0 <= row < len(shown)]
    link(CHOSEN, [shown[row].id for row in rows])
    return [shown[row] for row in rows]


def _among(runs: Sequence[IndexedRun], run_id: str) -> bool:
    """Whether a run that the address wants chosen is among those that were found; else that is noted."""
    there = any(run.id == run_id for run in runs)
    if not there:
        refuse(CHOSEN, run_id, "no such run in the list")
    return there


def unselect() -> None:
    """Begin with a new table, in which nothing is chosen: what was chosen may be elsewhere now."""
    st.session_state.pop(FIRST, None)
    st.session_state[f"{KEY}turn"] = st.session_state.get(f"{KEY}turn", 0) + 1


def _more() -> None:
    st.session_state[f"{KEY}most"] = st.session_state.get(f"{KEY}most", PAGE) + 5 * PAGE


def _rows(runs: Sequence[IndexedRun]) -> pd.DataFrame:
    index = run_index()
    return pd.DataFrame(
        {
            "When": pd.to_datetime([run.created for run in runs], utc=True),
            "Name": [run.name or "(no name)" for run in runs],
            "Kind": [kind_title(run.kind) for run in runs],
            "State": [WORDS[run.status] for run in runs],
            "Outcome": [run.message for run in runs],
            "Changed": [_changed(index, run) for run in runs],
            "Made from": [run.made for run in runs],
            "Tags": [list(run.tags) for run in runs],
        }
    )


def _columns() -> dict[str, Any]:
    zone, told = st.context.timezone or "UTC", st.column_config
    return {
        "When": told.DatetimeColumn(
            "When", width=150, format="D MMM YYYY, HH:mm", timezone=zone, help="Begun, by your browser's clock."
        ),
        "Name": told.TextColumn("Name", width=200),
        "Kind": told.TextColumn("Kind", width=170),
        "State": told.TextColumn("State", width=90),
        "Outcome": told.TextColumn("Outcome", width=380, help="What the run came to, in its own words."),
        "Changed": told.TextColumn("Changed", width=260, help="Settings unlike those of the run of its kind before."),
        "Made from": told.TextColumn("Made from", width=320, help="Networks, data, and settings that are not usual."),
        "Tags": told.ListColumn("Tags", width=140),
    }


def _changed(index: RunIndex, run: IndexedRun) -> str:
    """How the settings of a run differ from those of the run of its kind before."""
    before = index.before(run)
    return "the first of its kind" if before is None else _difference(run.id, before.id, run, before)


@lru_cache(maxsize=20_000)
def _difference(run_id: str, before_id: str, run: IndexedRun, before: IndexedRun) -> str:
    try:
        return difference(run.spec, before.spec) or "nothing"
    except SoftMergeError:  # of a version whose settings can no longer be read
        return ""
