"""The pictures of federated learning: accuracy by round, the shards, each client, drift, spread and gates."""

from collections.abc import Callable, Sequence
from typing import Literal

import plotly.graph_objects as go

from pages.shared.runs.picture import Behind, Picture, draw_row
from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from softmerge_core.events import Event, Shards
from softmerge_core.experiments.federated import words
from softmerge_core.experiments.federated.spec import FederatedSpec
from softmerge_core.figures.federated import (
    clients_figure,
    clients_height,
    measure_figure,
    rounds_figure,
    shards_figure,
)
from softmerge_core.figures.style import Theme

HEIGHT, LOW = 380, 270  # px
WAITING = "Drawn here while clients learn together"
CLIENTS = 10  # rows of clients before the first run


def federated_pictures(reader: RunReader | None) -> None:
    """Draw all pictures of a run, or their empty places before the first run."""
    spec = spec_of(reader) if reader else None
    tall = clients_height(spec.settings.clients if spec else CLIENTS)
    ROUNDS.draw(reader)
    draw_row(reader, SHARDS, EACH, height=tall)
    draw_row(reader, DRIFT, SPREAD)
    if spec and any(run.aggregation == "soft" for run in spec.runs):
        GATES.draw(reader, height=tall)


def spec_of(reader: RunReader) -> FederatedSpec:
    """The spec of a federated run."""
    spec = reader.view.spec
    assert isinstance(spec, FederatedSpec)
    return spec


def _shards(reader: RunReader) -> Shards | None:
    return next((event for event in reader.events if isinstance(event, Shards)), None)


def _rounds(reader: RunReader, theme: Theme) -> go.Figure | None:
    spec = spec_of(reader)
    return rounds_figure(reader.events, spec.runs, theme=theme, rounds=spec.settings.rounds, height=HEIGHT)


def _dealt(reader: RunReader, theme: Theme) -> go.Figure | None:
    shards = _shards(reader)
    return shards_figure(shards.counts, shards.malicious, theme=theme) if shards else None


def _measure(name: Literal["drift", "spread"]) -> Callable[[RunReader, Theme], go.Figure | None]:
    def build(reader: RunReader, theme: Theme) -> go.Figure | None:
        spec = spec_of(reader)
        return measure_figure(reader.events, spec.runs, name, theme=theme, rounds=spec.settings.rounds, height=LOW)

    return build


def _by_client(value: Literal["accuracies", "gates"]) -> Callable[[RunReader, Theme], go.Figure | None]:
    def build(reader: RunReader, theme: Theme) -> go.Figure | None:
        shards, runs = _shards(reader), spec_of(reader).runs
        return clients_figure(reader.events, runs, shards.malicious, theme=theme, value=value) if shards else None

    return build


def _said(sentence: Callable[[Sequence[Event], FederatedSpec], str]) -> Callable[[RunReader], str]:
    """The words of a picture: ``sentence`` of a run's events and spec, as Markdown."""
    return lambda reader: plain(sentence(reader.events, spec_of(reader)), 900)


ROUNDS = Picture(
    key="rounds",
    title="Test accuracy by round",
    idle="Test accuracy of the server's network after each round, a line for every algorithm.",
    kinds=("evaluation",),
    build=_rounds,
    words=_said(words.rounds_sentence),
    behind=Behind(),
    height=HEIGHT,
    waiting=WAITING,
)
SHARDS = Picture(
    key="shards",
    title="Shards",
    idle="The number of samples of each class that every client has.",
    kinds=("shards",),
    build=_dealt,
    words=lambda reader: plain(words.shards_sentence(_shards(reader)), 900),
    height=HEIGHT,
    waiting=WAITING,
)
EACH = Picture(
    key="clients",
    title="Each client",
    idle="The accuracy of each client's network after local training.",
    kinds=("shards", "federated_round"),
    build=_by_client("accuracies"),
    words=_said(words.clients_sentence),
    height=HEIGHT,
    waiting=WAITING,
)
DRIFT = Picture(
    key="drift",
    title="Client drift",
    idle="How far clients move away from the server's weights in a round.",
    kinds=("federated_round",),
    build=_measure("drift"),
    words=_said(words.drift_sentence),
    height=LOW,
    waiting=WAITING,
)
SPREAD = Picture(
    key="spread",
    terms=("nats", "Jeffreys"),
    title="Scope spread",
    idle="How far the clients' weight scopes are from the fused one.",
    kinds=("federated_round",),
    build=_measure("spread"),
    words=_said(words.spread_sentence),
    height=LOW,
    waiting=WAITING,
)
GATES = Picture(
    key="gates",
    terms=("z",),
    title="Gates on the server",
    idle="The mean gate of each client in the server's soft merge.",
    kinds=("shards", "federated_round"),
    build=_by_client("gates"),
    words=_said(words.gates_sentence),
    height=HEIGHT,
    waiting=WAITING,
)
