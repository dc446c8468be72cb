"""The Sweep page: one experiment at many settings and seeds, watched live."""

import contextlib

import streamlit as st

from pages.shared.choose.deleted import tell_deleted, throw_away
from pages.shared.choose.linked import link, linked
from pages.shared.runs.downloads import csv_button
from pages.shared.runs.in_class import classes
from pages.shared.runs.opening import go_to
from pages.shared.runs.panel import WORDS
from pages.shared.runs.services import is_owner, run_store, runner, visitor
from pages.shared.runs.vary import SWEEP
from pages.shared.show.copy_link import page_head
from pages.shared.show.live_plot import let_it_be_sent
from pages.shared.show.site_map import addresses, lead_to
from pages.shared.show.text import plain
from pages.shared.show.theme import landing
from pages.sweep.pictures import pictures
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments import experiments
from softmerge_core.experiments.describe import what_made
from softmerge_core.experiments.sweeping.spec import axes_of
from softmerge_core.experiments.sweeping.varied import seed_path
from softmerge_core.experiments.sweeping.words import choice_sentence, measure_sentence, sweep_sentence
from softmerge_core.experiments.tables import as_csv
from softmerge_core.experiments.words import listed, plural, sentence
from softmerge_core.runs.sweep_reader import SweepReader
from softmerge_core.runs.sweeps import KeptSweep, read_sweep, set_sweep_aside, sweep_ids

PURPOSE = (
    "One experiment at many settings: what changes, and what only seems to. **Vary**, beside Start on the other pages, "
    "begins a sweep of their settings."
)
BEGIN = (
    "Open one of these pages, press **Vary** beside Start, and choose a setting and its range. Its runs are drawn here "
    "while they come: one setting as a line with intervals, two as a map, more on parallel axes."
)
POLL = 1.6  # seconds between two readings of a live sweep
LISTED = 50  # sweeps that can be chosen
SHOWN, READER, GO = f"{SWEEP}:shown", f"{SWEEP}:reader", f"{SWEEP}:go"


def page() -> None:
    """Draw the page."""
    if (going := st.session_state.pop(GO, None)) is not None:
        go_to(*going)
    page_head("Sweep", PURPOSE)
    tell_deleted("sweeps")
    kept = _chosen(sweep_ids(run_store()))
    if kept is None:
        _first()
        return
    reader = _reader(kept)
    _buttons(reader)
    st.caption(f"Made from: {plain(sentence(what_made(kept.sweep.base)), 400)}")
    live = reader.live

    def poll() -> None:
        reader.poll()
        _draw(reader)
        if reader.live != live:
            st.rerun()  # the buttons depend on it, and only the whole script can end the polling

    with st.container(key="shown-sweep"):
        st.fragment(poll, run_every=POLL if live else None, key="sweep-follow")()
    if live:
        let_it_be_sent()


def _first() -> None:
    """Tell how a first sweep is begun, and lead to the pages that can."""
    with st.container(border=True, gap="small", key="sweep-first"):
        st.markdown(f"**No sweep has been started here yet.** {BEGIN}")
        with st.container(horizontal=True, gap="small"):
            for kind in addresses():
                if kind in experiments() and experiments()[kind].outcome is not None:
                    lead_to(kind)


def _chosen(ids: list[str]) -> KeptSweep | None:
    """The sweep that is shown: the one that was begun or chosen here, that the address names, or else the newest."""
    shown = st.session_state.get(SHOWN) or next(iter(linked(SWEEP)), None)
    titles = {sweep_id: title for sweep_id in ids[:LISTED] if (title := _title(sweep_id))}
    if shown in ids and shown not in titles and (title := _title(str(shown))):
        titles[str(shown)] = title
    if shown and shown not in titles:
        st.warning(plain(f"There is no sweep {shown}.", 120), icon=":material/history:")
    if not titles:
        return None
    options = list(titles)
    if st.session_state.get(f"{SWEEP}:choice") not in options or SHOWN in st.session_state:
        st.session_state[f"{SWEEP}:choice"] = shown if shown in options else options[0]
        st.session_state.pop(SHOWN, None)
    chosen: str = st.selectbox(
        "Sweep", options, format_func=lambda name: titles.get(name, name), key=f"{SWEEP}:choice",
        persist_state="session", help="Every sweep that was started here, the newest first.",
    )  # fmt: skip
    link(SWEEP, [chosen])
    return read_sweep(run_store(), chosen)


def _title(sweep_id: str) -> str:
    """A sweep in the list; "" for one whose file is damaged."""
    with contextlib.suppress(SoftMergeError):
        kept = read_sweep(run_store(), sweep_id)
        names = " × ".join(about.label for about in axes_of(kept.sweep))
        points, seeds = len(kept.runs) // len(kept.sweep.seeds), len(kept.sweep.seeds)
        size = plural(points, "point") + ("" if seed_path(kept.sweep.base) is None else f" of {plural(seeds, 'seed')}")
        return f"{kept.sweep.base.kind.capitalize()}: {names}, {size}, {kept.created:%d %b %H:%M} UTC"
    return ""


def _reader(kept: KeptSweep) -> SweepReader:
    known: SweepReader | None = st.session_state.get(READER)
    if known is None or known.kept.id != kept.id:
        known = st.session_state[READER] = SweepReader(run_store(), kept)
    else:
        known.poll()
    return known


def _buttons(reader: SweepReader) -> None:
    """Stop, go on, take along, delete."""
    kept, mine = reader.kept, is_owner() or reader.kept.owner in ("", visitor())
    may_stop = _may_stop(kept)
    about = "" if mine else "Only whoever started this sweep can do that, or the owner of this server."
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="sweep-actions"):
        landing()
        st.button(
            "Stop", icon=":material/stop:", disabled=not (may_stop and reader.live), on_click=_stop, args=(reader,),
            help="End every run that has not ended; what is done stays." if may_stop else about,
        )  # fmt: skip
        st.button(
            "Go on", icon=":material/resume:", disabled=not (mine and reader.cut_short and not reader.live),
            on_click=_go_on, args=(kept,), help=about or "Begin again what was stopped, failed or cut short.",
        )  # fmt: skip
        head, rows = reader.table.csv({run: WORDS[state] for run, state in reader.states.items()})
        csv_button(
            "Table",
            as_csv(head, rows),
            f"sweep-{kept.id}.csv",
            "A row for each run: its values and numbers.",
            place="sweep",
        )
        st.button(
            "Delete", icon=":material/delete:", disabled=not mine or reader.live, on_click=_delete, args=(kept,),
            help=about or "Throw this sweep and its runs away; they can be brought back for a day.",
        )  # fmt: skip


def _may_stop(kept: KeptSweep) -> bool:
    """Whether this visitor began the sweep, teaches the class in which it was begun, or owns the server."""
    return is_owner() or kept.owner in ("", visitor()) or classes().may_stop(kept.id, visitor())


def _stop(reader: SweepReader) -> None:
    if not _may_stop(reader.kept):
        return  # a button that is disabled may be pressed by another program
    for run_id, state in reader.states.items():
        if state in ("waiting", "running", "paused"):
            with contextlib.suppress(SoftMergeError):  # it ended meanwhile
                runner().stop(run_id)


def _go_on(kept: KeptSweep) -> None:
    try:
        runner().resume_sweep(kept, owner=visitor())
    except SoftMergeError as error:
        st.error(plain(sentence(str(error)), 400), icon=":material/error:")


def _delete(kept: KeptSweep) -> None:
    throw_away("sweeps", _title(kept.id), lambda: set_sweep_aside(run_store(), kept))
    for name in (SHOWN, READER, f"{SWEEP}:choice"):
        st.session_state.pop(name, None)
    st.query_params.pop(SWEEP, None)


def _draw(reader: SweepReader) -> None:
    """The progress, the sentence and the pictures; a click on a point opens its run."""
    total = len(reader.kept.runs)
    done = sum(state == "finished" for state in reader.states.values())
    st.progress(done / total, text=_progress_text(reader, done, total))
    with st.container(border=True, gap="xsmall", key="verdict"):
        st.markdown(f"**{plain(sweep_sentence(reader.table), 900)}**")
        if reader.table.done:
            st.caption(plain(f"{measure_sentence(reader.table)} {choice_sentence(reader.table)}", 600))
    clicked = pictures(reader)
    if clicked is not None:
        st.session_state[GO] = (reader.kept.sweep.base.kind, clicked)
        st.rerun()


def _progress_text(reader: SweepReader, done: int, total: int) -> str:
    states: list[str] = list(reader.states.values())
    other = [f"{states.count(name)} {WORDS[name]}" for name in WORDS if name != "finished" and states.count(name)]
    gone = total - len(states)
    other += [f"{gone} deleted"] if gone else []
    if empty := sum(state == "finished" and run not in reader.outcomes for run, state in reader.states.items()):
        other.append(f"{empty} came to no number")
    if done == total and not empty:
        return f"All {plural(total, 'run')} are done."
    return f"{done} of {plural(total, 'run')} are done" + (f"; {listed(other)}." if other else ".")
