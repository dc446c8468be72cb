"""Which step of which run is looked at, and which gate in it."""

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from pages.shared.choose.explaining import explained
from pages.shared.choose.form import one_of
from pages.shared.choose.linked import link, linked
from pages.shared.choose.step_link import PART, RUN, SOURCE, STEP, state_key
from pages.shared.runs.services import newest_runs, run_store
from pages.shared.show.page_state import refuse
from softmerge_core.errors import SoftMergeError
from softmerge_core.events import Progress, newest
from softmerge_core.experiments.merge.step_words import part_name
from softmerge_core.experiments.words import clipped
from softmerge_core.runs import files
from softmerge_core.runs.log import read_log
from softmerge_core.runs.store import EXAMPLES, read_spec

FIRST = {RUN: "example:more-nothing-gained", STEP: "180", PART: "conv1", SOURCE: "2"}  # a gate in the balance
OWN = 50  # merges of the reader's own that can be chosen, the newest


class Wanted(NamedTuple):
    """The training ``step`` (1 or more) of a run, and the part that is looked at, as far as that is known."""

    run_id: str
    step: int
    part: str


def choose_step() -> Wanted | None:
    """Draw the choice of a run and of a step in it; None where there is no run."""
    titles = _titles()
    left, right = st.columns([3, 1], gap="small")
    with left:
        run_id = _chosen("Run", list(titles), RUN, titles.get, "The recorded merges, and the newest of your own.")
    if run_id is None:
        return None
    with right:
        step = _number(run_id)
    return Wanted(run_id, step, _asked(PART))


def choose_gate(step: Mapping[str, Any]) -> tuple[str, int]:
    """Draw the choice of a part of the network and of a source: the gate that is looked at."""
    left, right = st.columns(2, gap="small")
    with left:
        part = _chosen(
            "Part", step["names"], PART, lambda name: part_name(step, name), "The part whose gates are looked at."
        )
    numbers = [str(number) for number in range(1, len(step["sources"]) + 1)]
    with right:
        source = _chosen(
            "Source", numbers, SOURCE, lambda number: clipped(step["sources"][int(number) - 1], 60),
            "The source whose gate in this part is followed.",
        )  # fmt: skip
    return str(part), int(source or 1) - 1


def told_of(wanted: Wanted, *, waiting: Callable[[], Any]) -> Mapping[str, Any]:
    """What ``explain_step`` tells: of some steps of recorded runs it is shipped; else a process works it out.

    Raises SoftMergeError where it cannot be told. ``waiting`` as in ``explained``.
    """
    shipped = _shipped().get(wanted.run_id, {}).get(str(wanted.step))
    if shipped is not None:
        return shipped
    return explained(wanted.run_id, "--step", str(wanted.step), part=wanted.part, waiting=waiting)


def _chosen(
    label: str, options: Sequence[str], name: str, title: Callable[[str], str | None], about: str
) -> str | None:
    """One of the options in a box: what was chosen, what the address asks for, what is shown first, or the first."""
    key, asked = state_key(name), next(iter(linked(name)), None)
    if asked is not None and asked not in options:
        refuse(name, asked, "it is not among those that can be chosen")
    if st.session_state.get(key) not in options or asked in options:
        st.session_state[key] = next((one for one in (asked, FIRST[name]) if one in options), next(iter(options), None))
    chosen = one_of(
        st.selectbox, label, options, format_func=lambda one: title(one) or one, key=key, persist_state="session",
        help=about,
    )  # fmt: skip
    link(name, [chosen] if chosen else [])
    return chosen


def _asked(name: str) -> str:
    """What the address asks for or was chosen before, under a name whose widget is not drawn yet."""
    return next(iter(linked(name)), "") or str(st.session_state.get(state_key(name)) or FIRST[name])


def _number(run_id: str) -> int:
    """Draw the number of the step, within those that the run has done."""
    key, asked, last = state_key(STEP), next(iter(linked(STEP)), ""), _last(run_id)
    wanted = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else None
    if asked and (wanted is None or not 1 <= wanted <= last):
        refuse(STEP, asked, f"this run has steps 1 to {last:,}")
    shown = st.session_state.get(key, int(FIRST[STEP])) if wanted is None else wanted
    st.session_state[key] = min(max(int(shown or 1), 1), last)
    step = int(
        st.number_input(
            "Step", min_value=1, max_value=last, step=1, key=key, persist_state="session",
            help=f"Which training step, 1 to {last:,}: step 1 leads from the first gates to those after it.",
        )
    )  # fmt: skip
    link(STEP, [str(step)])
    return step


def _titles() -> dict[str, str]:
    """The runs that can be chosen, by their ids: recorded ones, the one that the address names, and the newest."""
    store = run_store()
    found = {run.id: f"Recorded: {clipped(run.name, 80)}" for run in store.examples() if run.kind == "merge"}
    named = [run_id for run_id in (*linked(RUN), str(st.session_state.get(state_key(RUN)) or "")) if run_id]
    for run_id in (*newest_runs("merge", OWN), *named):
        if run_id not in found:
            with contextlib.suppress(SoftMergeError):  # deleted, or no merge at all
                found |= _title(run_id, store.folder(run_id))
    return found


@lru_cache(maxsize=1000)
def _title(run_id: str, folder: Path) -> dict[str, str]:
    """{id: title} of one run of the reader's own; empty where it is no merge."""
    spec = read_spec(folder)
    made = f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]} {run_id[9:11]}:{run_id[11:13]}"
    return {run_id: f"{clipped(spec.name, 80)}, {made} UTC"} if spec.kind == "merge" else {}


def _last(run_id: str) -> int:
    """The last step that the run has told of, at least 1."""
    with contextlib.suppress(SoftMergeError, OSError):
        log = run_store().folder(run_id) / files.EVENTS
        return _told_last(log, log.stat().st_size)
    return 1


@lru_cache(maxsize=200)
def _told_last(log: Path, size: int) -> int:
    told = newest(read_log(log, max(0, size - 2**18)).events, Progress)
    return max(1, told.step if told else 1)


@cache
def _shipped() -> dict[str, dict[str, dict[str, Any]]]:
    """Steps of recorded runs as ``softmerge explain`` told them: run -> step -> what it told."""
    found: dict[str, dict[str, dict[str, Any]]] = json.loads((EXAMPLES / "steps.json").read_text(encoding="utf-8"))
    return found
