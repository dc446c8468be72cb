"""The pictures of a merge while it runs: gates, accuracy, losses and, for data in the plane, decisions."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.shared.runs.picture import Picture, draw_row
from pages.shared.runs.reader import RunReader
from pages.shared.show.live_plot import Click
from softmerge_core.data import datasets
from softmerge_core.events import AnyEvent, Gates, Points, Stage
from softmerge_core.experiments.merge import words
from softmerge_core.figures.accuracy import accuracy_figure
from softmerge_core.figures.boundary import boundary_figure
from softmerge_core.figures.gates import gates_figure, last_gates
from softmerge_core.figures.losses import losses_figure
from softmerge_core.figures.style import Theme
from softmerge_core.settings import DataSpec

TALL, LOW = 400, 320  # px
CALM = 0.7  # seconds between two drawings of a picture beside the gates
WAITING = "Drawn here while a merge runs"
DECISIONS = "The merged network's decision at each point of the plane, under the training samples."


def merge_pictures(reader: RunReader | None) -> None:
    """Draw all pictures of a run, or their empty places before the first run."""
    first, second = st.columns(2, gap="medium")
    with first:
        click = GATES.draw(reader)
        st.text(cell_text(gate_events(reader) if reader else [], click), width="stretch")
    with second:
        ACCURACY.draw(reader)
    draw_row(reader, *([LOSSES, BOUNDARY] if reader is not None and in_the_plane(reader) else [LOSSES]))


def _gates(reader: RunReader, theme: Theme) -> go.Figure | None:
    return gates_figure(gate_events(reader), theme=theme, height=TALL)


def _accuracy(reader: RunReader, theme: Theme) -> go.Figure | None:
    return accuracy_figure(reader.events, theme=theme, height=TALL)


def _losses(reader: RunReader, theme: Theme) -> go.Figure | None:
    return losses_figure(reader.events, theme=theme)


def _boundary(reader: RunReader, theme: Theme) -> go.Figure | None:
    return boundary_figure(reader.events, theme=theme)


def _accuracy_words(reader: RunReader) -> str:
    return words.accuracy_sentence(reader.events, (reader.view.result or {}).get("validation_accuracy"))


GATES = Picture(
    key="gates",
    title="Gates",
    idle="Each row is a part of the network, each column a source; colour tells how likely the gate between them "
    "is open.",
    kinds=("gates", "stage"),
    build=_gates,
    words=lambda reader: words.gates_sentence(gate_events(reader)),
    height=TALL,
    waiting=WAITING,
    clickable=True,
)
ACCURACY = Picture(
    key="accuracy",
    title="Accuracy",
    idle="The merged network's accuracy as its gates learn, beside plain averaging, the best source and the ensemble.",
    kinds=("evaluation", "stage"),
    build=_accuracy,
    words=_accuracy_words,
    height=TALL,
    waiting=WAITING,
    pause=CALM,
)
LOSSES = Picture(
    key="losses",
    title="Losses",
    idle="Task loss, the penalty on open gates, and their sum.",
    kinds=("loss", "stage"),
    build=_losses,
    words=lambda reader: words.losses_sentence(reader.events),
    height=LOW,
    waiting=WAITING,
    pause=CALM,
)
BOUNDARY = Picture(
    key="boundary",
    title="Decisions",
    idle=DECISIONS,
    kinds=("boundary", "points"),
    build=_boundary,
    words=lambda reader: DECISIONS,
    height=LOW,
    waiting=WAITING,
    pause=CALM,
)


def in_the_plane(reader: RunReader) -> bool:
    """Whether the samples have two features, so that decisions can be drawn; the same all through a run."""
    dataset = getattr(reader.view.spec, "data", DataSpec()).dataset
    if dataset.endswith(".npz"):
        return any(isinstance(event, Points) for event in reader.events)
    return dataset in datasets() and tuple(datasets()[dataset].input_shape) == (2,)


def cell_text(events: Sequence[AnyEvent], click: Click | None) -> str:
    """The gate in the cell that was clicked, in plain text; a blank where there are no gates yet."""
    found = last_gates(events)
    if found is None:
        return " "
    if click is None or click.row is None or click.col is None:
        return "Click a cell to read it."
    return words.gate_text(*found, click.row, click.col)


def gate_events(reader: RunReader) -> list[AnyEvent]:
    """The run's events; of a run with a result, the gates of the network that was kept."""
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
