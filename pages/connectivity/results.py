"""What lies between the models: the paths first, then the strip, then the plane or the curve."""

import html
from collections.abc import Callable, Sequence
from functools import partial
from math import isfinite
from typing import Any

import streamlit as st

from pages.connectivity.setup import about_models, model_title
from pages.shared.runs.downloads import downloads
from pages.shared.runs.panel import progress, tell_end
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import is_live
from pages.shared.show.live_plot import live_plot
from pages.shared.show.text import plain
from pages.shared.show.theme import current_theme
from softmerge_core.events import BezierCurve, Event, PlaneTrail, Score, WeightPath, WeightPlane
from softmerge_core.experiments.connectivity.spec import STATISTICS, ConnectivitySpec
from softmerge_core.experiments.connectivity.words import STRIP, curve_sentence, start_sentence, trail_sentence, verdict
from softmerge_core.experiments.words import percent
from softmerge_core.figures.connectivity import What, curve_figure, paths_figure, starts_figure
from softmerge_core.figures.landscape import loss_scale, plane_figure
from softmerge_core.figures.style import method_style

HEIGHT, PLANE_HEIGHT = 340, 400  # px
PAUSE = 0.4  # s between two drawings of a plane that fills in
NOTHING_YET = "No path has been walked yet: press Start walking, and see what stands between the two models."
BOTH: tuple[What, What] = ("loss", "error")
Build = Callable[[Sequence[Event], Any, What], Any]


def draw_connectivity(reader: RunReader | None) -> None:
    """All that follows the run, in the same places before, during and after it."""
    spec = reader.view.spec if reader and isinstance(reader.view.spec, ConnectivitySpec) else None
    events: Sequence[Event] = reader.events if reader and spec else []
    with st.container(key="verdict-slot"):
        _verdict(reader, spec, events)
    names = _names(spec)
    _pair(
        reader,
        "paths",
        ("weight_path",),
        lambda events, theme, what: paths_figure(events, theme=theme, what=what, names=names, height=HEIGHT),
        {
            "loss": "**Loss.** Solid: test data; faint, dashed: training data. Dotted strokes mark the barriers.",
            "error": "**Error.** The share of samples classified wrongly, by the same networks.",
        },
        "along the straight paths between the two models",
    )
    with st.container(key="strip-slot"):
        _strip(events, names)
    _below(reader, spec, events, names)
    if spec is None or spec.starts:
        _starts(reader, events, names)
    with st.container(key="outcome-slot"):
        if reader is not None and spec is not None:
            _end(reader, spec, events)


def _names(spec: ConnectivitySpec | None) -> tuple[str, str]:
    return (model_title(spec.sources[0]), model_title(spec.sources[1])) if spec else ("from", "to")


def _verdict(reader: RunReader | None, spec: ConnectivitySpec | None, events: Sequence[Event]) -> None:
    """The progress, and how high the barriers are in one sentence."""
    if reader is None or spec is None:
        st.progress(0.0, text=NOTHING_YET)
        return
    progress(reader)
    if not is_live(reader.view):
        tell_end(reader, "run")
    with st.container(border=True, gap="xsmall", key="verdict"):
        st.markdown(f"**{plain(verdict(_paths(events)), 700)}**")
        st.caption(about_models(spec))


def _paths(events: Sequence[Event]) -> dict[str, WeightPath]:
    return {event.series: event for event in events if isinstance(event, WeightPath)}


def _pair(
    reader: RunReader | None,
    key: str,
    kinds: Sequence[str],
    build: Build,
    captions: dict[What, str],
    alt: str,
    *,
    height: int = HEIGHT,
    waiting: str = "Drawn here during the run",
    pause: float = 0,
) -> None:
    """Loss and error side by side, each under a sentence."""
    theme = current_theme()
    for column, what in zip(st.columns(2, gap="medium"), BOTH, strict=True):
        name, figure = f"{key}-{what}", None
        if reader is not None:
            figure = reader.drawn(name, kinds, theme, partial(build, reader.events, theme, what), pause=pause)
        with column, st.container(key=f"picture-{name}", gap="xsmall"):
            st.markdown(captions[what])
            live_plot(figure, key=f"{name}-plot", height=height, alt=f"{what.capitalize()} {alt}", waiting=waiting)


def _strip(events: Sequence[Event], names: tuple[str, str]) -> None:
    """From - average - gated merge - to: test accuracy and loss of each."""
    found = {event.series: event for event in events if isinstance(event, Score) and event.case == "strip"}
    titles = {**STRIP, "a": names[0], "b": names[1]}
    st.markdown(f"**Strip.** {_strip_sentence(found)}")
    cells = "".join(_cell(titles[key], key, found.get(key)) for key in STRIP)
    st.html(f'<div class="sm-walk">{cells}</div>')


def _strip_sentence(found: dict[str, Score]) -> str:
    """What merging by gates makes of the two, against plain averaging and the better one."""
    known = {key: score.accuracy for key, score in found.items() if isfinite(score.accuracy)}
    if not set(STRIP) <= set(known):
        return "Test accuracy and loss of the two models, their plain average and their gated merge."
    points = 100 * (known["soft"] - max(known["a"], known["b"]))
    average = 100 * (known["average"] - max(known["a"], known["b"]))
    return (
        f"On test data the plain average is {_points(average)} the better model, the gated merge {_points(points)} it."
    )


def _points(points: float) -> str:
    """A difference of accuracy in words that go before what it is compared with."""
    if abs(points) < 0.05:
        return "as good as"
    return f"{abs(points):.1f} points {'above' if points > 0 else 'below'}"


def _cell(title: str, key: str, score: Score | None) -> str:
    theme = current_theme()
    color = method_style({"a": "source:0", "b": "source:0"}.get(key, key), theme).color
    if score is None:
        value, share, note = "…", 0.0, "waiting"
    elif score.problem or not isfinite(score.accuracy):
        value, share, note = "none", 0.0, score.problem or "not finite"
    else:
        value, share, note = percent(score.accuracy), score.accuracy, f"loss {score.loss:.3g} nats"
    return (
        f'<div class="sm-walk-cell"><span>{html.escape(title)}</span><b>{value}</b><small>{html.escape(note)}</small>'
        f'<i style="width:{100 * share:.1f}%;background:{color}"></i></div>'
    )


def _below(
    reader: RunReader | None, spec: ConnectivitySpec | None, events: Sequence[Event], names: tuple[str, str]
) -> None:
    """The plane, and the curve where one was trained."""
    curve = next((event for event in reversed(events) if isinstance(event, BezierCurve)), None)
    if spec is None or spec.picture != "bezier":
        plane = next((event for event in reversed(events) if isinstance(event, WeightPlane)), None)
        trail = next((e for e in events if isinstance(e, PlaneTrail) and e.series == "soft"), None)
        captions: dict[What, str] = {"loss": _plane_caption(plane), "error": _trail_caption(spec, trail)}
        kinds = ("weight_plane", "plane_rows", "plane_trail")
        alt = "on a plane of weight space, with the models on it"
        titles = [model_title(source) for source in spec.sources] if spec else []
        _pair(
            reader,
            "plane",
            kinds,
            lambda events, theme, what: plane_figure(events, theme=theme, what=what, names=titles),
            captions,
            alt,
            height=PLANE_HEIGHT,
            pause=PAUSE,
        )
    if curve is not None or (spec is not None and (spec.picture == "bezier" or _needs_curve(spec))):
        about = curve_sentence(curve) if curve else "Waiting for the curve's training."
        on = f" On {curve.samples:,} {_samples(curve.split)}." if curve else ""
        _pair(
            reader,
            "curve",
            ("bezier_curve",),
            lambda events, theme, what: curve_figure(events, theme=theme, what=what, names=names),
            {"loss": f"**Curve.** {about}", "error": f"**Error along it.**{on or ' Of the same networks.'}"},
            "along a Bezier curve and the straight line between the two models",
        )


def _needs_curve(spec: ConnectivitySpec) -> bool:
    return spec.picture == "plane" and len(spec.sources) == 2


def _samples(split: str) -> str:
    return "training samples" if split == "train" else "test samples"


def _plane_caption(plane: WeightPlane | None) -> str:
    """What is measured, on how many samples, and how the colours are cut."""
    if plane is None:
        return "**Plane.** Loss on a plane of weight space, and the models that lie on it."
    low, high = loss_scale(plane)
    title = "Plane" if plane.span == "models" else "Random directions"
    return (
        f"**{title}.** Loss on {plane.samples:,} {_samples(plane.split)}; colours from {low:.2g} to {high:.2g} nats, "
        f"clipped beyond."
    )


def _trail_caption(spec: ConnectivitySpec | None, trail: PlaneTrail | None) -> str:
    """Whose path is drawn, and how far off the plane it lies."""
    if spec is None or spec.picture == "random":
        return "**Error.** Of the same networks on the same samples."
    if trail is None:
        return "**Error.** Of the same networks. The way that training gates takes is drawn on both."
    gates = "auto" if spec.gates == "auto" else f"one a {spec.gates}"
    return f"**Error**, and the way of gate training (gates: {gates}). {trail_sentence(trail)}"


def _starts(reader: RunReader | None, events: Sequence[Event], names: tuple[str, str]) -> None:
    """From each model's initial weights to the model."""
    paths = _paths(events)
    said = {k: start_sentence(paths[f"start:{k}"], plain(names[k], 40)) for k in (0, 1) if f"start:{k}" in paths}
    unknown = bool(said) and not any(paths[key].t for key in paths if key.startswith("start:"))
    _pair(
        reader,
        "starts",
        ("weight_path",),
        lambda events, theme, what: starts_figure(events, theme=theme, what=what, names=names),
        {
            "loss": f"**Initial weights.** {said.get(0, 'From where training began to where it ended: loss.')}",
            "error": f"**Error.** {said.get(1, 'The same networks.')}",
        },
        "on the way from the initial weights to the models",
        waiting="It is not known where these models began" if unknown else "Drawn here during the run",
    )


def _end(reader: RunReader, spec: ConnectivitySpec, events: Sequence[Event]) -> None:
    """What differs from what it seems, and the spec to take along."""
    st.caption(
        "BatchNorm, where there is any, is estimated again on training samples at every point of every picture, "
        f"on {STATISTICS} of them in the picture below the paths."
    )
    path = _paths(events).get("scope")
    if path is not None:
        st.caption(f"Scope-aligned: {plain(path.note, 400)}.")
    if not is_live(reader.view):
        downloads(reader)
