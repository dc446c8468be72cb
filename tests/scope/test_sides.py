"""Two sides in lockstep: their order, that telling by epochs changes no weight, and what is measured of them."""

import copy

import pytest
import torch
from torch import nn

from softmerge_core.data import load_dataset
from softmerge_core.events import Barrier, Event, Histogram, Loss
from softmerge_core.networks import build_network
from softmerge_core.scope.measure import ScopePenalty, distance, scope_of
from softmerge_core.scope.sides import BINS, Observer, Side, between, histogram, significant, walk
from softmerge_core.settings import TrainSettings
from softmerge_core.training import train

MOONS = load_dataset("moons")
SHORT = TrainSettings(epochs=2, batch_size=100, learning_rate=0.01, share=0.3)


def fresh(seed: int = 0) -> nn.Module:
    return build_network("mlp", MOONS.input_shape, MOONS.classes, seed)


def side(name: str = "plain", penalty: ScopePenalty | None = None) -> Side:
    return Side(name, [fresh(), fresh()], MOONS, [SHORT, SHORT.model_copy(update={"seed": 1})], penalty)


def test_sides_take_turns_or_follow_each_other() -> None:
    plain, aligned = side(), side("aligned")
    turns = [(found.name, epoch) for found, epoch in walk(plain, aligned, 2, lockstep=True)]
    assert turns == [("plain", 0), ("aligned", 0), ("plain", 1), ("aligned", 1)]
    after = [(found.name, epoch) for found, epoch in walk(plain, aligned, 2, lockstep=False)]
    assert after == [("plain", 0), ("plain", 1), ("aligned", 0), ("aligned", 1)]


@pytest.mark.parametrize("weight", [None, 2.0])
def test_a_side_trains_as_training_does(weight: float | None) -> None:
    penalty = None if weight is None else ScopePenalty(scope_of(fresh()), weight)
    both, by_hand = side(penalty=penalty), fresh()
    for _ in range(SHORT.epochs):
        assert both.epoch(lambda: False)
    assert both.end() == ["finished", "finished"]
    train(by_hand, MOONS.train_inputs, MOONS.train_labels, SHORT, classes=MOONS.classes, penalty=penalty)
    trained = both.networks[0].state_dict()
    assert all(torch.equal(value, trained[name]) for name, value in by_hand.state_dict().items())


def test_losses_are_the_mean_over_the_steps_since_last_asked() -> None:
    told: list[Event] = []
    both = side()
    training = both.trainings[0]
    assert training.take() is None
    both.epoch(lambda: False)
    steps = list(training.seen)
    assert len(steps) == training.step
    expected = sum(task for task, _ in steps) / len(steps)
    Observer(fresh(), MOONS, told.append).look(both, 1)
    losses = [event for event in told if isinstance(event, Loss)]
    assert losses[0].task == pytest.approx(expected, rel=1e-5)
    assert training.take() is None


def test_a_side_that_is_asked_to_stop_says_so() -> None:
    assert not side().epoch(lambda: True)


def test_the_barrier_of_networks_that_are_the_same_is_none() -> None:
    told: list[Event] = []
    Observer(fresh(), MOONS, told.append).look(side(), 0)
    (barrier,) = (event for event in told if isinstance(event, Barrier))
    assert barrier.error == 0
    assert barrier.loss == pytest.approx(0, abs=1e-6)
    assert barrier.distance == (0.0, 0.0, 0.0)


def test_looking_changes_nothing() -> None:
    both = side()
    before = copy.deepcopy(both.networks[0].state_dict())
    observer = Observer(both.networks[0], MOONS, lambda event: None)
    observer.look(both, 0)
    observer.paths("plain", both.networks, 0)
    observer.merged("plain:merged", both.networks, 0)
    assert all(torch.equal(value, before[name]) for name, value in both.networks[0].state_dict().items())


def test_distances_are_the_mean_over_pairs() -> None:
    scopes = [scope_of(fresh(seed)) for seed in range(3)]
    pairs = [distance(scopes[i], scopes[j]).tolist() for i, j in ((0, 1), (0, 2), (1, 2))]
    assert between(scopes) == pytest.approx([sum(column) / 3 for column in zip(*pairs, strict=True)])


def test_a_histogram_is_cut_where_tails_are_long_and_counts_what_it_cuts() -> None:
    values = torch.cat([torch.linspace(-1, 1, 1000), torch.tensor([50.0])])
    found = histogram("plain:0", "w", values, 3)
    assert isinstance(found, Histogram)
    assert (len(found.counts), sum(found.counts), found.outside) == (BINS, 1000, 1)
    assert found.low == -1
    assert found.high < 50
    assert found.kurtosis > 1


def test_weights_all_alike_have_a_histogram_too() -> None:
    found = histogram("plain:0", "w", torch.full((7,), 0.25), 0)
    assert sum(found.counts) == 7
    assert found.low < 0.25 < found.high
    assert found.sigma == 0


@pytest.mark.parametrize(
    ("value", "shown"), [(0.123456789, 0.123457), (1234567.0, 1234570.0), (0.0, 0.0), (-2e-9, -2e-9)]
)
def test_six_digits_are_told(value: float, shown: float) -> None:
    assert significant(value) == shown
