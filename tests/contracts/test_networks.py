"""The contract of every network in ``softmerge_core/networks``; a new file is picked up by itself."""

import copy
import importlib
import pkgutil
from collections.abc import Iterator
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import softmerge_core.networks
from softmerge_core.alignment import align
from softmerge_core.anatomy import describe
from softmerge_core.data import datasets, load_dataset
from softmerge_core.errors import DataError
from softmerge_core.evaluation import predict
from softmerge_core.networks import build_network, check_network, find_network, fits, networks
from softmerge_core.networks.base import KIND_OF_RANK, Network
from tests.contracts.helpers import loaded_after, look, refusal, same_bits

NAMES = tuple(networks())
CLASSES = 3
MOST_PARAMETERS = 150_000
every_network = pytest.mark.parametrize("name", NAMES)
RANK_OF_KIND = {kind: rank for rank, kind in KIND_OF_RANK.items()}


def shape(kind: str, size: int, channels: int = 1) -> tuple[int, ...]:
    """The shape of samples of a kind, each axis but the channels of this size."""
    return (size,) if kind == "vector" else (channels, *[size] * (RANK_OF_KIND[kind] - 1))


def claimed(name: str) -> list[tuple[int, ...]]:
    """For every kind a network claims: the smallest shape, one of odd sizes, and one with several channels."""
    shapes: list[tuple[int, ...]] = []
    for kind, smallest in find_network(name).takes.items():
        odd = 2 * smallest + 5 + smallest % 2
        shapes += [shape(kind, smallest), shape(kind, odd), shape(kind, smallest + 1, channels=3)]
    return list(dict.fromkeys(shapes))


def usual_shape(name: str) -> tuple[int, ...]:
    """The smallest shape of the first kind a network claims."""
    kind, smallest = next(iter(find_network(name).takes.items()))
    return shape(kind, smallest)


def noise(shape: tuple[int, ...], count: int = 4, seed: int = 0) -> Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed))


def built(name: str, input_shape: tuple[int, ...], seed: int = 0) -> nn.Module:
    """A network in evaluation mode; where it cannot be built, a sentence says so."""
    try:
        return build_network(name, input_shape, CLASSES, seed).eval()
    except Exception as error:
        raise AssertionError(
            f"network {name!r} claims samples of shape {input_shape} (takes={dict(find_network(name).takes)}) "
            f"but cannot be built for them: {error}"
        ) from error


def imported() -> Iterator[tuple[str, Network]]:
    """(module, NETWORK) of every file of the package that defines one, by importing it."""
    for info in pkgutil.iter_modules(softmerge_core.networks.__path__):
        module = importlib.import_module(f"softmerge_core.networks.{info.name}")
        if hasattr(module, "NETWORK"):
            yield module.__name__, module.NETWORK


def test_every_file_is_listed_as_it_declares_itself() -> None:
    listed = {network.name: (network.title, dict(network.takes)) for network in networks().values()}
    for module, network in imported():
        assert listed.get(network.name) == (network.title, dict(network.takes)), (
            f"{module}: the row read from its source, {listed.get(network.name)}, is not its NETWORK; "
            "define it by one call with literal keywords"
        )


@every_network
def test_it_says_what_it_is_and_what_it_takes(name: str) -> None:
    network = find_network(name)
    assert network.title, f"network {name!r} has no title"
    assert network.takes, f"network {name!r} takes nothing; expected takes={{kind: smallest size}}"
    strange = set(network.takes) - set(RANK_OF_KIND)
    assert not strange, f"network {name!r}: unknown kinds {strange} in takes; expected of {sorted(RANK_OF_KIND)}"
    wrong = {kind: size for kind, size in network.takes.items() if not isinstance(size, int) or size < 1}
    assert not wrong, f"network {name!r}: expected smallest sizes of at least 1, got {wrong}"


def test_titles_tell_them_apart() -> None:
    titles = [network.title for network in networks().values()]
    assert len(set(titles)) == len(titles), f"two networks have one title: {sorted(titles)}"


def test_listing_and_checking_load_no_torch() -> None:
    loaded = loaded_after(
        "from softmerge_core.networks import fits, networks\nfor name in networks():\n    fits(name, (1, 8, 8), 10)"
    )
    assert "torch" not in loaded, "listing the networks and checking a fit loads torch; pages must not wait for it"


@every_network
def test_it_reads_every_kind_it_claims_from_its_smallest_size(name: str) -> None:
    for input_shape in claimed(name):
        module = built(name, input_shape)
        try:
            logits = module(noise(input_shape))
        except RuntimeError as error:
            raise AssertionError(f"network {name!r} claims shape {input_shape} but cannot read it: {error}") from error
        assert logits.shape == (4, CLASSES), f"network {name!r}: expected logits [4, {CLASSES}], got {logits.shape}"
        assert torch.isfinite(logits).all(), f"network {name!r}: logits of shape {input_shape} are not finite"


@every_network
def test_it_tells_many_classes_apart_and_large_inputs_are_no_crash(name: str) -> None:
    input_shape = usual_shape(name)
    for classes in (2, 37):
        logits = build_network(name, input_shape, classes, seed=0).eval()(noise(input_shape))
        got = list(logits.shape)
        assert got == [4, classes], f"network {name!r}: for {classes} classes expected logits [4, {classes}], got {got}"
    large = built(name, input_shape)(1e4 * noise(input_shape))
    assert torch.isfinite(large).all(), f"network {name!r}: logits of inputs of 10,000 SDs are not finite"


@every_network
def test_it_refuses_what_it_does_not_claim(name: str) -> None:
    takes = find_network(name).takes
    refused = [shape(kind, 32) for kind in RANK_OF_KIND if kind not in takes]
    refused += [shape(kind, size - 1) for kind, size in takes.items()]
    for input_shape in [*refused, (1, 2, 3, 4), ()]:
        who = f"shape {input_shape}, which network {name!r} does not claim,"
        with refusal(DataError, f"network '{name}': expected", who):
            check_network(name, input_shape, CLASSES)
        with refusal(DataError, f"network '{name}': expected", who):
            build_network(name, input_shape, CLASSES, seed=0)
        assert not fits(name, input_shape, CLASSES), f"{who} is said to fit"
    with refusal(DataError, "at least 2 classes", f"one class for network {name!r}"):
        check_network(name, usual_shape(name), 1)


@every_network
def test_the_seed_decides_the_weights_and_global_randomness_is_untouched(name: str) -> None:
    before = torch.get_rng_state()
    first, again, other = (build_network(name, usual_shape(name), CLASSES, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), before), f"building network {name!r} moved torch's global random state"
    assert same_bits(first, again), f"network {name!r}: seed 0 gave two different networks"
    assert not same_bits(first, other), f"network {name!r}: seeds 0 and 1 gave the same weights"
    assert first.training, f"network {name!r}: expected a new network in training mode"


@every_network
def test_its_state_makes_the_same_network_again(name: str) -> None:
    input_shape = usual_shape(name)
    first, other = built(name, input_shape, 0), built(name, input_shape, 1)
    expected = first(noise(input_shape))
    other.load_state_dict(first.state_dict())
    same = torch.equal(other(noise(input_shape)), expected)
    assert same, f"network {name!r}: its state dict does not hold everything it computes with"
    twin = copy.deepcopy(first)
    assert torch.equal(twin(noise(input_shape)), expected), f"network {name!r}: a deep copy computes something else"
    again = torch.equal(first(noise(input_shape)), expected)
    assert again, f"network {name!r}: in evaluation mode the same inputs give other outputs the second time"


@every_network
def test_in_evaluation_mode_a_sample_is_judged_by_itself(name: str) -> None:
    module, inputs = built(name, usual_shape(name)), noise(usual_shape(name), 8)
    given = inputs.clone()
    together, alone = module(inputs), torch.cat([module(inputs[place : place + 1]) for place in range(8)])
    assert torch.equal(inputs, given), f"network {name!r} changes its inputs in place"
    assert alone.shape == together.shape == (8, CLASSES), (
        f"network {name!r}: expected logits [8, {CLASSES}] of eight samples and [1, {CLASSES}] of each by itself, got "
        f"{list(together.shape)} and, of all one by one, {list(alone.shape)}"
    )
    near = torch.allclose(together, alone, rtol=1e-4, atol=1e-5)
    assert near, f"network {name!r}: a sample's outputs depend on the others of its batch"
    normed = any(torch.allclose(total.sum(1), torch.ones(8), atol=1e-4) for total in (together, together.exp()))
    assert not normed, f"network {name!r}: expected logits, got probabilities or their logarithms"


@every_network
def test_top_level_children_are_the_blocks_in_forward_order(name: str) -> None:
    for input_shape in claimed(name):
        module = built(name, input_shape)
        order: list[str] = []
        for child, block in module.named_children():
            block.register_forward_hook(partial(lambda names, child, *_: names.append(child), order, child))
        module(noise(input_shape))
        children = [child for child, _ in module.named_children()]
        assert order == children, f"network {name!r}: blocks are registered as {children} but called as {order}"
        assert order[-1] == "head", f"network {name!r}: expected its last block to be called 'head', got {order[-1]!r}"


@every_network
def test_its_anatomy_describes_every_parameter(name: str) -> None:
    module = built(name, usual_shape(name))
    slots = sorted(slot.name for layer in describe(module) for slot in layer.slots)
    expected = sorted(parameter for parameter, _ in module.named_parameters())
    assert slots == expected, f"network {name!r}: its layers hold {slots}, but its parameters are {expected}"
    blocks = {child for child, _ in module.named_children()}
    outside = [layer.name for layer in describe(module) if layer.block not in blocks]
    assert not outside, f"network {name!r}: {outside} lie in none of its top-level blocks {sorted(blocks)}"


@every_network
def test_aligned_it_computes_what_it_did(name: str) -> None:
    """Units are permuted together with all that reads them, or are left where they are."""
    input_shape = usual_shape(name)
    sources = [built(name, input_shape, seed) for seed in (0, 1)]
    before, inputs = look(sources), noise(input_shape, 8)
    moved = align(sources, inputs, "weights")
    assert look(sources) == before, f"aligning network {name!r} changed the sources"
    for source, aligned in zip(sources, moved, strict=True):
        expected, got = predict(source, inputs), predict(aligned, inputs)
        near = torch.allclose(got, expected, rtol=1e-3, atol=1e-4)
        assert near, f"network {name!r}: aligned, its outputs are off by {(got - expected).abs().max():.2g}"


FITS = [(n, d) for n in NAMES for d, data in datasets().items() if fits(n, data.input_shape, data.classes)]


@pytest.mark.parametrize(("network", "dataset"), FITS)
def test_it_learns_on_every_data_set_it_fits(network: str, dataset: str) -> None:
    data = load_dataset(dataset)
    inputs, labels = data.train_inputs[:64], data.train_labels[:64]
    module = build_network(network, data.input_shape, data.classes, seed=1)
    optimiser = torch.optim.Adam(module.parameters(), lr=0.003)
    logits = module(inputs)
    assert logits.shape == (64, data.classes), f"network {network!r} on {dataset!r}: got logits {tuple(logits.shape)}"
    count = sum(parameter.numel() for parameter in module.parameters())
    assert count < MOST_PARAMETERS, f"network {network!r}: expected below {MOST_PARAMETERS:,} weights, got {count:,}"
    first = cross_entropy(logits, labels)
    first.backward()
    still = [
        parameter
        for parameter, p in module.named_parameters()
        if p.dim() > 1 and (p.grad is None or not p.grad.abs().sum() > 0)
    ]
    assert not still, f"network {network!r} on {dataset!r}: no gradient reaches {still}"
    optimiser.step()
    after = cross_entropy(module(inputs), labels)
    assert after < first, f"network {network!r} on {dataset!r}: a step of Adam took the loss from {first} to {after}"
