"""The spec of a federated experiment: several runs overlaid on the same clients, shards and seeds. Loads no torch."""

from collections.abc import Sequence
from typing import Literal, Self

from softmerge_core.attacks import find_attack
from softmerge_core.data import check_data_spec, data_labels, datasets
from softmerge_core.data.base import Arrays
from softmerge_core.data.partitions import ShardSettings, class_counts
from softmerge_core.errors import SettingsError, SoftMergeError
from softmerge_core.experiments.admission import data_shape
from softmerge_core.experiments.base import Spec
from softmerge_core.federated.algorithms import algorithms, find_algorithm
from softmerge_core.federated.dealing import deal
from softmerge_core.federated.settings import AGGREGATIONS, FederatedRun, Federation, FederationSettings
from softmerge_core.networks import check_network
from softmerge_core.settings import DataSpec, parse, setting

MOST = 16  # overlaid runs


class FederatedSpec(Spec):
    """The data, the network, the shards and the rounds, and the runs that are overlaid on them."""

    kind: Literal["federated"] = setting("federated", "Kind", "The kind of experiment: federated learning.")
    data: DataSpec = setting(
        DataSpec(), "Data", "The training samples that are split among the clients, and the test samples."
    )
    network: str = setting("cnn1d", "Network", "The architecture, by name.")
    shards: ShardSettings = setting(ShardSettings(), "Shards", "How the samples are split among clients.")
    settings: FederationSettings = setting(FederationSettings(), "Settings", "The settings of all rounds.")
    runs: tuple[FederatedRun, ...] = setting(
        (FederatedRun(),), "Runs", "The runs that are overlaid on the same shards and seeds."
    )

    @property
    def federation(self) -> Federation:
        """The part of the spec that all runs share."""
        return Federation(data=self.data, network=self.network, shards=self.shards, settings=self.settings)

    def settled(self) -> Self:
        """See Spec: the runs in the order of all algorithms with all their settings; attack and shards as in use."""
        runs = sorted((_settled_run(run) for run in self.runs), key=_place)
        number = {"dirichlet": "alpha", "classes": "classes"}.get(self.shards.kind)
        kept = {"kind": self.shards.kind} | ({number: getattr(self.shards, number)} if number else {})
        settings, attack = self.settings, find_attack(self.settings.attack)
        usual: dict[str, object] = {"attack": FederationSettings().attack, "strength": None}
        if settings.malicious:
            strength = attack.usual if settings.strength is None else settings.strength
            usual = {"strength": strength if attack.graded else None}
        update = {"runs": tuple(runs), "shards": ShardSettings.model_validate(kept)}
        return self.model_copy(update={**update, "settings": settings.model_copy(update=usual)})


def _settled_run(run: FederatedRun) -> FederatedRun:
    """The run with all settings of its algorithm; as it is if they cannot be read."""
    try:
        algorithm = find_algorithm(run.algorithm)
        settings = parse(algorithm.settings, run.settings, "settings").model_dump()
    except SoftMergeError:
        return run
    return run.model_copy(update={"settings": settings})


def _place(run: FederatedRun) -> tuple[int, int, bool]:
    names = list(algorithms())
    known = names.index(run.algorithm) if run.algorithm in names else len(names)
    return known, list(AGGREGATIONS).index(run.aggregation), run.scope


def example() -> FederatedSpec:
    """Return a spec that runs: FedAvg and FedDyn, each without and with scope alignment."""
    settings = FederationSettings(rounds=20)
    return FederatedSpec(
        name="Ten clients with a few kinds of clothes each",
        data=DataSpec(dataset="fashion"),
        network="mlp",
        settings=settings,
        runs=tuple(FederatedRun(algorithm=name, scope=scope) for name in ("fedavg", "feddyn") for scope in (0, 1)),
    )


def small() -> FederatedSpec:
    """Return a spec that runs in about a second."""
    settings = FederationSettings(clients=3, rounds=3, local_epochs=1, server_samples=20, merge_steps=5)
    data = DataSpec(dataset="moons", train_samples=120)
    runs = (FederatedRun(algorithm="scaffold", scope=True), FederatedRun(aggregation="soft"))
    return FederatedSpec(data=data, network="mlp", settings=settings, runs=runs)


def check(spec: FederatedSpec) -> None:
    """Raise SoftMergeError for mistakes that can be found before any work is done."""
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
    if not 1 <= len(runs) <= MOST:
        raise SettingsError(f"runs: expected 1 to {MOST} to overlay, got {len(runs)}")
    for run in runs:
        algorithm = find_algorithm(run.algorithm)
        parse(algorithm.settings, run.settings, f"settings of {algorithm.title}")
    keys = [run.key for run in runs]
    for key in keys:
        if keys.count(key) > 1:
            raise SettingsError(f"runs: expected each one once, got {key!r} {keys.count(key)} times")


def counts_of(spec: FederatedSpec) -> tuple[tuple[int, ...], ...]:
    """Return [clients][classes], the number of samples of each class that every client gets.

    Raises SettingsError when the samples cannot be split in this way.
    """
    labels = arrays_of(spec.data.dataset)["train_labels"][: spec.data.train_samples]
    return class_counts(labels, deal(labels, spec.federation)[1], data_shape(spec.data)[1])


def arrays_of(dataset: str) -> Arrays:
    """Return all splits of a built-in data set, or the labels of those of a file, as numpy arrays."""
    return data_labels(dataset) if dataset.endswith(".npz") else datasets()[dataset].load()
