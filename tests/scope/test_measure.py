"""Weight scope: KL and its gradient against torch.distributions and finite differences; fusion; the penalty."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from softmerge_core.errors import SourceError
from softmerge_core.networks import build_network
from softmerge_core.scope.measure import Scope, ScopePenalty, distance, fuse, kl, scope_of, scoped_weights

means = st.floats(-3, 3)
spreads = st.floats(0.01, 10)


def doubles(*values: float) -> tuple[Tensor, ...]:
    return tuple(torch.tensor([value], dtype=torch.float64, requires_grad=True) for value in values)


def scope(mu: list[float], sigma: list[float]) -> Scope:
    names = tuple(f"layer{index}" for index in range(len(mu)))
    return Scope(names, torch.tensor(mu, dtype=torch.float64), torch.tensor(sigma, dtype=torch.float64))


@given(means, spreads, means, spreads)
def test_kl_and_its_gradient_are_those_of_torch_distributions(mu: float, s: float, other: float, t: float) -> None:
    ours, theirs = doubles(mu, s, other, t), doubles(mu, s, other, t)
    value = kl(*ours)
    expected = kl_divergence(Normal(theirs[0], theirs[1]), Normal(theirs[2], theirs[3]))
    assert value.item() == pytest.approx(expected.item(), rel=1e-9, abs=1e-9)
    value.sum().backward()  # type: ignore[no-untyped-call]
    expected.sum().backward()
    for mine, other_gradient in zip(ours, theirs, strict=True):
        assert mine.grad is not None
        assert other_gradient.grad is not None
        assert mine.grad.item() == pytest.approx(other_gradient.grad.item(), rel=1e-8, abs=1e-8)


@given(st.floats(-1, 1), st.floats(0.1, 2), st.floats(-1, 1), st.floats(0.1, 2))
def test_kls_gradient_is_that_of_finite_differences(mu: float, s: float, other: float, t: float) -> None:
    assert torch.autograd.gradcheck(kl, doubles(mu, s, other, t), eps=1e-6, atol=1e-4, rtol=1e-4)


@given(means, spreads)
def test_kl_is_exactly_zero_at_its_target(mu: float, s: float) -> None:
    assert kl(*doubles(mu, s), *doubles(mu, s)).item() == 0


@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("name", ["vgg", "resnet", "mlp"])
def test_the_penalty_and_its_gradient_are_zero_at_the_target(name: str, direction: str) -> None:
    network = build_network(name, (1, 8, 8), 10, 0)
    penalty = ScopePenalty(scope_of(network), 3.0, direction)(network)  # type: ignore[arg-type]
    assert penalty.item() == pytest.approx(0, abs=1e-6)
    penalty.backward()  # type: ignore[no-untyped-call]
    for weight in scoped_weights(network).values():
        assert weight.grad is not None
        assert float(weight.grad.abs().max()) < 1e-6


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_the_penaltys_gradient_on_weights_is_that_of_finite_differences(direction: str) -> None:
    network = build_network("mlp", (2,), 2, 0).double()
    target = scope_of(build_network("mlp", (2,), 2, 1).double())
    target = Scope(target.layers, target.mu + 0.1, 2 * target.sigma)
    penalty = ScopePenalty(target, 0.7, direction)  # type: ignore[arg-type]
    penalty(network).backward()  # type: ignore[no-untyped-call]
    weight = network.get_parameter("head.weight")
    assert weight.grad is not None
    entry, step = (1, 3), 1e-6
    with torch.no_grad():
        weight[entry] += step
        above = penalty(network)
        weight[entry] -= 2 * step
        below = penalty(network)
    assert weight.grad[entry].item() == pytest.approx((above - below).item() / (2 * step), rel=1e-5)


def test_the_penalty_is_the_sum_over_layers_of_torchs_kl() -> None:
    network, other = (build_network("cnn1d", (1, 40), 10, seed).double() for seed in (0, 1))
    target = scope_of(other).detach()
    expected = 0.0
    for place, weight in enumerate(scoped_weights(network).values()):
        own = Normal(weight.mean(), weight.std(correction=0))
        expected += kl_divergence(own, Normal(target.mu[place], target.sigma[place])).item()
    assert ScopePenalty(target, 2.0)(network).item() == pytest.approx(2 * expected, rel=1e-9)


def test_a_layer_whose_target_has_no_spread_is_left_alone() -> None:
    network = build_network("mlp", (2,), 2, 0)
    target = scope_of(network).detach()
    flat = Scope(target.layers, target.mu, torch.tensor([0.0, *target.sigma.tolist()[1:]]))
    penalty = ScopePenalty(flat, 1.0)(network)
    penalty.backward()  # type: ignore[no-untyped-call]
    first = network.get_parameter("hidden1.weight")
    assert math.isfinite(penalty.item())
    assert first.grad is None or not first.grad.any()


def test_a_network_whose_own_weights_are_all_alike_has_a_finite_penalty() -> None:
    network = build_network("mlp", (2,), 2, 0)
    target = scope_of(network).detach()
    nn.init.zeros_(network.get_parameter("head.weight"))
    penalty = ScopePenalty(target, 1.0)(network)
    penalty.backward()  # type: ignore[no-untyped-call]
    gradients = [p.grad for p in network.parameters() if p.grad is not None]
    assert math.isfinite(penalty.item())
    assert all(bool(torch.isfinite(gradient).all()) for gradient in gradients)


@given(st.lists(st.tuples(means, spreads), min_size=1, max_size=4), st.integers(1, 5))
def test_fusing_equal_scopes_gives_that_scope(layers: list[tuple[float, float]], count: int) -> None:
    one = scope([mu for mu, _ in layers], [sigma for _, sigma in layers])
    for how in ("mean", "mixture"):
        fused = fuse([one] * count, how=how)
        assert torch.allclose(fused.mu, one.mu, rtol=1e-9, atol=1e-9)
        assert torch.allclose(fused.sigma, one.sigma, rtol=1e-6, atol=1e-9)
        assert fused.layers == one.layers


def test_the_mixture_is_the_scope_of_all_weights_thrown_together() -> None:
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(50, generator=generator, dtype=torch.float64) + 1
    second = 3 * torch.randn(150, generator=generator, dtype=torch.float64)
    both = torch.cat([first, second])
    scopes = [scope([part.mean().item()], [part.std(correction=0).item()]) for part in (first, second)]
    fused = fuse(scopes, weights=[50, 150], how="mixture")
    assert fused.mu.item() == pytest.approx(both.mean().item())
    assert fused.sigma.item() == pytest.approx(both.std(correction=0).item())


def test_weights_of_a_fusion_count_by_their_share() -> None:
    fused = fuse([scope([0.0], [1.0]), scope([4.0], [2.0])], weights=[3, 1])
    assert (fused.mu.item(), fused.sigma.item()) == (1.0, 1.25)


def test_scopes_of_other_layers_cannot_be_fused() -> None:
    other = Scope(("elsewhere",), torch.zeros(1), torch.ones(1))
    for scopes in ([], [scope([0.0], [1.0]), other]):
        with pytest.raises(SourceError, match="same layers"):
            fuse(scopes)


def test_distance_is_symmetric_zero_at_home_and_infinite_without_spread() -> None:
    one, other, flat = scope([0.0, 1.0], [1.0, 2.0]), scope([0.5, 1.0], [1.0, 3.0]), scope([0.0, 1.0], [0.0, 2.0])
    assert torch.equal(distance(one, other), distance(other, one))
    assert distance(one, one).tolist() == [0, 0]
    assert distance(flat, flat).tolist() == [0, 0]
    assert distance(one, flat)[0] == math.inf
    assert (distance(one, other) > 0).all()


def test_a_network_without_weight_matrices_has_no_scope() -> None:
    with pytest.raises(SourceError, match="weight matrices"):
        scope_of(nn.LayerNorm(3))
