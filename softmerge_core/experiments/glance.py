"""A run at a glance: a few numbers of its own outcome, to be drawn as a row of bars beside its name."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

from softmerge_core.events import AnyEvent, Barrier, WeightPath
from softmerge_core.experiments.base import Spec
from softmerge_core.experiments.robustness.spec import RobustnessSpec, chosen_case
from softmerge_core.experiments.scope.told import SIDES

MOST = 25  # bars of one group
FROM_EVENTS = ("connectivity", "scope")  # kinds whose bars are not in their result


class Group(NamedTuple):
    """Bars that stand together, each of a value of 0 or more; ``strong``: what the run is about, beside the others."""

    name: str
    values: tuple[float, ...]
    strong: bool = False


def glance(spec: Spec, result: Mapping[str, Any], events: Sequence[AnyEvent]) -> tuple[str, list[Group]]:
    """Return (what the bars are, groups of bars); no groups of a kind, or a result, that has nothing to show."""
    made = _KINDS.get(spec.kind)
    try:
        title, groups = made(spec, result, events) if made else ("", [])
    except (KeyError, TypeError, IndexError, AttributeError):  # of a result that another version wrote
        return "", []
    return title, [group for group in groups if group.values]


def _merge(spec: Any, result: Any, events: Any) -> tuple[str, list[Group]]:
    found = result["accuracy"]
    named = (("best source", "best_source"), ("plain average", "average"), ("ensemble", "ensemble"))
    others = [Group(name, _known([found.get(key)])) for name, key in named]
    merged = Group("merged", _known([found["soft"]]), strong=True)
    return "Test accuracy: best source, average, ensemble, merge", [*others, merged]


def _compare(spec: Any, result: Any, events: Any) -> tuple[str, list[Group]]:
    rows = [row for row in result["rows"] if "title" in row and row.get("accuracy")]
    return "Test accuracy, best method first", [
        Group(row["title"], _known([row["accuracy"]["mean"]]), strong=row["method"] == "soft") for row in rows[:MOST]
    ]


def _robustness(spec: RobustnessSpec, result: Any, events: Any) -> tuple[str, list[Group]]:
    case = chosen_case(spec)
    rows = [row for row in result["rows"] if (row["malicious"], row["strength"], row["seed"]) == (*case, spec.seed)]
    return "Test accuracy under attack, by method", [
        Group(row["series"], _known([row.get("accuracy")]), strong=row["series"] == "soft") for row in rows
    ]


def _connectivity(spec: Any, result: Any, events: Sequence[AnyEvent]) -> tuple[str, list[Group]]:
    paths = [event for event in events if isinstance(event, WeightPath) and event.t and ":" not in event.series]
    ends = {path.series: path.test_error for path in (*paths[:1], *paths[-1:])}
    return "Test error on the way, straight and aligned", [
        Group(name, _known(_thinned(errors)), strong=place > 0) for place, (name, errors) in enumerate(ends.items())
    ]


def _scope(spec: Any, result: Any, events: Sequence[AnyEvent]) -> tuple[str, list[Group]]:
    barriers = [event for event in events if isinstance(event, Barrier)]
    return "Error barrier by epoch, without and with alignment", [
        Group(name, _known(_thinned([max(e.error, 0.0) for e in barriers if e.series == side])), side == "aligned")
        for side, name in SIDES.items()
    ]


def _federated(spec: Any, result: Any, events: Any) -> tuple[str, list[Group]]:
    rows = result["rows"]
    return f"Test accuracy by round, {rows[0]['title']} and {rows[-1]['title']}", [
        Group(row["title"], _known(_thinned(row["history"])), strong=row is not rows[0]) for row in (rows[0], rows[-1])
    ]


_KINDS: dict[str, Any] = {
    "merge": _merge, "compare": _compare, "robustness": _robustness, "connectivity": _connectivity, "scope": _scope,
    "federated": _federated,
}  # fmt: skip


def _known(values: Sequence[float | None]) -> tuple[float, ...]:
    return tuple(float(value) for value in values if value is not None and isfinite(value))


def _thinned(values: Sequence[float]) -> Sequence[float]:
    return values[:: -(-len(values) // MOST)] if values else values
