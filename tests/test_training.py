import copy
import itertools
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from softmerge_core.data import load_dataset
from softmerge_core.errors import DataError
from softmerge_core.evaluation import evaluate
from softmerge_core.events import Evaluation, Event, Loss, Progress
from softmerge_core.networks import build_network
from softmerge_core.settings import TrainSettings
from softmerge_core.training import MAX_INTERVAL, Training, noisy_inputs, seen_samples, train

MOONS = load_dataset("moons")
SHORT = TrainSettings(epochs=3, batch_size=50, learning_rate=0.01)


def fresh(seed: int = 0, name: str = "mlp") -> nn.Module:
    data = MOONS if name == "mlp" else load_dataset("digits")
    return build_network(name, data.input_shape, data.classes, seed)


def same(first: nn.Module, second: nn.Module) -> bool:
    a, b = first.state_dict(), second.state_dict()
    return all(torch.equal(a[key], b[key]) for key in a)


def finite(network: nn.Module) -> bool:
    return all(bool(torch.isfinite(value).all()) for value in network.state_dict().values())


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_training_twice_is_bit_identical_and_lowers_the_loss(optimiser: str) -> None:
    settings = SHORT.model_copy(update={"optimiser": optimiser, "label_noise": 0.1, "share": 0.8})
    networks = fresh(), fresh()
    before = evaluate(networks[0], MOONS.train_inputs, MOONS.train_labels)[1]
    state = torch.get_rng_state()
    results = [train(n, MOONS.train_inputs, MOONS.train_labels, settings) for n in networks]
    assert torch.equal(torch.get_rng_state(), state)
    assert same(*networks)
    assert results[0] == results[1]
    assert evaluate(networks[0], MOONS.train_inputs, MOONS.train_labels)[1] < before


def test_another_seed_gives_other_weights() -> None:
    networks = fresh(), fresh()
    for seed, network in enumerate(networks):
        train(network, MOONS.train_inputs, MOONS.train_labels, SHORT.model_copy(update={"seed": seed}))
    assert not same(*networks)


def test_one_full_batch_step_is_plain_gradient_descent() -> None:
    settings = TrainSettings(epochs=1, batch_size=600, learning_rate=0.1, optimiser="sgd", weight_decay=0.01)
    network, reference = fresh().double(), fresh().double()
    inputs = MOONS.train_inputs.double()
    train(network, inputs, MOONS.train_labels, settings)
    nn.functional.cross_entropy(reference(inputs), MOONS.train_labels).backward()
    for (name, parameter), trained in zip(reference.named_parameters(), network.parameters(), strict=True):
        assert parameter.grad is not None
        expected = parameter - 0.1 * (parameter.grad + 0.01 * parameter)
        assert torch.allclose(trained, expected, atol=1e-12), name


def test_events_and_history() -> None:
    events: list[Event] = []
    settings = TrainSettings(epochs=10, batch_size=50)
    network = fresh()
    result = train(
        network,
        MOONS.train_inputs,
        MOONS.train_labels,
        settings,
        validation=MOONS.split("validation"),
        series="mine",
        on_event=events.append,
    )
    assert (result.stop_reason, result.steps) == ("finished", 120)
    steps = [step for step, _, _ in result.history]
    assert steps == list(range(3, 121, 3))
    evaluations = [event for event in events if isinstance(event, Evaluation)]
    assert [(e.step, e.accuracy) for e in evaluations] == [(step, accuracy) for step, _, accuracy in result.history]
    accuracy, loss = evaluate(network, *MOONS.split("validation"))
    assert (evaluations[-1].accuracy, evaluations[-1].loss) == (accuracy, loss)
    losses = [event for event in events if isinstance(event, Loss)]
    assert {event.series for event in [*losses, *evaluations]} == {"mine"}
    assert (losses[0].step, losses[-1].step) == (1, 120)
    assert [event for event in events if isinstance(event, Progress)][-1] == Progress(step=120, total=120)
    assert not network.training


def test_a_long_training_evaluates_often_enough_to_watch() -> None:
    settings = TrainSettings(epochs=20, batch_size=4)
    result = train(fresh(), MOONS.train_inputs, MOONS.train_labels, settings, validation=MOONS.split("validation"))
    steps = [0] + [step for step, _, _ in result.history]
    assert max(b - a for a, b in itertools.pairwise(steps)) == MAX_INTERVAL


def test_the_penalty_is_added_to_the_loss() -> None:
    events: list[Event] = []

    def pull(network: nn.Module) -> Tensor:
        return sum((p.square().sum() for p in network.parameters()), torch.zeros(()))

    plain, pulled = fresh(), fresh()
    train(plain, MOONS.train_inputs, MOONS.train_labels, SHORT)
    train(pulled, MOONS.train_inputs, MOONS.train_labels, SHORT, penalty=pull, on_event=events.append)
    assert pull(pulled) < pull(plain)
    for event in events:
        if isinstance(event, Loss):
            assert event.penalty > 0
            assert event.total == pytest.approx(event.task + event.penalty, rel=1e-5)


@pytest.mark.parametrize("after", [0, 1, 7])
def test_stop_is_honoured_before_the_next_step(after: int) -> None:
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > after

    network = fresh()
    result = train(network, MOONS.train_inputs, MOONS.train_labels, SHORT, should_stop=should_stop)
    assert (result.stop_reason, result.steps) == ("stopped", after)
    assert same(network, fresh()) == (after == 0)


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
@pytest.mark.parametrize("name", ["mlp", "resnet"])
def test_a_learning_rate_of_1e30_keeps_the_last_finite_weights(name: str, optimiser: str) -> None:
    data = MOONS if name == "mlp" else load_dataset("digits")
    settings = TrainSettings(epochs=4, batch_size=100, learning_rate=1e30, optimiser=optimiser)
    network = fresh(name=name)
    result = train(network, data.train_inputs[:300], data.train_labels[:300], settings)
    assert result.stop_reason == "non-finite loss"
    assert result.steps < 12
    assert finite(network)
    assert math.isfinite(evaluate(network, data.train_inputs[:100], data.train_labels[:100])[1])


def test_a_step_that_breaks_the_weights_is_taken_back() -> None:
    network, steps = fresh(), 0
    kept: list[nn.Module] = []

    def penalty(module: nn.Module) -> Tensor:
        nonlocal steps
        steps += 1
        kept.append(copy.deepcopy(module))
        return torch.tensor(float("nan") if steps == 5 else 0.0)

    result = train(network, MOONS.train_inputs, MOONS.train_labels, SHORT, penalty=penalty)
    assert (result.stop_reason, result.steps) == ("non-finite loss", 4)
    assert same(network, kept[3])  # the last weights whose loss was seen to be finite


def test_a_last_batch_of_one_sample_does_not_break_batchnorm() -> None:
    data = load_dataset("digits")
    network = fresh(name="resnet")
    settings = TrainSettings(epochs=1, batch_size=8)
    assert train(network, data.train_inputs[:17], data.train_labels[:17], settings, classes=10).steps == 3
    assert finite(network)


def test_dropout_follows_the_seed_and_not_the_global_state() -> None:
    def dropping() -> nn.Module:
        return nn.Sequential(fresh(), nn.Dropout(0.5))

    networks = dropping(), dropping()
    for network in networks:
        torch.rand(3)
        train(network, MOONS.train_inputs, MOONS.train_labels, SHORT)
    assert same(*networks)


@given(
    share=st.floats(0.01, 1),
    noise=st.floats(0, 1),
    classes=st.sets(st.integers(0, 9)),
    seed=st.integers(0, 1000),
)
def test_what_a_source_sees(share: float, noise: float, classes: set[int], seed: int) -> None:
    labels = load_dataset("digits").train_labels
    settings = TrainSettings(share=share, label_noise=noise, classes=tuple(sorted(classes)), seed=seed)
    indices, seen = seen_samples(labels, settings, 10)
    allowed = torch.isin(labels, torch.tensor(sorted(classes or range(10))))
    assert len(indices) == len(seen) == max(1, round(share * int(allowed.sum())))
    assert len(set(indices.tolist())) == len(indices)
    assert bool(allowed[indices].all())
    assert bool(((seen >= 0) & (seen < 10)).all())
    if noise == 0:
        assert torch.equal(seen, labels[indices])


def test_label_noise_replaces_that_share() -> None:
    labels = load_dataset("mnist1d").train_labels
    indices, seen = seen_samples(labels, TrainSettings(label_noise=0.4), 10)
    changed = (seen != labels[indices]).double().mean().item()
    assert changed == pytest.approx(0.4 * 0.9, abs=4 * math.sqrt(0.36 * 0.64 / 4000))


def test_classes_that_are_not_there() -> None:
    with pytest.raises(DataError, match=r"0\.\.1, got 5"):
        seen_samples(MOONS.train_labels, TrainSettings(classes=(0, 5)), 2)
    with pytest.raises(DataError, match="no training data"):
        seen_samples(torch.zeros(4, dtype=torch.int64), TrainSettings(classes=(1,)), 2)


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_epoch_by_epoch_is_the_same_training(optimiser: str) -> None:
    settings = SHORT.model_copy(update={"optimiser": optimiser, "schedule": "cosine", "feature_noise": 0.2})
    whole, walked = fresh(), fresh()
    train(whole, MOONS.train_inputs, MOONS.train_labels, settings)
    training = Training(walked, MOONS.train_inputs, MOONS.train_labels, settings)
    assert [training.epoch() for _ in range(settings.epochs)] == [True] * settings.epochs
    assert training.result().stop_reason == "finished"
    assert same(whole, walked)


def test_a_cosine_falls_from_the_learning_rate_to_zero() -> None:
    settings = SHORT.model_copy(update={"schedule": "cosine"})
    training = Training(fresh(), MOONS.train_inputs, MOONS.train_labels, settings)
    rates = []
    for done in range(settings.epochs):
        expected = settings.learning_rate * (1 + math.cos(math.pi * done / settings.epochs)) / 2
        rates.append(training.optimiser.param_groups[0]["lr"])
        assert rates[-1] == pytest.approx(expected)
        training.epoch()
    assert training.optimiser.param_groups[0]["lr"] == pytest.approx(0, abs=1e-9)


def test_noise_on_inputs_has_its_size_and_is_the_same_in_every_epoch() -> None:
    settings = SHORT.model_copy(update={"feature_noise": 0.5})
    noisy = noisy_inputs(MOONS.train_inputs, settings)
    noise = noisy - MOONS.train_inputs
    assert noise.std().item() == pytest.approx(0.5 * MOONS.train_inputs.std().item(), rel=0.05)
    assert abs(noise.mean().item()) < 0.05
    assert torch.equal(noisy, noisy_inputs(MOONS.train_inputs, settings))
    assert noisy_inputs(MOONS.train_inputs, SHORT) is MOONS.train_inputs


def test_a_penalty_may_change_between_epochs() -> None:
    networks = fresh(), fresh()
    trainings = [Training(n, MOONS.train_inputs, MOONS.train_labels, SHORT) for n in networks]
    for training in trainings:
        training.epoch()
    assert same(*networks)
    trainings[1].penalty = lambda network: 10 * sum((p**2).sum() for p in network.parameters())
    for training in trainings:
        training.epoch()
    norms = [sum(float((p.detach() ** 2).sum()) for p in network.parameters()) for network in networks]
    assert norms[1] < norms[0]
