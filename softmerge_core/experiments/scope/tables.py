"""The numbers of a scope run as tables: both sides by epoch, the line between two sources, the scope of every layer."""

from collections.abc import Iterator, Sequence

from softmerge_core.events import Barrier, Evaluation, Event, Scopes
from softmerge_core.experiments.scope.spec import ScopeSpec
from softmerge_core.experiments.scope.told import SIDES, newest_paths
from softmerge_core.experiments.scope.words import layer_title
from softmerge_core.experiments.tables import Table, Value
from softmerge_core.experiments.words import letter


def tables(spec: ScopeSpec, events: Sequence[Event]) -> list[Table]:
    """Barriers and accuracies by epoch; error between two sources; mean and spread of every layer by epoch."""
    sources = [f"Source {letter(number)}" for number in range(len(spec.sources))]
    barriers = ("Barrier (points)", "Barrier (nats)", "Scope distance (nats)")
    accuracies = [f"{name}, test acc. (%)" for name in sources]
    return [
        Table(
            "epochs",
            "Epochs",
            "A table (CSV): of plain and aligned training, each epoch's barrier, scope distance and test accuracies.",
            ("Training", "Epoch", *barriers, *accuracies, "Merged, test acc. (%)"),
            _epochs(len(sources), events),
        ),
        Table(
            "line",
            "Line",
            "A table (CSV): loss and error on the straight line between two sources.",
            ("Line", "t", "Test loss (nats)", "Test error (%)"),
            list(_lines(events)),
        ),
        Table(
            "scopes",
            "Scopes",
            "A table (CSV): the mean and the spread of each layer's weights, of every network and epoch.",
            ("Training", "Network", "Epoch", "Layer", "Mean", "Spread"),
            list(_scopes(events)),
        ),
    ]


def _epochs(sources: int, events: Sequence[Event]) -> list[list[Value]]:
    scores = {(e.series, e.step): 100 * e.accuracy for e in events if isinstance(e, Evaluation)}
    barriers = {(e.series, e.step): e for e in events if isinstance(e, Barrier) and e.series in SIDES}
    return [
        [
            SIDES[side],
            step,
            100 * one.error,
            one.loss,
            sum(one.distance),
            *(scores.get((f"{side}:{number}", step)) for number in (*range(sources), "merged")),
        ]
        for (side, step), one in barriers.items()
    ]


def _lines(events: Sequence[Event]) -> Iterator[list[Value]]:
    for series, path in newest_paths(events).items():
        side, _, order = series.partition(":")
        title = f"{SIDES.get(side, side)}{', units in one order' if order else ''}"
        for t, loss, error in zip(path.t, path.test_loss, path.test_error, strict=True):
            yield [title, t, loss, 100 * error]


def _scopes(events: Sequence[Event]) -> Iterator[list[Value]]:
    newest = {(event.series, event.step): event for event in events if isinstance(event, Scopes)}
    for (series, step), found in newest.items():
        side, _, number = series.partition(":")
        network = f"Source {letter(int(number))}" if number.isdigit() else "Target"
        for layer, mean, spread in zip(found.layers, found.mu, found.sigma, strict=True):
            yield [SIDES.get(side, "Before training"), network, step, layer_title(layer), mean, spread]
