"""The paths of a connectivity run, each evaluated in one task, and the strip from one model to the other."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch
from torch import Tensor, nn

from softmerge_core.alignment import align, repair
from softmerge_core.alignment.settings import How
from softmerge_core.checks import check_architecture, non_finite_tensor
from softmerge_core.data import Data, load_data
from softmerge_core.errors import SoftMergeError, SourceError
from softmerge_core.evaluation import BATCHNORM_SAMPLES, best_source, evaluate, has_batchnorm
from softmerge_core.events import Score, WeightPath
from softmerge_core.experiments.connectivity.beginnings import beginning_of, initial_network, manifest_of
from softmerge_core.experiments.connectivity.spec import ConnectivitySpec
from softmerge_core.experiments.connectivity.words import ENDS
from softmerge_core.experiments.loading import load_sources
from softmerge_core.experiments.scoring import scores_of
from softmerge_core.flat import plain_average
from softmerge_core.landscape import Surface, line_points, network_at, network_between, weights_of
from softmerge_core.merging.soft import soft_merge
from softmerge_core.numbers import decimal_text, rounded
from softmerge_core.scope import into_one_scope
from softmerge_core.settings import SoftMergeSettings, TrainSettings

REPAIR_SAMPLES = 512  # training samples whose activations REPAIR restores at each point
Pair = tuple[nn.Module, nn.Module]


@lru_cache(maxsize=2)
def prepared(spec: ConnectivitySpec) -> tuple[tuple[nn.Module, ...], tuple[str, ...], Data]:
    """(networks, names, data), loaded once per process; raises SourceError for weights that are not finite."""
    modules, names = load_sources(spec.sources)
    check_architecture(modules, names)
    for module, name in zip(modules, names, strict=True):
        if tensor := non_finite_tensor(module):
            raise SourceError(f"source {name!r}: {tensor} has NaN or Inf in it; no path leads there")
    return tuple(modules), names, load_data(spec.data)


def times(count: int) -> tuple[float, ...]:
    """``count`` evenly spaced places on a path, from 0 to 1."""
    return tuple(index / (count - 1) for index in range(count))


def overlay_path(spec: ConnectivitySpec, overlay: str) -> tuple[WeightPath, nn.Module]:
    """Loss and error along the straight path between the first two models, changed first as ``overlay`` says.

    And the network in its middle, with BatchNorm statistics as the path has them.
    """
    (first, second, *_), _, data = prepared(spec)
    first, second = ends(spec, overlay, first, second, data)
    ts = times(spec.points)
    note = _scope_note(spec) if overlay == "scope" else ""
    if spec.norms == "mixed" and has_batchnorm(first) and not overlay.endswith("_repair"):
        return _walk_mixed(overlay, (first, second), ts, data, note), network_between(first, second, 0.5)
    points = line_points(weights_of(first), weights_of(second), ts)
    half = line_points(weights_of(first), weights_of(second), [0.5])
    if overlay.endswith("_repair"):
        points = _repaired(points, ts, (first, second), data)
        half = _repaired(half, (0.5,), (first, second), data)
    middle = network_at(first, half[0], data.train_inputs[:BATCHNORM_SAMPLES])
    return _walk(overlay, first, points, ts, data, note), middle


def ends(spec: ConnectivitySpec, overlay: str, first: nn.Module, second: nn.Module, data: Data) -> Pair:
    """The two networks between which an overlay's path runs."""
    if overlay == "plain":
        return first, second
    if overlay == "scope":
        settings = _scope_settings(spec)
        one, other = into_one_scope(
            [first, second], data.train_inputs, data.train_labels, settings, weight=spec.scope_weight
        )
        return one, other
    how: How = "weights" if overlay.startswith("weights") else "activations"
    one, other = align([first, second], data.train_inputs, how=how, seed=spec.seed)
    return one, other


def _scope_settings(spec: ConnectivitySpec) -> TrainSettings:
    """The first model's own training settings, but for a few epochs on all samples and without noise."""
    own = manifest_of(spec.sources[0])[1]
    base = (own.settings if own else None) or TrainSettings()
    clean = {"share": 1.0, "classes": (), "label_noise": 0.0, "feature_noise": 0.0}
    return base.model_copy(update={**clean, "epochs": spec.scope_epochs, "seed": spec.seed})


def _scope_note(spec: ConnectivitySpec) -> str:
    settings = _scope_settings(spec)
    how = f"{'Adam' if settings.optimiser == 'adam' else 'SGD'}, learning rate {decimal_text(settings.learning_rate)}"
    return (
        f"both models trained on for {settings.epochs} epochs on all samples ({how}) toward their fused scope, "
        f"KL weight {decimal_text(spec.scope_weight)}: its ends are other networks than those of the other paths"
    )


def _repaired(points: Tensor, ts: tuple[float, ...], ends: Pair, data: Data) -> Tensor:
    """The points after REPAIR toward the ends' activation statistics, mixed as the weights are."""
    inputs = data.train_inputs[:REPAIR_SAMPLES]
    networks = [network_at(ends[0], point, inputs[:2]) for point in points]  # BatchNorm is estimated again later
    mended = [repair(network, ends, inputs, (1 - t, t)) for network, t in zip(networks, ts, strict=True)]
    return torch.stack([weights_of(network) for network in mended])


def _walk(series: str, template: nn.Module, points: Tensor, ts: tuple[float, ...], data: Data, note: str) -> WeightPath:
    """Every point evaluated on all training and test samples."""
    splits = {split: data.split(split) for split in ("train", "test")}
    found = Surface(template, splits, data.train_inputs[:BATCHNORM_SAMPLES]).at(points)
    return _path(series, ts, {split: rows.tolist() for split, rows in found.items()}, note)


def _walk_mixed(series: str, pair: Pair, ts: tuple[float, ...], data: Data, note: str) -> WeightPath:
    """Every point evaluated with BatchNorm statistics that are mixed as the weights are."""
    found: dict[str, list[tuple[float, float]]] = {"train": [], "test": []}
    for network in (network_between(*pair, t) for t in ts):
        for split, rows in found.items():
            accuracy, loss = evaluate(network, *data.split(split))
            rows.append((loss, 1 - accuracy))
    return _path(series, ts, found, note)


def _path(series: str, ts: tuple[float, ...], found: Mapping[str, Sequence[Sequence[float]]], note: str) -> WeightPath:
    """The event that tells a path of which (loss, error) at each point were ``found`` in each split."""
    values = {
        f"{split}_{what}": rounded([row[column] for row in rows])
        for split, rows in found.items()
        for column, what in enumerate(("loss", "error"))
    }
    return WeightPath(step=0, series=series, t=rounded(ts), note=note, **values)


def start_path(spec: ConnectivitySpec, which: int) -> WeightPath:
    """The straight path from a model's initial weights to the model; without points where they are not known."""
    series, note = f"start:{which}", beginning_of(spec.sources[which]).words
    initial = initial_network(spec.sources[which])
    if initial is None:
        return WeightPath(step=0, series=series, note=note)
    modules, _, data = prepared(spec)
    ts = times(spec.points)
    points = line_points(weights_of(initial), weights_of(modules[which]), ts)
    return _walk(series, modules[which], points, ts, data, note)


def strip_score(spec: ConnectivitySpec, which: str) -> tuple[Score, nn.Module | None]:
    """The scores of one of the strip's networks: "a", "average", "soft" (a soft merge of both), "b"; and itself.

    Of the two ends the one with the lower validation loss is marked as the best.
    """
    row = Score(step=0, series=which, case="strip", seed=spec.seed)
    try:
        network = _strip_network(spec, which)
        scores = scores_of(network, prepared(spec)[2])
    except SoftMergeError as error:
        return row.model_copy(update={"problem": str(error)}), None
    return row.model_copy(update={**scores, "best": which in ENDS and which == _better_end(spec)}), network


def _better_end(spec: ConnectivitySpec) -> str:
    modules, _, data = prepared(spec)
    return ENDS[best_source(modules[:2], *data.split("validation"))]


def _strip_network(spec: ConnectivitySpec, which: str) -> nn.Module:
    (first, second, *_), names, data = prepared(spec)
    if which == "average":
        return plain_average([first, second], data.train_inputs)
    if which == "soft":
        settings = SoftMergeSettings(steps=spec.gate_steps, seed=spec.seed)
        return soft_merge([first, second], data.for_merging(), settings, names=names[:2]).model
    return first if which == "a" else second
