"""The pictures of a merge while it runs: gates, accuracy, losses and, for data in the plane, decisions."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.merge.branching import changes_marked
from pages.merge.film_link import film_of_link
from pages.merge.gate_rows import (
    ALL_CLOSED,
    Chosen,
    chosen_rows,
    deep_cell_text,
    find_layers,
    is_deep_run,
    shown_rows,
)
from pages.merge.moments import seen, whole_of
from pages.merge.replay import replay_controls
from pages.merge.surgery import surgery
from pages.merge.why import why_menu
from pages.shared.runs.picture import Behind, Picture, draw_row, picture_columns
from pages.shared.runs.reader import RunReader
from pages.shared.show.live_plot import Click
from pages.shared.show.text import plain
from softmerge_core.data import datasets
from softmerge_core.events import AnyEvent, Boundary, Gates, Points, Stage, newest
from softmerge_core.experiments.merge import words
from softmerge_core.experiments.merge.drill import is_deep
from softmerge_core.experiments.merge.kept import Kept, kept_network
from softmerge_core.experiments.merge.rows import gate_rows
from softmerge_core.figures.accuracy import accuracy_figure, is_merge_line
from softmerge_core.figures.boundary import boundary_figure, shows_kept
from softmerge_core.figures.gate_factors import NAME as FACTOR
from softmerge_core.figures.gates import gates_figure, last_gates, most_rows
from softmerge_core.figures.losses import losses_figure
from softmerge_core.figures.shares import shares_figure
from softmerge_core.figures.style import Theme
from softmerge_core.settings import DataSpec, SoftMergeSettings

TALL, LOW = 400, 360  # px
CALM = 0.7  # seconds between two drawings of a picture beside the gates
NO_GATES = "Once there are gates, click a cell to read it."  # not blank: the line would move what is below as it comes
WAITING = "Drawn here while a merge runs"
SHARES_ARE = "The share of each source in the merged weights of each layer, as the mean over its channels."
KEPT_DECISIONS = "Its decision at each point of the plane, under the training samples."
LAST_STAGE = "This run has no picture of it: these are the decisions of the last stage's gates."
DECISIONS = "The merged network's decision at each point of the plane, under the training samples."


def merge_pictures(current: RunReader | None) -> None:
    """Draw all pictures of a run, as it is or at a moment of its film, or their empty places before the first run."""
    film_of_link(current)
    reader = seen(current) if current else None
    chosen = chosen_rows(reader) if reader else ALL_CLOSED
    replay_controls(current, reader, chosen)
    first, second = st.columns(2, gap="medium")
    with first:
        click = GATES.draw(reader, opened=chosen.opened, wanted=chosen.wanted)
        st.text(cell_text(reader, click, chosen) if reader else NO_GATES, width="stretch")
        _why(reader, click)
        if reader is not None and is_deep_run(reader):
            find_layers()
    with second:
        ACCURACY.draw(reader)
    third, fourth = picture_columns("origin", 2)
    plane = reader is not None and in_the_plane(reader)
    with third:
        SHARES.draw(reader, opened=chosen.opened, wanted=chosen.wanted)
    with fourth:
        (BOUNDARY if plane else LOSSES).draw(reader)
    if plane:
        draw_row(reader, LOSSES)
    surgery(current)


def _why(reader: RunReader | None, click: Click | None) -> None:
    """The menu that says why the gate that was clicked is as it is."""
    found = last_gates(gate_events(reader)) if reader else None
    kept = kept_of(reader) if reader else None
    why_menu(reader, found[0] if found else None, kept, click, most_rows(TALL))


def kept_of(reader: RunReader) -> Kept | None:
    """The network that the run kept; None while it is live."""
    return None if reader.live else kept_network(reader.view.result, reader.events)


def _gates(reader: RunReader, theme: Theme, opened: Sequence[str], wanted: str) -> go.Figure | None:
    events, scale = gate_events(reader), _scale(reader)
    return gates_figure(events, theme=theme, height=TALL, scale=scale, opened=opened, wanted=wanted)


def _accuracy(reader: RunReader, theme: Theme) -> go.Figure | None:
    whole = whole_of(reader)
    figure = accuracy_figure(whole.events, theme=theme, height=TALL, kept=kept_of(whole))
    return changes_marked(whole, figure, theme)


def _shares(reader: RunReader, theme: Theme, opened: Sequence[str], wanted: str) -> go.Figure | None:
    return shares_figure(gate_events(reader), theme=theme, height=LOW, opened=opened, wanted=wanted)


def _losses(reader: RunReader, theme: Theme) -> go.Figure | None:
    whole = whole_of(reader)
    figure = losses_figure(whole.events, theme=theme, kept=kept_of(whole))
    return changes_marked(whole, figure, theme)


def _boundary(reader: RunReader, theme: Theme) -> go.Figure | None:
    return boundary_figure(reader.events, theme=theme, kept=kept_of(reader))


def _gates_words(reader: RunReader) -> str:
    kept, events = kept_of(reader), gate_events(reader)
    return plain(words.kept_gates_sentence(kept, events), 200) if kept else words.gates_sentence(events)


def _accuracy_words(reader: RunReader) -> str:
    scores = (reader.view.result or {}).get("validation_accuracy")
    return plain(words.accuracy_sentence(reader.events, scores, kept_of(reader)), 200)


def _losses_words(reader: RunReader) -> str:
    settings = getattr(reader.view.spec, "settings", SoftMergeSettings())
    said = words.losses_sentence(reader.events, kept=kept_of(reader), objective=settings.objective)
    return plain(said, 200)


def _boundary_words(reader: RunReader) -> str:
    """Whose decisions are drawn: runs made before the kept network's were told have only the last stage's."""
    kept = kept_of(reader)
    shown = newest(reader.events, Boundary)
    if kept is None or shown is None:
        return DECISIONS
    if not shows_kept(shown, kept):
        return f"{plain(words.kept_text(kept), 120)} {LAST_STAGE}"
    return f"{plain(words.kept_text(kept), 120)} {KEPT_DECISIONS}"


GATES = Picture(
    key="gates",
    terms=("gate", "hard concrete", "P(open)", "z"),
    title="Gates",
    idle="Each row is a part of the network, each column a source; colour tells how likely the gate between them "
    "is open.",
    kinds=("gates", "stage"),
    build=_gates,
    words=_gates_words,
    height=TALL,
    waiting=WAITING,
    clickable=True,
)
ACCURACY = Picture(
    key="accuracy",
    terms=("plain average", "ensemble"),
    title="Accuracy",
    idle="The merged network's accuracy as its gates learn, beside plain averaging, the best source and the ensemble.",
    kinds=("evaluation", "stage"),
    build=_accuracy,
    words=_accuracy_words,
    behind=Behind(is_merge_line),
    height=TALL,
    waiting=WAITING,
    pause=CALM,
)
SHARES = Picture(
    key="shares",
    terms=("z",),
    title="Origin of each layer",
    idle=SHARES_ARE,
    kinds=("gates", "stage"),
    build=_shares,
    words=lambda reader: SHARES_ARE,
    height=LOW,
    waiting=WAITING,
    pause=CALM,
)
LOSSES = Picture(
    key="losses",
    terms=("L0", "nats", "EMA"),
    title="Losses",
    idle="Task loss, the penalty on open gates, and their sum.",
    kinds=("loss", "stage"),
    build=_losses,
    words=_losses_words,
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
    words=_boundary_words,
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


def cell_text(reader: RunReader, click: Click | None, chosen: Chosen = ALL_CLOSED) -> str:
    """The gate or the factor in the cell that was clicked, in plain text."""
    found = last_gates(gate_events(reader))
    if found is None:
        return NO_GATES
    stage, gates = found
    if is_deep(stage):
        return deep_cell_text(shown_rows(reader, stage, gates, _scale(reader), chosen), stage, click, chosen)
    if click is None or click.row is None or click.col is None:
        return "Click a cell to read it."
    tables = stage.parts, stage.groups, gates.probability, gates.value, _scale(reader)
    rows = gate_rows(*tables, most=most_rows(TALL))
    if click.name == FACTOR:
        return words.factor_text(rows, click.row)
    return words.gate_text(rows, stage.sources, click.row, click.col)


def _scale(reader: RunReader) -> tuple[float, ...]:
    """The factor of each part, of a run with a result."""
    gates = (reader.view.result or {}).get("gates")
    return tuple(gates.get("scale") or ()) if gates and reader.events else ()


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
        groups=tuple(gates.get("groups") or ()),
        sizes=tuple(gates.get("sizes") or ()),
    )
    tables = {"probability": gates["probability"], "value": gates["value"]}
    if stage.sizes:
        tables |= {"share": gates["weight"], "closed": gates["closed"], "opened": gates["opened"]}
    return stage, Gates(step=step, stage="result", **tables)
