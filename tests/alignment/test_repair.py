"""REPAIR gives an average the statistics of its endpoints, in the same architecture."""

import copy

import pytest
import torch
from torch import Tensor, nn

from softmerge_core.alignment.aligning import align
from softmerge_core.alignment.repairing import repair
from softmerge_core.errors import DataError, SettingsError, SourceError
from softmerge_core.evaluation import evaluate
from softmerge_core.networks import build_network
from softmerge_core.zoo import load_family
from tests.alignment.networks import build, inputs_of, lively


def average(networks: list[nn.Module], shares: tuple[float, ...] = (0.5, 0.5)) -> nn.Module:
    result = copy.deepcopy(networks[0])
    with torch.no_grad():
        for name, parameter in result.named_parameters():
            values = [dict(network.named_parameters())[name] for network in networks]
            parameter.copy_(sum(share * value for share, value in zip(shares, values, strict=True)))
    return result


def outputs_of_layers(network: nn.Module, inputs: Tensor) -> dict[str, Tensor]:
    """Every layer's outputs [channels, samples] by hooks, in float64."""
    found: dict[str, Tensor] = {}

    def keep(name: str, axis: int):
        def hook(module: nn.Module, given: object, output: Tensor) -> None:
            found[name] = output.detach().double().movedim(axis, 0).flatten(1)

        return hook

    layers = {n: m for n, m in network.named_modules() if isinstance(m, (nn.Linear, nn.Conv1d, nn.Conv2d))}
    handles = [m.register_forward_hook(keep(n, -1 if isinstance(m, nn.Linear) else 1)) for n, m in layers.items()]
    with torch.no_grad():
        network(inputs)
    for handle in handles:
        handle.remove()
    return found


@pytest.mark.parametrize("name", ["mlp", "cnn1d", "vgg"])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.8, 0.2)])
def test_each_channel_has_the_endpoints_mean_and_spread(name: str, shares: tuple[float, float]) -> None:
    inputs = inputs_of(name, 200)
    shape = tuple(inputs.shape[1:])
    ends = [lively(build_network(name, shape, 5, seed), shape) for seed in (0, 1)]
    middle = average(ends, shares)
    before = copy.deepcopy(middle)
    repaired = repair(middle, ends, inputs, shares)
    found = [outputs_of_layers(network, inputs) for network in (*ends, repaired, middle)]
    collapsed = False
    for layer, got in found[2].items():
        a, b = (found[n][layer] for n in (0, 1))
        mean = shares[0] * a.mean(1) + shares[1] * b.mean(1)
        spread = shares[0] * a.std(1, correction=0) + shares[1] * b.std(1, correction=0)
        alive = found[3][layer].std(1) > 1e-4
        assert torch.allclose(got.mean(1), mean, atol=1e-4, rtol=1e-3)
        assert torch.allclose(got.std(1, correction=0)[alive], spread[alive], atol=1e-4, rtol=1e-3)
        collapsed |= bool(found[3][layer].std(1).mean() < 0.9 * spread.mean())
    assert collapsed  # without repair the average has lost spread
    pairs = zip(middle.state_dict().values(), before.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert {k: v.shape for k, v in repaired.state_dict().items()} == {
        k: v.shape for k, v in middle.state_dict().items()
    }


def test_batchnorm_statistics_are_those_of_the_data() -> None:
    inputs = inputs_of("resnet", 64)
    shape = tuple(inputs.shape[1:])
    ends = [lively(build_network("resnet", shape, 5, seed), shape) for seed in (0, 1)]
    middle = average(ends)
    repaired = repair(middle, ends, inputs)
    with torch.no_grad():
        stem = middle.stem[0](inputs).double()
    assert torch.allclose(repaired.stem[1].running_mean.double(), stem.mean((0, 2, 3)), atol=1e-5)
    assert torch.equal(repaired.stem[0].weight, middle.stem[0].weight)
    assert not torch.equal(repaired.stem[1].running_mean, middle.stem[1].running_mean)


def test_one_network_needs_no_repair() -> None:
    network, inputs = build("vgg")
    repaired = repair(network, [network, network], inputs)
    with torch.no_grad():
        assert torch.allclose(repaired(inputs), network(inputs), atol=1e-5)


def test_repair_helps_independent_seeds() -> None:
    family = load_family("mnist1d-cnn-independent")
    data = family.data
    aligned = align(family.sources[:2], data.train_inputs, "activations")
    middle = average(aligned)
    repaired = repair(middle, aligned, data.train_inputs)
    plain, mended = (evaluate(network, data.test_inputs, data.test_labels)[0] for network in (middle, repaired))
    assert mended > plain


def test_what_does_not_fit_is_refused() -> None:
    network, inputs = build("mlp")
    with pytest.raises(DataError, match="repair needs inputs"):
        repair(network, [network, network], inputs[:0])
    with pytest.raises(SettingsError, match="shares: expected 2 numbers that sum to 1"):
        repair(network, [network, network], inputs, (0.5, 0.6))
    with pytest.raises(SourceError, match="two architectures"):
        repair(network, [network, build("vgg")[0]], inputs)
