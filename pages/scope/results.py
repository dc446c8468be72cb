"""What scope alignment did: the barrier, the sources, the path between them, and every layer's weights."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import streamlit as st

from pages.scope.setup import MEANING
from pages.shared.runs.downloads import downloads
from pages.shared.runs.panel import progress, tell_end
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import is_live
from pages.shared.show.live_plot import live_plot
from pages.shared.show.text import html_table, plain
from pages.shared.show.theme import current_theme
from softmerge_core.events import AnyEvent
from softmerge_core.experiments.scope.spec import ScopeSpec
from softmerge_core.experiments.scope.told import SIDES, Told, layers_of
from softmerge_core.experiments.scope.words import (
    distance_sentence,
    normality_rows,
    normality_sentence,
    path_sentence,
    sources_sentence,
    stage_rows,
    target_sentence,
    verdict,
)
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
SIDE, LAYERS, MEASURE = "scope-side", "scope-layers", "scope-measure"  # keys of what the reader chooses to see
CALM = 0.7  # seconds between two drawings of a picture while a run is live
NOTHING_YET = "Nothing has been trained here yet: press Start training, and watch the barrier rise, or not."
IDLE = {
    "barrier": "How much worse the average of the sources is than they are themselves, epoch by epoch",
    "sources": "Training loss above, test accuracy below, of each source with and without alignment",
    "path": "Test error on the straight line between two sources",
    "distances": "How far apart the sources' scopes are, layer by layer",
    "trajectories": "Mean and spread of each layer's weights as training goes, and the target they are pulled toward",
    "histograms": "Each layer's weights with the Gaussian that fits them best, sources beside each other",
}
NAMES = {
    "barrier": "Barrier",
    "sources": "Sources",
    "path": "Path",
    "distances": "Scope distance",
    "trajectories": "Scopes",
    "histograms": "Weights",
}
KINDS = {
    "barrier": ("barrier",),
    "sources": ("loss", "evaluation"),
    "path": ("weight_path",),
    "distances": ("barrier",),
    "trajectories": ("scopes",),
    "histograms": ("histogram",),
}
Build = Callable[[Sequence[AnyEvent], ScopeSpec, Theme], Any]


def draw_scope(reader: RunReader | None) -> None:
    """All that follows the run, in the same places before, during and after it."""
    spec = reader.view.spec if reader and isinstance(reader.view.spec, ScopeSpec) else None
    events = reader.events if reader else []
    with st.container(key="verdict-slot"):
        _verdict(reader, spec, events)
    first, second = st.columns(2, gap="medium")
    with first:
        _picture(reader, spec, "barrier", IDLE["barrier"] + ".", _barrier, HEIGHT)
        _measure()
    with second:
        _picture(reader, spec, "sources", sources_sentence(events), _sources, HEIGHT)
    first, second = st.columns(2, gap="medium")
    with first:
        _picture(reader, spec, "path", path_sentence(events), _path, LOW)
    with second:
        _picture(reader, spec, "distances", distance_sentence(events), _distances, LOW)
    _layers(reader, spec, events)
    with st.container(key="outcome-slot"):
        if reader is not None and spec is not None:
            _numbers(reader, events)


def _verdict(reader: RunReader | None, spec: ScopeSpec | None, events: Sequence[AnyEvent]) -> None:
    """The progress, and what alignment has changed so far."""
    if reader is None or spec is None:
        st.progress(0.0, text=NOTHING_YET)
        return
    progress(reader)
    tell_end(reader, "run")
    told = Told(epochs=spec.epochs * spec.stages, sources=len(spec.sources)).read(events)
    with st.container(border=True, gap="xsmall", key="verdict"):
        st.markdown(f"**{verdict(told)}**")
        st.caption(about(spec))


def about(spec: ScopeSpec) -> str:
    """Toward what the sources were pulled, in words."""
    start = "the same initial weights" if spec.same_start else "initial weights of their own"
    stages = f" {spec.stages} stages, each from what the one before merged." if spec.stages > 1 else ""
    return f"{MEANING[spec.target]} KL weight {spec.weight:g}; {len(spec.sources)} sources from {start}.{stages}"


def _picture(reader: RunReader | None, spec: ScopeSpec | None, key: str, words: str, build: Build, height: int) -> None:
    """One picture under one sentence in words; of no run, what will be there."""
    theme = current_theme()
    figure = None
    if reader is not None and spec is not None:
        figure = reader.drawn(
            "-".join([key, *(str(st.session_state.get(choice, "")) for choice in (LAYERS, SIDE, MEASURE))]),
            KINDS[key],
            theme,
            partial(build, reader.events, spec, theme),
            pause=CALM,
        )
    with st.container(key=f"picture-{key}", gap="xsmall"):
        st.markdown(f"**{NAMES[key]}.** {words if reader else IDLE[key] + '.'}")
        live_plot(figure, key=f"{key}-plot", height=height, alt=IDLE[key], waiting="Drawn here while sources train")


def _barrier(events: Sequence[AnyEvent], spec: ScopeSpec, theme: Theme) -> Any:
    total = spec.epochs * spec.stages
    of: Measure = "loss" if st.session_state.get(MEASURE) == "loss" else "error"
    return barrier_figure(events, theme=theme, epochs=total, stages=spec.stages, of=of, height=HEIGHT)


def _measure() -> None:
    """Whether the barrier is drawn in points of error or in nats of loss."""
    st.segmented_control(
        "Barrier in",
        ["error", "loss"],
        default="error",
        required=True,
        format_func=str.capitalize,
        key=MEASURE,
        persist_state="session",
        label_visibility="collapsed",
        help="The barrier above in points of error, or in nats of loss.",
    )


def _sources(events: Sequence[AnyEvent], spec: ScopeSpec, theme: Theme) -> Any:
    return sources_figure(events, theme=theme, epochs=spec.epochs * spec.stages, stages=spec.stages)


def _path(events: Sequence[AnyEvent], spec: ScopeSpec, theme: Theme) -> Any:
    return path_figure(events, theme=theme, height=LOW)


def _distances(events: Sequence[AnyEvent], spec: ScopeSpec, theme: Theme) -> Any:
    return distances_figure(events, theme=theme)


def _layers(reader: RunReader | None, spec: ScopeSpec | None, events: Sequence[AnyEvent]) -> None:
    """Scopes beside histograms, a row a layer; of a deep network so many layers as fit."""
    layers, side = layers_of(events), str(st.session_state.get(SIDE) or "aligned")
    first_layer = _first_layer(layers) if len(layers) > AT_ONCE else 0
    layers = layers[first_layer : first_layer + AT_ONCE]
    height = layers_height(len(layers) or AT_ONCE)
    first, second = st.columns(2, gap="medium")

    def trajectories(events: Sequence[AnyEvent], spec: ScopeSpec, theme: Theme) -> Any:
        total = spec.epochs * spec.stages
        return trajectories_figure(events, theme=theme, layers=layers, epochs=total, stages=spec.stages)

    def histograms(events: Sequence[AnyEvent], spec: ScopeSpec, theme: Theme) -> Any:
        return histograms_figure(events, theme=theme, layers=layers, sources=len(spec.sources), side=side)

    with first:
        _picture(reader, spec, "trajectories", target_sentence(events), trajectories, height)
    with second:
        _picture(reader, spec, "histograms", normality_sentence(events), histograms, height)
        _side()


def _side() -> None:
    """Which side's weights are drawn; below the picture, which so stands level with the one beside it."""
    st.segmented_control(
        "Weights trained",
        list(SIDES),
        default="aligned",
        required=True,
        format_func=lambda name: f"{SIDES[name]} alignment",
        key=SIDE,
        persist_state="session",
        help="Which sources' weights are drawn above, as they are when the training ends.",
    )


def _first_layer(layers: Sequence[str]) -> int:
    titles = layer_titles(layers)
    starts = range(0, len(layers), AT_ONCE)
    ends = [min(start + AT_ONCE, len(layers)) - 1 for start in starts]
    return int(
        st.selectbox(
            "Layers",
            list(starts),
            format_func=lambda first: f"{titles[first]} to {titles[ends[first // AT_ONCE]]}",
            key=LAYERS,
            help="Which of the network's layers are drawn below.",
        )
    )


def _numbers(reader: RunReader, events: Sequence[AnyEvent]) -> None:
    """Stages, normality of every layer in words, and what to take along."""
    stages = stage_rows(events)
    if stages:
        st.markdown("**Merged network.** Test accuracy of the sources' average after each stage.")
        st.html(html_table(["Stage", *(f"{title} alignment" for title in SIDES.values())], stages))
    if rows := normality_rows(events, layers_of(events)):
        with st.expander("How Gaussian each layer is", icon=":material/bar_chart:"):
            st.markdown("\n\n".join(_normality(layer, lines) for layer, lines in rows))
    if not is_live(reader.view):
        downloads(reader)


def _normality(layer: str, lines: Sequence[str]) -> str:
    """One layer as Markdown: its name, and a line for each network."""
    return "  \n".join([f"**{plain(layer, 60)}**", *(plain(line, 200) for line in lines)])
