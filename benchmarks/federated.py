"""Federated learning on uneven shards, and with malicious clients: ``python -m benchmarks.federated [--quick]``.

Ten clients, Dirichlet(0.1) over the classes; means and standard deviations over five seeds, which fix the shards, the
weights and the order of samples. The accuracy of a run is the test accuracy of the server's network, averaged over
the last three rounds, because it varies a lot from round to round with such shards. ``--tune`` prints the measurements
from which the constants below were chosen: the same runs on TUNING_SEED alone, which no table uses, judged by the
data set's validation samples. No test sample is used for them.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from benchmarks.base import Benchmark
from benchmarks.tables import Table, spread
from softmerge_core.evaluation import evaluate
from softmerge_core.experiments.federated.words import LAST, late_accuracy, run_title
from softmerge_core.federated.algorithms import algorithms
from softmerge_core.federated.server import federate
from softmerge_core.federated.settings import AGGREGATIONS, FederatedRun, Federation, FederationSettings
from softmerge_core.settings import DataSpec

TUNING_SEED = 100
ATTACKS = ("extreme", "sign_flip", "label_flip")
ROUNDS = 10  # with malicious clients
SERVERS = ("mean", "median", "krum", "soft")
RATES = (0.03, 0.1, 0.15, 0.3, 0.5, 1.0)
GRID = {"scope": (0.1, 1.0, 10.0, 100.0), "fedprox": (0.01, 0.1, 1.0), "feddyn": (0.01, 0.03, 0.1)}
NAMES = {"fedprox": "mu", "feddyn": "alpha"}


@dataclass(frozen=True)
class Case:
    """One network on one data set; the last four fields were tuned."""

    title: str
    data: DataSpec
    network: str
    settings: FederationSettings
    scope_weight: float
    own: dict[str, float] = field(default_factory=dict)  # algorithm -> its one setting
    rates: dict[str, float] = field(default_factory=dict)  # algorithm -> its learning rate, if not that of the case

    def run(self, algorithm: str, *, scope: bool = False, aggregation: str = "mean") -> FederatedRun:
        """Return an overlaid run with this case's settings."""
        own = {NAMES[algorithm]: self.own[algorithm]} if algorithm in self.own else {}
        values = {"algorithm": algorithm, "scope": scope, "aggregation": aggregation, "settings": own}
        return FederatedRun.model_validate({**values, "learning_rate": self.rates.get(algorithm)})

    def federation(self, seed: int, **changes: object) -> Federation:
        """Return the case with this seed."""
        values = {"scope_weight": self.scope_weight, "seed": seed, **changes}
        return Federation(data=self.data, network=self.network, settings=self.settings.model_copy(update=values))


CASES = (
    Case(
        "CNN on MNIST-1D",
        DataSpec(dataset="mnist1d", train_samples=1200),
        "cnn1d",
        FederationSettings(rounds=20, learning_rate=0.3),
        scope_weight=0.1,
        own={"fedprox": 0.01, "feddyn": 0.03},
        rates={"fedavg": 0.5, "scaffold": 0.1},
    ),
    Case(
        "MLP on digits",
        DataSpec(dataset="digits"),
        "mlp",
        FederationSettings(rounds=15, learning_rate=0.15),
        scope_weight=0.1,
        own={"fedprox": 0.01, "feddyn": 0.03},
        rates={"fedavg": 0.3, "fedprox": 0.3, "scaffold": 0.1, "feddyn": 0.5},
    ),
)


def final(federation: Federation, run: FederatedRun) -> float:
    """Return the test accuracy in percent, averaged over the last rounds."""
    return 100 * (late_accuracy([report.accuracy for _, report in federate(federation, run)]) or 0.0)


def validated(federation: Federation, run: FederatedRun) -> float:
    """Return the same on validation data, for tuning."""
    found = []
    for server, report in federate(federation, run):
        if report.round > federation.settings.rounds - LAST:
            found.append(evaluate(server.network, *server.scene.data.split("validation"))[0])
    return 100 * statistics.mean(found)


def tuning(case: Case) -> Iterator[list[str]]:
    """Yield the validation accuracy for every value of every constant."""
    for value in GRID["scope"]:
        federation = case.federation(TUNING_SEED, scope_weight=value)
        yield _tuned(case, f"scope weight {value:g}", federation, case.run("fedavg", scope=True))
    yield _tuned(case, "no scope", case.federation(TUNING_SEED), case.run("fedavg"))
    for algorithm in algorithms():
        for rate in RATES:
            run = case.run(algorithm).model_copy(update={"learning_rate": rate})
            yield _tuned(case, f"{algorithm}, learning rate {rate:g}", case.federation(TUNING_SEED), run)
    for algorithm, name in NAMES.items():
        for value in GRID[algorithm]:
            run = FederatedRun(algorithm=algorithm, settings={name: value})
            yield _tuned(case, f"{name} {value:g}", case.federation(TUNING_SEED), run)


def _tuned(case: Case, what: str, federation: Federation, run: FederatedRun) -> list[str]:
    return [case.title, what, f"{validated(federation, run):.1f}"]


def uneven(case: Case, seeds: Sequence[int]) -> Iterator[list[str]]:
    """Yield the algorithms with and without scope alignment on the same shards and seeds."""
    for name in algorithms():
        runs = [case.run(name, scope=scope) for scope in (False, True)]
        without, aligned = ([final(case.federation(seed), run) for seed in seeds] for run in runs)
        gains = [b - a for a, b in zip(without, aligned, strict=True)]
        yield [case.title, run_title(runs[0]), *map(spread, (without, aligned, gains))]


def malicious(case: Case, seeds: Sequence[int]) -> Iterator[list[str]]:
    """Yield each way of aggregation, with three of ten clients malicious, and the mean of the honest seven alone."""
    honest = [
        final(case.federation(s, malicious=3, rounds=ROUNDS), case.run("fedavg", aggregation="honest")) for s in seeds
    ]
    yield [case.title, "none, the honest seven alone", spread(honest), ""]
    for attack in ATTACKS:
        for how in SERVERS:
            run = case.run("fedavg", aggregation=how)
            found = [final(case.federation(seed, malicious=3, attack=attack, rounds=ROUNDS), run) for seed in seeds]
            gap = [b - a for a, b in zip(honest, found, strict=True)]
            yield [case.title, f"{attack}, {AGGREGATIONS[how].lower()}", spread(found), spread(gap)]


def tables(device: str, *, quick: bool = False, tune: bool = False) -> Iterator[Table | str]:
    """Yield both tables, of one seed if ``quick``; or, with ``tune``, the measurements to choose constants from."""
    seeds = range(1 if quick else 5)
    if tune:
        yield Table(("network", "constant", "validation accuracy, %"), (row for case in CASES for row in tuning(case)))
        return
    columns = ("Dirichlet 0.1, test accuracy, %", "algorithm", "without", "with scope alignment", "gain")
    yield Table(columns, (row for case in CASES for row in uneven(case, seeds)))
    columns = ("3 of 10 malicious, test accuracy, %", "attack, server", "accuracy", "against the honest")
    yield Table(columns, malicious(CASES[-1], seeds))


BENCHMARK = Benchmark(
    name="federated",
    title="Federated learning on uneven shards, and with malicious clients",
    minutes=60,
    tables=tables,
)

if __name__ == "__main__":
    BENCHMARK.main()
