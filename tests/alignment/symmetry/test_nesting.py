"""Grouped convolutions: whole groups change places, channels change places inside them, and matching finds both."""

import copy

import pytest
import torch
from torch import Tensor, nn

from softmerge_core.alignment.aligning import align
from softmerge_core.alignment.descent import Descent
from softmerge_core.alignment.permute import apply, permute_state, tensors_of
from softmerge_core.alignment.symmetry.groups import permutation_groups, symmetry
from softmerge_core.alignment.transport import fuse
from tests.alignment.networks import lively, random_permutations

SIZES = [(3, 4, 6), (3, 4, 1), (5, 2, 2), (2, 6, 3)]  # groups, inputs and outputs of each


class Grouped(nn.Module):
    """As in RegNet: a grouped convolution between others, BatchNorm, and a squeeze-and-excitation of its channels."""

    def __init__(self, groups: int = 3, ins: int = 4, outs: int = 6) -> None:
        super().__init__()
        self.first, self.norm = nn.Conv1d(2, groups * ins, 3, padding=1, bias=False), nn.BatchNorm1d(groups * ins)
        self.middle = nn.Conv1d(groups * ins, groups * outs, 3, padding=1, groups=groups)
        self.normed = nn.BatchNorm1d(groups * outs)
        self.squeeze, self.excite = nn.Linear(groups * outs, 5), nn.Linear(5, groups * outs)
        self.last, self.head = nn.Conv1d(groups * outs, 7, 1), nn.Linear(7 * 12, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.normed(self.middle(self.norm(self.first(inputs)).relu())).relu()
        scale = self.excite(self.squeeze(hidden.mean(2)).relu()).sigmoid()
        return self.head(self.last(hidden * scale[..., None]).relu().flatten(1))


class Odd(nn.Module):
    """A grouped convolution that leaves less freedom, or that is easily misread."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.first = nn.Conv1d(2, 12, 3, padding=1)
        self.middle = nn.Conv1d(12, 12, 3, padding=1, groups=3)
        self.other = nn.Conv1d(12, 12, 3, padding=1, groups=4 if kind == "other groups" else 3)
        if kind == "computed":
            self.middle = nn.utils.parametrizations.weight_norm(self.middle)
        self.back = nn.ConvTranspose1d(12, 6, 2, groups=3)
        self.last, self.head = nn.Conv1d(12, 7, 1), nn.Linear(7, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.first(inputs).relu()
        if self.kind == "ordered inputs":
            hidden = hidden.cumsum(1)
        hidden = self.middle(hidden).relu()
        if self.kind == "ordered outputs":
            hidden = hidden.cumsum(1)
        elif self.kind == "twice":
            hidden = self.middle(hidden).relu()
        elif self.kind == "residual":
            hidden = hidden + self.other(hidden).relu()
        elif self.kind in ("another", "other groups"):
            hidden = self.other(hidden).relu()
        elif self.kind == "transposed":
            hidden = torch.cat([self.back(hidden)[..., :-1], hidden[:, :6]], 1)
        return self.head(self.last(hidden).relu().mean(2))


@pytest.fixture(autouse=True)
def _no_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the check on numbers, which would hide mistakes of tracing."""
    monkeypatch.setattr("softmerge_core.alignment.symmetry.groups._confirmed", lambda network, found, sample: found)


def built(network: nn.Module) -> tuple[nn.Module, Tensor]:
    return lively(network, (2, 12)), torch.randn(32, 2, 12, generator=torch.Generator().manual_seed(2))


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


KINDS = ["ordered inputs", "ordered outputs", "twice", "residual", "another", "other groups", "computed", "transposed"]


@pytest.mark.parametrize("network", [*SIZES, *KINDS])
def test_any_order_of_groups_and_of_channels_inside_computes_the_same(network: tuple[int, ...] | str) -> None:
    torch.manual_seed(0)
    module, inputs = built(Odd(network) if isinstance(network, str) else Grouped(*network))
    module, inputs = module.double(), inputs.double()
    groups = permutation_groups(module, inputs)
    for seed in range(3):
        permuted = apply(module, random_permutations(groups, torch.Generator().manual_seed(seed)), groups)
        with torch.no_grad():
            assert (module(inputs) - permuted(inputs)).abs().max() < 1e-12
        assert not same(module, permuted)


@pytest.mark.parametrize(("ins", "outs"), [(4, 6), (2, 2)])
def test_every_channel_moves_with_its_group_and_inside_it(ins: int, outs: int) -> None:
    found = symmetry(Grouped(3, ins, outs))
    sizes = {group.name: group.size for group in found.groups}
    (blocks,) = (group for group in found.groups if group.inside)
    assert blocks.size == 3
    assert [held.units.size for held in blocks.inside] == [3 * ins, 3 * outs]
    inside = [name for held in blocks.inside for name in held.names]
    assert [sizes[name] for name in inside] == [ins] * 3 + [outs] * 3
    assert sorted(sizes[name] for name in sizes.keys() - {*inside, blocks.name}) == [5, 7]
    assert found.groups.index(blocks) < min(list(sizes).index(name) for name in inside)
    seen = {place.group for place in found.places}
    assert {held.units.name for held in blocks.inside} <= seen
    assert not seen & set(inside)
    assert sorted(group.size for group in symmetry(Grouped(3, ins, outs), grouped=False).groups) == [5, 7]


@pytest.mark.parametrize("how", ["weights", "activations"])
@pytest.mark.parametrize("sizes", SIZES)
def test_matching_finds_a_hidden_order_of_groups_and_channels(sizes: tuple[int, int, int], how: str) -> None:
    torch.manual_seed(0)
    network, inputs = built(Grouped(*sizes))
    groups = permutation_groups(network)
    hidden = apply(network, random_permutations(groups, torch.Generator().manual_seed(1)), groups)
    assert same(align([network, hidden], inputs, how)[1], network)


def test_weights_tell_apart_dead_channels_inside_their_groups() -> None:
    torch.manual_seed(0)
    network, inputs = built(Grouped())
    with torch.no_grad():
        for norm in (network.norm, network.normed):
            norm.bias[::2] = -100.0
    groups = permutation_groups(network)
    hidden = apply(network, random_permutations(groups, torch.Generator().manual_seed(1)), groups)
    assert same(align([network, hidden], inputs, "activations")[1], network)


@pytest.mark.parametrize("forward_first", [False, True])
def test_recorded_permutations_are_what_was_done(forward_first: bool) -> None:
    """Blocks may move after units inside them did; the record says it in the order in which it is applied."""
    torch.manual_seed(0)
    one, other = Grouped(6, 3, 3), Grouped(6, 3, 3)
    groups = permutation_groups(one)
    start = tensors_of(apply(other, random_permutations(groups, torch.Generator().manual_seed(1)), groups))
    descent = Descent(tensors_of(one), start, groups, frozenset(name for name, _ in one.named_parameters()), {})
    if forward_first:
        descent.forward()
    descent.descend(torch.Generator().manual_seed(0))
    (blocks,) = (group.name for group in groups if group.inside)
    assert not torch.equal(descent.permutations[blocks], torch.arange(6))
    permute_state(start, descent.permutations, groups)
    assert all(torch.equal(start[name], descent.state[name]) for name in start)


def test_independent_networks_come_nearer_when_groups_may_move(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    one, other = Grouped(6, 4, 4), Grouped(6, 4, 4)

    def distance() -> float:
        aligned = align([one, other])[1]
        return sum(((a - b) ** 2).sum().item() for a, b in zip(one.parameters(), aligned.parameters(), strict=True))

    free = distance()
    monkeypatch.setattr(
        "softmerge_core.alignment.aligning.symmetry", lambda network, inputs: symmetry(network, inputs, grouped=False)
    )
    assert free < 0.9 * distance()


def test_transport_leaves_channels_of_groups_where_they_are() -> None:
    torch.manual_seed(0)
    network, _ = built(Grouped())
    assert same(fuse([network, copy.deepcopy(network)]), network)
