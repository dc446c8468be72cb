"""Every method at real size: measured on tiny networks here, in this process."""

import sys
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool

import pytest
import torch
from torch import nn

from benchmarks import methods_at_size, peers
from benchmarks.fresh import Peak, fresh
from benchmarks.methods_at_size import largest_difference, rows, scene, tiny
from softmerge_core.anatomy import describe
from softmerge_core.methods import available_methods


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """No new process, and no large network."""
    monkeypatch.setattr(methods_at_size, "fresh", lambda function, *arguments: function(*arguments))
    monkeypatch.setattr(methods_at_size, "resnet18", tiny)
    monkeypatch.setattr(methods_at_size, "SHAPE", (1, 8, 8))


def test_a_method_has_its_seconds_and_its_models_for_each_number_of_sources() -> None:
    (title, *cells), _ = rows(("average", "ties"), (2, 3))
    assert title == available_methods()["average"].title
    assert len(cells) == 4
    assert all(float(cell) > 0 for cell in cells[:2])


def test_what_would_need_more_memory_than_there_is_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def cost(name: str, count: int) -> tuple[float, float]:
        tried.append(count)
        return 1.0, 1e12  # models

    monkeypatch.setattr(methods_at_size, "cost", cost)
    assert list(rows(("average",), (2, 4, 8))) == [
        ["Plain average", "1", "no room", "no room", "1000000000000.0", "over 1000000000000", "over 1000000000000"]
    ]
    assert tried == [2]


def test_a_process_that_the_system_ends_leaves_a_cell_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(function: Callable[..., object], *arguments: object) -> object:
        raise BrokenProcessPool

    monkeypatch.setattr(methods_at_size, "fresh", dies)
    assert list(rows(("average",), (2,))) == [["Plain average", "no room", "-"]]


def peak_of_the_middle() -> int:
    """The peak that is measured while 64 MiB are in use, after 128 that no longer are."""
    large = torch.ones(2**25)
    del large
    peak = Peak()
    middle = torch.ones(2**24)
    del middle
    return peak.bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can start anew only there")
def test_the_peak_counts_what_was_freed_before_it_was_asked_and_not_what_was_freed_before_it_began() -> None:
    # In this process other tests may have left free memory, from which the middle is taken: then nothing grows.
    assert 60 * 2**20 < fresh(peak_of_the_middle) < 100 * 2**20


# What is compared with other packages.


def test_each_method_compared_is_one_that_there_is() -> None:
    assert {peer.method for peer in peers.PEERS} <= set(available_methods())


@pytest.mark.parametrize("peer", [peer for peer in peers.PEERS if peer.package == "mergekit"] + [peers.PEERS[-2]])
def test_ours_alone_merges_all_weights(peer: peers.Peer) -> None:
    given = scene(2, tiny())
    found = peer.ours(given)
    assert set(found) == {name for name, _ in given.base.named_parameters()}
    assert largest_difference(found, peers.weights_of(given.base)) > 0


def test_the_vectors_given_to_others_have_the_order_of_the_matrix_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else DARE would drop other entries there than here."""
    monkeypatch.undo()
    network: nn.Module = methods_at_size.resnet18()
    slots = [slot for layer in describe(network) for slot in layer.slots]
    assert [slot.name for slot in slots] == [name for name, _ in network.named_parameters()]
    assert {slot.axis for slot in slots} == {0}


def test_dare_here_drops_the_entries_that_others_are_told() -> None:
    given = scene(3, tiny())
    settings, base = peers.usual("dare"), peers.vector(given.base)
    total = torch.zeros_like(base)
    for source, numbers in zip(given.sources, peers.draws(given), strict=True):
        total += (peers.vector(source) - base) * (numbers >= settings.drop) / (1 - settings.drop)
    expected = peers.unflatten(base + settings.scale * total, given.base)
    assert largest_difference(peers.alone("dare")(given), expected) < 1e-6


def test_packages_that_are_not_there_are_named_instead_of_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods_at_size, "installed", lambda package: False)
    said = list(methods_at_size.tables("cpu", peers=True))
    assert said == ["Not installed, and so not compared: fusion-bench, mergekit."]


def test_what_differs_from_another_package_is_in_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def off_by_one(given: peers.Scene) -> peers.Weights:
        return {name: weight + 1 for name, weight in peers.alone("average")(given).items()}

    other = peers.Peer("average", "mergekit", "the mean", peers.alone("average"), off_by_one, (2,))
    monkeypatch.setattr(methods_at_size, "PEERS", (other,))
    monkeypatch.setattr(methods_at_size, "installed", lambda package: True)
    (row,) = methods_at_size.peer_rows(("average",))
    assert row[:4] == ["Plain average", "the mean", "mergekit", "2"]
    assert row[-1] == "1"


def test_a_difference_in_one_weight_is_seen() -> None:
    one = peers.weights_of(tiny())
    other = {name: weight.clone() for name, weight in one.items()}
    next(iter(other.values())).view(-1)[3] += 0.5
    assert largest_difference(one, other) == pytest.approx(0.5, abs=1e-6)
