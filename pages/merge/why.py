"""Why a gate is closed, or open: the history of the gate that was clicked, in words and as a picture."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import streamlit as st

from pages.merge.moments import whole_of
from pages.shared.choose.explaining import WAITING, explained
from pages.shared.choose.form import one_of
from pages.shared.choose.step_link import go_to_step
from pages.shared.show.live_plot import Click, live_plot
from pages.shared.show.text import plain
from pages.shared.show.theme import current_theme
from softmerge_core.errors import SoftMergeError
from softmerge_core.events import AnyEvent, Evaluation, Stage
from softmerge_core.experiments.merge.drill import is_deep
from softmerge_core.experiments.merge.gate_why import why_gate
from softmerge_core.experiments.merge.kept import Kept
from softmerge_core.experiments.merge.rows import row_parts
from softmerge_core.experiments.merge.step_words import part_name
from softmerge_core.experiments.words import sentence
from softmerge_core.figures.gate_factors import NAME as FACTOR
from softmerge_core.figures.gate_history import gate_history_figure

TALL = 280  # px
MENU = "why-gate"
ABOUT = "What moved the gate that you clicked: the loss or the penalty, step by step."
LIVE = "Once the run has ended: what moved the gate that you click."
DEEP = "Of networks of so many layers single gates are not followed here."
UNTRAINED = "The network that was kept has no trained gates."


class Picked(NamedTuple):
    """The gates in the cell that was clicked: ``parts`` and position of the source, of a stage up to a step."""

    stage: str
    until: int
    parts: tuple[str, ...]
    groups: Mapping[str, str]
    source: int


def why_menu(reader: Any, stage: Stage | None, kept: Kept | None, click: Click | None, most: int) -> None:
    """Draw the menu that says why the gate in the cell that was ``click``-ed is as it is; it is filled when opened.

    ``stage``: that of the gates that are shown, in at most ``most`` rows; ``kept``: the network that they belong to,
    of a run with a result.
    """
    unable = _unable(reader, stage, kept)
    picked = None if unable or stage is None else _picked(reader, stage, kept, click, most)
    menu = st.popover(
        "Why?",
        icon=":material/help:",
        on_change="rerun",
        key=MENU,
        disabled=picked is None,
        help=unable or ABOUT,
        width="content",
    )
    if picked is not None and menu.open:
        with menu:
            _tell(whole_of(reader).run_id, picked, whole_of(reader).events)


def _unable(reader: Any, stage: Stage | None, kept: Kept | None) -> str:
    """Why the gates that are shown have no history that could be told; "" where they have one."""
    if reader is None or stage is None or whole_of(reader).live:
        return LIVE
    if is_deep(stage) or stage.sizes:
        return DEEP
    return UNTRAINED if kept is not None and not kept.learned else ""


def _picked(reader: Any, stage: Stage, kept: Kept | None, click: Click | None, most: int) -> Picked | None:
    """The gates in the cell that was clicked; None where it is none of theirs."""
    learning = _learning(whole_of(reader).events, kept.winner if kept else stage.stage)
    if click is None or click.row is None or click.col is None or click.name == FACTOR or learning is None:
        return None
    parts = row_parts(stage.parts, stage.groups, click.row, most=most)
    name = stage.sources[click.col] if click.col < len(stage.sources) else ""
    if not parts or name not in learning.sources:  # a source that was left out has no gate to learn
        return None
    step = kept.step if kept and kept.step is not None else reader.events[-1].step
    groups = dict(zip(stage.parts, stage.groups or stage.parts, strict=True))
    return Picked(learning.stage, step, parts, groups, learning.sources.index(name))


def _learning(events: Sequence[AnyEvent], stage: str) -> Stage | None:
    """The stage of that key, as the run announced it."""
    return next((event for event in events if isinstance(event, Stage) and event.stage == stage), None)


def _tell(run_id: str, picked: Picked, events: Sequence[AnyEvent]) -> None:
    """Say why, for one of the gates in the cell."""
    names = {"names": list(picked.groups), "groups": list(picked.groups.values())}
    part = picked.parts[0]
    if len(picked.parts) > 1:
        part = one_of(
            st.selectbox, "Part", picked.parts, format_func=lambda name: part_name(names, name), key="why-part",
            help="The cell that you clicked is the mean of these.",
        )  # fmt: skip
    place = st.empty()
    arguments = (run_id, "--step", str(picked.until), f"--stage={picked.stage}")
    try:
        history = explained(*arguments, part=part, waiting=lambda: place.caption(WAITING))
    except SoftMergeError as error:
        place.error(plain(sentence(str(error)), 400), icon=":material/error:")
        return
    _draw(run_id, history, part, picked.source, place, _alone(events))


def _draw(
    run_id: str, history: Mapping[str, Any], part: str, source: int, place: Any, accuracies: Mapping[str, float]
) -> None:
    said = why_gate(history, part, source, accuracies)
    place.markdown(f"**{plain(said[0], 300)}** {plain(' '.join(said[1:]), 1500)}")
    figure = gate_history_figure(history, part, source, theme=current_theme())
    live_plot(figure, key="why-plot", height=TALL, alt="What moved this gate, step by step", file="gate-history")
    closed = int(history["parts"][part]["close"]["step"][source])
    step = closed if closed > history["steps"][0] else history["steps"][-1]
    about = "See that training step in slow motion, with all its numbers."
    if st.button(f"Explain step {step:,}", icon=":material/slow_motion_video:", key="why-step", help=about):
        go_to_step(run_id, step, part, source)


def _alone(events: Sequence[AnyEvent]) -> dict[str, float]:
    """The accuracy of each network that was evaluated on validation data, the newest of each."""
    return {e.series: e.accuracy for e in events if isinstance(e, Evaluation) and e.split == "validation"}
