"""The pictures of a walk between networks, in pairs of loss and error: the paths, the plane, the curve, the starts."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, cast

import plotly.graph_objects as go
import streamlit as st

from pages.connectivity.reading import paths_of, titles_of
from pages.connectivity.strip import draw_strip
from pages.shared.runs.picture import Behind, Picture, draw_row
from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from softmerge_core.events import BezierCurve, PlaneTrail, WeightPlane, newest
from softmerge_core.experiments import Spec
from softmerge_core.experiments.connectivity import words
from softmerge_core.experiments.connectivity.spec import ConnectivitySpec, curve_is_corner
from softmerge_core.figures.connectivity import What, curve_figure, is_tested, paths_figure, starts_figure
from softmerge_core.figures.landscape import loss_scale, plane_figure
from softmerge_core.figures.style import Theme
from softmerge_core.numbers import number_text, range_text

HEIGHT, PLANE_HEIGHT = 340, 400  # px
PAUSE = 0.4  # seconds between two figures of a plane that fills in
Words = Callable[[RunReader], str]
Pair = tuple[Picture, Picture]


def connectivity_pictures(reader: RunReader | None) -> None:
    """Draw all pictures of a run, or their empty places before the first run."""
    spec = cast("ConnectivitySpec", reader.view.spec) if reader else None
    draw_row(reader, *PATHS)
    with st.container(key="strip-slot"):
        draw_strip(reader)
    if spec is None or spec.picture == "plane":
        draw_row(reader, *PLANE)
    elif spec.picture == "random":
        draw_row(reader, *RANDOM)
    if spec is not None and (spec.picture == "bezier" or curve_is_corner(spec)):
        draw_row(reader, *CURVE)
    if spec is None or spec.starts:
        draw_row(reader, *(UNKNOWN if reader and _unknown(reader) else STARTS))


def _pair(
    key: str, about: str, kinds: tuple[str, ...], build: Callable[..., go.Figure | None], said: tuple[Words, Words],
    *, title: str = "Loss", error: str = "Error", height: int = HEIGHT, terms: tuple[str, ...] = (), **more: Any,
) -> Pair:  # fmt: skip
    """Loss and error of the same networks: two pictures of ``about``, made by ``build`` and described by ``said``."""
    one, other = (
        Picture(
            key=f"{key}-{what}",
            title=title if what == "loss" else error,
            idle=f"{what.capitalize()} {about}.",
            kinds=kinds,
            build=partial(build, what=what),
            words=sentence,
            height=height,
            terms=(*(("nats",) if what == "loss" else ()), *terms),
            **more,
        )
        for what, sentence in zip(("loss", "error"), said, strict=True)
    )
    return one, other


def _ends(reader: RunReader) -> tuple[str, str]:
    first, second, *_ = titles_of(reader)
    return first, second


def _paths(reader: RunReader, theme: Theme, what: What) -> go.Figure | None:
    return paths_figure(reader.events, theme=theme, what=what, names=_ends(reader), height=HEIGHT)


def _plane(reader: RunReader, theme: Theme, what: What) -> go.Figure | None:
    return plane_figure(reader.events, theme=theme, what=what, names=titles_of(reader))


def _curve(reader: RunReader, theme: Theme, what: What) -> go.Figure | None:
    return curve_figure(reader.events, theme=theme, what=what, names=_ends(reader))


def _starts(reader: RunReader, theme: Theme, what: What) -> go.Figure | None:
    return starts_figure(reader.events, theme=theme, what=what, names=_ends(reader))


def _plane_words(reader: RunReader) -> str:
    """The samples on which the plane is measured, and the range of its colours."""
    plane = newest(reader.events, WeightPlane)
    if plane is None:
        return "Loss on a plane of weight space, with the models that lie on it."
    low, high = loss_scale(plane)
    on = words.samples_phrase(plane.samples, plane.split)
    ends = range_text(number_text(low, 2), number_text(high, 2))
    return f"Loss on {on}; colours go from {ends} nats, and losses beyond are clipped."


def _trail_words(reader: RunReader) -> str:
    """The path of gate training on the plane, and how far off the plane it lies."""
    trail = next((e for e in reader.events if isinstance(e, PlaneTrail) and e.series == "soft"), None)
    if trail is None:
        return "The same networks. The path of gate training is drawn on both planes."
    return plain(words.gates_path_sentence(cast("ConnectivitySpec", reader.view.spec).gates, trail), 300)


def _curve_words(reader: RunReader) -> str:
    curve = newest(reader.events, BezierCurve)
    return plain(words.curve_sentence(curve), 300) if curve else "Waiting for the curve's training."


def _curve_error_words(reader: RunReader) -> str:
    curve = newest(reader.events, BezierCurve)
    on = words.samples_phrase(curve.samples, curve.split) if curve else "the same samples"
    return f"The same networks on {on}."


def _other_samples(shown: Spec, pinned: Spec) -> str:
    """Why the curves of two runs are not comparable, if they are not."""
    mine, theirs = (cast("ConnectivitySpec", spec) for spec in (shown, pinned))
    if theirs.picture != "bezier" and not curve_is_corner(theirs):
        return "it has no curve"
    return "" if (mine.split, mine.samples) == (theirs.split, theirs.samples) else "it was measured on other samples"


def _start_words(reader: RunReader, what: What) -> str:
    """The course of the training loss or error on the way to each of the two models."""
    paths, names = paths_of(reader), titles_of(reader)
    known = [(paths[f"start:{which}"], names[which]) for which in (0, 1) if f"start:{which}" in paths]
    if not known:
        return "The paths from where training began to where it ended."
    return plain(" ".join(words.start_sentence(path, name, what) for path, name in known), 500)


def _unknown(reader: RunReader) -> bool:
    """Whether the initial weights of both models are known to be unknown."""
    starts = [path for key, path in paths_of(reader).items() if key.startswith("start:")]
    return bool(starts) and not any(path.t for path in starts)


PATHS = _pair(
    "paths",
    "along the straight paths between the two models",
    ("weight_path",),
    _paths,
    (
        lambda reader: "Solid: test data; faint, dashed: training data. Dotted strokes mark the barriers.",
        lambda reader: "The share of samples that the same networks classify wrongly.",
    ),
    terms=("barrier", "basin", "permutation", "REPAIR"),
    behind=Behind(is_tested),
)
PLANE = _pair(
    "plane",
    "on a plane of weight space, with the models on it",
    ("weight_plane", "plane_rows", "plane_trail"),
    _plane,
    (_plane_words, _trail_words),
    title="Plane",
    error="Error on the plane",
    height=PLANE_HEIGHT,
    pause=PAUSE,
)
RANDOM = (
    replace(PLANE[0], title="Random directions"),
    replace(PLANE[1], title="Error in these directions", words=lambda reader: "The same networks on the same samples."),
)
CURVE = _pair(
    "curve",
    "along a Bezier curve and the straight line between the two models",
    ("bezier_curve",),
    _curve,
    (_curve_words, _curve_error_words),
    title="Curve",
    error="Error on the curve",
    behind=Behind(apart=_other_samples),
)
STARTS = _pair(
    "starts",
    "on the way from the initial weights to the models",
    ("weight_path",),
    _starts,
    (partial(_start_words, what="loss"), partial(_start_words, what="error")),
    title="Initial weights",
    error="Error from the initial weights",
    missing="",  # the sentences say why a path is missing
)
UNKNOWN = [replace(picture, waiting="It is not known where these models began") for picture in STARTS]
