"""Three skills in one network: what merging gives, and what else gives it.

Each seed trains a trunk on a fifth of the samples of ``skills`` and three experts from it, on digits, clothes and emoji
alone (the recipe of the family ``skills-mlp-experts``, its seeds shifted). Test accuracy in percent, mean and SD over
seeds: of all 29 classes (which task is not known), and among the ten or nine classes of a sample's own skill (it is).
"Gates only" is what the app does by default. Controls stand below it: the same freedom where there is nothing to merge,
and the same labels spent on training.
"""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import fmean, stdev

import torch
from torch import Tensor, nn

from benchmarks.base import Benchmark
from benchmarks.tables import Table
from softmerge_core import SoftMergeSettings, soft_merge
from softmerge_core.data import Data, load_dataset
from softmerge_core.data.skills import SKILLS
from softmerge_core.evaluation import predict
from softmerge_core.methods import merge
from softmerge_core.networks import build_network
from softmerge_core.settings import TrainSettings
from softmerge_core.training import train
from softmerge_core.zoo.build import _Kitchen
from softmerge_core.zoo.recipes import RECIPES, Recipe

NAME = "skills-mlp-experts"
SHIFT = 100  # between the seeds of one repetition and the next
TUNED = (1, 3, 8)  # epochs
RATE = {"learning_rate": 0.003, "batch_size": 50}  # of what trains on all labels
OTHERS = ("ties", "dare", "regmean", "fisher", "task_arithmetic", "ensemble")


@dataclass(frozen=True)
class Scene:
    """The networks of one seed: the ``trunk``, the ``experts`` and the one that was trained on everything."""

    data: Data
    trunk: nn.Module
    experts: list[nn.Module]
    joint: nn.Module
    seed: int


def scene(recipe: Recipe, seed: int) -> Scene:
    """Train the networks of the recipe with all its seeds shifted."""
    shifted = replace(recipe, trunk=_shifted(recipe.trunk, seed))
    kitchen, data = _Kitchen(), load_dataset(recipe.dataset)

    def cooked(settings: TrainSettings, *, from_seed: bool = False) -> nn.Module:
        network = build_network(recipe.network, data.input_shape, data.classes, 0)
        network.load_state_dict(kitchen.cook(shifted, settings, from_seed=from_seed)[0])
        return network.eval()

    experts = [cooked(_shifted(settings, seed)) for settings in recipe.sources]
    joint = cooked(_shifted(recipe.joint, seed), from_seed=True)
    return Scene(data, cooked(shifted.trunk, from_seed=True), experts, joint, seed)


def _shifted(settings: TrainSettings | None, seed: int) -> TrainSettings:
    if settings is None:
        raise ValueError(f"{NAME}: expected a recipe with a trunk and joint training")
    return settings.model_copy(update={"seed": settings.seed + SHIFT * seed})


def networks(found: Scene) -> Iterator[tuple[str, "nn.Module | Tensor"]]:
    """Yield what is compared, by its title: networks, or the outputs [N, classes] of the ensemble."""
    seen, common = found.data.for_merging(), {"seed": found.seed}
    yield "plain average", merge("average", found.experts, seen)
    for name in OTHERS:
        yield name.replace("_", " "), merge(name, found.experts, seen, base=found.trunk, **common)
    soft = soft_merge(found.experts, seen, SoftMergeSettings(**common), base=found.trunk).model
    yield "**soft, gates only**", soft
    yield "soft, relative to the trunk", _soft(found, relative=True)
    rescaled = soft_merge(found.experts, seen, SoftMergeSettings(rescale=True, **common), base=found.trunk)
    yield "soft, rescaled", rescaled.model
    yield "average, rescaled alone", rescaled.controls["average_rescaled"]
    yield "best expert, rescaled alone", rescaled.controls["best_source_rescaled"]
    yield "trunk, as it is", found.trunk
    yield "trunk twice, rescaled alone", _soft(replace(found, experts=[found.trunk] * 2), rescale=True)
    for epochs in TUNED:
        yield f"average, then {epochs} epochs", _tuned(found, merge("average", found.experts, seen), epochs)
    for epochs in TUNED:
        yield f"soft, then {epochs} epochs", _tuned(found, soft, epochs)
    yield "joint training", found.joint


def _soft(found: Scene, **settings: bool) -> nn.Module:
    chosen = SoftMergeSettings(seed=found.seed, **settings)
    return soft_merge(found.experts, found.data.for_merging(), chosen, base=found.trunk).model


def _tuned(found: Scene, network: nn.Module, epochs: int) -> nn.Module:
    """Return a copy that was trained on all labels that the gates were."""
    own, data = copy.deepcopy(network), found.data
    settings = TrainSettings(epochs=epochs, seed=found.seed, **RATE)
    train(own, data.train_inputs, data.train_labels, settings, classes=data.classes)
    return own


def accuracies(network: "nn.Module | Tensor", data: Data) -> dict[str, float]:
    """Test accuracies 0-1: with the task "unknown" and "known", and of each skill with the task unknown."""
    inputs, labels = data.split("test")
    outputs = network if isinstance(network, Tensor) else predict(network, inputs)
    own = torch.full_like(outputs, -torch.inf)
    right: dict[str, float] = {}
    for name, classes in SKILLS.items():
        of = (labels >= classes.start) & (labels < classes.stop)
        own[of, classes.start : classes.stop] = outputs[of, classes.start : classes.stop]
        right[name] = float((outputs[of].argmax(1) == labels[of]).double().mean())
    right["unknown"] = float((outputs.argmax(1) == labels).double().mean())
    right["known"] = float((own.argmax(1) == labels).double().mean())
    return right


def tables(device: str, *, seeds: int = 5) -> Iterator[Table | str]:
    """Yield the table over ``seeds`` repetitions."""
    recipe = next(recipe for recipe in RECIPES if recipe.name == NAME)
    found: dict[str, list[Mapping[str, float]]] = {}
    for seed in range(seeds):
        each = scene(recipe, seed)
        for title, expert in zip(recipe.titles, each.experts, strict=True):
            found.setdefault(title.lower(), []).append(accuracies(expert, each.data))
        for title, network in networks(each):
            found.setdefault(title, []).append(accuracies(network, each.data))
    yield Table(("network", "all 29 classes", *SKILLS, "own skill's classes"), _rows(found))


def _rows(found: Mapping[str, list[Mapping[str, float]]]) -> Iterator[list[str]]:
    for title, rows in found.items():
        columns = ([100 * row[name] for row in rows] for name in ("unknown", *SKILLS, "known"))
        yield [title, *(f"{fmean(values):.1f}" + _spread(values) for values in columns)]


def _spread(values: list[float]) -> str:
    return f" ± {stdev(values):.1f}" if len(values) > 1 else ""


BENCHMARK = Benchmark(name="skills", title="Three skills in one network", minutes=12, tables=tables)

if __name__ == "__main__":
    BENCHMARK.main()
