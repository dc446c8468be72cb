"""Networks that cannot be taken apart are refused at every door, by name, before anything is done."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from softmerge_core import soft_merge
from softmerge_core.alignment import align, fuse, repair
from softmerge_core.errors import DataError, SourceError
from softmerge_core.methods import available_methods, merge
from softmerge_core.structure.kinds import check_copyable, check_network
from tests.networks_for_tests import NETWORKS, make_data, make_sources, perceptron
from tests.odd_networks import NO_COPY, OUTPUTS, REFUSED, Says, changed, locked

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated")  # old kinds of networks are what is tested
DATA = make_data(8)
Sources = Sequence[Any]
DOORS: dict[str, Callable[[Sources], object]] = {
    "soft_merge": lambda sources: soft_merge(sources, DATA),
    "merge": lambda sources: merge("average", sources, DATA),
    "align": lambda sources: align(sources, how="none"),
    "fuse": fuse,
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_taken_apart_is_refused_by_source_and_layer(kind: str, door: str) -> None:
    words, build = REFUSED[kind]
    with pytest.raises(SourceError, match=f"^source 'source 2'.*{words}"):
        DOORS[door]([perceptron(), build()])


@pytest.mark.parametrize("kind", REFUSED)
def test_an_endpoint_of_repair_is_refused_too(kind: str) -> None:
    words, build = REFUSED[kind]
    with pytest.raises(SourceError, match=f"^source 'endpoint 2'.*{words}"):
        repair(perceptron(), [perceptron(), build()], DATA.train_inputs)  # type: ignore[list-item]


@pytest.mark.parametrize("name", available_methods())
def test_every_method_refuses_before_it_begins(name: str) -> None:
    sources = [perceptron(), changed(lambda layer: prune.l1_unstructured(layer, "weight", 0.5))]
    with pytest.raises(SourceError, match="'source 2': layer 0 is pruned"):
        merge(name, sources, DATA, base=perceptron())


@pytest.mark.parametrize("door", ["soft_merge", "merge", "align"])
def test_what_cannot_be_copied_is_refused(door: str) -> None:
    with pytest.raises(SourceError, match=f"^source 'source 1' {NO_COPY}"):
        DOORS[door]([locked(), locked()])


@pytest.mark.parametrize("kind", OUTPUTS)
@pytest.mark.parametrize("name", [*(n for n, m in available_methods().items() if "inputs" in m.needs), "soft_merge"])
def test_whatever_looks_at_outputs_wants_one_tensor_of_logits(name: str, kind: str) -> None:
    words, build = OUTPUTS[kind]
    network = build()
    sources = [network, copy.deepcopy(network)]
    with pytest.raises(DataError, match=f"^source 'source 1'.*{words}"):
        soft_merge(sources, DATA) if name == "soft_merge" else merge(name, sources, DATA, base=network)


def test_what_needs_no_outputs_takes_any() -> None:
    network = Says(lambda logits: {"logits": logits})
    assert merge("average", [network, copy.deepcopy(network)])(DATA.train_inputs)["logits"].shape == (8, 3)


@pytest.mark.parametrize("kind", NETWORKS)
def test_ordinary_networks_are_taken(kind: str) -> None:
    for network in make_sources(kind, 1):
        check_network(network, "a")
        check_network(network.half(), "a")
        check_copyable(network, "a")


def test_what_was_made_permanent_is_taken() -> None:
    network = changed(lambda layer: prune.remove(prune.l1_unstructured(layer, "weight", 0.5), "weight"))
    with torch.no_grad():
        network[0].seen = network[0](DATA.train_inputs)  # without a graph
    network.register_buffer("phases", torch.zeros(3, dtype=torch.complex64))
    network.register_buffer("places", torch.arange(3))
    check_network(network, "a")


def test_copying_is_tried_without_copying_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    network = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))

    def forbidden(tensor: torch.Tensor, memo: object) -> None:
        pytest.fail("a weight was copied")

    monkeypatch.setattr(torch.Tensor, "__deepcopy__", forbidden)
    monkeypatch.setattr(nn.Parameter, "__deepcopy__", forbidden)
    check_copyable(network, "a")
