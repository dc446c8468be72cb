"""Points of weight space evaluated in batches, one by one, and by hand in float64 give the same numbers."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from softmerge_core.alignment import align
from softmerge_core.alignment.permute import apply
from softmerge_core.alignment.symmetry.groups import permutation_groups
from softmerge_core.errors import SettingsError
from softmerge_core.evaluation import evaluate, reestimate_batchnorm
from softmerge_core.landscape import Surface, barrier, batchable, line_points, network_at, network_between, weights_of
from softmerge_core.networks import build_network
from softmerge_core.zoo import load_family
from tests.alignment.networks import random_permutations

SHAPES = {"mlp": (12,), "cnn1d": (1, 40), "vgg": (1, 8, 8), "resnet": (1, 8, 8), "lstm": (1, 40), "vit": (1, 8, 8)}
FAMILIES = {
    "mlp": "spirals-mlp-independent",
    "cnn1d": "mnist1d-cnn-independent",
    "vgg": "digits-vgg-label-noise",
    "resnet": "digits-resnet-poisoned-1",
}
CLASSES = 3
TS = (0.0, 0.3, 0.5, 0.8, 1.0)


def samples(name: str, count: int = 48, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    inputs = torch.randn(count, *SHAPES[name], generator=generator, dtype=dtype)
    return inputs, torch.randint(CLASSES, (count,), generator=generator)


def pair(name: str, dtype: torch.dtype = torch.float32) -> list[nn.Module]:
    return [build_network(name, SHAPES[name], CLASSES, seed).to(dtype).eval() for seed in (1, 2)]


def surface(network: nn.Module, name: str, how: str = "auto", dtype: torch.dtype = torch.float32) -> Surface:
    inputs, labels = samples(name, dtype=dtype)
    return Surface(network, {"all": (inputs, labels), "few": (inputs[:7], labels[:7])}, inputs, how)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("how", ["auto", "single", "batched"])
def test_a_line_agrees_with_a_naive_float64_loop(name: str, how: str) -> None:
    if (name, how) == ("lstm", "batched"):
        pytest.skip("recurrent networks are refused, see below")
    first, last = pair(name, torch.float64)
    found = surface(first, name, how, torch.float64).at(line_points(weights_of(first), weights_of(last), TS))
    inputs, labels = samples(name, dtype=torch.float64)
    for row, t in enumerate(TS):
        middle = copy.deepcopy(first)
        for own, a, b in zip(middle.parameters(), first.parameters(), last.parameters(), strict=True):
            own.data = (1 - t) * a.data + t * b.data
        reestimate_batchnorm(middle, inputs)
        logits = middle(inputs)
        assert found["all"][row, 0].item() == pytest.approx(functional.cross_entropy(logits, labels).item(), abs=1e-9)
        wrong = (logits.argmax(1) != labels).double().mean().item()
        assert found["all"][row, 1].item() == pytest.approx(wrong, abs=1e-12)
        few = functional.cross_entropy(logits[:7], labels[:7]).item()
        assert found["few"][row, 0].item() == pytest.approx(few, abs=1e-9)


def test_batches_of_weights_estimate_batchnorm_over_several_batches_of_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    from softmerge_core.landscape import surface as module

    first, last = pair("resnet", torch.float64)
    points = line_points(weights_of(first), weights_of(last), TS)
    monkeypatch.setattr(module, "BATCH", 20)  # 48 samples are three batches of unequal sizes
    monkeypatch.setattr(module, "AT_ONCE", 40)  # and five networks three chunks
    together = surface(first, "resnet", "batched", torch.float64).at(points)["all"]
    inputs, labels = samples("resnet", dtype=torch.float64)
    for row, point in zip(together, points, strict=True):
        network = network_at(first, point, inputs[:1])
        reestimate_batchnorm(network, inputs, batch_size=20)
        assert row[0].item() == pytest.approx(evaluate(network, inputs, labels)[1], abs=1e-9)


@pytest.mark.parametrize("t", TS)
def test_between_two_networks_statistics_are_mixed_as_the_weights_are(t: float) -> None:
    first, last = pair("resnet", torch.float64)
    for network, seed in ((first, 1), (last, 2)):
        reestimate_batchnorm(network, seed * samples("resnet", dtype=torch.float64)[0])
    state, end, before = first.state_dict(), last.state_dict(), copy.deepcopy(first.state_dict())
    found = network_between(first, last, t)
    assert not found.training
    for name, value in found.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, (1 - t) * state[name] + t * end[name])
    assert all(torch.equal(value, before[name]) for name, value in first.state_dict().items())


@pytest.mark.parametrize("name", SHAPES)
def test_the_network_itself_stays_as_it_is(name: str) -> None:
    first, last = pair(name)
    before = copy.deepcopy(first.state_dict())
    surface(first, name).at(line_points(weights_of(first), weights_of(last), TS))
    assert all(torch.equal(value, before[key]) for key, value in first.state_dict().items())
    assert all(parameter.requires_grad for parameter in first.parameters())


def test_networks_of_linear_layers_are_evaluated_together_others_one_by_one() -> None:
    assert [name for name in SHAPES if batchable(pair(name)[0])] == ["mlp"]
    with pytest.raises(SettingsError, match="recurrent"):
        surface(pair("lstm")[0], "lstm", "batched")


@pytest.mark.parametrize("name", FAMILIES)
def test_a_permuted_copy_has_a_barrier_before_it_is_aligned_and_none_after(name: str) -> None:
    family = load_family(FAMILIES[name])
    network, (inputs, labels) = family.sources[0], (part[:200] for part in family.data.split("train"))
    groups = permutation_groups(network)
    shuffled = apply(network, random_permutations(groups, torch.Generator().manual_seed(3)), groups)
    walked = Surface(network, {"all": (inputs, labels)}, inputs)
    ts = [index / 10 for index in range(11)]

    def height(last: nn.Module) -> float:
        found = walked.at(line_points(weights_of(network), weights_of(last), ts))["all"]
        return barrier(ts, found[:, 0].tolist())[0]

    assert height(shuffled) > 0.1
    assert height(align([network, shuffled], inputs, how="weights")[1]) < 1e-4
