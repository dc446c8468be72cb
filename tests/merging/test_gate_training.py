"""One step of gate training: the logits' gradient by finite differences, and which values move."""

import copy
import math

import pytest
import torch
from torch.nn import functional

from softmerge_core.anatomy import describe, partition
from softmerge_core.flat import FlatSources
from softmerge_core.merging.gate_training import SCALE_RATE, GateTraining, training_mode
from softmerge_core.settings import SoftMergeSettings
from tests.networks_for_tests import NETWORKS, make_data, make_sources


def make_training(kind: str, granularity: str, **settings: object) -> GateTraining:
    sources = [source.double() for source in make_sources(kind, 3)]
    layers = describe(sources[0])
    chosen = SoftMergeSettings(granularity=granularity, optimiser="sgd", **settings)
    flat = FlatSources(sources, layers)
    return GateTraining(flat, partition(layers, granularity), chosen, torch.Generator().manual_seed(4))


def loss_at(training: GateTraining, logits: torch.Tensor, data: object) -> float:
    """Return the loss that a step lowers, for the same noise, without a step."""
    training.generator.manual_seed(4)
    training.gates.log_alpha.data.copy_(logits)
    training.blocks.write(training.gates.sampled_weights())
    training_mode(training.flat.network, 96)
    task = functional.cross_entropy(training.flat.network(data.train_inputs), data.train_labels)
    return (task + training.settings.penalty * training.gates.open_sources()).item()


@pytest.mark.parametrize("normalise", [True, False])
@pytest.mark.parametrize(
    ("kind", "granularity"), [("perceptron", "channel"), ("convolutional", "layer"), ("tied", "model")]
)
def test_a_step_of_sgd_follows_the_finite_difference(kind: str, granularity: str, normalise: bool) -> None:
    data = make_data(dtype=torch.float64)
    training = make_training(kind, granularity, normalise=normalise, penalty=0.3, learning_rate=1.0)
    start = torch.randn(training.logits().shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    training.gates.log_alpha.data.copy_(start)
    training.generator.manual_seed(4)
    training.step(data.train_inputs, data.train_labels)
    gradient = start - training.logits()
    training.gates.log_scale.data.zero_()
    for part in range(min(4, len(start))):
        for source in range(3):
            shift = torch.zeros_like(start)
            shift[part, source] = 1e-6
            expected = (loss_at(training, start + shift, data) - loss_at(training, start - shift, data)) / 2e-6
            assert gradient[part, source].item() == pytest.approx(expected, abs=1e-5)


def test_only_channels_learn_a_scale_and_it_follows_the_finite_difference() -> None:
    data = make_data(dtype=torch.float64)
    training = make_training("perceptron", "channel", learning_rate=1.0, rescale=True)
    start, scale = training.logits(), training.scale()
    training.generator.manual_seed(4)
    training.step(data.train_inputs, data.train_labels)
    gradient = (scale - training.scale()) / SCALE_RATE
    for part in (0, 5, 9):
        losses = []
        for shift in (1e-6, -1e-6):
            training.gates.log_scale.data.zero_()[part] = shift
            losses.append(loss_at(training, start, data))
        assert gradient[part].item() == pytest.approx((losses[0] - losses[1]) / 2e-6, abs=1e-5)
    for settings in ({"granularity": "layer", "rescale": True}, {"granularity": "channel"}):
        other = make_training("perceptron", **settings)
        other.step(data.train_inputs, data.train_labels)
        assert not other.scale().any()


@pytest.mark.parametrize("kind", NETWORKS)
def test_only_the_gates_move(kind: str) -> None:
    data = make_data(dtype=torch.float64)
    training = make_training(kind, "layer")
    theta, logits = training.flat.theta.clone(), training.logits()
    for _ in range(3):
        training.step(data.train_inputs, data.train_labels)
    assert torch.equal(training.flat.theta, theta)
    assert not torch.equal(training.logits(), logits)


def test_a_loss_that_is_not_finite_leaves_the_gates_as_they_were() -> None:
    data = make_data(dtype=torch.float64)
    training = make_training("perceptron", "layer")
    training.flat.theta[0] = torch.inf
    logits = training.logits()
    loss = training.step(data.train_inputs, data.train_labels)
    assert not math.isfinite(loss.total)
    assert torch.equal(training.logits(), logits)


def test_dropout_is_off_and_batchnorm_uses_the_batch() -> None:
    network = make_sources("convolutional", 1)[0]
    training_mode(network, 96)
    modes = {type(module).__name__: module.training for module in network.modules()}
    assert modes["BatchNorm1d"]
    assert not modes["Dropout"]


def test_a_batch_of_one_leaves_batchnorm_to_its_statistics() -> None:
    network = make_sources("convolutional", 1)[0]
    training_mode(network, 1)
    assert not any(module.training for module in network.modules())


def test_going_on_from_a_state_is_going_on() -> None:
    data = make_data(dtype=torch.float64)
    straight, resumed = (make_training("perceptron", "channel") for _ in range(2))
    straight.step(data.train_inputs, data.train_labels)
    state, noise = copy.deepcopy(straight.state()), straight.generator.get_state()
    straight.step(data.train_inputs, data.train_labels)
    resumed.load_state(state)
    resumed.generator.set_state(noise)
    resumed.step(data.train_inputs, data.train_labels)
    assert torch.equal(straight.logits(), resumed.logits())
