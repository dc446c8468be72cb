"""The yardstick of "auto": families x networks x seeds x attacks, in percent: ``python -m benchmarks.scenarios``.

Every scenario is trained from a recipe of the zoo, with its seeds shifted; ``best`` is the source with the lowest
validation loss (among the honest ones, if some are malicious). Below the table, cases are listed in which "auto" is
more than half a point under the best source, or under the plain average, or, if the sources share a basin, closes less
than three quarters of the distance from the best source to the ensemble.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from torch import nn

from benchmarks.base import Benchmark
from benchmarks.tables import Table
from softmerge_core.attacks import find_attack
from softmerge_core.checks import admit
from softmerge_core.data import Data, load_dataset
from softmerge_core.errors import SoftMergeError
from softmerge_core.evaluation import evaluate
from softmerge_core.methods import available_methods, merge
from softmerge_core.networks import build_network
from softmerge_core.settings import AttackSettings
from softmerge_core.zoo.build import _Kitchen
from softmerge_core.zoo.recipes import RECIPES, Recipe
from softmerge_core.zoo.spoiling import spoil_network

ALWAYS = ("average", "ensemble", "soft")
SHARED = (
    "mnist1d-cnn-shared-trunk",
    "mnist1d-lstm-shared-trunk",
    "digits-vit-shared-trunk",
    "spirals-mlp-shared-trunk",
)
ATTACKS: tuple[str, ...] = ("extreme", "noise", "sign_flip", "label_flip", "confident", "nan")
TOLERANCE = 0.005
SHARE = 0.75


@dataclass(frozen=True)
class Scenario:
    """The first ``count`` sources of a recipe with ``shift`` added to each seed; the last ``malicious`` are spoiled."""

    recipe: Recipe
    count: int
    shift: int = 0
    attack: str | None = None
    malicious: int = 0

    @property
    def name(self) -> str:
        attacked = f", {self.malicious} {self.attack}" if self.attack else ""
        return f"{self.recipe.name}, K={self.count}, seed {self.shift}{attacked}"

    @property
    def shares_a_basin(self) -> bool:
        """Whether the distance to the ensemble is judged."""
        return self.recipe.name in SHARED and self.attack is None


def scenarios() -> Iterator[Scenario]:
    """Yield every shipped family, other seeds of most, and every attack on one source and on all but one."""
    by_name = {recipe.name: recipe for recipe in RECIPES}
    trunk = by_name[SHARED[0]]
    yield from (Scenario(recipe, 4) for recipe in RECIPES)
    yield from (Scenario(trunk, 8, shift) for shift in (0, 100))
    again = (*SHARED, "mnist1d-cnn-label-noise", "mnist1d-cnn-independent", "mnist1d-cnn-specialists")
    yield from (Scenario(by_name[name], 4, 100) for name in again)
    yield from (Scenario(trunk, 4, 0, attack, number) for attack in ATTACKS for number in (1, 3))
    yield from (Scenario(by_name["spirals-mlp-shared-trunk"], 4, 0, attack, 2) for attack in ATTACKS[:4])


def sources(scenario: Scenario, kitchen: _Kitchen) -> tuple[list[nn.Module], list[bool], Data]:
    """Return the networks, which of them are honest, and the data; networks trained before are reused."""
    recipe = scenario.recipe
    trunk = recipe.trunk and recipe.trunk.model_copy(update={"seed": recipe.trunk.seed + scenario.shift})
    shifted = replace(recipe, trunk=trunk)
    data, networks, honest = load_dataset(recipe.dataset), [], []
    for index, settings in enumerate(recipe.sources[: scenario.count]):
        own = settings.model_copy(update={"seed": settings.seed + scenario.shift})
        network = build_network(recipe.network, data.input_shape, data.classes, own.seed)
        network.load_state_dict(kitchen.cook(shifted, own)[0])
        attack = recipe.attacks.get(index)
        if scenario.attack and index >= scenario.count - scenario.malicious:
            strength = find_attack(scenario.attack).usual
            attack = AttackSettings(kind=scenario.attack, strength=strength, seed=index)
        networks.append(spoil_network(network.eval(), attack, data) if attack else network.eval())
        honest.append(attack is None)
    return networks, honest, data


@dataclass(frozen=True)
class Row:
    """Test accuracies 0-1, NaN if a method could not be used."""

    scenario: Scenario
    best: float
    methods: dict[str, float]
    seconds: float


def measure(scenario: Scenario, methods: Sequence[str], kitchen: _Kitchen) -> Row:
    """Train, attack, merge and test; sources that are not finite are left out."""
    networks, honest, data = sources(scenario, kitchen)
    names = [f"source-{index + 1}" for index in range(len(networks))]
    admitted = list(admit(networks, names, data.validation_inputs, "exclude")[0])
    stay = [index for index in admitted if honest[index]]
    best = min(stay, key=lambda index: evaluate(networks[index], *data.split("validation"))[1])
    test = data.split("test")
    seen = data.for_merging()
    chosen, begun, found = [networks[index] for index in admitted], time.perf_counter(), {}
    for name in methods:
        try:
            merged = merge(name, chosen, seen) if len(chosen) > 1 else chosen[0]
            found[name] = evaluate(merged, *test)[0]
        except SoftMergeError:
            found[name] = float("nan")
    return Row(scenario, evaluate(networks[best], *test)[0], found, time.perf_counter() - begun)


def problems(row: Row) -> Iterator[str]:
    """Yield, in words, the goals that "auto" does not reach in this case."""
    auto, mean, ensemble = (row.methods[name] for name in ("soft", "average", "ensemble"))
    if auto < row.best - TOLERANCE:
        yield f"{100 * (row.best - auto):.1f} points under the best source"
    if auto < mean:
        yield f"{100 * (mean - auto):.1f} points under the plain average"
    distance = ensemble - row.best
    if row.scenario.shares_a_basin and distance > 0 and auto - row.best < SHARE * distance:
        yield f"closes {(auto - row.best) / distance:.0%} of the {100 * distance:.1f} points from best to ensemble"


def tables(device: str, *, only: str = "", quick: bool = False) -> Iterator[Table | str]:
    """Yield a row for each scenario that has ``only`` in its name, and the goals that are not reached.

    ``quick`` leaves out all but the plain average, the ensemble and soft merging.
    """
    further = [m.name for m in available_methods().values() if "base" not in m.needs and m.name not in ALWAYS]
    methods = [*ALWAYS, *([] if quick else further)]
    missed: list[str] = []
    count = sum(only in scenario.name for scenario in scenarios())
    yield Table(("scenario", "best", *methods, "seconds"), _rows(only, methods, missed))
    yield "\n- ".join([f"{count} scenarios; not reached:\n", *(missed or ["nothing"])])


def _rows(only: str, methods: Sequence[str], missed: list[str]) -> Iterator[list[str]]:
    """Yield the rows, and add what they miss to ``missed``."""
    kitchen = _Kitchen()
    for scenario in scenarios():
        if only in scenario.name:
            row = measure(scenario, methods, kitchen)
            values = (row.best, *(row.methods[name] for name in methods))
            missed += [f"{scenario.name}: {text}" for text in problems(row)]
            yield [scenario.name, *(f"{100 * value:.1f}" for value in values), f"{row.seconds:.0f}"]


BENCHMARK = Benchmark(name="scenarios", title="Families, networks, seeds and attacks", minutes=60, tables=tables)

if __name__ == "__main__":
    BENCHMARK.main()
