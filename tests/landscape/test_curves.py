"""Bezier curves: the formula, and a trained middle that removes the barrier."""

import pytest
import torch

from softmerge_core.data import load_dataset
from softmerge_core.landscape import CurveTraining, Surface, bezier_points, line_points, weights_of
from softmerge_core.zoo import load_family

TS = [index / 10 for index in range(11)]


def test_a_curve_begins_and_ends_at_its_ends_and_is_straight_when_its_middle_is_halfway() -> None:
    generator = torch.Generator().manual_seed(0)
    a, b, middle = (torch.randn(20, generator=generator, dtype=torch.float64) for _ in range(3))
    points = bezier_points(a, middle, b, TS)
    assert torch.equal(points[0], a)
    assert torch.equal(points[-1], b)
    for t, point in zip(TS, points, strict=True):  # de Casteljau's way to the same curve
        one, other = torch.lerp(a, middle, t), torch.lerp(middle, b, t)
        assert torch.allclose(point, torch.lerp(one, other, t))
    assert torch.allclose(bezier_points(a, (a + b) / 2, b, TS), line_points(a, b, TS))


@pytest.mark.parametrize("name", ["spirals-mlp-independent", "mnist1d-cnn-independent"])
def test_the_worst_loss_along_a_trained_curve_is_under_the_straight_lines(name: str) -> None:
    family = load_family(name)
    first, last = family.sources[:2]
    inputs, labels = family.data.split("train")
    training = CurveTraining(first, weights_of(first), weights_of(last), inputs, labels, steps=150)
    before = {key: value.clone() for key, value in first.state_dict().items()}
    for _ in range(150):
        training.step()
    surface = Surface(first, {"shown": (inputs[:500], labels[:500])}, inputs[:256])
    curve = surface.at(training.points(TS))["shown"][:, 0]
    straight = surface.at(line_points(weights_of(first), weights_of(last), TS))["shown"][:, 0]
    assert curve.max() < 0.5 * straight.max()
    assert curve[0] == straight[0]
    assert curve[-1] == straight[-1]
    assert all(torch.equal(value, before[key]) for key, value in first.state_dict().items())


def test_training_follows_its_seed_and_leaves_global_randomness_alone() -> None:
    family = load_family("digits-resnet-specialists")
    inputs, labels = load_dataset("digits").split("train")
    ends = [weights_of(source) for source in family.sources[:2]]
    state = torch.get_rng_state()
    middles = []
    for seed in (4, 4, 5):
        training = CurveTraining(family.sources[0], *ends, inputs[:100], labels[:100], steps=3, seed=seed)
        for _ in range(3):
            training.step()
        middles.append(training.points([0.5]))
    assert torch.equal(middles[0], middles[1])
    assert not torch.equal(middles[0], middles[2])
    assert torch.equal(torch.get_rng_state(), state)


def test_a_loss_that_is_not_finite_moves_nothing() -> None:
    family = load_family("spirals-mlp-independent")
    inputs, labels = family.data.split("train")
    a, b = (weights_of(source) for source in family.sources[:2])
    training = CurveTraining(family.sources[0], a, b, inputs * float("inf"), labels)
    training.step()
    assert torch.equal(training.points([0.0, 1.0]), torch.stack([a, b]))
    assert torch.isfinite(training.points([0.5])).all()
