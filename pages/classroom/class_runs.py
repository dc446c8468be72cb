"""The runs of a class: which one the teacher shows, and those that students have started."""

from functools import lru_cache
from typing import NamedTuple

import streamlit as st

from pages.classroom.doing import do
from pages.classroom.questions import posed, run_kind
from pages.classroom.student import run_name
from pages.shared.runs.in_class import class_tag, classes, stop_run
from pages.shared.runs.opening import go_to
from pages.shared.runs.panel import LISTED, WORDS
from pages.shared.runs.reader import LIVE
from pages.shared.runs.services import newest_runs, run_store, visitor
from pages.shared.show.table import show_table
from pages.shared.show.text import plain
from softmerge_core.classroom import Record
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments import experiments
from softmerge_core.experiments.describe import differences, shortened
from softmerge_core.experiments.words import plural, signed
from softmerge_core.runs.status import ENDED
from softmerge_core.runs.store import read_spec
from softmerge_core.runs.sweeps import sweep_ids

CHOSEN = "class-run"  # the run of the list that the buttons are for
HEAD = ("Run", "State", "Unlike the shown run", "Gain over the best source (points)")
SHOW = "Put this run before the class: students can watch it, or fork it with their own settings."


class ClassRun(NamedTuple):
    """A run that a student has started. ``place``: it is the so-manieth of the class, from 1."""

    place: int
    id: str
    status: str

    @property
    def live(self) -> bool:
        """Whether it may still change by itself."""
        return self.status in LIVE


def runs_of(record: Record) -> list[ClassRun]:
    """The runs of a class that are still there, the newest first."""
    found = []
    for place, run_id in enumerate(record.runs, 1):
        if status := _status(run_id):
            found.append(ClassRun(place, run_id, status))
    return found[::-1]


def _status(run_id: str) -> str:
    """The state of a run; "" of one that is gone, damaged, or no single run."""
    try:
        return run_store().status(run_id).status
    except SoftMergeError:
        return ""


def show_menu(record: Record) -> None:
    """Draw which run is shown, and the menu of those that can be put before the class, filled when it is opened."""
    if record.shown:
        st.markdown(f"Students can watch and fork: **{plain(run_name(record.shown), 60)}**")
    else:
        st.caption("Students can watch the run that you show, and fork it.")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        menu = st.popover(
            "Show a run", icon=":material/present_to_all:", on_change="rerun", key="class-show",
            help="Choose a recorded run or one of the newest merges, live ones too, for students to watch and fork.",
        )  # fmt: skip
        if record.shown:
            st.button(
                "Show none", key="class-show-none", type="tertiary", icon=":material/close:", on_click=do,
                args=(classes().show, record.code, visitor(), ""), help="Take the run away from the students' pages.",
            )  # fmt: skip
    if menu.open:
        with menu:
            question = posed().get(record.asked.lesson) if record.asked else None
            recorded = [question.question.measured.run] if question else []
            examples = [run.id for run in run_store().examples() if run.kind == "merge"]
            for run_id in dict.fromkeys([*recorded, *newest_runs("merge", LISTED), *examples]):
                _entry(record, run_id)


def _entry(record: Record, run_id: str) -> None:
    if not run_kind(run_id):
        return
    state = "recorded" if run_id.startswith("example:") else WORDS.get(_status(run_id), "")
    st.button(
        f"{plain(run_name(run_id), 60)} · {state}", key=f"class-show:{run_id}", type="tertiary", help=SHOW,
        on_click=do, args=(_show, record, run_id),
    )  # fmt: skip


def _show(record: Record, run_id: str) -> None:
    st.session_state["class-show"] = False
    classes().show(record.code, visitor(), run_id)


def class_runs(record: Record) -> None:
    """Draw the runs of the class, and the buttons for one of them and for all."""
    runs = runs_of(record)
    if sweeps := len({*record.runs} & {*sweep_ids(run_store())}):
        st.caption(f"{plural(sweeps, 'sweep')} of the class can be watched and stopped on the Sweep page.")
    if not runs:
        return
    live = [run for run in runs if run.live]
    st.markdown(f"## Runs of the class\n{plural(len(runs), 'run')}, {len(live)} of them live. "
                f"Each carries the tag “{class_tag(record.code)}” on the Runs page.")  # fmt: skip
    rows = [_row(record, run) for run in runs]
    show_table(HEAD, rows, name=f"class-{record.code}-runs", box="sm-class-runs")
    names = {run.id: f"Run {run.place}, {WORDS[run.status]}" for run in runs}
    if st.session_state.get(CHOSEN) not in names:
        st.session_state[CHOSEN] = runs[0].id
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="class-run-actions"):
        chosen: str = st.selectbox(
            "Run", list(names), format_func=lambda run_id: names.get(run_id, run_id), key=CHOSEN, width=260,
            help="The run that the buttons beside it are for.",
        )  # fmt: skip
        _buttons(record, next((run for run in runs if run.id == chosen), runs[0]), live)


def _buttons(record: Record, run: ClassRun, live: list[ClassRun]) -> None:
    if st.button("Look at it", icon=":material/open_in_new:", key="class-open", help="Open this run on its page."):
        go_to(run_kind(run.id), run.id)
    st.button("Show it", icon=":material/present_to_all:", key="class-show-it", help=SHOW, on_click=do,
              args=(_show, record, run.id))  # fmt: skip
    st.button(
        "Stop it", icon=":material/stop:", key="class-stop", disabled=not run.live, on_click=do,
        args=(stop_run, run.id), help="End this run; what it has so far stays.",
    )  # fmt: skip
    st.button(
        "Stop all", icon=":material/stop_circle:", key="class-stop-all", disabled=not live, on_click=do,
        args=(_stop_all, live), help="End every live run of the class; what they have so far stays.",
    )  # fmt: skip


def _stop_all(live: list[ClassRun]) -> None:
    """Stop every one of them; what keeps one from being stopped is raised once the others are."""
    problem = None
    for run in live:
        try:
            stop_run(run.id)
        except SoftMergeError as error:
            problem = error
    if problem is not None:
        raise problem


def _row(record: Record, run: ClassRun) -> list[str]:
    try:
        unlike = _unlike(run.id, run.status, record.shown, _status(record.shown))
    except SoftMergeError:  # it was deleted meanwhile
        return [f"Run {run.place}", WORDS[run.status], "", ""]
    gain = _final_gain(run.id) if run.status == "finished" else _gain(run.id) if run.status in ENDED else "not yet"
    return [f"Run {run.place}", WORDS[run.status], unlike, gain]


@lru_cache(maxsize=4096)
def _unlike(run_id: str, status: str, shown: str, shown_status: str) -> str:
    """How the settings of a run differ from those of the run that is shown; they change only while a run is paused."""
    spec = read_spec(run_store().folder(run_id))
    try:
        other = read_spec(run_store().folder(shown)) if shown else None
    except SoftMergeError:
        other = None
    if other is None:
        return "no run is shown"
    if other.kind != spec.kind:
        return f"another kind: {experiments()[spec.kind].title}"
    return ", ".join(shortened(differences(spec, other))) or "nothing"


@lru_cache(maxsize=4096)
def _final_gain(run_id: str) -> str:
    return _gain(run_id)


def _gain(run_id: str) -> str:
    """How much better the network of an ended run is than its best source; "" where that is not known."""
    try:
        view = run_store().read(run_id, 2**62)
    except SoftMergeError:
        return ""
    known = experiments()[view.spec.kind].outcome
    outcome = known(view.result) if known and view.result else None
    best = outcome.levels.get("best_source") if outcome else None
    if outcome is None or best is None:
        return "not known"
    return signed(100 * (outcome.measured.mean - best))
