"""Federated learning: several algorithms overlaid on the same clients, shards and seeds, round by round."""

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from softmerge_core.chance import standard_error
from softmerge_core.data.partitions import ShardSettings, class_counts
from softmerge_core.errors import SettingsError
from softmerge_core.events import Evaluation, FederatedRound, Notice, Progress, Shards
from softmerge_core.experiments.base import Context, Spec
from softmerge_core.experiments.train.spec import data_shape
from softmerge_core.federated.settings import AGGREGATIONS, FederatedRun, Federation, FederationSettings
from softmerge_core.settings import DataSpec, parse, setting

if TYPE_CHECKING:
    import numpy as np

    from softmerge_core.data.base import Arrays
    from softmerge_core.federated.server import RoundReport, Server

MOST = 16  # overlaid runs
LAST = 3  # rounds over which accuracies are averaged before they are compared: a round's own jumps about


class FederatedSpec(Spec):
    """Who learns what from which shards, and which algorithms are overlaid on that."""

    kind: Literal["federated"] = setting("federated", "Kind", "Which experiment: federated learning.")
    data: DataSpec = setting(DataSpec(), "Data", "The samples that are dealt to clients, and the test data.")
    network: str = setting("cnn1d", "Network", "The architecture, by name.")
    shards: ShardSettings = setting(ShardSettings(), "Shards", "How samples are dealt to clients.")
    settings: FederationSettings = setting(FederationSettings(), "Settings", "How rounds go.")
    runs: tuple[FederatedRun, ...] = setting(
        (FederatedRun(),), "Runs", "What is overlaid on the same shards and seeds."
    )

    @property
    def federation(self) -> Federation:
        """What all runs share."""
        return Federation(data=self.data, network=self.network, shards=self.shards, settings=self.settings)


def example() -> FederatedSpec:
    """A spec that runs."""
    settings = FederationSettings(rounds=20)
    return FederatedSpec(
        name="Ten clients with a few digits each",
        data=DataSpec(dataset="digits"),
        network="mlp",
        settings=settings,
        runs=tuple(FederatedRun(algorithm=name, scope=scope) for name in ("fedavg", "feddyn") for scope in (0, 1)),
    )


def check(spec: FederatedSpec) -> None:
    """Raise SoftMergeError for what is known to be wrong before any work; no torch is loaded."""
    from softmerge_core.data import check_data_spec
    from softmerge_core.networks import check_network

    check_data_spec(spec.data)
    check_network(spec.network, *data_shape(spec.data))
    _check_runs(spec.runs)
    settings = spec.settings
    if settings.malicious >= settings.clients:
        raise SettingsError(
            f"malicious: expected fewer than the {settings.clients} clients, so that one is honest, "
            f"got {settings.malicious}"
        )
    if round(settings.participation * settings.clients) < 1:
        raise SettingsError(
            f"participation: expected a share that leaves one of {settings.clients} clients or more, "
            f"got {settings.participation:g}"
        )
    counts_of(spec)


def _check_runs(runs: Sequence[FederatedRun]) -> None:
    from softmerge_core.federated import find_algorithm

    if not 1 <= len(runs) <= MOST:
        raise SettingsError(f"runs: expected 1 to {MOST} to overlay, got {len(runs)}")
    for run in runs:
        algorithm = find_algorithm(run.algorithm)
        parse(algorithm.settings, run.settings, f"settings of {algorithm.title}")
    keys = [run.key for run in runs]
    for key in keys:
        if keys.count(key) > 1:
            raise SettingsError(f"runs: expected each one once, got {key!r} {keys.count(key)} times")


def training_labels(data: DataSpec) -> "np.ndarray":
    """The labels [N] of the training samples that a spec selects. Loads no torch."""
    return _arrays(data.dataset)["train_labels"][: data.train_samples]


def _arrays(dataset: str) -> "Arrays":
    """All splits of a built-in data set or of a file, as numpy arrays."""
    from softmerge_core.data import check_data_file, datasets

    return check_data_file(dataset)[0] if dataset.endswith(".npz") else datasets()[dataset].load()


def counts_of(spec: FederatedSpec) -> tuple[tuple[int, ...], ...]:
    """[clients][classes]: how many samples of each class every client gets; SettingsError where they do not go round.

    Loads no torch.
    """
    from softmerge_core.federated.scene import deal

    labels = training_labels(spec.data)
    return class_counts(labels, deal(labels, spec.federation)[1], data_shape(spec.data)[1])


def run_title(run: FederatedRun) -> str:
    """A run as readers see it: "FedAvg", "SCAFFOLD with scope alignment, soft merge"."""
    from softmerge_core.federated import find_algorithm

    scope = " with scope alignment" if run.scope else ""
    merged = "" if run.aggregation == "mean" else f", {AGGREGATIONS[run.aggregation].lower()}"
    return f"{find_algorithm(run.algorithm).title}{scope}{merged}"


def run(spec: FederatedSpec, context: Context) -> dict[str, Any]:
    """All runs round by round beside each other; the clients of a round, of all runs, may train in parallel."""
    from softmerge_core.federated.server import Server, load, save

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
        context.save_weights(_file_name(server.run.key), server.network.state_dict())
    return _result(spec, servers, history) | {"seconds": time.monotonic() - begun}


def _file_name(key: str) -> str:
    return key.replace("+", "-").replace("/", "-")


def _begin(spec: FederatedSpec, servers: "Sequence[Server]", context: Context) -> None:
    """The shards, and where every run starts."""
    from softmerge_core.evaluation import evaluate
    from softmerge_core.federated.scene import is_malicious, scene_of

    malicious = tuple(is_malicious(spec.federation, client) for client in range(spec.settings.clients))
    context.emit(Shards(step=0, counts=counts_of(spec), malicious=malicious))
    if servers[0].round == 0:
        scene = scene_of(spec.federation)
        accuracy, loss = evaluate(scene.new_network(), *scene.data.split("test"))
        for entry in spec.runs:
            context.emit(Evaluation(step=0, series=entry.key, split="test", accuracy=accuracy, loss=loss))
    context.emit(Progress(step=servers[0].round, total=spec.settings.rounds))


def _round(servers: "Sequence[Server]", history: dict[str, list[float]], told: set[str], context: Context) -> bool:
    """One round of every run; False when it was stopped in the middle, which undoes it."""
    from softmerge_core.federated.client import train_clients
    from softmerge_core.federated.server import bundles

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


def _tell(entry: FederatedRun, report: "RoundReport", told: set[str], context: Context) -> None:
    """A round's events. What is said of several rounds in the same words is said once."""
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


def _result(spec: FederatedSpec, servers: "Sequence[Server]", history: dict[str, list[float]]) -> dict[str, Any]:
    rounds = servers[0].round
    rows = [
        {
            "key": entry.key,
            "title": run_title(entry),
            "accuracy": late_accuracy(history[entry.key]),
            "history": history[entry.key],
        }
        for entry in spec.runs
    ]
    return {"rows": rows, "rounds": rounds, "reason": sentence(spec, history)}


def late_accuracy(values: Sequence[float]) -> float | None:
    """Mean test accuracy (0-1) over the last LAST rounds, or as many as there are; None before the first."""
    late = values[-LAST:]
    return sum(late) / len(late) if late else None


def sentence(spec: FederatedSpec, history: dict[str, list[float]]) -> str:
    """Which run is ahead and by how much, what scope alignment gained, and what is no difference."""
    rounds = max((len(values) for values in history.values()), default=0)
    known = [(late_accuracy(history.get(entry.key, ())), entry) for entry in spec.runs]
    found = sorted(((a, run_title(e)) for a, e in known if a is not None), key=lambda pair: -pair[0])
    if not found:
        return "Waiting for the first round."
    start = f"After {rounds} of {spec.settings.rounds} rounds"
    best, title = found[0]
    if len(found) == 1:
        return f"{start} {title} classifies {best:.1%} of the test data correctly."
    return " ".join(filter(None, [_ahead(start, found, _samples(spec.data.dataset)), _scope_gain(spec, history)]))


def _ahead(start: str, found: Sequence[tuple[float, str]], samples: int) -> str:
    (best, title), (second, runner_up) = found[:2]
    last, worst = found[-1]
    if best - last < standard_error(best, last, samples):
        return f"{start} nothing tells the {len(found)} runs apart: all classify {last:.1%} to {best:.1%} correctly."
    if best - second >= standard_error(best, second, samples):
        return f"{start} {title} ({best:.1%}) is {100 * (best - second):.1f} points above {runner_up}, the next."
    gap = f"{100 * (best - last):.1f} points above {worst}"
    return f"{start} {title} ({best:.1%}) and {runner_up} ({second:.1%}) are ahead, the first {gap}, the last."


@lru_cache(maxsize=16)
def _samples(dataset: str) -> int:
    """How many test samples there are; asked at every look at a live run, so remembered."""
    arrays = _arrays(dataset)
    return len(arrays["test_labels"]) if "test_labels" in arrays else len(arrays["validation_labels"])


def _scope_gain(spec: FederatedSpec, history: dict[str, list[float]]) -> str:
    """What scope alignment gained each run that was also done without it, in points."""
    gains = []
    for entry in spec.runs:
        without = entry.model_copy(update={"scope": False})
        pair = late_accuracy(history.get(entry.key, ())), late_accuracy(history.get(without.key, ()))
        if entry.scope and pair[0] is not None and pair[1] is not None:
            gains.append(f"{_gain(pair[0], pair[1], _samples(spec.data.dataset))} for {run_title(without)}")
    return f"Scope alignment: {', '.join(gains)}." if gains else ""


def _gain(aligned: float, without: float, samples: int) -> str:
    if abs(aligned - without) < standard_error(aligned, without, samples):
        return "no difference"
    return f"{100 * (aligned - without):+.1f} points".replace("-", "−")
