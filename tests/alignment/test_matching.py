"""Matching recovers a hidden order, and brings sources nearer to each other without changing what they compute."""

import copy
import itertools

import pytest
import torch
from torch import nn

from softmerge_core.alignment.activation_matching import match_activations, ties
from softmerge_core.alignment.activations import Moments, compare, unit_values
from softmerge_core.alignment.aligning import align
from softmerge_core.alignment.assignment import best_assignment
from softmerge_core.alignment.descent import objective, similarity
from softmerge_core.alignment.permute import apply, permute_state, tensors_of
from softmerge_core.alignment.symmetry.groups import permutation_groups, symmetry
from softmerge_core.alignment.symmetry.parts import Place, Symmetry
from softmerge_core.alignment.weight_matching import match_weights
from softmerge_core.checks import check_architecture
from softmerge_core.errors import DataError, SettingsError, SourceError
from softmerge_core.evaluation import evaluate
from softmerge_core.networks.mlp import MLP
from softmerge_core.zoo import load_family
from tests.alignment.networks import ZOO, build, inputs_of, random_permutations


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


@pytest.mark.parametrize("name", [*ZOO, "small/recurrent", "small/convolutional"])
@pytest.mark.parametrize("seed", [0, 1])
def test_weights_find_a_hidden_order_exactly(name: str, seed: int) -> None:
    network, _ = build(name)
    groups = permutation_groups(network)
    hidden = apply(network, random_permutations(groups, torch.Generator().manual_seed(seed + 7)), groups)
    assert not same(network, hidden)
    kept = copy.deepcopy(hidden)
    first, second = align([network, hidden], how="weights", seed=seed)
    assert same(first, network)
    assert same(second, network)
    assert same(hidden, kept)  # sources are not touched
    assert second is not hidden
    assert first is not network


@pytest.mark.parametrize("name", ["mlp", "cnn1d", "resnet", "vit", "lstm"])
def test_activations_find_a_hidden_order_exactly(name: str) -> None:
    network, _ = build(name)
    groups = permutation_groups(network)
    hidden = apply(network, random_permutations(groups, torch.Generator().manual_seed(8)), groups)
    aligned = align([network, hidden], inputs_of(name, 96), how="activations")
    assert same(aligned[1], network)


class Dying(nn.Module):
    """Two convolutions and a hidden layer, in each of which some units never answer and differ by their weights alone.

    Units of one layer read the dead units of the layer before.
    """

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv1d(1, 12, 3, bias=False), nn.BatchNorm1d(12)
        self.second, self.hidden = nn.Conv1d(12, 10, 3), nn.Linear(10 * 8, 16)
        self.head = nn.Linear(16, 3)
        with torch.no_grad():
            self.norm.bias.copy_(torch.randn(12))
            for bias in (self.norm.bias, self.second.bias, self.hidden.bias):
                bias[::2] = -100.0

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        maps = self.second(self.norm(self.first(inputs.view(-1, 1, 12))).relu()).relu()
        return self.head(self.hidden(maps.flatten(1)).relu())


@pytest.mark.parametrize("samples", [48, 1])
def test_weights_tell_apart_the_units_that_activations_cannot(samples: int) -> None:
    """Dead units, and on one sample also units of the hidden layer that all answer alike."""
    torch.manual_seed(0)
    network = Dying().eval()
    groups = permutation_groups(network)
    hidden = apply(network, random_permutations(groups, torch.Generator().manual_seed(5)), groups)
    assert same(align([network, hidden], torch.randn(samples, 12), how="activations")[1], network)


def test_what_activations_tell_is_never_given_up_for_weights() -> None:
    """Only units that never change, or change alike, may move after the assignment with the largest correlation."""
    torch.manual_seed(0)
    one, other = Dying().eval(), Dying().eval()
    inputs = torch.randn(48, 12)
    found = symmetry(one, inputs)
    matched = match_activations(one, other, found, inputs)
    assert all((tied.sum(1) > 1).any() for tied in matched.ties.values())
    best, aligned = apply(other, matched.orders, found.groups), align([one, other], inputs, how="activations")[1]
    alike = [correlations(one, network, found, inputs) for network in (best, aligned)]
    assert alike[1] == pytest.approx(alike[0], abs=1e-4)
    assert alike[0] > correlations(one, other, found, inputs) + 1
    names = frozenset(name for name, _ in one.named_parameters())
    assert objective(*map(tensors_of, (one, aligned)), names) > objective(*map(tensors_of, (one, best)), names)


def correlations(one: nn.Module, other: nn.Module, found: Symmetry, inputs: torch.Tensor) -> float:
    moments = compare(one, found.places, other, found.places, inputs)
    return sum(float(moment.correlation().diagonal().sum()) for moment in moments)


def test_ties_are_the_pairs_of_all_best_assignments() -> None:
    """Against all orders of five units, in tables with few values and so with many ties, and with none."""
    generator = torch.Generator().manual_seed(0)
    every = [torch.tensor(order) for order in itertools.permutations(range(5))]
    for values in (1, 2, 3, 4, 10_000):
        gain = torch.randint(values, (5, 5), generator=generator).double()
        gain = gain[:, best_assignment(gain)]
        totals = [float(gain[range(5), order].sum()) for order in every]
        expected = torch.zeros(5, 5, dtype=torch.bool)
        for order, total in zip(every, totals, strict=True):
            if total == max(totals):
                expected[range(5), order] = True
        assert torch.equal(ties(gain), expected), values


def test_similarity_is_the_gain_of_each_assignment() -> None:
    """Against the objective itself: sum_i similarity[i, p_i] is what a group's tensors contribute, for any p."""
    torch.manual_seed(0)
    one, other = (MLP(3, 2, 4).double().state_dict() for _ in range(2))
    groups = permutation_groups(MLP(3, 2, 4))
    names = frozenset(one)
    group = groups[0]
    table = similarity(group, dict(one), dict(other), names)
    touched = frozenset(axis.name for axis in group.axes)
    for order in itertools.permutations(range(4)):
        state = dict(other)
        permute_state(state, {group.name: torch.tensor(order)}, [group])
        naive = sum(float((one[name] * state[name]).sum()) for name in touched)
        assert float(table[range(4), order].sum()) == pytest.approx(naive, abs=1e-12)


def test_weight_matching_finds_the_best_of_all_orders() -> None:
    """Two groups of four units: 576 orders, tried one by one in float64."""
    best_found = 0
    for seed in range(5):
        torch.manual_seed(seed)
        networks = [MLP(3, 2, 4).double() for _ in range(2)]
        groups = permutation_groups(networks[0])
        one, other = tensors_of(networks[0]), tensors_of(networks[1])
        names = frozenset(one)

        def value(orders: dict[str, torch.Tensor], one=one, other=other, groups=groups, names=names) -> float:
            state = dict(other)
            permute_state(state, orders, groups)
            return objective(one, state, names)

        every = [torch.tensor(order) for order in itertools.permutations(range(4))]
        best = max(value({groups[0].name: a, groups[1].name: b}) for a in every for b in every)
        found = value(match_weights(one, other, groups, names, generator=torch.Generator().manual_seed(0)))
        start = value({})
        assert start - 1e-12 <= found <= best + 1e-12
        best_found += found > best - 1e-9
    assert best_found >= 3  # coordinate descent may end in a local optimum, but seldom does


def test_correlation_agrees_with_numpy_over_batches() -> None:
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.randn(50, n, generator=generator, dtype=torch.float64) for n in (3, 4))
    second[:, 1] = 2.5  # a unit that never changes
    moments = Moments()
    for rows in (slice(0, 20), slice(20, 50)):
        moments.add(first[rows], second[rows])
    expected = torch.corrcoef(torch.cat([first, second], 1).T)[:3, 3:]
    expected[:, 1] = 0
    assert torch.allclose(moments.correlation(), expected)
    differences = ((first[:, :, None] - second[:, None]) ** 2).mean(0)
    assert torch.allclose(moments.distance(), differences)


def test_a_faint_unit_changes_and_a_constant_one_with_rounding_errors_does_not() -> None:
    generator = torch.Generator().manual_seed(0)
    unit = torch.randn(50, 1, generator=generator, dtype=torch.float64)
    others = torch.cat([1e-9 * unit, 3 + 1e-8 * unit], 1)
    moments = Moments()
    moments.add(1e-9 * unit, others)
    assert moments.correlation()[0].tolist() == pytest.approx([1, 0])


def test_units_of_a_flattened_axis_are_told_apart() -> None:
    tensor = torch.arange(2 * 6.0).view(2, 6)
    values = unit_values(tensor, Place("g", 0, 1, 0, 1, 3, 2))
    assert values.tolist() == [[0, 2, 4], [1, 3, 5], [6, 8, 10], [7, 9, 11]]


@pytest.fixture(scope="module")
def family() -> tuple[list[nn.Module], object]:
    loaded = load_family("mnist1d-cnn-independent")
    return loaded.sources, loaded.data


def average(networks: list[nn.Module]) -> nn.Module:
    result = copy.deepcopy(networks[0])
    with torch.no_grad():
        for name, parameter in result.named_parameters():
            parameter.copy_(torch.stack([dict(n.named_parameters())[name] for n in networks]).mean(0))
    return result


@pytest.mark.parametrize("how", ["weights", "activations"])
def test_aligned_average_of_independent_seeds_is_better_by_far(how: str, family) -> None:
    sources, data = family
    test = data.test_inputs, data.test_labels
    naive, _ = evaluate(average(sources[:2]), *test)
    aligned = align(sources[:2], data.train_inputs, how)
    better, _ = evaluate(average(aligned), *test)
    assert better > naive + 0.1
    for source, copied in zip(sources, aligned, strict=False):
        with torch.no_grad():
            assert (source(data.test_inputs) - copied(data.test_inputs)).abs().max() < 1e-4


def test_matching_to_the_mean_brings_sources_nearer(family) -> None:
    sources, _ = family

    def spread(networks: list[nn.Module]) -> float:
        flat = torch.stack([nn.utils.parameters_to_vector(n.parameters()).detach() for n in networks]).double()
        return float(((flat - flat.mean(0)) ** 2).sum())

    pairwise, to_mean = (align(sources, to_mean=choice) for choice in (False, True))
    assert spread(to_mean) < spread(pairwise) < spread(sources)
    again = align(sources, to_mean=True)
    assert all(same(one, other) for one, other in zip(to_mean, again, strict=True))  # the seed decides all


def test_the_reference_keeps_its_order(family) -> None:
    sources, _ = family
    aligned = align(sources, reference=2)
    assert same(aligned[2], sources[2])
    assert not same(aligned[0], sources[0])
    assert all(same(one, other) for one, other in zip(align(sources, how="none"), sources, strict=True))


def test_training_mode_and_randomness_are_left_alone() -> None:
    network, _ = build("resnet")
    other = copy.deepcopy(network).train()
    state = torch.get_rng_state()
    align([network, other], inputs_of("resnet"), how="activations")
    align([network, other])
    assert torch.equal(state, torch.get_rng_state())
    assert other.training
    assert not network.training


def test_what_does_not_fit_is_refused() -> None:
    network, inputs = build("mlp")
    broken = copy.deepcopy(network)
    broken.head.bias.data[0] = float("nan")
    with pytest.raises(SourceError, match=r"'second': head.bias has NaN or Inf"):
        align([network, broken], names=["first", "second"])
    with pytest.raises(SourceError, match="two or more"):
        align([network])
    with pytest.raises(SourceError, match="two architectures"):
        align([network, MLP(12, 5, 16)])
    with pytest.raises(DataError, match="needs inputs"):
        align([network, network], how="activations")
    with pytest.raises(DataError, match="needs inputs"):
        align([network, network], inputs[:0], how="activations")
    with pytest.raises(DataError, match="cannot read inputs of shape"):
        align([network, network], torch.zeros(3, 5), how="activations")
    with pytest.raises(DataError, match="NaN or Inf"):
        align([network, network], inputs / 0, how="activations")
    with pytest.raises(SettingsError, match=r"how: expected .* got 'magic'"):
        align([network, network], how="magic")
    with pytest.raises(SettingsError, match="reference: expected 0 to 1, got 2"):
        align([network, network], reference=2)


def test_a_notice_tells_when_nothing_can_be_reordered() -> None:
    network, _ = build("small/tied")
    told: list[str] = []
    aligned = align([network, network], on_notice=told.append)
    assert same(aligned[1], network)
    assert len(told) == 1
    assert symmetry(network).groups == ()
    check_architecture(aligned, ["a", "b"])


def test_matching_by_weights_looks_at_no_input(family) -> None:
    sources, data = family
    spoiled = align(sources[:2], data.train_inputs[:256] / 0)  # not even at one that is no number
    assert all(same(one, other) for one, other in zip(spoiled, align(sources[:2]), strict=True))
    with pytest.raises(DataError, match="needs inputs"):
        align(sources, how="activations")
