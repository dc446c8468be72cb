"""The hard-concrete distribution against its formulas, by sampling, and by finite differences."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from softmerge_core.errors import SettingsError, SoftMergeError
from softmerge_core.gates import (
    HardConcrete,
    SourceGates,
    deterministic_gate,
    hard_concrete,
    logit_of_open_probability,
    probability_open,
)

LOGITS = st.floats(-15, 15)
TEMPERATURES = st.floats(0.1, 3)


def naive_gate(log_alpha: float, uniform: float, beta: float, gamma: float, zeta: float) -> float:
    s = 1 / (1 + math.exp(-(math.log(uniform) - math.log(1 - uniform) + log_alpha) / beta))
    return min(1.0, max(0.0, s * (zeta - gamma) + gamma))


def naive_probability(log_alpha: float, beta: float, gamma: float, zeta: float) -> float:
    return 1 / (1 + math.exp(-(log_alpha - beta * math.log(-gamma / zeta))))


def doubles(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


@given(LOGITS, st.floats(0.001, 0.999), TEMPERATURES)
def test_gate_agrees_with_the_formula(log_alpha: float, uniform: float, beta: float) -> None:
    got = hard_concrete(doubles(log_alpha), doubles(uniform), beta, (-0.1, 1.1)).item()
    assert got == pytest.approx(naive_gate(log_alpha, uniform, beta, -0.1, 1.1), abs=1e-12)


@given(LOGITS, TEMPERATURES, st.floats(-0.5, -0.01), st.floats(1.01, 1.5))
def test_probability_open_agrees_with_the_formula(log_alpha: float, beta: float, low: float, high: float) -> None:
    got = probability_open(doubles(log_alpha), beta, (low, high)).item()
    assert got == pytest.approx(naive_probability(log_alpha, beta, low, high), abs=1e-12)


@given(st.floats(0.001, 0.999), TEMPERATURES)
def test_logit_of_open_probability_is_the_inverse(probability: float, beta: float) -> None:
    logit = logit_of_open_probability(probability, beta)
    assert probability_open(doubles(logit), beta).item() == pytest.approx(probability, abs=1e-12)


@pytest.mark.parametrize("log_alpha", [-4.0, -1.6, 0.0, 1.0, 3.0])
@pytest.mark.parametrize("beta", [0.3, 2 / 3, 1.5])
def test_share_of_open_samples_is_the_probability(log_alpha: float, beta: float) -> None:
    gates = HardConcrete(200_000, temperature=beta, generator=torch.Generator().manual_seed(1))
    gates.log_alpha.data.fill_(log_alpha)
    share = (gates.sample() != 0).double().mean().item()
    expected = naive_probability(log_alpha, beta, -0.1, 1.1)
    assert share == pytest.approx(expected, abs=5 * math.sqrt(expected * (1 - expected) / 200_000) + 1e-6)


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_initial_open_probability_opens_that_share_of_gates(probability: float) -> None:
    generator = torch.Generator().manual_seed(0)
    gates = HardConcrete((100, 100), initial_open_probability=probability, generator=generator)
    assert (gates.sample() != 0).double().mean().item() == pytest.approx(probability, abs=0.02)
    assert gates.expected_l0().item() == pytest.approx(10_000 * probability, rel=1e-5)


def test_deterministic_gate_is_exact_where_it_says() -> None:
    values = deterministic_gate(doubles(-2.41, -2.39, 0.0, 2.39, 2.41))
    assert values[0] == 0
    assert 0 < values[1] < 0.01
    assert values[2].item() == pytest.approx(0.5)
    assert 0.99 < values[3] < 1
    assert values[4] == 1
    assert probability_open(doubles(0.0)).item() == pytest.approx(0.83, abs=0.005)


def test_gradient_of_a_sample_matches_finite_differences() -> None:
    generator = torch.Generator().manual_seed(3)
    uniform = torch.rand(50, generator=generator, dtype=torch.float64) * 0.98 + 0.01
    logits = torch.randn(50, generator=generator, dtype=torch.float64).requires_grad_()
    inside = lambda x: hard_concrete(x, uniform)  # noqa: E731
    clear = (inside(logits) - 0).abs().minimum((inside(logits) - 1).abs()) > 1e-3  # away from the kinks of the clip
    chosen = clear | (inside(logits) == 0) | (inside(logits) == 1)
    assert chosen.sum() > 40
    assert torch.autograd.gradcheck(lambda x: inside(x)[chosen], (logits,), eps=1e-7, atol=1e-5)


def test_gradient_of_the_probability_matches_finite_differences() -> None:
    logits = torch.linspace(-5, 5, 21, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(probability_open, (logits,))


def test_the_generator_alone_decides_the_noise() -> None:
    first = HardConcrete(64, generator=torch.Generator().manual_seed(5)).sample()
    torch.rand(7)
    second = HardConcrete(64, generator=torch.Generator().manual_seed(5)).sample()
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    "wrong",
    [
        {"initial_open_probability": 0.0},
        {"initial_open_probability": 1.0},
        {"temperature": 0.0},
        {"stretch": (0.0, 1.1)},
        {"stretch": (-0.1, 1.0)},
    ],
)
def test_values_out_of_range_are_refused_by_name(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=next(iter(wrong))) as caught:
        HardConcrete(3, **wrong)  # type: ignore[arg-type]
    assert isinstance(caught.value, SoftMergeError)


@given(st.lists(st.lists(LOGITS, min_size=3, max_size=3), min_size=1, max_size=6))
def test_normalised_weights_always_sum_to_one(logits: list[list[float]]) -> None:
    gates = SourceGates(len(logits), 3, generator=torch.Generator().manual_seed(0)).double()
    gates.log_alpha.data.copy_(torch.tensor(logits))
    for weights in (gates.sampled_weights(), gates.weights()):
        assert torch.allclose(weights.sum(1), torch.ones(len(logits), dtype=torch.float64))
        assert (weights >= 0).all()


def test_the_last_gate_of_a_part_is_held_open_and_costs_nothing() -> None:
    gates = SourceGates(1, 3)
    gates.log_alpha.data.copy_(torch.tensor([[-9.0, -5.0, -8.0]]))
    assert gates.values().tolist() == [[0.0, 1.0, 0.0]]
    assert gates.open_sources().item() == 0


def test_without_normalising_gates_are_the_weights_and_may_all_close() -> None:
    gates = SourceGates(1, 2, normalise=False)
    gates.log_alpha.data.fill_(-9.0)
    assert gates.weights().tolist() == [[0.0, 0.0]]
    assert gates.open_sources().item() == pytest.approx(gates.expected_l0().item())


def test_penalty_counts_the_open_sources_beyond_the_first() -> None:
    gates = SourceGates(4, 5, initial_open_probability=0.8)
    assert gates.open_sources().item() == pytest.approx(5 * 0.8 - 1, rel=1e-5)


def test_each_part_can_be_rescaled_and_its_shares_stay() -> None:
    gates = SourceGates(2, 3, rescale=True, generator=torch.Generator().manual_seed(0)).double()
    shares, sampled = gates.shares(), gates.sampled_weights().sum(1)
    assert sampled.tolist() == pytest.approx([1.0, 1.0])
    gates.log_scale.data.copy_(torch.tensor([[math.log(1.5)], [100.0]]))
    assert gates.weights()[0].tolist() == pytest.approx((1.5 * shares[0]).tolist())
    assert gates.scale()[1].item() == pytest.approx(math.exp(2))  # kept within reach
    assert torch.equal(gates.shares(), shares)
    assert not SourceGates(2, 3).log_scale.requires_grad
