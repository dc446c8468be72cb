"""Starting and steering one run, whatever its kind: the buttons, the menu of earlier runs, the progress.

Pages only read: what a run does is told by its folder, so a reload or a second tab shows the same.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from pages.shared.runs import address
from pages.shared.runs.in_class import check_room, may_stop, note_start, stop_run
from pages.shared.runs.pinned import pin_button
from pages.shared.runs.reader import RunReader, open_run
from pages.shared.runs.services import (
    first_example,
    is_live,
    may_change,
    newest_live,
    newest_runs,
    remember_start,
    run_store,
    runner,
    started_here,
    visitor,
)
from pages.shared.runs.vary import vary
from pages.shared.show.page_state import beside, refuse
from pages.shared.show.text import plain
from pages.shared.show.theme import landing
from softmerge_core.errors import SoftMergeError
from softmerge_core.events import Notice, Progress, newest
from softmerge_core.experiments import Spec
from softmerge_core.experiments.words import plural, progress_sentence, sentence, steps_done
from softmerge_core.runs import RunView

Steered = Callable[[RunReader | None], Mapping[str, Any] | None]
LISTED = 10  # earlier runs that can be opened again
RESUMABLE = ("interrupted", "stopped")
NOT_YOURS = "Only whoever started this run can steer it; everyone may watch."
NOT_YOURS_TO_STOP = "Only whoever started this run, or the teacher of its class, can stop it; everyone may watch."
WORDS = {
    "waiting": "waiting for a worker",
    "running": "running",
    "paused": "paused",
    "finished": "finished",
    "stopped": "stopped",
    "failed": "failed",
    "interrupted": "interrupted",
}


def current_run(kind: str) -> RunReader | None:
    """The run this session looks at: what it was told to, the address names, its own newest live, or the example.

    To be called once in a run of the script, before anything else may choose another run; then ``shown_run``.
    """
    key = f"{kind}:run"
    if key not in st.session_state:
        st.session_state[key] = address.named() or newest_live(kind, own=True) or _example(kind)
    elif address.moved(kind):
        st.session_state[key] = address.named() or _example(kind)
    return shown_run(kind)


def _example(kind: str) -> str | None:
    """The example of a kind; it is looked for once in a session, for that reads files."""
    key = f"{kind}:example"
    if key not in st.session_state:
        st.session_state[key] = first_example(kind)
    found: str | None = st.session_state[key]
    return found


def shown_run(kind: str) -> RunReader | None:
    """A reader of the run that this session looks at, which the address then names, unless it is the example."""
    run_id, reader = st.session_state[f"{kind}:run"], st.session_state.get(f"{kind}:reader")
    if run_id is not None and (reader is None or reader.run_id != run_id):
        reader = _open(kind, run_id) or _instead(kind, run_id)
        st.session_state[f"{kind}:reader"] = reader
        st.session_state[f"{kind}:run"] = reader.run_id if reader else None
    shown: RunReader | None = reader
    name = shown.run_id if shown else None
    beside(address.RUN, [name] if name else [])
    address.tell(kind, None if name == _example(kind) and name != address.named() else name)
    return shown


def _open(kind: str, run_id: str) -> RunReader | None:
    """A reader of the run; says so in the page where there is none."""
    try:
        reader = open_run(run_store(), run_id)
        if reader.view.spec.kind == kind:
            return reader
        problem = f"Run {run_id} is of another kind."
    except SoftMergeError as error:
        problem = str(error)
    if run_id == address.named():
        refuse(address.RUN, run_id, problem)
    else:
        st.warning(plain(sentence(problem), 300), icon=":material/history:")
    return None


def _instead(kind: str, run_id: str) -> RunReader | None:
    """The example where there is no such run."""
    example = _example(kind)
    return _open(kind, example) if example and example != run_id else None


def show_run(kind: str, run_id: str) -> None:
    """From the next run of the script on, look at this run."""
    st.session_state[f"{kind}:run"] = run_id


def controls(
    kind: str,
    reader: RunReader | None,
    spec: Spec | None,
    *,
    label: str = "Start",
    resumable: Sequence[str] = RESUMABLE,
    pins: bool = True,
    steered: Steered | None = None,
) -> str | None:
    """The buttons of a run; returns what went wrong. ``pins``: whether a run can be pinned.

    Start is possible with a ``spec`` whatever is live: runs wait for their turn. Only who started a run may pause
    it; the teacher of its class may stop it as well. ``resumable``: how a run may have ended that can still go on where
    it was. ``steered`` draws beside them what a paused run can be told to go on with, and returns that once it is to.
    """
    view = reader.view if reader else None
    own = view is not None and started_here(view.id)
    row = st.container(horizontal=True, vertical_alignment="center", gap="small")
    with row.container(horizontal=True, gap="small", width="content", key=f"controls-{kind}"):
        landing()
        about = "Start a new run with the settings on this page; if others are live, it waits for its turn."
        pressed = st.button(label, type="primary", icon=":material/play_arrow:", disabled=spec is None, help=about)
        steer = _pause_button(view, resumable, own=own)
        stop = _stop_button(view)
        paused = reader if own and view is not None and view.status == "paused" else None
    with row:
        vary(kind, spec)
        change = steered(paused) if steered else None
        _earlier(kind)
    problem = None
    try:
        if pressed and spec is not None:
            begin(kind, spec)
        elif reader:
            _act(reader, stop=stop, change=change if paused else None, steer=steer, own=own)
    except SoftMergeError as error:
        problem = str(error)
    if pins:
        with row:
            pin_button(kind, shown_run(kind))  # which the buttons may have started
    return problem


def _act(reader: RunReader, *, stop: bool, change: Mapping[str, Any] | None, steer: bool, own: bool) -> None:
    """Do what was pressed about a run; raises SoftMergeError."""
    if stop:
        stop_run(reader.run_id)
    elif change is not None:
        runner().resume(reader.run_id, change=change)
    elif steer:
        _steer(reader.view, own=own)
    reader.awaited |= stop or change is not None or steer


def begin(kind: str, spec: Spec) -> None:
    """Start a run, look at it, and remember who started it; raises SoftMergeError."""
    check_room()
    run_id = runner().submit(spec, owner=visitor())
    remember_start(run_id)
    note_start(run_id)
    show_run(kind, run_id)
    st.session_state[f"{kind}:reader"] = RunReader(run_store(), run_id)


def _stop_button(view: RunView | None) -> bool:
    foreign = view is not None and is_live(view) and not may_stop(view.id)
    about = NOT_YOURS_TO_STOP if foreign else "End the run and keep what it has so far."
    return st.button("Stop", icon=":material/stop:", disabled=foreign or not is_live(view), help=about)


def _steer(view: RunView, *, own: bool) -> None:
    """Let the run wait or go on; who makes a run go on that was cut short is the one who started it from then on."""
    if view.status == "running" and own:
        runner().pause(view.id)
    elif view.status != "running" and (own or (not is_live(view) and may_change(view.id))):
        runner().resume(view.id, owner=visitor())
        remember_start(view.id)


def _pause_button(view: RunView | None, resumable: Sequence[str], *, own: bool) -> bool:
    """Pause, or for a run that waits or was cut short, resume: always at the same place."""
    status = view.status if view else None
    example = view is not None and view.id.startswith("example:")
    foreign = NOT_YOURS if is_live(view) and not own else ""
    if status == "paused" or (status in resumable and not example):
        barred = bool(foreign) or (view is not None and not may_change(view.id))
        about = (foreign or NOT_YOURS) if barred else "Go on where the run was left."
        return st.button("Resume", icon=":material/resume:", key="steer", disabled=barred, help=about)
    return st.button(
        "Pause",
        icon=":material/pause:",
        key="steer",
        disabled=status != "running" or bool(foreign),
        help=foreign or "Let the run wait; nothing is lost.",
    )


def _earlier(kind: str) -> None:
    """A menu of the newest runs; it is filled when it is opened."""
    menu = st.popover("Earlier runs", icon=":material/history:", on_change="rerun", key=f"{kind}-earlier")
    if not menu.open:
        return
    with menu:
        names = newest_runs(kind, LISTED) + [run.id for run in run_store().examples() if run.kind == kind]
        if not names:
            st.caption("None yet: each run you start is kept here.")
        for run_id in names:
            _entry(kind, run_id)


def _entry(kind: str, run_id: str) -> None:
    store = run_store()
    try:
        status, name = store.status(run_id).status, store.read(run_id, 2**62).spec.name
    except SoftMergeError as error:
        st.caption(f"{plain(run_id, 80)} · {plain(sentence(str(error)), 200)}")
        return
    when = (
        "example"
        if run_id.startswith("example:")
        else f"{run_id[4:6]}-{run_id[6:8]} {run_id[9:11]}:{run_id[11:13]} UTC"
    )
    st.button(
        f"{plain(name, 48)} · {when} · {WORDS[status]}",
        key=f"open:{run_id}",
        type="tertiary",
        on_click=_choose,
        args=(kind, run_id),
    )


def _choose(kind: str, run_id: str) -> None:
    """Look at a run of the menu, and close the menu."""
    show_run(kind, run_id)
    st.session_state[f"{kind}-earlier"] = False


def tell_end(reader: RunReader, what: str = "run") -> None:
    """Draw the notices of a run, and its error if it failed or was interrupted; ``what``: "run" or "training"."""
    view = reader.view
    for text in reader.once("notices", lambda: _notices(reader)):
        st.warning(plain(sentence(text), 400), icon=":material/info:")
    if view.status == "failed":
        st.error(plain(sentence(view.error or f"The {what} failed"), 600), icon=":material/error:")
    elif view.status == "interrupted":
        st.warning(plain(sentence(view.error or f"The {what} was interrupted"), 600), icon=":material/history:")


def _notices(reader: RunReader) -> list[str]:
    return list(dict.fromkeys(event.text for event in reader.events if isinstance(event, Notice)))


def progress(reader: RunReader) -> None:
    """A bar with the steps done and the time left, or how the run ended."""
    steps = newest(reader.events, Progress)
    share = min(steps.step / steps.total, 1.0) if steps and steps.total else 0.0
    st.progress(1.0 if reader.view.status == "finished" else share, text=_progress_text(reader, steps))


def _waiting_text(run_id: str) -> str:
    """For what a run waits: its turn, a worker, or the first of them."""
    if not runner().ready():
        return "Starting the workers; this takes a few seconds once."
    ahead = runner().before(run_id)
    return f"Waiting for its turn: {plural(ahead, 'run')} before it." if ahead else "Waiting for a worker."


def _progress_text(reader: RunReader, steps: Progress | None) -> str:
    view = reader.view
    if view.status == "waiting":
        return _waiting_text(view.id)
    if view.status == "running":
        return progress_sentence(reader.events)
    recorded = "A recorded example, to look at before you start your own: " if view.id.startswith("example:") else ""
    done = f" after {reader.once('steps-done', lambda: steps_done(reader.events))}" if steps else ""
    if view.status == "finished":
        seconds = (view.result or {}).get("seconds")
        took = f", in {seconds:.1f} s" if isinstance(seconds, (int, float)) and seconds else ""
        text = f"{recorded}finished{done}{took}."
        return text[0].upper() + text[1:]
    return f"{WORDS[view.status].capitalize()}{done}."
