"""The numbers of a walk between networks as tables: paths, the strip between the two models, and the plane."""

from collections.abc import Iterator, Sequence

from softmerge_core.events import BezierCurve, Event, PlaneRows, Score, WeightPath, WeightPlane, newest
from softmerge_core.experiments.connectivity.spec import ConnectivitySpec
from softmerge_core.experiments.connectivity.words import OVERLAYS, STRIP, samples_phrase
from softmerge_core.experiments.tables import Table, Value
from softmerge_core.zoo import card_title


def tables(spec: ConnectivitySpec, events: Sequence[Event]) -> list[Table]:
    """Loss and error along all paths and on the plane; accuracy and loss of what lies between the two models."""
    models = [card_title(source.model) for source in spec.sources]
    plane = newest(events, WeightPlane)
    on = f" on {samples_phrase(plane.samples, plane.split)}" if plane else ""
    return [
        Table(
            "paths",
            "Paths",
            "A table (CSV): loss and error at every point of every path and curve.",
            ("Path", "t", "Training loss (nats)", "Training error (%)", "Test loss (nats)", "Test error (%)"),
            [*_paths(models, events), *_curve(events)],
        ),
        Table(
            "networks",
            "Networks",
            "A table (CSV): the two models, their plain average and their soft merge, on test data.",
            ("Network", "Test acc. (%)", "Loss (nats)"),
            _strip(events),
        ),
        Table(
            "plane",
            "Plane",
            f"A table (CSV): loss and error{on} at every point of the plane.",
            ("x", "y", "Loss (nats)", "Error (%)"),
            list(_plane(plane, events)) if plane else [],
        ),
    ]


def _paths(models: Sequence[str], events: Sequence[Event]) -> Iterator[list[Value]]:
    paths = {event.series: event for event in events if isinstance(event, WeightPath)}
    for series, path in paths.items():
        title = _path_title(series, models)
        for place, t in enumerate(path.t):
            losses = [_at(path.train_loss, place), _at(path.train_error, place, 100)]
            yield [title, t, *losses, _at(path.test_loss, place), _at(path.test_error, place, 100)]


def _path_title(series: str, models: Sequence[str]) -> str:
    which = series.removeprefix("start:")
    if which != series and which.isdigit() and int(which) < len(models):
        return f"Initial weights to {models[int(which)]}"
    return OVERLAYS.get(series, series)


def _curve(events: Sequence[Event]) -> Iterator[list[Value]]:
    """The curve and the straight line beside it, on the samples of either training or test data."""
    curve = newest(events, BezierCurve)
    if curve is None:
        return
    lines = {"Bezier curve": (curve.loss, curve.error), "Beside the curve": (curve.straight_loss, curve.straight_error)}
    for title, (losses, errors) in lines.items():
        for t, loss, error in zip(curve.t, losses, errors, strict=True):
            numbers: list[Value] = [loss, 100 * error]
            yield [title, t, *([*numbers, None, None] if curve.split == "train" else [None, None, *numbers])]


def _at(values: Sequence[float], place: int, factor: float = 1) -> float | None:
    return factor * values[place] if place < len(values) else None


def _strip(events: Sequence[Event]) -> list[list[Value]]:
    scores = {event.series: event for event in events if isinstance(event, Score)}
    known = [(STRIP[key], scores[key]) for key in STRIP if key in scores]
    return [[title, 100 * score.accuracy, score.loss] for title, score in known]


def _plane(plane: WeightPlane, events: Sequence[Event]) -> Iterator[list[Value]]:
    found = {event.first: event for event in events if isinstance(event, PlaneRows)}
    for first, rows in sorted(found.items()):
        for place, (losses, errors) in enumerate(zip(rows.loss, rows.error, strict=True), first):
            for x, loss, error in zip(plane.x, losses, errors, strict=True):
                yield [x, plane.y[place], loss, 100 * error]
