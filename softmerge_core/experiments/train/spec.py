"""Train one source, watched live, and keep it in the reader's library with how it was trained."""

from typing import TYPE_CHECKING, Any, Literal

from softmerge_core.errors import DataError, SourceError, TrainingError
from softmerge_core.events import Notice
from softmerge_core.experiments.base import Context, Spec
from softmerge_core.settings import DataSpec, SourceSpec, TrainSettings, setting

if TYPE_CHECKING:
    from torch import nn

    from softmerge_core.data import Data
    from softmerge_core.training import TrainResult

SERIES = "source"


class TrainSpec(Spec):
    """What to train, on what, and how; the trained model is kept in the library under the run's name."""

    kind: Literal["train"] = "train"
    dataset: str = setting("mnist1d", "Data set", "What the network learns: a built-in data set or an .npz file.")
    network: str = setting("cnn1d", "Network", "The architecture, by name.")
    settings: TrainSettings = setting(TrainSettings(), "Settings", "How it is trained.")
    start_from: SourceSpec | None = setting(
        None, "Start from", "A trained model to go on from; none: random weights drawn from the seed."
    )


def example() -> TrainSpec:
    """A spec that runs."""
    return TrainSpec(name="A small network on MNIST-1D")


def check(spec: TrainSpec) -> None:
    """Raise SoftMergeError for what can be told to be wrong before training; no torch is loaded."""
    from softmerge_core.data import check_data_spec
    from softmerge_core.networks import check_network
    from softmerge_core.zoo import find_source

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


def data_shape(data: DataSpec) -> tuple[tuple[int, ...], int]:
    """(input shape, number of classes) of a spec's data. Loads no torch."""
    from softmerge_core.data import check_data_file, datasets

    if data.dataset.endswith(".npz"):
        arrays, classes = check_data_file(data.dataset)
        return tuple(arrays["train_inputs"].shape[1:]), classes
    dataset = datasets()[data.dataset]
    return tuple(dataset.input_shape), dataset.classes


def run(spec: TrainSpec, context: Context) -> dict[str, Any]:
    """Train, keep the weights as "trained" and in the library, and score them on every split."""
    from softmerge_core.data import load_data
    from softmerge_core.training import train

    data = load_data(DataSpec(dataset=spec.dataset))
    network = starting_network(spec, data)
    trained = train(
        network,
        data.train_inputs,
        data.train_labels,
        spec.settings,
        classes=data.classes,
        validation=data.split("validation"),
        series=SERIES,
        on_event=context.emit,
        should_stop=context.should_stop,
    )
    if trained.stop_reason == "non-finite loss":
        text = f"The loss stopped being finite after step {trained.steps}; the last finite weights are kept."
        context.emit(Notice(step=trained.steps, text=text))
    context.save_weights("trained", network.state_dict())
    return keep(spec, data, network, trained)


def starting_network(spec: TrainSpec, data: "Data") -> "nn.Module":
    """The network before training: a copy of ``start_from``, or drawn from the seed.

    Raises SourceError or CheckpointError when ``start_from`` is of another architecture, TrainingError when its
    weights are not finite.
    """
    from softmerge_core.checkpoints.files import check_finite, load_into
    from softmerge_core.errors import CheckpointError
    from softmerge_core.networks import build_network
    from softmerge_core.zoo import load_source

    network = build_network(spec.network, data.input_shape, data.classes, spec.settings.seed)
    if spec.start_from is not None:
        state = load_source(spec.start_from).module.state_dict()
        try:
            check_finite(state, spec.start_from.model)
        except CheckpointError as error:
            raise TrainingError(f"{error}; training can only start from finite weights") from error
        load_into(network, state, spec.start_from.model)
    return network


def keep(spec: TrainSpec, data: "Data", network: "nn.Module", trained: "TrainResult") -> dict[str, Any]:
    """Score the network and add it to the library; returns the run's result."""
    from softmerge_core.zoo import add_to_library, slug
    from softmerge_core.zoo.layers import scores
    from softmerge_core.zoo.words import how_trained

    accuracy, loss = scores(network, data)
    title = spec.name or f"{spec.network.rpartition('/')[2]} on {data.title}"
    start = f"the weights of {spec.start_from.model}" if spec.start_from else ""
    early = "" if trained.stop_reason == "finished" else f"ended at step {trained.steps} ({trained.stop_reason})"
    model = add_to_library(
        slug(title),
        network,
        origin="trained",
        network=spec.network,
        dataset=spec.dataset,
        input_shape=data.input_shape,
        classes=data.classes,
        how=how_trained(spec.settings, start=start, stopped=early),
        title=title,
        settings=spec.settings,
        accuracy=accuracy,
        loss=loss,
        history=trained.history,
    )
    return {
        "accuracy": accuracy,
        "loss": loss,
        "library": model.name,
        "stop_reason": trained.stop_reason,
        "steps": trained.steps,
    }
