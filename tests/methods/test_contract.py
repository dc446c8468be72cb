"""What every way of merging must keep to, on every kind of network; a new method's file is picked up by itself."""

import copy
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import nn

from softmerge_core import MergeData
from softmerge_core.checkpoints.files import state_hash
from softmerge_core.errors import DataError, NotFoundError, SettingsError, SoftMergeError, SourceError
from softmerge_core.evaluation import predict
from softmerge_core.methods import Method, available_methods, find_method, merge
from softmerge_core.methods.base import SEES
from softmerge_core.networks import build_network

METHODS = sorted(available_methods())
MERGES = [name for name in METHODS if not available_methods()[name].reference]
SHAPES = {"mlp": (6,), "cnn1d": (1, 16), "vgg": (1, 8, 8), "resnet": (1, 8, 8), "vit": (1, 8, 8), "lstm": (1, 16)}
CLASSES, COUNT, SAMPLES = 3, 3, 16
QUICK = {"steps": 2, "samples": 8, "epochs": 1, "evaluate_every": 3}

every_method = pytest.mark.parametrize("name", METHODS)
every_merge = pytest.mark.parametrize("name", MERGES)
every_family = pytest.mark.parametrize("family", SHAPES)


def quick(method: Method) -> dict[str, int]:
    """Settings that make a method short, where it has them."""
    return {key: value for key, value in QUICK.items() if key in method.settings.model_fields}


@cache
def base_of(family: str, dtype: torch.dtype) -> nn.Module:
    return build_network(family, SHAPES[family], CLASSES, seed=0).to(dtype).eval()


def sources_of(family: str, dtype: torch.dtype = torch.float32) -> list[nn.Module]:
    """Three networks somewhat off one base; BatchNorm's statistics are those of a fresh network."""
    generator = torch.Generator().manual_seed(1)
    sources = [copy.deepcopy(base_of(family, dtype)) for _ in range(COUNT)]
    with torch.no_grad():
        for source in sources:
            for weight in source.parameters():
                weight.add_(torch.randn(weight.shape, generator=generator, dtype=dtype), alpha=0.1)
    return sources


def data_for(family: str, dtype: torch.dtype = torch.float32, seed: int = 2) -> MergeData:
    generator = torch.Generator().manual_seed(seed)
    splits: list[torch.Tensor] = []
    for _ in range(2):
        splits.append(torch.randn(SAMPLES, *SHAPES[family], generator=generator, dtype=dtype))
        splits.append(torch.randint(CLASSES, (SAMPLES,), generator=generator))
    return MergeData(*splits)


def run(name: str, family: str, dtype: torch.dtype = torch.float32, **changes: Any) -> nn.Module:
    """The method on the family's usual material, but for ``changes`` of ``merge``'s arguments."""
    arguments: dict[str, Any] = {
        "sources": sources_of(family, dtype),
        "data": data_for(family, dtype),
        "base": base_of(family, dtype),
        **quick(find_method(name)),
    }
    return merge(name, **(arguments | changes))


@cache
def usual(name: str, family: str) -> nn.Module:
    """The method on the usual material, run once."""
    return run(name, family)


def same_bits(first: nn.Module, second: nn.Module) -> bool:
    return state_hash(first.state_dict()) == state_hash(second.state_dict())


def assert_close(first: nn.Module, second: nn.Module) -> None:
    for (key, ours), theirs in zip(first.named_parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-8, msg=lambda text, key=key: f"{key}: {text}")


def look(networks: Sequence[nn.Module]) -> list[tuple[Any, ...]]:
    """All of a network that a careless method could change."""
    return [
        (state_hash(n.state_dict()), n.training, [(p.requires_grad, p.grad is None) for p in n.parameters()])
        for n in networks
    ]


def test_the_methods_are_all_there() -> None:
    assert set(METHODS) >= {
        "average", "weighted_average", "greedy_soup", "learned_soup", "slerp", "task_arithmetic", "ties", "dare",
        "adamerging", "fisher", "regmean", "median", "trimmed_mean", "geometric_median", "krum", "distillation",
        "fine_tuning", "ensemble", "soft",
    }  # fmt: skip


@every_method
def test_a_method_tells_what_it_is(name: str) -> None:
    method = find_method(name)
    assert method.needs | method.optional <= set(SEES)
    assert not method.needs & method.optional
    assert method.title
    assert method.summary.endswith(".")
    assert "labels" not in method.needs or "inputs" in method.needs
    for field in method.settings.model_fields.values():
        assert field.title
        assert field.description
        assert field.description.endswith(".")
    assert method.settings() == method.settings()  # every setting has a default
    hash(method.settings())


def test_listing_the_methods_loads_no_torch() -> None:
    code = (
        "import sys; from softmerge_core.methods import available_methods as a; a(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@every_family
@every_method
def test_the_result_is_a_network_like_the_sources_which_stay_as_they_are(name: str, family: str) -> None:
    sources, data, base = sources_of(family), data_for(family), base_of(family, torch.float32)
    seen, random = look([*sources, base]), torch.get_rng_state()
    merged = run(name, family, sources=sources, data=data, base=base)
    assert look([*sources, base]) == seen
    assert torch.equal(torch.get_rng_state(), random)
    assert not merged.training
    assert all(parameter.grad is None for parameter in merged.parameters())
    outputs = predict(merged, data.validation_inputs)
    assert outputs.shape == (SAMPLES, CLASSES)
    assert torch.isfinite(outputs).all()
    assert all(torch.isfinite(value).all() for value in merged.state_dict().values())
    assert not {p.data_ptr() for p in merged.parameters()} & {p.data_ptr() for s in sources for p in s.parameters()}
    if not find_method(name).reference:
        described = {key: (value.shape, value.dtype) for key, value in merged.state_dict().items()}
        assert described == {key: (value.shape, value.dtype) for key, value in sources[0].state_dict().items()}
        assert type(merged) is type(sources[0])


@every_family
@every_method
def test_the_same_seed_gives_the_same_bits_and_any_seed_where_nothing_is_random(name: str, family: str) -> None:
    assert same_bits(run(name, family, seed=0 if find_method(name).random else 6), usual(name, family))


@every_family
@pytest.mark.parametrize("name", [name for name in MERGES if available_methods()[name].idempotent])
def test_identical_sources_give_that_source_back(name: str, family: str) -> None:
    source = sources_of(family, torch.float64)[0]
    merged = run(name, family, torch.float64, sources=[copy.deepcopy(source) for _ in range(COUNT)])
    assert_close(merged, source)


@every_family
@pytest.mark.parametrize("name", [name for name in MERGES if not available_methods()[name].ordered])
def test_the_order_of_the_sources_does_not_matter(name: str, family: str) -> None:
    """In float64, where sums in another order differ by nothing that training could make more of."""
    sources = sources_of(family, torch.float64)
    merged = run(name, family, torch.float64, sources=sources)
    assert_close(run(name, family, torch.float64, sources=[sources[2], sources[0], sources[1]]), merged)


@pytest.mark.parametrize("family", ["mlp", "resnet"])
@every_method
def test_what_a_method_does_not_need_it_does_not_see(name: str, family: str) -> None:
    needs, data = find_method(name).needs | find_method(name).optional, data_for(family)
    poison = data_for(family, seed=99)
    changes: dict[str, Any] = {}
    if "labels" not in needs:
        data = replace(data, train_labels=poison.train_labels, validation_labels=poison.validation_labels)
        assert not torch.equal(data.train_labels, data_for(family).train_labels)
    if "inputs" not in needs:  # BatchNorm's statistics are taken of the training inputs, and of nothing else
        data = replace(data, validation_inputs=poison.validation_inputs)
        data = data if family == "resnet" else poison
    if "base" not in needs:
        changes["base"] = build_network(family, SHAPES[family], CLASSES, seed=7)
    assert same_bits(run(name, family, data=data, **changes), usual(name, family))


@pytest.mark.parametrize("family", ["mlp", "resnet"])
@every_method
def test_without_what_it_does_not_need_a_method_works_too(name: str, family: str) -> None:
    changes: dict[str, Any] = {"base": None} if "base" not in find_method(name).needs else {}
    if not find_method(name).needs & {"inputs", "labels"} and family == "mlp":
        changes["data"] = None
    assert torch.isfinite(predict(run(name, family, **changes), data_for(family).validation_inputs)).all()


@pytest.mark.parametrize("family", ["mlp", "resnet"])
@every_method
def test_asked_to_stop_at_once_a_method_still_gives_a_network(name: str, family: str) -> None:
    merged = run(name, family, should_stop=lambda: True)
    assert torch.isfinite(predict(merged, data_for(family).validation_inputs)).all()


@every_method
def test_two_sources_are_enough_and_an_extreme_one_is_no_crash(name: str) -> None:
    sources = sources_of("mlp")[:2]
    with torch.no_grad():
        for weight in sources[1].parameters():
            weight.mul_(1e8)
    merged = run(name, "mlp", sources=sources)
    assert all(torch.isfinite(value).all() for value in merged.parameters())


def with_nan(network: nn.Module) -> nn.Module:
    with torch.no_grad():
        next(iter(network.parameters())).view(-1)[0] = float("nan")
    return network


@every_method
@pytest.mark.parametrize(
    ("error", "message", "changes"),
    [
        (SourceError, "two or more", lambda: {"sources": sources_of("mlp")[:1]}),
        (SourceError, "two or more", lambda: {"sources": []}),
        (SourceError, "two architectures", lambda: {"sources": [*sources_of("mlp"), *sources_of("cnn1d")]}),
        (SourceError, "source 2.*NaN", lambda: {"sources": [sources_of("mlp")[0], with_nan(sources_of("mlp")[1])]}),
        (SettingsError, "no_such_setting", lambda: {"no_such_setting": 1}),
    ],
)
def test_bad_sources_and_settings_are_refused(
    name: str, error: type[SoftMergeError], message: str, changes: Any
) -> None:
    with pytest.raises(error, match=f"(?s){message}"):
        run(name, "mlp", **changes())


NEED_INPUTS = [name for name in METHODS if "inputs" in available_methods()[name].needs]


@pytest.mark.parametrize("name", NEED_INPUTS)
def test_bad_inputs_are_refused(name: str) -> None:
    good = data_for("mlp")
    with pytest.raises(SettingsError, match="needs inputs"):
        run(name, "mlp", data=None)
    for bad in (
        MergeData(good.train_inputs[:0], good.train_labels[:0], good.validation_inputs, good.validation_labels),
        MergeData(good.train_inputs, good.train_labels, good.validation_inputs[:0], good.validation_labels[:0]),
        replace(good, validation_inputs=good.validation_inputs[:, :4]),
        replace(good, train_inputs=good.train_inputs / 0),
        replace(good, train_inputs=good.train_inputs[:, :4]),
    ):
        with pytest.raises(DataError, match=r"train|validation|inputs"):
            run(name, "mlp", data=bad)


@pytest.mark.parametrize("name", [name for name in METHODS if "labels" in available_methods()[name].needs])
def test_bad_labels_are_refused(name: str) -> None:
    good = data_for("mlp")
    for bad in (good.train_labels + CLASSES, good.train_labels - CLASSES, good.train_labels[1:]):
        with pytest.raises(DataError, match="train labels"):
            run(name, "mlp", data=replace(good, train_labels=bad))
        with pytest.raises(DataError, match="validation labels"):
            run(name, "mlp", data=replace(good, validation_labels=bad))


@pytest.mark.parametrize("name", [name for name in METHODS if "base" in available_methods()[name].needs])
def test_a_base_that_is_missing_or_of_another_kind_is_refused(name: str) -> None:
    with pytest.raises(SourceError, match="needs the base model"):
        run(name, "mlp", base=None)
    with pytest.raises(SourceError, match="base model"):
        run(name, "mlp", base=base_of("cnn1d", torch.float32))
    with pytest.raises(SourceError, match=r"base model.*NaN"):
        run(name, "mlp", base=with_nan(sources_of("mlp")[0]))


@every_merge
def test_batchnorm_needs_inputs_whatever_the_method(name: str) -> None:
    with pytest.raises(SettingsError, match="got no data"):
        run(name, "resnet", data=None)


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(NotFoundError, match="unknown method 'nothing'; expected one of: adamerging"):
        merge("nothing", sources_of("mlp"))
