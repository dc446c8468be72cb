"""The closed-form draw and its gradient against autograd."""

import pytest
import torch

from softmerge_core.gates import SourceGates
from softmerge_core.merging.draws import draw, gradients, noise


def make_gates(normalise: bool, rescale: bool, shift: float = 0.0) -> SourceGates:
    generator = torch.Generator().manual_seed(3)
    gates = SourceGates(7, 4, normalise=normalise, rescale=rescale, generator=generator).double()
    gates.log_alpha.data.copy_(2 * torch.randn(7, 4, generator=generator, dtype=torch.float64) + shift)
    if rescale:
        gates.log_scale.data.copy_(1.5 * torch.randn(7, 1, generator=generator, dtype=torch.float64))
    return gates


@pytest.mark.parametrize("shift", [0.0, -2.5, 3.0])  # nearly all draws of some parts are closed, or open
@pytest.mark.parametrize("rescale", [False, True])
@pytest.mark.parametrize("normalise", [False, True])
def test_a_draw_and_its_gradient_are_those_of_autograd(normalise: bool, rescale: bool, shift: float) -> None:
    gates, toward = make_gates(normalise, rescale, shift), torch.randn(7, 4, dtype=torch.float64)
    for seed in range(20):
        gates.generator = torch.Generator().manual_seed(seed)
        found = draw(gates, noise(gates, 1)[0])
        price, changes = gradients(gates, found, toward, 0.3)
        gates.generator = torch.Generator().manual_seed(seed)
        weights, penalty = gates.sampled_weights(), 0.3 * gates.open_sources()
        expected = torch.autograd.grad(
            (weights * toward).sum() + penalty, [p for p in gates.parameters() if p.requires_grad]
        )
        torch.testing.assert_close(found.weights, weights.detach(), rtol=1e-12, atol=1e-12)
        assert price == pytest.approx(penalty.item(), rel=1e-12)
        for change, other in zip(changes, expected, strict=True):
            torch.testing.assert_close(change, other, rtol=1e-10, atol=1e-12)


def test_some_draws_close_every_gate_of_a_part() -> None:
    gates = make_gates(normalise=True, rescale=False, shift=-2.5)
    assert any(draw(gates, each).closed.any() for each in noise(gates, 20))


def test_noise_drawn_at_once_is_noise_drawn_one_by_one() -> None:
    gates, other = make_gates(True, False), make_gates(True, False)
    assert torch.equal(noise(gates, 3), torch.cat([noise(other, 1) for _ in range(3)]))
