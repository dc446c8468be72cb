"""The spec of a training: which network, on which data, and how. Loads no torch."""

from typing import Literal

from softmerge_core.data import check_data_spec
from softmerge_core.errors import DataError, SourceError
from softmerge_core.experiments.admission import data_shape
from softmerge_core.experiments.base import Spec
from softmerge_core.networks import check_network
from softmerge_core.settings import DataSpec, Place, SourceSpec, TrainSettings, setting
from softmerge_core.zoo import find_source


class TrainSpec(Spec):
    """The network to train, its data and settings; the trained model is kept in the library under the run's name."""

    kind: Literal["train"] = "train"
    dataset: Place = setting("mnist1d", "Data set", "What the network learns: a built-in data set or an .npz file.")
    network: str = setting("cnn1d", "Network", "The architecture, by name.")
    settings: TrainSettings = setting(TrainSettings(), "Settings", "How it is trained.")
    start_from: SourceSpec | None = setting(
        None, "Start from", "A trained model to go on from; none: random weights drawn from the seed."
    )


def example() -> TrainSpec:
    """A spec that runs."""
    return TrainSpec(name="A small network on MNIST-1D")


def small() -> TrainSpec:
    """Return a spec that runs in about a second."""
    return TrainSpec(dataset="moons", network="mlp", settings=TrainSettings(epochs=3))


def check(spec: TrainSpec) -> None:
    """Raise SoftMergeError for every mistake that shows before training; no weights are read."""
    data = DataSpec(dataset=spec.dataset)
    check_data_spec(data)
    shape, classes = data_shape(data)
    check_network(spec.network, shape, classes)
    for label in spec.settings.classes:
        if not 0 <= label < classes:
            raise DataError(f"classes: expected classes of {spec.dataset!r}, 0 to {classes - 1}, got {label}")
    start = find_source(spec.start_from.model) if spec.start_from else None
    if spec.start_from is None or start is None:
        return
    expected, got = (spec.network, shape, classes), (start.network, tuple(start.input_shape), start.classes)
    if expected != got:
        raise SourceError(f"{spec.start_from.model}: expected network, input shape and classes {expected}, got {got}")
