"""What federated rounds came to, in sentences."""

from collections.abc import Sequence
from math import isfinite

from pages.shared.show.text import plain
from softmerge_core.events import Evaluation, Event, FederatedRound, Shards
from softmerge_core.experiments.federated.spec import FederatedSpec, late_accuracy, run_title, sentence
from softmerge_core.experiments.words import percent
from softmerge_core.federated.settings import FederatedRun

CLOSED = 0.05  # a mean gate up to this is called closed


def histories(events: Sequence[Event]) -> dict[str, list[float]]:
    """By run, test accuracy (0-1) after each round; a round that was done again counts once."""
    found: dict[str, dict[int, float]] = {}
    for event in events:
        if isinstance(event, Evaluation) and event.split == "test" and event.step > 0:
            found.setdefault(event.series, {})[event.step] = event.accuracy
    return {key: [line[step] for step in sorted(line)] for key, line in found.items()}


def verdict(events: Sequence[Event], spec: FederatedSpec) -> str:
    """Who is ahead after so many rounds, and what scope alignment gained."""
    return plain(sentence(spec, histories(events)), 900)


def rounds_words(events: Sequence[Event], spec: FederatedSpec) -> str:
    """The newest round in numbers: the first and the last."""
    last = {key: values[-1] for key, values in histories(events).items()}
    titles = {run.key: run_title(run) for run in spec.runs}
    found = sorted(((value, titles[key]) for key, value in last.items() if key in titles), reverse=True)
    if not found:
        return "Waiting for the first round."
    first = f"Of the server's network. Newest: {plain(found[0][1])} {percent(found[0][0])}"
    return f"{first}." if len(found) == 1 else f"{first}, {plain(found[-1][1])} {percent(found[-1][0])}."


def shards_words(shards: Shards | None) -> str:
    """How uneven the shards are."""
    rows = [row for row in (shards.counts if shards else ()) if sum(row)]
    if not rows:
        return "Waiting for the shards."
    share = sum(max(row) / sum(row) for row in rows) / len(rows)
    classes = sum(sum(count > 0 for count in row) for row in rows) / len(rows)
    return (
        f"A client's commonest class makes up {percent(share)} of its samples on average; "
        f"it has {classes:.1f} of {len(rows[0])} classes."
    )


def newest_rounds(events: Sequence[Event]) -> dict[str, FederatedRound]:
    """By run, its newest round."""
    return {event.series: event for event in events if isinstance(event, FederatedRound)}


def clients_words(events: Sequence[Event], spec: FederatedSpec) -> str:
    """How far apart the clients of the first run are."""
    found = newest_rounds(events).get(spec.runs[0].key)
    honest = _honest(found, spec) if found else []
    if found is None or not honest:
        return "Waiting for the first round."
    low, high = percent(min(honest)).removesuffix(" %"), percent(max(honest))
    return (
        f"Each client's network after local training, on test data of all classes; "
        f"{plain(run_title(spec.runs[0]))}, honest clients: {low} to {high}."
    )


def _honest(found: FederatedRound, spec: FederatedSpec) -> list[float]:
    first = spec.settings.clients - spec.settings.malicious
    pairs = zip(found.clients, found.accuracies, strict=True)
    return [value for client, value in pairs if client < first and isfinite(value)]


def measure_words(events: Sequence[Event], spec: FederatedSpec, measure: str) -> str:
    """What the measure is, and the runs with the least and the most of it."""
    about = {
        "drift": "How far honest clients move from the server, relative to its weights' norm",
        "spread": "How far clients' layers lie from the fused scope (Jeffreys divergence)",
    }[measure]
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
        return f"{about}: {low[0]:.3g}."
    if high[0] <= 1.05 * low[0]:
        return f"{about}: {high[0]:.3g} with all."
    return f"{about}: least with {plain(low[1])} ({low[0]:.3g}), most with {plain(high[1])} ({high[0]:.3g})."


def gates_words(events: Sequence[Event], spec: FederatedSpec) -> str:
    """On which clients the gates of the first soft run closed in the newest round, and whether they are malicious."""
    newest = newest_rounds(events)
    run = next((run for run in spec.runs if run.key in newest and newest[run.key].gates), None)
    if run is None:
        return "Waiting for the first gates."
    found = newest[run.key]
    closed = {client for client, gate in zip(found.clients, found.gates, strict=True) if gate <= CLOSED}
    first = spec.settings.clients - spec.settings.malicious
    malicious = {client for client in found.clients if client >= first}
    start = f"{plain(run_title(run))}, round {found.step}: the gates closed on"
    if not closed:
        return f"{start} no client{', though ' + _names(malicious) + ' took part' if malicious else ''}."
    if closed == malicious:
        return f"{start} {_names(closed)}, exactly the malicious."
    missed = f"; {_names(malicious - closed)} malicious, not closed" if malicious - closed else ""
    wrong = f", of whom {_names(closed - malicious)} honest" if closed - malicious else ""
    return f"{start} {_names(closed)}{wrong}{missed}."


def _names(clients: set[int]) -> str:
    numbers = [str(client + 1) for client in sorted(clients)]
    joined = " and ".join(filter(None, [", ".join(numbers[:-1]), numbers[-1]]))
    return f"client{'' if len(numbers) == 1 else 's'} {joined}"


def run_rows(events: Sequence[Event], spec: FederatedSpec) -> list[tuple[str, str, str, str]]:
    """(title, test accuracy over the last rounds, points against the same without scope, best round) per run."""
    found = histories(events)
    return [_row(run, found) for run in spec.runs]


def _row(run: FederatedRun, found: dict[str, list[float]]) -> tuple[str, str, str, str]:
    values = found.get(run.key, [])
    late = late_accuracy(values)
    if late is None:
        return run_title(run), "waiting", "", ""
    without = late_accuracy(found.get(run.model_copy(update={"scope": False}).key, [])) if run.scope else None
    gain = "" if without is None else f"{100 * (late - without):+.1f}".replace("-", "−")
    best = max(values)
    return run_title(run), percent(late), gain, f"{percent(best)} ({values.index(best) + 1})"
