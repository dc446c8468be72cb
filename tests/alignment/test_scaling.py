"""Sources that compute the same at another scale are brought to one scale."""

import copy

import pytest
import torch
from torch import nn

from softmerge_core.alignment.permute import tensors_of, with_tensors
from softmerge_core.alignment.scaling import one_scale, scalings
from softmerge_core.evaluation import predict
from softmerge_core.networks import build_network

SHAPES = {"mlp": (2,), "cnn1d": (1, 40), "vgg": (1, 8, 8), "resnet": (1, 8, 8)}


def relatives(kind: str, count: int) -> list[nn.Module]:
    """One network and others near to it, as if they shared a trunk."""
    networks = [build_network(kind, SHAPES[kind], 10, 0).double() for _ in range(count)]
    generator = torch.Generator().manual_seed(1)
    for network in networks:
        for parameter in network.parameters():
            parameter.data += 0.02 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return [network.eval() for network in networks]


def scaled(network: nn.Module, kind: str, factor: float, seed: int) -> nn.Module:
    """A copy that computes the same: half the units are multiplied by ``factor``, the others divided where they may."""
    generator, state = torch.Generator().manual_seed(seed), dict(tensors_of(network))
    for scaling in scalings(network, inputs_of(kind)):
        other = 1.0 if scaling.squared else 1 / factor  # BatchNorm's epsilon shows where variances get small
        up = torch.rand(scaling.size, generator=generator) < 0.5
        scaling.apply(state, torch.where(up, factor, other).double())
    return with_tensors(network, state)


def inputs_of(kind: str) -> torch.Tensor:
    return torch.randn(16, *SHAPES[kind], generator=torch.Generator().manual_seed(2), dtype=torch.float64)


@pytest.mark.parametrize("spoiled", [1, 3])
@pytest.mark.parametrize("factor", [3.0, 1e4])
@pytest.mark.parametrize("kind", SHAPES)
def test_scaled_sources_come_back_to_one_scale(kind: str, factor: float, spoiled: int) -> None:
    sources = relatives(kind, 4)
    given = [scaled(source, kind, factor, k) if k < spoiled else source for k, source in enumerate(sources)]
    before = [predict(network, inputs_of(kind)) for network in given]
    found, notices = one_scale(given, "abcd", inputs_of(kind))
    assert len(notices) == spoiled
    for network, other, outputs in zip(found, sources, before, strict=True):
        assert torch.allclose(
            predict(network, inputs_of(kind)), outputs, rtol=1e-4, atol=1e-4 * float(outputs.abs().max())
        )
        for one, two in zip(network.parameters(), other.parameters(), strict=True):
            assert (one - two).norm() < 0.4 * two.norm()  # the factors were 3 and more
    assert all(found[k] is given[k] for k in range(spoiled, 4))


def test_sources_of_one_scale_stay_as_they_are() -> None:
    sources = relatives("cnn1d", 3)
    found, notices = one_scale(sources, "abc", inputs_of("cnn1d"))
    assert all(one is other for one, other in zip(found, sources, strict=True))
    assert notices == ()


def test_what_is_no_function_preserving_scale_is_left_alone() -> None:
    good, bad = relatives("mlp", 2)
    for parameter in bad.head.parameters():
        parameter.data *= 50  # changes the outputs
    tanh = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 3)).double()
    far = copy.deepcopy(tanh)
    far[0].weight.data *= 10
    for pair, kind in (((good, bad), "mlp"), ((tanh, far), "mlp")):
        before = [predict(network, inputs_of(kind)) for network in pair]
        found, _ = one_scale(pair, "ab", inputs_of(kind))
        after = [predict(network, inputs_of(kind)) for network in found]
        assert all(torch.allclose(one, other, rtol=1e-6) for one, other in zip(before, after, strict=True))
    assert not scalings(tanh, inputs_of("mlp"))
    clipped = nn.Sequential(nn.Linear(2, 8), nn.ReLU6(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)).double()
    assert [scaling.name for scaling in scalings(clipped, inputs_of("mlp"))] == ["2.weight:0"]


def test_it_works_on_float32_and_leaves_the_sources_alone() -> None:
    good, other = (network.float() for network in relatives("vgg", 2))
    bad = scaled(other.double(), "vgg", 100.0, 0).float()
    kept = copy.deepcopy(bad.state_dict())
    found, _ = one_scale([good, bad], ["a", "b"], inputs_of("vgg").float())
    assert found[1] is not bad
    assert next(found[1].parameters()).dtype == torch.float32
    assert all(torch.equal(kept[name], value) for name, value in bad.state_dict().items())
