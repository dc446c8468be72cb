"""The work of a training run: train one source, watched live, and keep it in the library. Loads torch."""

from typing import Any

from torch import nn

from softmerge_core.checkpoints.files import check_finite, load_into
from softmerge_core.data import Data, load_data
from softmerge_core.errors import CheckpointError, TrainingError
from softmerge_core.events import Notice
from softmerge_core.experiments.base import Context
from softmerge_core.experiments.train.spec import TrainSpec
from softmerge_core.networks import build_network
from softmerge_core.settings import DataSpec
from softmerge_core.training import TrainResult, train
from softmerge_core.zoo import add_to_library, load_source, slug
from softmerge_core.zoo.layers import scores
from softmerge_core.zoo.words import how_trained

SERIES = "source"


def run(spec: TrainSpec, context: Context) -> dict[str, Any]:
    """Train, keep the weights as "trained" and in the library, and score them on every split."""
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


def starting_network(spec: TrainSpec, data: Data) -> nn.Module:
    """The network before training: a copy of ``start_from``, or drawn from the seed.

    Raises SourceError or CheckpointError when ``start_from`` is of another architecture, TrainingError when its
    weights are not finite.
    """
    network = build_network(spec.network, data.input_shape, data.classes, spec.settings.seed)
    if spec.start_from is not None:
        state = load_source(spec.start_from).module.state_dict()
        try:
            check_finite(state, spec.start_from.model)
        except CheckpointError as error:
            raise TrainingError(f"{error}; training can only start from finite weights") from error
        load_into(network, state, spec.start_from.model)
    return network


def keep(spec: TrainSpec, data: Data, network: nn.Module, trained: TrainResult) -> dict[str, Any]:
    """Score the network and add it to the library; returns the run's result."""
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
