"""The pictures of a scope run: the barrier, the sources, the path between them, and the weights of every layer."""

from collections.abc import Sequence
from typing import cast

import plotly.graph_objects as go
import streamlit as st

from pages.shared.choose.form import one_of
from pages.shared.runs.picture import Behind, Picture, draw_row
from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from softmerge_core.experiments.scope import words
from softmerge_core.experiments.scope.spec import ScopeSpec
from softmerge_core.experiments.scope.told import SIDES, layers_of
from softmerge_core.figures.scope import Measure, barrier_figure, path_figure, sources_figure
from softmerge_core.figures.scope_layers import (
    distances_figure,
    histograms_figure,
    layer_titles,
    layers_height,
    trajectories_figure,
)
from softmerge_core.figures.style import Theme

HEIGHT, LOW = 380, 320  # px
AT_ONCE = 6  # layers that are drawn at the same time
SIDE, LAYERS, MEASURE = "scope-side", "scope-layers", "scope-measure"  # keys of the widgets beside the pictures
CALM = 0.7  # seconds between two figures of a live run
WAITING = "Drawn here while sources train"
RISE = "How much worse the average of the sources is than they are themselves, epoch by epoch."


def scope_pictures(reader: RunReader | None) -> None:
    """Draw all pictures of a run, or their empty places before the first run."""
    first, second = st.columns(2, gap="medium")
    with first:
        BARRIER.draw(reader, measure=st.session_state.get(MEASURE) or "error")
        _pick_measure()
    with second:
        SOURCES.draw(reader)
    draw_row(reader, PATH, DISTANCES)
    _draw_layers(reader)


def _draw_layers(reader: RunReader | None) -> None:
    """Draw scopes beside histograms, a row for each layer; of a deep network, only some layers at once."""
    layers = layers_of(reader.events) if reader else ()
    first_layer = _pick_layers(layers) if len(layers) > AT_ONCE else 0
    layers = layers[first_layer : first_layer + AT_ONCE]
    height = layers_height(len(layers) or AT_ONCE)
    first, second = st.columns(2, gap="medium")
    with first:
        TRAJECTORIES.draw(reader, height=height, layers=layers)
    with second:
        HISTOGRAMS.draw(reader, height=height, layers=layers, side=st.session_state.get(SIDE) or "aligned")
        _pick_side()


def _epochs(reader: RunReader) -> tuple[int, int]:
    """(epochs of the whole run, its stages)."""
    spec = cast("ScopeSpec", reader.view.spec)
    return spec.epochs * spec.stages, spec.stages


def _barrier(reader: RunReader, theme: Theme, measure: Measure) -> go.Figure | None:
    epochs, stages = _epochs(reader)
    return barrier_figure(reader.events, theme=theme, epochs=epochs, stages=stages, of=measure, height=HEIGHT)


def _sources(reader: RunReader, theme: Theme) -> go.Figure | None:
    epochs, stages = _epochs(reader)
    return sources_figure(reader.events, theme=theme, epochs=epochs, stages=stages)


def _path(reader: RunReader, theme: Theme) -> go.Figure | None:
    return path_figure(reader.events, theme=theme, height=LOW)


def _distances(reader: RunReader, theme: Theme) -> go.Figure | None:
    return distances_figure(reader.events, theme=theme)


def _trajectories(reader: RunReader, theme: Theme, layers: Sequence[str]) -> go.Figure | None:
    epochs, stages = _epochs(reader)
    return trajectories_figure(reader.events, theme=theme, layers=layers, epochs=epochs, stages=stages)


def _histograms(reader: RunReader, theme: Theme, layers: Sequence[str], side: str) -> go.Figure | None:
    sources = len(cast("ScopeSpec", reader.view.spec).sources)
    return histograms_figure(reader.events, theme=theme, layers=layers, sources=sources, side=side)


BARRIER = Picture(
    key="barrier",
    terms=("barrier", "nats"),
    title="Barrier",
    idle=RISE,
    kinds=("barrier",),
    build=_barrier,
    behind=Behind(),
    words=lambda reader: RISE,
    height=HEIGHT,
    waiting=WAITING,
    pause=CALM,
)
SOURCES = Picture(
    key="sources",
    terms=("nats",),
    title="Sources",
    idle="Training loss above, accuracy on test data below, of each source, trained plainly and aligned.",
    kinds=("loss", "evaluation"),
    build=_sources,
    words=lambda reader: words.sources_sentence(reader.events),
    height=HEIGHT,
    waiting=WAITING,
    pause=CALM,
)
PATH = Picture(
    key="path",
    title="Path",
    idle="Test error on the straight line between two sources.",
    kinds=("weight_path",),
    build=_path,
    behind=Behind(),
    words=lambda reader: words.path_sentence(reader.events),
    height=LOW,
    waiting=WAITING,
    pause=CALM,
)
DISTANCES = Picture(
    key="distances",
    terms=("weight scope", "nats", "Jeffreys"),
    title="Scope distance",
    idle="How far apart the sources' scopes are, layer by layer.",
    kinds=("barrier",),
    build=_distances,
    words=lambda reader: words.distance_sentence(reader.events),
    height=LOW,
    waiting=WAITING,
    missing="",  # scopes that are equal have no place on a logarithmic axis, but a sentence
    pause=CALM,
)
TRAJECTORIES = Picture(
    key="trajectories",
    title="Scopes",
    idle="Mean and spread of each layer's weights during training, and the target that they are pulled toward.",
    kinds=("scopes",),
    build=_trajectories,
    words=lambda reader: words.target_sentence(reader.events),
    height=LOW,
    waiting=WAITING,
    pause=CALM,
)
HISTOGRAMS = Picture(
    key="histograms",
    title="Weights",
    idle="Each layer's weights with the Gaussian that fits them best, sources beside each other.",
    kinds=("histogram",),
    build=_histograms,
    words=lambda reader: plain(words.normality_sentence(reader.events), 300),
    height=LOW,
    waiting=WAITING,
    pause=CALM,
)


def _pick_measure() -> None:
    """Choose whether the barrier is drawn in points of error or in nats of loss."""
    st.segmented_control(
        "Barrier in",
        ["error", "loss"],
        default="error",
        required=True,
        format_func=str.capitalize,
        key=MEASURE,
        bind="query-params",
        persist_state="session",
        label_visibility="collapsed",
        help="The barrier above in points of error, or in nats of loss.",
    )


def _pick_side() -> None:
    """Choose the side whose weights are drawn; below the picture, so that it is level with the one beside it."""
    st.segmented_control(
        "Weights trained",
        list(SIDES),
        default="aligned",
        required=True,
        format_func=SIDES.__getitem__,
        key=SIDE,
        bind="query-params",
        persist_state="session",
        help="The sources whose weights at the end of training are drawn above.",
    )


def _pick_layers(layers: Sequence[str]) -> int:
    """Choose the layers that are drawn, by the number of the first one."""
    titles = layer_titles(layers)
    starts = range(0, len(layers), AT_ONCE)
    ends = [min(start + AT_ONCE, len(layers)) - 1 for start in starts]
    return int(
        one_of(
            st.selectbox,
            "Layers",
            list(starts),
            format_func=lambda first: f"{titles[first]} to {titles[ends[first // AT_ONCE]]}",
            key=LAYERS,
            bind="query-params",
            help="The network's layers that are drawn below.",
        )
    )
