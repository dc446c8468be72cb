"""Trains the families that are shipped, the same way every time."""

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

from softmerge_core.checkpoints.files import save_checkpoint, state_hash
from softmerge_core.data import Data, load_dataset
from softmerge_core.home import write_atomic
from softmerge_core.networks import build_network
from softmerge_core.registry import lookup
from softmerge_core.settings import AttackSettings, TrainSettings
from softmerge_core.training import History, train
from softmerge_core.zoo.layers import layer_infos, scores
from softmerge_core.zoo.library import slug
from softmerge_core.zoo.manifest import BASE, FOLDER, JOINT, MANIFEST, FamilyInfo, ModelInfo, families
from softmerge_core.zoo.recipes import RECIPES, Recipe
from softmerge_core.zoo.spoiling import spoil
from softmerge_core.zoo.words import how_trained, source_title

State = dict[str, torch.Tensor]


def build(names: Iterable[str] | None = None, folder: str | Path | None = None) -> list[Path]:
    """Train the named families (none named: all) and write each to ``folder``/<family>; returns those folders.

    Bit-identical on one machine: it computes on one thread. Raises NotFoundError for an unknown family.
    """
    recipes = {recipe.name: recipe for recipe in RECIPES}
    chosen = [lookup(recipes, name, "family") for name in (names or recipes)]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        kitchen = _Kitchen()
        written = [_build_family(recipe, Path(folder or FOLDER), kitchen) for recipe in chosen]
    finally:
        torch.set_num_threads(threads)
    families.cache_clear()
    return written


class _Kitchen:
    """Trains each distinct model once, though several families hold it."""

    def __init__(self) -> None:
        self.done: dict[tuple[object, ...], tuple[State, History]] = {}

    def cook(self, recipe: Recipe, settings: TrainSettings, from_seed: bool = False) -> tuple[State, History]:
        """(state, history) of one model: from the recipe's trunk, or from the settings' seed."""
        trunk = None if from_seed else recipe.trunk
        key = (recipe.dataset, recipe.network, trunk, settings)
        if key not in self.done:
            data = load_dataset(recipe.dataset)
            network = build_network(recipe.network, data.input_shape, data.classes, settings.seed)
            if trunk is not None:
                network.load_state_dict(self.cook(recipe, trunk, from_seed=True)[0])
            self.done[key] = _train(network, data, settings)
        return self.done[key]


def _train(network: nn.Module, data: Data, settings: TrainSettings) -> tuple[State, History]:
    result = train(
        network,
        data.train_inputs,
        data.train_labels,
        settings,
        classes=data.classes,
        validation=(data.validation_inputs, data.validation_labels),
    )
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}, result.history


def _build_family(recipe: Recipe, folder: Path, kitchen: _Kitchen) -> Path:
    """Train, spoil, evaluate and write one family; files of models that are no more are removed."""
    data = load_dataset(recipe.dataset)
    place = folder / recipe.name
    place.mkdir(parents=True, exist_ok=True)
    network = build_network(recipe.network, data.input_shape, data.classes, 0)
    models = []
    for index, settings in enumerate(recipe.sources):
        state, history = kitchen.cook(recipe, settings)
        attack = recipe.attacks.get(index)
        network.load_state_dict(spoil(state, attack) if attack else state)
        save_checkpoint(network, place / f"{_name(recipe, index)}.safetensors")
        models.append(_model(recipe, index, network, data, history, attack))
    info = FamilyInfo(
        name=recipe.name,
        title=recipe.title,
        description=recipe.description,
        dataset=recipe.dataset,
        network=recipe.network,
        input_shape=data.input_shape,
        classes=data.classes,
        trunk=recipe.trunk,
        base=_build_beside(BASE, "The trunk all started from", recipe.trunk, recipe, place, kitchen),
        joint=_build_beside(JOINT, "Joint training", recipe.joint, recipe, place, kitchen),
        models=tuple(models),
        layers=layer_infos(network),
    )
    write_atomic(place / MANIFEST, info.model_dump_json(indent=1).encode() + b"\n")
    written = {model.name for model in info.everything()}
    for stale in set(place.glob("*.safetensors")) - {place / f"{name}.safetensors" for name in written}:
        stale.unlink()
    return place


def _build_beside(
    name: str, title: str, settings: TrainSettings | None, recipe: Recipe, place: Path, kitchen: _Kitchen
) -> ModelInfo | None:
    """Write a network that is trained from random weights, the trunk or that of joint training, beside the sources."""
    if settings is None:
        return None
    data = load_dataset(recipe.dataset)
    state, history = kitchen.cook(recipe, settings, from_seed=True)
    network = build_network(recipe.network, data.input_shape, data.classes, 0)
    network.load_state_dict(state)
    save_checkpoint(network, place / f"{name}.safetensors")
    accuracy, loss = scores(network, data)
    return ModelInfo(
        name=name,
        title=title,
        how=how_trained(settings),
        settings=settings,
        accuracy=accuracy,
        loss=loss,
        sha256=state_hash(network.state_dict()),
        history=history,
    )


def _name(recipe: Recipe, index: int) -> str:
    return slug(recipe.titles[index]) if recipe.titles else f"source-{index + 1}"


def _model(
    recipe: Recipe,
    index: int,
    network: nn.Module,
    data: Data,
    history: History,
    attack: AttackSettings | None,
) -> ModelInfo:
    settings = recipe.sources[index]
    accuracy, loss = scores(network, data)
    return ModelInfo(
        name=_name(recipe, index),
        title=recipe.titles[index] if recipe.titles else source_title(index, settings, attack),
        how=how_trained(settings, recipe.trunk, attack),
        settings=settings,
        attack=attack,
        accuracy=accuracy,
        loss=loss,
        sha256=state_hash(network.state_dict()),
        history=history,
    )
