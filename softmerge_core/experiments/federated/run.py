"""The work of a federated experiment: all runs go round by round beside each other."""

import time
from collections.abc import Sequence
from typing import Any

from softmerge_core.evaluation import evaluate
from softmerge_core.events import Evaluation, FederatedRound, Notice, Progress, Shards
from softmerge_core.experiments.base import Context
from softmerge_core.experiments.federated.spec import FederatedSpec, counts_of
from softmerge_core.experiments.federated.words import late_accuracy, run_title, verdict
from softmerge_core.experiments.made import Made, keep_made
from softmerge_core.experiments.words import plural
from softmerge_core.federated.client import train_clients
from softmerge_core.federated.dealing import is_malicious
from softmerge_core.federated.scene import scene_of
from softmerge_core.federated.server import RoundReport, Server, bundles, load, save
from softmerge_core.federated.settings import FederatedRun


def run(spec: FederatedSpec, context: Context) -> dict[str, Any]:
    """Do all rounds of all runs; the clients of a round, of all runs together, may train in parallel."""
    begun = time.monotonic()
    servers = [Server(spec.federation, entry) for entry in spec.runs]
    history: dict[str, list[float]] = {entry.key: [] for entry in spec.runs}
    told: set[str] = set()
    if snapshot := context.load_snapshot():
        extra = load(servers, snapshot)
        history, told = extra["history"], set(extra["told"])
    _begin(spec, servers, context)
    for number in range(servers[0].round + 1, spec.settings.rounds + 1):
        if not _round(servers, history, told, context):
            break
        context.emit(Progress(step=number, total=spec.settings.rounds))
        context.save_snapshot(save(servers, {"history": history, "told": sorted(told)}))
    for server in servers:
        keep_made(context, _file_name(server.run.key), _made(spec, server), server.network)
    return _result(spec, servers, history) | {"seconds": time.monotonic() - begun}


def _made(spec: FederatedSpec, server: Server) -> Made:
    """What the server's network of a run is."""
    data, title = scene_of(spec.federation).data, run_title(server.run)
    how = f"The server's network after {plural(server.round, 'round')} of {title} with {spec.settings.clients} clients"
    named = f"{title}: {spec.name}" if spec.name else title
    return Made(network=spec.network, input_shape=data.input_shape, classes=data.classes, title=named, how=how)


def _file_name(key: str) -> str:
    return key.replace("+", "-").replace("/", "-")


def _begin(spec: FederatedSpec, servers: Sequence[Server], context: Context) -> None:
    """Emit the shards and, unless the run is resumed, the accuracy of the network that every run starts from."""
    malicious = tuple(is_malicious(spec.federation, client) for client in range(spec.settings.clients))
    context.emit(Shards(step=0, counts=counts_of(spec), malicious=malicious))
    if servers[0].round == 0:
        scene = scene_of(spec.federation)
        accuracy, loss = evaluate(scene.new_network(), *scene.data.split("test"))
        for entry in spec.runs:
            context.emit(Evaluation(step=0, series=entry.key, split="test", accuracy=accuracy, loss=loss))
    context.emit(Progress(step=servers[0].round, total=spec.settings.rounds))


def _round(servers: Sequence[Server], history: dict[str, list[float]], told: set[str], context: Context) -> bool:
    """Do one round of every run; a round that is stopped in the middle is undone, and False returned."""
    tasks = [server.tasks() for server in servers]
    parts = bundles([task for some in tasks for task in some])
    done = dict(context.parallel(train_clients, parts))
    if len(done) < len(parts):
        return False
    updates = [update for place in range(len(parts)) for update in done[place]]
    before, reports = [server.state() for server in servers], []
    for server, some in zip(servers, tasks, strict=True):
        mine, updates = updates[: len(some)], updates[len(some) :]
        reports.append(server.take(mine, context.should_stop))
        if context.should_stop():  # a soft merge may have been cut short
            for other, state in zip(servers, before, strict=True):
                other.restore(state)
            return False
    for server, report in zip(servers, reports, strict=True):
        history[server.run.key].append(report.accuracy)
        _tell(server.run, report, told, context)
    return True


def _tell(entry: FederatedRun, report: RoundReport, told: set[str], context: Context) -> None:
    """Emit the events of a round; a notice that was given before in the same words is not repeated."""
    step = report.round
    fresh = [text for text in report.notices if f"{entry.key} {text}" not in told]
    told.update(f"{entry.key} {text}" for text in fresh)
    if fresh:
        context.emit(Notice(step=step, text=f"{run_title(entry)}, from round {step} on: {'; '.join(fresh)}"))
    context.emit(Evaluation(step=step, series=entry.key, split="test", accuracy=report.accuracy, loss=report.loss))
    context.emit(
        FederatedRound(
            step=step,
            series=entry.key,
            clients=report.clients,
            accuracies=report.accuracies,
            drift=report.drift,
            spread=report.spread,
            gates=report.gates,
            excluded=report.excluded,
        )
    )


def _result(spec: FederatedSpec, servers: Sequence[Server], history: dict[str, list[float]]) -> dict[str, Any]:
    rows = [
        {
            "key": entry.key,
            "title": run_title(entry),
            "accuracy": late_accuracy(history[entry.key]),
            "history": history[entry.key],
        }
        for entry in spec.runs
    ]
    return {"rows": rows, "rounds": servers[0].round, "reason": verdict(spec, history)}
