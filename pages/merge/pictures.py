"""What a merge looks like while it runs: gates, accuracy, losses and, in the plane, the decision boundary."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from pages.shared.runs.panel import progress
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import is_live
from pages.shared.show.live_plot import Click, live_plot
from pages.shared.show.theme import current_theme
from softmerge_core.data import datasets
from softmerge_core.events import AnyEvent, Evaluation, Gates, Points, Stage
from softmerge_core.experiments.merge import words
from softmerge_core.figures.accuracy import accuracy_figure
from softmerge_core.figures.boundary import boundary_figure
from softmerge_core.figures.gates import gates_figure, last_gates
from softmerge_core.figures.losses import losses_figure
from softmerge_core.settings import DataSpec

TALL, LOW = 400, 320  # px
NEVER = "None: the run ended before there was anything to show."
CALM = 0.7  # seconds between two drawings of a picture beside the gates
IDLE = {
    "gates": "Each row is a part of the network, each column a source; colour tells how likely the gate between "
    "them is open.",
    "accuracy": "The merged network's accuracy as its gates learn, beside plain averaging, the best source and the "
    "ensemble.",
    "losses": "Task loss, the penalty on open gates, and their sum.",
    "boundary": "What the merged network decides at each point of the plane, under the training samples.",
}


FIGURES: dict[str, Callable[..., Any]] = {
    "accuracy": partial(accuracy_figure, height=TALL),
    "losses": losses_figure,
    "boundary": boundary_figure,
}


def merge_pictures(reader: RunReader | None) -> None:
    """All pictures of a run, or of what will be shown, each under one sentence in words."""
    first, second = st.columns(2, gap="medium")
    with first:
        _gates(reader)
    with second:
        _picture(reader, "accuracy", "Accuracy", partial(_accuracy_words, reader), TALL, ("evaluation", "stage"))
    plane = reader is not None and in_the_plane(reader)
    columns = list(st.columns(2, gap="medium")) if plane else [st.container()]
    with columns[0]:
        _picture(reader, "losses", "Losses", words.losses_sentence, LOW, ("loss", "stage"))
    for column in columns[1:]:
        with column:
            _picture(reader, "boundary", "Decisions", lambda events: IDLE["boundary"], LOW, ("boundary", "points"))


def _picture(
    reader: RunReader | None,
    key: str,
    title: str,
    words_of: Callable[[Sequence[AnyEvent]], str],
    height: int,
    kinds: Sequence[str],
) -> None:
    """A picture of the run's events of these ``kinds``; of no run, what will be there."""
    if reader is None:
        picture(key, title, IDLE[key], None, height)
        return
    events, theme = reader.events, current_theme()
    figure = reader.drawn(key, kinds, theme, lambda: FIGURES[key](events, theme=theme), pause=CALM)
    picture(key, title, words_of(events) if figure or is_live(reader.view) else NEVER, figure, height)


def _accuracy_words(reader: RunReader | None, events: Sequence[AnyEvent]) -> str:
    """How good the merge is on validation data: while it runs by its last evaluation, then by what was kept."""
    kept = (reader.view.result or {}).get("validation_accuracy") if reader else None
    if not kept:
        return words.accuracy_sentence(events)
    split: Any = {"step": 0, "split": "validation", "loss": 0.0}
    return words.accuracy_sentence(
        [
            Evaluation(series=key, accuracy=kept[key], **split)
            for key in ("soft", "average")
            if kept.get(key) is not None
        ]
    )


def in_the_plane(reader: RunReader) -> bool:
    """Whether the samples have two features, so that decisions can be drawn; the same all through a run."""
    dataset = getattr(reader.view.spec, "data", DataSpec()).dataset
    if dataset.endswith(".npz"):
        return any(isinstance(event, Points) for event in reader.events)
    return dataset in datasets() and tuple(datasets()[dataset].input_shape) == (2,)


def picture(
    key: str, title: str, sentence: str, figure: Any, height: int, *, waiting: str = "", clickable: bool = False
) -> Click | None:
    """One picture: its title, what it shows in words, and the chart, which stays in its place for good."""
    with st.container(key=f"picture-{key}", gap="xsmall"):
        st.markdown(f"**{title}.** {sentence}")
        return live_plot(
            figure,
            key=f"{key}-plot",
            height=height,
            alt=f"{title}: {IDLE.get(key, sentence)}",
            waiting=waiting or "Drawn here while a merge runs",
            clickable=clickable,
        ).click


def _gates(reader: RunReader | None) -> None:
    events = _gate_events(reader)
    theme = current_theme()
    figure = reader and reader.drawn(
        "gates", ("gates", "stage"), theme, lambda: gates_figure(events, theme=theme, height=TALL)
    )
    sentence = words.gates_sentence(events) if reader else IDLE["gates"]
    if reader and not figure and not is_live(reader.view):
        sentence = NEVER
    click = picture("gates", "Gates", sentence, figure, TALL, clickable=True)
    st.text(cell_text(events, click), width="stretch")


def cell_text(events: Sequence[AnyEvent], click: Click | None) -> str:
    """What the cell that was clicked says now, letter by letter as its names are."""
    found = last_gates(events)
    if found is None:
        return " "
    stage, gates = found
    if click is None or click.row is None or click.col is None:
        return "Click a cell to read it."
    if click.row >= len(gates.value) or click.col >= len(stage.sources):
        return "The cell you clicked belongs to another stage."
    value, probability = gates.value[click.row][click.col], gates.probability[click.row][click.col]
    exact = {0.0: ", exactly closed", 1.0: ", exactly open"}.get(value, "")
    return (
        f"{stage.parts[click.row]} from {stage.sources[click.col]}: P(open) = {probability:.2f}, "
        f"gate z = {value:.2f}{exact}."
    )


def _gate_events(reader: RunReader | None) -> list[AnyEvent]:
    """The run's events; of one that ended, with the gates of the network that was kept as the newest."""
    if reader is None:
        return []
    gates, events = (reader.view.result or {}).get("gates"), reader.events
    return list(result_gates(gates, events[-1].step)) if gates and events else events


def result_gates(gates: dict[str, Any], step: int) -> tuple[Stage, Gates]:
    """A result's table of gates as the events that draw it."""
    stage = Stage(
        step=step,
        stage="result",
        title="result",
        parts=tuple(gates["parts"]),
        sources=tuple(gates["sources"]),
        groups=tuple(gates.get("groups", ())),
    )
    return stage, Gates(step=step, stage="result", probability=gates["probability"], value=gates["value"])


def merge_progress(reader: RunReader | None) -> None:
    """The bar above the pictures."""
    if reader is None:
        st.progress(0.0, text="Nothing has run yet: press Start, and watch the gates learn which source to trust.")
    else:
        progress(reader)
