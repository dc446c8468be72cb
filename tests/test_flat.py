"""The flat buffer against the same sums written naively in float64, part by part."""

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional

from softmerge_core import flat as flat_module
from softmerge_core.anatomy import Partition, describe, partition
from softmerge_core.evaluation import BATCHNORM_SAMPLES, has_batchnorm, reestimate_batchnorm
from softmerge_core.flat import FlatSources, plain_average
from softmerge_core.merging.gate_training import training_mode
from tests.networks_for_tests import NETWORKS, make_data, make_sources

GRANULARITIES = ("model", "module", "layer", "channel")


def naive_merge(sources: list[nn.Module], parts: Partition, weights: torch.Tensor) -> dict[str, torch.Tensor]:
    """Row by row of every tensor: sum_k w[part, k] * theta_k."""
    merged = {}
    for layer in describe(sources[0]):
        first, count = parts.rows[layer.name]
        for slot in layer.slots:
            thetas = [dict(source.named_parameters())[slot.name].detach() for source in sources]
            result = torch.zeros_like(thetas[0])
            for row in range(result.shape[slot.axis] if result.dim() else 1):
                gate = first
                if count > 1:
                    gate += row % slot.channels if slot.channels else layer.channels
                for weight, theta in zip(weights[gate], thetas, strict=True):
                    where = (slice(None),) * slot.axis + (row,) if result.dim() else ()
                    result[where] += weight * theta[where]
            merged[slot.name] = result
    return merged


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_merge_and_gradient_agree_with_naive_sums(kind: str, granularity: str) -> None:
    sources = [source.double() for source in make_sources(kind, 3)]
    data = make_data(dtype=torch.float64)
    layers = describe(sources[0])
    parts = partition(layers, granularity)
    flat = FlatSources(sources, layers)
    weights = torch.rand(len(parts.names), 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    blocks = flat.blocks(parts)

    blocks.write(weights)
    training_mode(flat.network, 96)
    flat.gradient.zero_()
    functional.cross_entropy(flat.network(data.train_inputs), data.train_labels).backward()
    got = blocks.weight_gradient()

    leaf = weights.clone().requires_grad_()
    reference = copy.deepcopy(sources[0])
    training_mode(reference, 96)
    merged = naive_merge(sources, parts, leaf)
    for name, value in merged.items():
        assert torch.allclose(dict(flat.network.named_parameters())[name], value, atol=1e-12), name
    outputs = torch.func.functional_call(reference, merged, (data.train_inputs,))
    functional.cross_entropy(outputs, data.train_labels).backward()
    assert torch.allclose(got, leaf.grad, atol=1e-10)


@pytest.mark.parametrize("kind", NETWORKS)
def test_one_source_alone_gives_that_source_back(kind: str) -> None:
    sources = make_sources(kind, 3)
    layers = describe(sources[0])
    parts = partition(layers, "channel")
    flat = FlatSources(sources, layers)
    weights = torch.zeros(len(parts.names), 3)
    weights[:, 1] = 1
    flat.blocks(parts).write(weights)
    for name, value in flat.detached_network(sources[0]).named_parameters():
        assert torch.equal(value, dict(sources[1].named_parameters())[name]), name


def test_average_is_the_plain_mean() -> None:
    sources = make_sources("tied", 4)
    flat = FlatSources(sources, describe(sources[0]))
    averaged = dict(flat.average().named_parameters())
    for name, value in averaged.items():
        mean = torch.stack([dict(source.named_parameters())[name] for source in sources]).mean(0)
        assert torch.allclose(value, mean, atol=1e-6), name


@pytest.mark.parametrize("count", [2, 3])
def test_the_plain_average_is_a_new_network_and_leaves_the_sources_alone(count: int) -> None:
    sources = make_sources("perceptron", count)
    before = [{name: tensor.clone() for name, tensor in source.state_dict().items()} for source in sources]
    average = plain_average(sources, None)
    for name, tensor in average.state_dict().items():
        expected = torch.stack([state[name].double() for state in before]).mean(0)
        torch.testing.assert_close(tensor, expected.to(tensor), rtol=1e-6, atol=1e-8)
    for source, state in zip(sources, before, strict=True):
        assert all(torch.equal(tensor, state[name]) for name, tensor in source.state_dict().items())


def test_the_plain_average_has_batchnorm_statistics_of_its_own() -> None:
    sources = make_sources("convolutional", 2)
    inputs = torch.randn(BATCHNORM_SAMPLES + 500, 12, generator=torch.Generator().manual_seed(0))
    expected = plain_average(sources, None)
    reestimate_batchnorm(expected, inputs[:BATCHNORM_SAMPLES])
    average = plain_average(sources, inputs)
    assert has_batchnorm(average)
    state = expected.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in average.state_dict().items())
    others = plain_average(sources, inputs[500:]).state_dict()
    assert any(not torch.equal(tensor, others[name]) for name, tensor in average.state_dict().items())


def test_fixed_layers_are_averaged_or_kept() -> None:
    sources = make_sources("perceptron", 3)
    flat = FlatSources([sources[0], sources[2]], describe(sources[0]))
    flat.fix({"0": "average", "2": "keep:2"}, (0, 2))
    assert torch.allclose(flat.network[0].weight, (sources[0][0].weight + sources[2][0].weight) / 2)
    assert torch.equal(flat.network[2].weight, sources[2][2].weight)


def test_tied_weights_stay_tied() -> None:
    sources = make_sources("tied", 2)
    result = FlatSources(sources, describe(sources[0])).detached_network(sources[0])
    assert result.first.weight is result.second.weight


def test_sources_of_half_precision_come_back_in_it() -> None:
    sources = [source.half() for source in make_sources("perceptron", 2)]
    flat = FlatSources(sources, describe(sources[0]))
    flat.average()
    assert flat.network[0].weight.dtype == torch.float32
    assert flat.detached_network(sources[0])[0].weight.dtype == torch.float16


@pytest.mark.parametrize("cut", [1, 50, 10**6])
@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("kind", ["recurrent", "convolutional", "tied"])
def test_a_matrix_of_half_precision_gives_what_the_same_numbers_give(
    kind: str, granularity: str, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flat_module, "CUT", cut)
    sources = [source.bfloat16().float() for source in make_sources(kind, 3)]
    layers, data = describe(sources[0]), make_data()
    parts = partition(layers, granularity)
    weights = torch.rand(len(parts.names), 3, generator=torch.Generator().manual_seed(1))
    base = torch.randn(sum(layer.parameters for layer in layers), generator=torch.Generator().manual_seed(2))
    found = []
    for stored in (None, torch.bfloat16):
        flat = FlatSources(sources, layers, stored=stored)
        blocks = flat.blocks(parts, base)
        assert flat.theta.dtype == (stored or torch.float32)
        blocks.write(weights)
        training_mode(flat.network, 96)
        functional.cross_entropy(flat.network(data.train_inputs), data.train_labels).backward()
        gradient = blocks.weight_gradient()
        found.append((flat.merged.clone(), gradient, flat.average() and flat.merged.clone()))
    for wide, narrow in zip(*found, strict=True):
        assert narrow.dtype == torch.float32
        assert torch.allclose(wide, narrow, rtol=1e-4, atol=1e-5)


def test_buffers_of_half_precision_follow_their_layer() -> None:
    sources = [Standardised(0.0), Standardised(1e6, 4.0), Standardised(3.0)]
    parts = partition(describe(sources[0]), "layer")
    flat = FlatSources(sources, describe(sources[0]), stored=torch.bfloat16)
    flat.blocks(parts).write(torch.tensor([[0.5, 0.0, 0.5], [0.75, 0.25, 0.0]]))
    assert flat.network.mean.tolist() == [1.5] * 12
    assert flat.network.head.size.item() == 1.75
    flat.fix({"body.0": "keep:2", "head": "average"}, (0, 1, 2))
    assert flat.network.mean.tolist() == [3.0] * 12


def test_a_merged_network_has_the_layout_and_the_flags_of_its_template() -> None:
    sources = make_sources("convolutional", 2)
    next(sources[0].parameters()).requires_grad_(False)
    result = FlatSources(sources, describe(sources[0])).detached_network(sources[0])
    for one, other in zip(result.parameters(), sources[0].parameters(), strict=True):
        assert (one.stride(), one.requires_grad) == (other.stride(), other.requires_grad)


class Standardised(nn.Module):
    """A network with statistics of its own, in buffers, one of which is not saved with the weights."""

    def __init__(self, mean: float, size: float = 1.0) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(12, 4), nn.ReLU())
        self.head = nn.Linear(4, 3)
        self.register_buffer("mean", torch.full((12,), mean))
        self.head.register_buffer("size", torch.tensor(size), persistent=False)
        self.register_buffer("same", torch.full((2,), -torch.inf))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(inputs - self.mean)) / self.head.size


def test_buffers_follow_the_gates_of_their_layer() -> None:
    sources = [Standardised(0.0), Standardised(1e6, 4.0), Standardised(3.0)]
    layers = describe(sources[0])
    flat = FlatSources(sources, layers)
    parts = partition(layers, "layer")
    flat.blocks(parts).write(torch.tensor([[0.5, 0.0, 0.5], [0.75, 0.25, 0.0]]))
    merged = flat.detached_network(sources[0])
    assert merged.mean.tolist() == [1.5] * 12  # follows the first layer, from which the poisoned source is closed
    assert merged.head.size.item() == 1.75
    assert torch.equal(merged.same, sources[0].same)  # the same everywhere, so nothing is mixed
    flat.fix({"body.0": "keep:2", "head": "average"}, (0, 1, 2))
    assert flat.network.mean.tolist() == [3.0] * 12
    assert flat.network.head.size.item() == 2.0


@pytest.mark.parametrize("relative", [False, True])
def test_the_gradient_counts_buffers_and_the_base(relative: bool) -> None:
    data = make_data(dtype=torch.float64)
    sources = [Standardised(0.1 * number, 1 + number).double() for number in range(3)]
    layers = describe(sources[0])
    parts = partition(layers, "channel")
    flat = FlatSources(sources, layers)
    base = torch.randn(flat.theta.shape[1], generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    blocks = flat.blocks(parts, base if relative else None)

    def loss(weights: torch.Tensor) -> torch.Tensor:
        blocks.write(weights)
        return functional.cross_entropy(flat.network(data.train_inputs), data.train_labels)

    weights = torch.rand(len(parts.names), 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    flat.gradient.zero_()
    loss(weights).backward()
    gradient = blocks.weight_gradient()
    for row, column in ((0, 0), (3, 2), (5, 1)):
        shift = torch.zeros_like(weights)
        shift[row, column] = 1e-6
        slope = (loss(weights + shift) - loss(weights - shift)).item() / 2e-6
        assert gradient[row, column].item() == pytest.approx(slope, abs=1e-7)


def test_weights_relative_to_a_base() -> None:
    sources = [Standardised(float(number)) for number in range(3)]
    layers = describe(sources[0])
    parts = partition(layers, "channel")
    flat = FlatSources(sources, layers)
    base = torch.randn(flat.theta.shape[1], generator=torch.Generator().manual_seed(0))
    weights = torch.zeros(len(parts.names), 3)
    flat.blocks(parts, base).write(weights)
    assert torch.allclose(flat.merged, base, atol=1e-6)
    weights[:, 1] = 1
    flat.blocks(parts, base).write(weights)
    assert torch.allclose(flat.merged, flat.theta[1], atol=1e-6)
