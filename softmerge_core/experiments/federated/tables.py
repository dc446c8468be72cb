"""The numbers of a federated run as tables: rounds, clients, and the samples that each client has."""

from collections.abc import Sequence

from softmerge_core.events import Evaluation, Event, FederatedRound, Shards, newest
from softmerge_core.experiments.federated.spec import FederatedSpec
from softmerge_core.experiments.federated.words import run_title
from softmerge_core.experiments.tables import MALICIOUS, Table, Value
from softmerge_core.federated.dealing import is_malicious

Rounds = dict[tuple[str, int], FederatedRound]


def tables(spec: FederatedSpec, events: Sequence[Event]) -> list[Table]:
    """The server's network by run and round; the clients' networks by run, round and client; the shards."""
    titles = {run.key: run_title(run) for run in spec.runs}
    rounds = {(e.series, e.step): e for e in events if isinstance(e, FederatedRound) and e.series in titles}
    shards = newest(events, Shards)
    classes = range(len(shards.counts[0]) if shards and shards.counts else 0)
    return [
        Table(
            "rounds",
            "Rounds",
            "A table (CSV): of every run and round the server's test accuracy and loss, client drift and scope spread.",
            ("Run", "Round", "Test acc. (%)", "Loss (nats)", "Drift", "Scope spread (nats)"),
            _rounds(titles, rounds, events),
        ),
        Table(
            "clients",
            "Clients",
            "A table (CSV): of every run and round each client's test accuracy after local training, and its gate.",
            ("Run", "Round", "Client", "Malicious", "Test acc. (%)", "Mean gate z"),
            _clients(titles, rounds, spec),
        ),
        Table(
            "shards",
            "Shards",
            "A table (CSV): how many samples of each class every client has.",
            ("Client", "Malicious", *(f"Class {number}" for number in classes)),
            _shards(shards),
        ),
    ]


def _rounds(titles: dict[str, str], rounds: Rounds, events: Sequence[Event]) -> list[list[Value]]:
    tested = [e for e in events if isinstance(e, Evaluation) and e.split == "test" and e.series in titles]
    rows: list[list[Value]] = []
    for (series, step), one in {(e.series, e.step): e for e in tested}.items():
        found = rounds.get((series, step))
        local = (found.drift, found.spread) if found else (None, None)
        rows.append([titles[series], step, 100 * one.accuracy, one.loss, *local])
    return rows


def _clients(titles: dict[str, str], rounds: Rounds, spec: FederatedSpec) -> list[list[Value]]:
    rows: list[list[Value]] = []
    for (series, step), found in rounds.items():
        gates = found.gates or (None,) * len(found.clients)
        for client, accuracy, gate in zip(found.clients, found.accuracies, gates, strict=True):
            bad = MALICIOUS[is_malicious(spec.federation, client)]
            rows.append([titles[series], step, client + 1, bad, 100 * accuracy, gate])
    return rows


def _shards(shards: Shards | None) -> list[list[Value]]:
    if shards is None:
        return []
    pairs = zip(shards.counts, shards.malicious, strict=True)
    return [[number, MALICIOUS[bad], *counts] for number, (counts, bad) in enumerate(pairs, 1)]
