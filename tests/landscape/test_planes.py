"""Planes are orthonormal and pass through their corners, or are refused; directions have the filters' norms."""

import pytest
import torch
from torch import Tensor, nn

from softmerge_core.errors import SourceError
from softmerge_core.evaluation import evaluate, reestimate_batchnorm
from softmerge_core.landscape import Surface, filter_direction, plane_through, random_plane, weights_of
from softmerge_core.networks import build_network
from tests.landscape.test_surface import CLASSES, FAMILIES, SHAPES, samples


def three(name: str) -> list[nn.Module]:
    return [build_network(name, SHAPES[name], CLASSES, seed).eval() for seed in (1, 2, 3)]


def vectors(count: int = 3, size: int = 40) -> list[Tensor]:
    generator = torch.Generator().manual_seed(5)
    return [torch.randn(size, generator=generator) for _ in range(count)]


@pytest.mark.parametrize("name", FAMILIES)
def test_corners_have_the_models_own_losses(name: str) -> None:
    models, (inputs, labels) = three(name), samples(name)
    plane = plane_through(*(weights_of(model) for model in models))
    places = torch.tensor(plane.corners, dtype=torch.float64)
    points = plane.points(places[:, 0], places[:, 1])
    found = Surface(models[0], {"all": (inputs, labels)}, inputs).at(points)["all"]
    for model, (loss, error), point in zip(models, found.tolist(), points, strict=True):
        assert torch.allclose(point.float(), weights_of(model), atol=1e-6)
        reestimate_batchnorm(model, inputs)
        accuracy, own = evaluate(model, inputs, labels)
        assert loss == pytest.approx(own, abs=2e-5)
        assert error == pytest.approx(1 - accuracy, abs=1e-9)


def test_a_plane_is_orthonormal_and_places_are_distances() -> None:
    a, b, c = vectors()
    plane = plane_through(a, b, c)
    assert float(plane.u @ plane.v) == pytest.approx(0, abs=1e-12)
    assert float(plane.u.norm()) == pytest.approx(1)
    assert float(plane.v.norm()) == pytest.approx(1)
    for one, other in ((0, 1), (0, 2), (1, 2)):
        apart = torch.dist(torch.tensor(plane.corners[one]), torch.tensor(plane.corners[other]))
        assert float(apart) == pytest.approx(float(torch.dist(*(vectors()[k] for k in (one, other)))), rel=1e-5)


def test_a_mix_of_the_corners_lies_in_the_plane_and_anything_else_off_it() -> None:
    a, b, c = vectors()
    plane = plane_through(a, b, c)
    mix = 0.2 * a.double() + 0.5 * b.double() + 0.3 * c.double()
    x, y, off = plane.place(mix)
    assert off == pytest.approx(0, abs=1e-9)
    assert torch.allclose(plane.points(torch.tensor([x]), torch.tensor([y]))[0], mix)
    away = torch.linalg.qr(torch.stack([plane.u, plane.v, vectors(4)[3].double()]).T).Q[:, 2]
    assert plane.place(mix + 2.5 * away)[2] == pytest.approx(2.5)


def test_models_that_span_no_plane_are_refused_by_name() -> None:
    a, b, _ = vectors()
    for corners, words in (((a, a, b), "'one' and 'two'"), ((a, b, a), "'one' and 'three'"), ((b, a, a), "'two' and")):
        with pytest.raises(SourceError, match=words):
            plane_through(*corners, ("one", "two", "three"))
    with pytest.raises(SourceError, match="on one line"):
        plane_through(a, b, a + 3 * (b - a))


@pytest.mark.parametrize("name", SHAPES)
def test_each_filter_of_a_direction_has_the_norm_of_the_networks_own(name: str) -> None:
    network = three(name)[0]
    direction, start = filter_direction(network, torch.Generator().manual_seed(0)), 0
    for parameter in network.parameters():
        part = direction[start : start + parameter.numel()].view(parameter.shape)
        start += parameter.numel()
        if parameter.dim() == 1:
            assert not part.any()  # biases and normalisation stay as they are
            continue
        for own, drawn in zip(parameter.detach().double(), part, strict=True):
            assert float(drawn.norm()) == pytest.approx(float(own.norm()), rel=1e-9)
    assert start == len(direction)


def test_random_directions_follow_the_seed_and_meet_at_the_network() -> None:
    network = three("cnn1d")[0]
    planes = [random_plane(network, weights_of(network), torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)]
    assert torch.equal(planes[0].v, planes[1].v)
    assert not torch.equal(planes[0].u, planes[2].u)
    assert torch.equal(planes[0].points(torch.zeros(1), torch.zeros(1))[0].float(), weights_of(network))
