"""Plain sentences about the results of federated runs so far. Loads no torch."""

from collections.abc import Sequence
from functools import lru_cache
from math import isfinite
from typing import Literal

from softmerge_core.events import Evaluation, Event, FederatedRound, Shards
from softmerge_core.experiments.differences import resolution
from softmerge_core.experiments.federated.spec import FederatedSpec, arrays_of
from softmerge_core.experiments.words import listed, percent, points
from softmerge_core.federated.algorithms import find_algorithm
from softmerge_core.federated.dealing import is_malicious
from softmerge_core.federated.settings import AGGREGATIONS, FederatedRun
from softmerge_core.numbers import NO_BREAK, number_text, points_text, range_text
from softmerge_core.statistics import Measured, among_best, difference

LAST = 3  # rounds whose accuracies are averaged before runs are compared, because single rounds vary a lot
CLOSED = 0.05  # a gate whose mean is at most this is called closed


def run_title(run: FederatedRun) -> str:
    """Return a run's name as readers see it: "FedAvg", "SCAFFOLD with scope alignment, soft merge"."""
    scope = " with scope alignment" if run.scope else ""
    merged = "" if run.aggregation == "mean" else f", {AGGREGATIONS[run.aggregation].lower()}"
    return f"{find_algorithm(run.algorithm).title}{scope}{merged}"


def late_accuracy(values: Sequence[float]) -> float | None:
    """Return the mean of the last LAST accuracies (0-1), or of all if there are fewer; None if there are none."""
    late = values[-LAST:]
    return sum(late) / len(late) if late else None


def histories(events: Sequence[Event]) -> dict[str, list[float]]:
    """Return the test accuracies (0-1) of each run, round by round; a round that was repeated counts once."""
    found: dict[str, dict[int, float]] = {}
    for event in events:
        if isinstance(event, Evaluation) and event.split == "test" and event.step > 0:
            found.setdefault(event.series, {})[event.step] = event.accuracy
    return {key: [line[step] for step in sorted(line)] for key, line in found.items()}


def verdict(spec: FederatedSpec, history: dict[str, list[float]]) -> str:
    """Say which run is ahead and by how much, and what scope alignment gained.

    Only what the test samples can tell apart is called a difference. ``history`` is as ``histories`` returns it.
    """
    rounds = max((len(values) for values in history.values()), default=0)
    known = [(late_accuracy(history.get(entry.key, ())), entry) for entry in spec.runs]
    found = sorted(((a, run_title(e)) for a, e in known if a is not None), key=lambda pair: -pair[0])
    if not found:
        return "Waiting for the first round."
    start = f"After {rounds} of {spec.settings.rounds} rounds"
    best, title = found[0]
    if len(found) == 1:
        return f"{start} {title} classifies {percent(best)} of the test data correctly (one seed)."
    return " ".join(filter(None, [_ahead(start, found, _samples(spec.data.dataset)), _scope_gain(spec, history)]))


def _ahead(start: str, found: Sequence[tuple[float, str]], samples: int) -> str:
    """The runs that may be the best, with a correction for picking the highest of them; each was done with one seed."""
    runs = {title: Measured((accuracy,), samples) for accuracy, title in found}
    (best, title), (second, runner_up), (last, worst) = found[0], found[1], found[-1]
    ahead = among_best(runs)
    if len(ahead) == 1:
        gap = f"{points_text(best - second)} above {runner_up}, the next"
        return f"{start} {title} ({percent(best)}) is {gap} (one seed)."
    limits = resolution([difference(runs[title], runs[other]) for other in ahead[1:]])
    if len(ahead) == len(found):
        apart = f"the {len(found)} runs cannot be told apart{limits}"
        return f"{start} {apart}: all classify {range_text(percent(last), percent(best))} correctly (one seed)."
    named = listed([f"{name} ({percent(runs[name].mean)})" for name in ahead])
    gap = f"{points_text(best - last)} above {worst}"
    return f"{start} {named} are ahead, the first {gap}, the last; they cannot be told apart{limits} (one seed)."


@lru_cache(maxsize=16)
def _samples(dataset: str) -> int:
    """Return the number of test samples; it is needed at every look at a live run, so it is remembered."""
    arrays = arrays_of(dataset)
    return len(arrays["test_labels"]) if "test_labels" in arrays else len(arrays["validation_labels"])


def _scope_gain(spec: FederatedSpec, history: dict[str, list[float]]) -> str:
    """Say what scope alignment gained each run that was also done without it, in points."""
    gains = []
    for entry in spec.runs:
        without = entry.model_copy(update={"scope": False})
        pair = late_accuracy(history.get(entry.key, ())), late_accuracy(history.get(without.key, ()))
        if entry.scope and pair[0] is not None and pair[1] is not None:
            gains.append(f"{_gain(pair[0], pair[1], _samples(spec.data.dataset))} for {run_title(without)}")
    return f"Scope alignment: {', '.join(gains)}." if gains else ""


def _gain(aligned: float, without: float, samples: int) -> str:
    if not difference(Measured((aligned,), samples), Measured((without,), samples)).told_apart:
        return "not to be told apart"
    return f"{points(aligned - without)}{NO_BREAK}points"


def rounds_sentence(events: Sequence[Event], spec: FederatedSpec) -> str:
    """Give the highest and the lowest accuracy of the newest rounds."""
    last = {key: values[-1] for key, values in histories(events).items()}
    titles = {run.key: run_title(run) for run in spec.runs}
    found = sorted(((value, titles[key]) for key, value in last.items() if key in titles), reverse=True)
    if not found:
        return "Waiting for the first round."
    first = f"Of the server's network. Newest: {found[0][1]} {percent(found[0][0])}"
    return f"{first}." if len(found) == 1 else f"{first}, {found[-1][1]} {percent(found[-1][0])}."


def shards_sentence(shards: Shards | None) -> str:
    """Say how uneven the shards are."""
    rows = [row for row in (shards.counts if shards else ()) if sum(row)]
    if not rows:
        return "Waiting for the shards."
    share = sum(max(row) / sum(row) for row in rows) / len(rows)
    classes = sum(sum(count > 0 for count in row) for row in rows) / len(rows)
    return (
        f"On average, a client's most common class makes up {percent(share)} of its samples, "
        f"and it has {classes:.1f} of {len(rows[0])} classes."
    )


def newest_rounds(events: Sequence[Event]) -> dict[str, FederatedRound]:
    """Return the newest round of each run, by the run's key."""
    return {event.series: event for event in events if isinstance(event, FederatedRound)}


def clients_sentence(events: Sequence[Event], spec: FederatedSpec) -> str:
    """Say how far apart the accuracies of the first run's honest clients are."""
    found = newest_rounds(events).get(spec.runs[0].key)
    honest = _honest_accuracies(found, spec) if found else []
    if found is None or not honest:
        return "Waiting for the first round."
    reach = range_text(percent(min(honest)), percent(max(honest)))
    return (
        f"Each client's network after local training, on test data of all classes; "
        f"{run_title(spec.runs[0])}, honest clients: {reach}."
    )


def _honest_accuracies(found: FederatedRound, spec: FederatedSpec) -> list[float]:
    pairs, federation = zip(found.clients, found.accuracies, strict=True), spec.federation
    return [value for client, value in pairs if isfinite(value) and not is_malicious(federation, client)]


def drift_sentence(events: Sequence[Event], spec: FederatedSpec) -> str:
    """Explain client drift, and name the runs with the least and the most of it in the newest round."""
    return _extremes(
        "How far honest clients move from the server, relative to its weights' norm", events, spec, "drift"
    )


def spread_sentence(events: Sequence[Event], spec: FederatedSpec) -> str:
    """Explain scope spread, and name the runs with the least and the most of it in the newest round."""
    return _extremes(
        "How far the clients' layers are from the fused scope (Jeffreys divergence)", events, spec, "spread"
    )


def _extremes(about: str, events: Sequence[Event], spec: FederatedSpec, measure: Literal["drift", "spread"]) -> str:
    newest = newest_rounds(events)
    known = [
        (value, run_title(run))
        for run in spec.runs
        if run.key in newest and isfinite(value := getattr(newest[run.key], measure))
    ]
    if not known:
        return f"{about}."
    low, high = min(known), max(known)
    if len(known) == 1:
        return f"{about}: {number_text(low[0])}."
    if high[0] <= 1.05 * low[0]:
        return f"{about}: {number_text(high[0])} in all runs."
    return f"{about}: least with {low[1]} ({number_text(low[0])}), most with {high[1]} ({number_text(high[0])})."


def gates_sentence(events: Sequence[Event], spec: FederatedSpec) -> str:
    """Name the clients on whom the first soft run's gates closed in the newest round, and say who is malicious."""
    newest = newest_rounds(events)
    run = next((run for run in spec.runs if run.key in newest and newest[run.key].gates), None)
    if run is None:
        return "Waiting for the first gates."
    found, federation = newest[run.key], spec.federation
    closed = {client for client, gate in zip(found.clients, found.gates, strict=True) if gate <= CLOSED}
    malicious = {client for client in found.clients if is_malicious(federation, client)}
    start = f"{run_title(run)}, round {found.step}: the gates closed on"
    if not closed:
        return f"{start} no client{f', although {_are(malicious)} malicious' if malicious else ''}."
    if closed == malicious:
        return f"{start} {_named(closed)}: all the malicious clients and no others."
    missed = f"; {_are(malicious - closed)} malicious but not closed" if malicious - closed else ""
    wrong = f", but {_are(closed - malicious)} honest" if closed - malicious else ""
    return f"{start} {_named(closed)}{wrong}{missed}."


def _named(clients: set[int]) -> str:
    numbers = [str(client + 1) for client in sorted(clients)]
    return f"client{'' if len(numbers) == 1 else 's'} {listed(numbers)}"


def _are(clients: set[int]) -> str:
    return f"{_named(clients)} {'is' if len(clients) == 1 else 'are'}"


def run_rows(events: Sequence[Event], spec: FederatedSpec) -> list[tuple[str, str, str, str]]:
    """Return a table row for each run.

    A row is (title, accuracy over the last rounds, points gained over the same run without scope, last round). No round
    is picked by its test accuracy: the best of many would promise too much.
    """
    found = histories(events)
    return [_row(run, found) for run in spec.runs]


def _row(run: FederatedRun, found: dict[str, list[float]]) -> tuple[str, str, str, str]:
    values = found.get(run.key, [])
    late = late_accuracy(values)
    if late is None:
        return run_title(run), "waiting", "", ""
    without = late_accuracy(found.get(run.model_copy(update={"scope": False}).key, [])) if run.scope else None
    gain = "" if without is None else points(late - without)
    return run_title(run), percent(late), gain, f"{percent(values[-1])} ({len(values)})"
