"""Many gate trainings as one: the steps, gradients and outputs of each are those that it has alone."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from softmerge_core.anatomy import describe, partition
from softmerge_core.flat import FlatSources
from softmerge_core.merging import stacked
from softmerge_core.merging.gate_training import GateTraining
from softmerge_core.merging.stacked import StackedTraining
from softmerge_core.settings import SoftMergeSettings
from tests.networks_for_tests import make_data, make_sources

STEPS, BATCH = 30, 16


class Shifted(nn.Module):
    """A buffer in which sources differ, beside a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.randn(12))
        self.layer = nn.Linear(12, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.layer(inputs - self.mean)


def small_cnn() -> nn.Module:
    return nn.Sequential(
        nn.Unflatten(1, (1, 12)),
        nn.Conv1d(1, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv1d(8, 4, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(24, 3),
    )


def sources_of(kind: str) -> list[nn.Module]:
    if kind in ("perceptron", "tied"):
        return [each.double() for each in make_sources(kind, 3)]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return [(Shifted() if kind == "buffer" else small_cnn()).double() for _ in range(3)]


def trainings(kind: str, granularity: str, changes: Sequence[dict[str, Any]], base: bool = False) -> list[GateTraining]:
    found = []
    for number, change in enumerate(changes):
        sources = sources_of(kind)
        layers = describe(sources[0])
        flat = FlatSources(sources, layers)
        settings = SoftMergeSettings(granularity=granularity, **change)
        origin = flat.theta.mean(0) + 0.1 if base else None
        generator = torch.Generator().manual_seed(number)
        found.append(GateTraining(flat, partition(layers, granularity), settings, generator, base=origin))
    return found


def batches_of(some: Sequence[GateTraining], samples: int, steps: int = STEPS) -> list[Tensor]:
    found = [torch.randint(samples, (steps, BATCH), generator=each.generator) for each in some]
    for each in some:
        each.prepare(steps, BATCH)
    return found


def compare(kind: str, granularity: str, changes: Sequence[dict[str, Any]], *, base: bool = False) -> None:
    data = make_data(dtype=torch.float64)
    alone, together = (trainings(kind, granularity, changes, base) for _ in range(2))
    losses = []
    for training, batches in zip(alone, batches_of(alone, 96), strict=True):
        losses.append([training.step(data.train_inputs[own], data.train_labels[own]) for own in batches])
    stack = StackedTraining(together)
    samples = [data.train_inputs] * len(together), [data.train_labels] * len(together)
    found = stack.steps(batches_of(together, 96), *samples)
    logits = stack.logits([data.validation_inputs] * len(together))
    for mine, theirs, own in zip(together, alone, logits, strict=True):
        assert torch.allclose(mine.logits(), theirs.logits(), atol=1e-9)
        assert torch.allclose(mine.scale(), theirs.scale(), atol=1e-9)
        assert torch.allclose(own, theirs.apply()(data.validation_inputs), atol=1e-9)
        torch.testing.assert_close(mine.state()["optimiser"]["second"], theirs.state()["optimiser"]["second"])
    torch.testing.assert_close(torch.tensor(found), torch.tensor(losses))
    assert not torch.allclose(together[0].logits(), together[1].logits(), atol=1e-3)  # each has draws of its own


@pytest.mark.parametrize("kind", ["perceptron", "cnn", "tied"])
@pytest.mark.parametrize("granularity", ["model", "layer", "channel"])
def test_each_takes_the_steps_that_it_takes_alone(kind: str, granularity: str) -> None:
    compare(kind, granularity, [{}] * 3)


def test_numbers_may_differ() -> None:
    changes = [{"learning_rate": 0.02}, {"penalty": 0.3}, {"temperature": 1.5}, {"initial_open_probability": 0.5}]
    compare("perceptron", "channel", changes)


@pytest.mark.parametrize("change", [{"normalise": False}, {"rescale": True}, {"optimiser": "sgd"}])
def test_other_ways_to_train_gates(change: dict[str, Any]) -> None:
    compare("perceptron", "channel", [change] * 2)


def test_buffers_follow_the_gates_of_their_layer() -> None:
    compare("buffer", "channel", [{}] * 2)


@pytest.mark.parametrize("kind", ["perceptron", "buffer"])
def test_gates_relative_to_a_base(kind: str) -> None:
    compare(kind, "layer", [{}] * 2, base=True)


def test_more_than_fit_at_once_are_done_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked, "TOGETHER", 2)
    monkeypatch.setattr(stacked, "SAMPLES", 50)
    compare("cnn", "layer", [{}] * 3)


def test_a_loss_that_is_not_finite_ends_one_and_no_other() -> None:
    data = make_data(dtype=torch.float64)
    inputs = [data.train_inputs, data.train_inputs.clone()]
    some = trainings("perceptron", "layer", [{}] * 2)
    batches = batches_of(some, 96, 3)
    inputs[1][batches[1][1, 0]] = torch.inf
    batches[1][0].fill_(int(batches[1][2, 0]))
    start = some[1].logits()
    alone = trainings("perceptron", "layer", [{}] * 2)[0]
    batches_of([alone], 96, 3)
    for own in batches[0]:
        alone.step(data.train_inputs[own], data.train_labels[own])
    losses = StackedTraining(some).steps(batches, inputs, [data.train_labels] * 2)
    assert [len(each) for each in losses] == [3, 2]
    assert losses[1][1].penalty == 0.0
    assert torch.allclose(some[0].logits(), alone.logits(), atol=1e-9)
    assert torch.isfinite(some[1].logits()).all()
    assert not torch.equal(some[1].logits(), start)
    assert some[1].optimiser.count == 1


def test_all_stop_when_they_are_asked_to() -> None:
    data = make_data(dtype=torch.float64)
    some = trainings("perceptron", "layer", [{}] * 2)
    answers = iter([False, False, True])
    samples = [data.train_inputs] * 2, [data.train_labels] * 2
    losses = StackedTraining(some).steps(batches_of(some, 96), *samples, lambda: next(answers))
    assert [len(each) for each in losses] == [2, 2]
    assert some[0].optimiser.count == 2
