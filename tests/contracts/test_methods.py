"""The contract of every method in ``softmerge_core/methods``, on every network; a new file is picked up by itself."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import combinations
from typing import Any

import ot  # type: ignore[import-untyped]  # noqa: F401  # draws from Python's global state when it is first imported
import pytest
import torch
from torch import nn

from softmerge_core import MergeData
from softmerge_core.errors import DataError, NotFoundError, SettingsError, SoftMergeError, SourceError
from softmerge_core.evaluation import predict, reestimate_batchnorm
from softmerge_core.figures.style import THEMES, Theme, method_style, method_title
from softmerge_core.methods import Method, available_methods, find_method, merge, soft_fine_tuning
from softmerge_core.methods.base import SEES
from softmerge_core.methods.shared import softly_merged
from softmerge_core.networks import build_network, networks
from softmerge_core.networks.base import Network
from tests.contracts.helpers import (
    global_state,
    is_sentence,
    loaded_after,
    look,
    moved,
    refusal,
    same_bits,
    shuffle_global_randomness,
)
from tests.figures.test_style import BACKGROUNDS, contrast

METHODS = sorted(available_methods())
MERGES = [name for name in METHODS if not available_methods()[name].reference]
CLASSES, COUNT, SAMPLES = 3, 3, 16
QUICK = {"steps": 2, "samples": 8, "epochs": 1, "evaluate_every": 3}
ROOMY = {"vector": (6,), "sequence": (1, 16), "image": (1, 8, 8)}


def shape_of(network: Network) -> tuple[int, ...]:
    """A small shape of the first kind that a network takes."""
    kind, smallest = next(iter(network.takes.items()))
    channels, sizes = ((), ROOMY[kind]) if kind == "vector" else (ROOMY[kind][:1], ROOMY[kind][1:])
    return (*channels, *(max(size, smallest) for size in sizes))


SHAPES = {name: shape_of(network) for name, network in networks().items()}
every_method = pytest.mark.parametrize("name", METHODS)
every_merge = pytest.mark.parametrize("name", MERGES)
every_family = pytest.mark.parametrize("family", SHAPES)


@pytest.fixture(scope="module", autouse=True)
def short_start() -> Iterator[None]:
    """The soft merge with which a method begins is short too: its steps (2,000 in all) are no setting of the method."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(soft_fine_tuning, "softly_merged", partial(softly_merged, steps=QUICK["steps"]))
        yield


def quick(method: Method) -> dict[str, int]:
    """Settings that make a method short, where it has them."""
    return {key: value for key, value in QUICK.items() if key in method.settings.model_fields}


@cache
def base_of(family: str, dtype: torch.dtype = torch.float32) -> nn.Module:
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
    try:
        return merge(name, **(arguments | changes))
    except SoftMergeError:
        raise
    except Exception as error:
        needs = sorted(find_method(name).needs) or "nothing"
        told = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise AssertionError(f"method {name!r} on {family!r}, which says it needs {needs}, fails: {told}") from error


@dataclass(frozen=True)
class Outcome:
    """A merge of the usual material, whether it left the sources and the base as they were, and what it moved."""

    merged: nn.Module
    sources: list[nn.Module]
    sources_untouched: bool
    moved: str


@cache
def usual(name: str, family: str, dtype: torch.dtype = torch.float32) -> Outcome:
    """The method on the usual material, run once for all tests."""
    sources, base = sources_of(family, dtype), base_of(family, dtype)
    shuffle_global_randomness()
    seen, state = look([*sources, base]), global_state()
    try:
        merged = run(name, family, dtype, sources=sources, base=base)
    finally:
        changed = moved(state)
    return Outcome(merged, sources, look([*sources, base]) == seen, changed)


def assert_close(first: nn.Module, second: nn.Module, sentence: str) -> None:
    for (key, ours), theirs in zip(first.named_parameters(), second.parameters(), strict=True):
        near = torch.allclose(ours, theirs, rtol=1e-6, atol=1e-8)
        assert near, f"{sentence}: {key} is off by {(ours - theirs).abs().max():.2g}"


def test_the_methods_of_the_paper_and_around_it_are_there() -> None:
    missing = {
        "average", "weighted_average", "greedy_soup", "learned_soup", "slerp", "task_arithmetic", "ties", "dare",
        "adamerging", "fisher", "regmean", "median", "trimmed_mean", "geometric_median", "krum", "distillation",
        "fine_tuning", "ensemble", "soft", "soft_unlabelled", "soft_fine_tuning", "transport", "distillation_anew",
        "fine_tuned_source",
    } - set(METHODS)  # fmt: skip
    assert not missing, f"methods that ship are not found: {sorted(missing)}"


@every_method
def test_it_says_what_it_is(name: str) -> None:
    method = find_method(name)
    assert method.title, f"method {name!r} has no title"
    assert len(method.short or method.title) <= 24, f"method {name!r}: expected a short title of at most 24 letters"
    assert is_sentence(method.summary), f"method {name!r}: expected a summary, one sentence, got {method.summary!r}"
    assert isinstance(method.paper, str), f'method {name!r}: expected its paper in words, or "" where there is none'
    strange = (method.needs | method.optional) - set(SEES)
    assert not strange, f"method {name!r}: unknown needs {sorted(strange)}; expected of {sorted(SEES)}"
    twice = method.needs & method.optional
    assert not twice, f"method {name!r}: {sorted(twice)} cannot be both needed and optional"
    alone = "labels" in method.needs and "inputs" not in method.needs
    assert not alone, f"method {name!r} needs labels; expected it to need inputs too"


@every_method
def test_its_settings_make_a_form(name: str) -> None:
    settings = find_method(name).settings
    for key, field in settings.model_fields.items():
        assert field.title, f"method {name!r}: setting {key!r} has no label"
        help = field.description or ""
        assert help.endswith("."), f"method {name!r}: setting {key!r} needs a help of one sentence, got {help!r}"
        assert not field.is_required(), f"method {name!r}: setting {key!r} has no default"
    assert settings() == settings(), f"method {name!r}: its default settings differ from one time to the next"
    hash(settings())


def test_titles_tell_methods_apart() -> None:
    for short in (False, True):
        titles = [method_title(name, short=short) for name in [*METHODS, "best_source"]]
        twice = {title for title in titles if titles.count(title) > 1}
        assert not twice, f"two methods have one title: {sorted(twice)}"


@pytest.mark.parametrize("theme", THEMES)
def test_no_two_methods_look_alike_and_all_can_be_seen(theme: Theme) -> None:
    styles = {name: method_style(name, theme) for name in [*METHODS, "best_source"]}
    for first, second in combinations(styles, 2):
        assert styles[first] != styles[second], f"methods {first!r} and {second!r} look alike: {styles[first]}"
    for name, style in styles.items():
        for background in BACKGROUNDS[theme]:
            ratio = contrast(style.color, background)
            assert ratio >= 3, f"method {name!r}: {style.color} has a contrast of {ratio:.2f}:1, below 3:1"


def test_listing_the_methods_loads_no_torch() -> None:
    loaded = loaded_after("from softmerge_core.methods import available_methods\navailable_methods()")
    assert "torch" not in loaded, "listing the methods loads torch; import it inside the functions that use it"


@every_family
@every_method
def test_it_gives_a_network_like_the_sources_which_stay_as_they_are(name: str, family: str) -> None:
    outcome = usual(name, family)
    who, merged = f"method {name!r} on {family!r}", outcome.merged
    assert outcome.sources_untouched, f"{who} changes the sources or the base model; expected them as they were"
    assert not outcome.moved, f"{who} changes {outcome.moved}; use material.generator, leave what is global alone"
    assert not merged.training, f"{who}: expected a network in evaluation mode"
    assert all(parameter.grad is None for parameter in merged.parameters()), f"{who} leaves gradients behind"
    frozen = [key for key, parameter in merged.named_parameters() if not parameter.requires_grad]
    assert not frozen, f"{who}: {frozen} cannot be trained further; expected requires_grad as in the sources"
    outputs = predict(merged, data_for(family).validation_inputs)
    assert outputs.shape == (SAMPLES, CLASSES), f"{who}: expected outputs {(SAMPLES, CLASSES)}, got {outputs.shape}"
    assert torch.isfinite(outputs).all(), f"{who}: the merged network's outputs are not finite"
    broken = [key for key, value in merged.state_dict().items() if not torch.isfinite(value).all()]
    assert not broken, f"{who}: {broken} are not finite"
    held = {parameter.data_ptr() for source in outcome.sources for parameter in source.parameters()}
    shared = [key for key, parameter in merged.named_parameters() if parameter.data_ptr() in held]
    assert not shared, f"{who}: {shared} share memory with a source"
    if not find_method(name).reference:
        first = outcome.sources[0]
        assert type(merged) is type(first), f"{who}: expected a {type(first).__name__}, got {type(merged).__name__}"
        expected, got = ({k: (v.shape, v.dtype) for k, v in n.state_dict().items()} for n in (first, merged))
        assert got == expected, f"{who}: expected the sources' shapes and types, got {got}"


@every_family
@every_method
def test_its_seed_and_what_it_says_it_needs_decide_every_bit(name: str, family: str) -> None:
    """All it does not need is changed, and the seed where it says that nothing is random."""
    method, changes = find_method(name), {}
    needs, data, other = method.needs | method.optional, data_for(family), data_for(family, seed=99)
    if "labels" not in needs:
        data = replace(data, train_labels=other.train_labels, validation_labels=other.validation_labels)
    if "inputs" not in needs:  # BatchNorm's statistics are taken of the training inputs, and of nothing else
        data = replace(data, validation_inputs=other.validation_inputs)
        data = data if has_statistics(base_of(family)) else other
    if "base" not in needs:
        changes["base"] = build_network(family, SHAPES[family], CLASSES, seed=7)
    seed = 0 if method.random else 6
    if not same_bits(run(name, family, data=data, seed=seed, **changes), usual(name, family).merged):
        again = same_bits(run(name, family), usual(name, family).merged)
        assert again, f"method {name!r} on {family!r}: the same seed gives different weights each time"
        same = same_bits(run(name, family, seed=seed), usual(name, family).merged)
        assert same, f"method {name!r} on {family!r} depends on the seed; declare random=True"
        raise AssertionError(f"method {name!r} on {family!r} sees more than it needs ({sorted(needs) or 'nothing'})")


@every_method
def test_what_it_says_it_needs_makes_a_difference(name: str) -> None:
    """What has no effect, whatever it is, is not needed; and where a method is random, another seed has one."""
    method, data = find_method(name), data_for("mlp")
    always = {"granularity": "layer"} if "granularity" in method.settings.model_fields else {}  # not the best of many
    first = run(name, "mlp", **always)
    for claim in (*sorted(method.needs), *(["seed"] if method.random else [])):
        found = (run(name, "mlp", **always, **other_material(claim, data, seed)) for seed in range(90, 98))
        assert any(not same_bits(first, other) for other in found), (
            f"method {name!r} gives the same weights for any {claim}: do not declare that it needs it, or is random"
        )


def other_material(what: str, data: MergeData, seed: int) -> dict[str, Any]:
    """The arguments of ``merge`` that put other numbers in the place of what a method says it needs."""
    if what == "seed":
        return {"seed": seed}
    if what == "base":
        return {"base": build_network("mlp", SHAPES["mlp"], CLASSES, seed=seed)}
    drawn = data_for("mlp", seed=seed)
    fields = [f"{split}_{what}" for split in ("train", "validation")]
    return {"data": replace(data, **{field: getattr(drawn, field) for field in fields})}


@every_method
def test_tensors_that_no_source_has_changed_are_no_crash(name: str) -> None:
    """Sources that share frozen layers, and one that is the base model itself."""
    base, sources = base_of("mlp"), sources_of("mlp")
    with torch.no_grad():
        for source in sources:
            next(source.parameters()).copy_(next(base.parameters()))
        sources[1].load_state_dict(base.state_dict())
    merged = run(name, "mlp", sources=sources)
    broken = [key for key, value in merged.state_dict().items() if not torch.isfinite(value).all()]
    assert not broken, f"method {name!r}: where sources are as the base model, {broken} of the merge are not finite"


@every_merge
def test_its_batchnorm_statistics_are_those_of_the_merged_weights(name: str) -> None:
    merged, fresh = usual(name, "resnet").merged, copy.deepcopy(usual(name, "resnet").merged)
    reestimate_batchnorm(fresh, data_for("resnet").train_inputs)
    for (key, got), expected in zip(merged.named_buffers(), fresh.buffers(), strict=True):
        near = torch.allclose(got.double(), expected.double(), rtol=1e-3, atol=1e-5) or "num_batches" in key
        assert near, f"method {name!r}: {key} is stale; return material.network(...) or material.refreshed(...)"


LONG = sorted(name for name in METHODS if {"steps", "epochs"} & set(find_method(name).settings.model_fields))


@pytest.mark.parametrize("name", LONG)
def test_it_asks_whether_to_stop_and_then_does(name: str) -> None:
    asked: list[bool] = []

    def should_stop() -> bool:
        asked.append(len(asked) >= 2)
        return asked[-1]

    many = {key: 200 for key in ("steps", "epochs") if key in find_method(name).settings.model_fields}
    run(name, "mlp", should_stop=should_stop, **many)
    assert asked, f"method {name!r} never asks `should_stop`: whoever presses Stop would wait for its end"
    assert len(asked) < 20, f"method {name!r} goes on after it was told to stop: it asked {len(asked)} times"


def has_statistics(network: nn.Module) -> bool:
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules())


def test_what_is_not_needed_is_really_changed() -> None:
    first, other = data_for("mlp"), data_for("mlp", seed=99)
    assert not torch.equal(first.train_labels, other.train_labels)
    assert not torch.equal(first.validation_inputs, other.validation_inputs)
    assert has_statistics(base_of("resnet"))


@every_family
@pytest.mark.parametrize("name", [name for name in MERGES if available_methods()[name].idempotent])
def test_identical_sources_give_that_source_back(name: str, family: str) -> None:
    source = sources_of(family, torch.float64)[0]
    merged = run(name, family, torch.float64, sources=[copy.deepcopy(source) for _ in range(COUNT)])
    assert_close(
        merged, source, f"method {name!r} on {family!r} changes identical sources; else declare idempotent=False"
    )


@every_family
@pytest.mark.parametrize("name", [name for name in MERGES if not available_methods()[name].ordered])
def test_the_order_of_the_sources_does_not_matter(name: str, family: str) -> None:
    """In float64, where sums in another order differ by nothing that training could make more of."""
    sources = sources_of(family, torch.float64)
    turned = run(name, family, torch.float64, sources=[sources[2], sources[0], sources[1]])
    sentence = f"method {name!r} on {family!r} depends on the order of the sources; declare ordered=True"
    assert_close(turned, usual(name, family, torch.float64).merged, sentence)


@pytest.mark.parametrize("family", ["mlp", "resnet"])
@every_method
def test_without_what_it_does_not_need_it_works_too(name: str, family: str) -> None:
    changes: dict[str, Any] = {"base": None} if "base" not in find_method(name).needs else {}
    if not find_method(name).needs & {"inputs", "labels"} and family == "mlp":
        changes["data"] = None
    try:
        outputs = predict(run(name, family, **changes), data_for(family).validation_inputs)
    except (SoftMergeError, AttributeError, TypeError, AssertionError) as error:
        raise AssertionError(f"method {name!r} fails without {sorted(changes)}; declare its needs: {error}") from error
    assert torch.isfinite(outputs).all(), f"method {name!r} without {sorted(changes)}: outputs are not finite"


@pytest.mark.parametrize("family", ["mlp", "resnet"])
@every_method
def test_asked_to_stop_at_once_it_still_gives_a_network(name: str, family: str) -> None:
    outputs = predict(run(name, family, should_stop=lambda: True), data_for(family).validation_inputs)
    assert torch.isfinite(outputs).all(), f"method {name!r}, stopped at once: expected finite outputs"


@every_method
def test_two_sources_are_enough_and_an_extreme_one_is_no_crash(name: str) -> None:
    sources = sources_of("mlp")[:2]
    with torch.no_grad():
        for weight in sources[1].parameters():
            weight.mul_(1e8)
    merged = run(name, "mlp", sources=sources)
    finite = all(torch.isfinite(value).all() for value in merged.parameters())
    assert finite, f"method {name!r}: beside a source with weights times 1e8, the merged weights are not finite"


def with_nan(network: nn.Module) -> nn.Module:
    with torch.no_grad():
        next(iter(network.parameters())).view(-1)[0] = float("nan")
    return network


BAD: dict[str, tuple[type[SoftMergeError], str, Callable[[], dict[str, Any]]]] = {
    "one source": (SourceError, "two or more", lambda: {"sources": sources_of("mlp")[:1]}),
    "no sources": (SourceError, "two or more", lambda: {"sources": []}),
    "a source that reads other inputs": (
        SoftMergeError,
        "two architectures|'source 4' cannot read inputs",
        lambda: {"sources": [*sources_of("mlp"), *sources_of("cnn1d")]},
    ),
    "a source with NaN": (
        SourceError,
        "source 2.*NaN",
        lambda: {"sources": [sources_of("mlp")[0], with_nan(sources_of("mlp")[1])]},
    ),
    "an unknown setting": (SettingsError, "no_such_setting", lambda: {"no_such_setting": 1}),
}


@every_method
@pytest.mark.parametrize("what", BAD)
def test_bad_sources_and_settings_are_refused(name: str, what: str) -> None:
    error, words, changes = BAD[what]
    with refusal(error, words, f"method {name!r}: {what}"):
        run(name, "mlp", **changes())


IMAGES = (1, 8, 8)
MIXED = {"widths": ("mlp", "mlp_wide"), "architectures": ("vgg", "mlp")}  # pairs, and how far one must reach for them


def mixed_sources(pair: str) -> list[nn.Module]:
    return [build_network(network, IMAGES, CLASSES, seed).eval() for seed, network in enumerate(MIXED[pair])]


def merged_across(name: str, pair: str, **changes: Any) -> nn.Module:
    """The method on two sources of two architectures, with samples that both read."""
    generator = torch.Generator().manual_seed(2)
    images, labels = torch.randn(SAMPLES, *IMAGES, generator=generator), torch.arange(SAMPLES) % CLASSES
    arguments = {"sources": mixed_sources(pair), "data": MergeData(images, labels, images, labels)}
    return merge(name, **(arguments | quick(find_method(name)) | {"names": ("first", "second")} | changes))


def reaches(name: str, pair: str) -> bool:
    """Whether a method says that it takes the sources of a pair."""
    return (
        find_method(name).across in {"widths": ("widths", "architectures"), "architectures": ("architectures",)}[pair]
    )


@every_method
@pytest.mark.parametrize("pair", MIXED)
@pytest.mark.parametrize("target", [0, 1])
def test_sources_of_two_architectures_are_merged_into_either_or_refused_by_name(
    name: str, pair: str, target: int
) -> None:
    who, sources = f"method {name!r} on {MIXED[pair]}", mixed_sources(pair)
    if not reaches(name, pair):
        with refusal(SourceError, r"sources '(first|second)' and .+ are of two architectures: .+ in the first", who):
            merged_across(name, pair, sources=sources, target=target, base=sources[0])
        return
    seen = look(sources)
    merged = merged_across(name, pair, sources=sources, target=target)
    assert look(sources) == seen, f"{who} changes the sources"
    assert torch.isfinite(predict(merged, torch.zeros(2, *IMAGES))).all(), f"{who}: outputs are not finite"
    if not find_method(name).reference:
        expected, got = ({k: v.shape for k, v in n.state_dict().items()} for n in (sources[target], merged))
        assert type(merged) is type(sources[target]), f"{who}: expected a {type(sources[target]).__name__}"
        assert got == expected, f"{who}: expected the target's shapes, got {got}"


@pytest.mark.parametrize("name", [name for name in METHODS if available_methods()[name].across == "architectures"])
def test_sources_that_tell_other_classes_are_refused_by_name(name: str) -> None:
    sources = [build_network("vgg", IMAGES, CLASSES, 0), build_network("mlp", IMAGES, CLASSES + 2, 1)]
    told = f"'first' and 'second' are of two architectures, and the first tells {CLASSES} classes, the second"
    with refusal(SourceError, told, f"method {name!r} on sources of {CLASSES} and {CLASSES + 2} classes"):
        merged_across(name, "architectures", sources=sources)


@pytest.mark.parametrize("name", [name for name in METHODS if available_methods()[name].across])
def test_a_target_is_one_of_the_sources(name: str) -> None:
    with refusal(SettingsError, "target: expected 0 to 2, got 3", f"method {name!r} with a target that is not there"):
        run(name, "mlp", target=3)


@pytest.mark.parametrize("name", [name for name in METHODS if "inputs" in available_methods()[name].needs])
def test_bad_inputs_are_refused(name: str) -> None:
    good = data_for("mlp")
    with refusal(SettingsError, "needs inputs", f"method {name!r}: no data"):
        run(name, "mlp", data=None)
    bad = {
        "no training samples": replace(good, train_inputs=good.train_inputs[:0], train_labels=good.train_labels[:0]),
        "no validation samples": replace(
            good, validation_inputs=good.validation_inputs[:0], validation_labels=good.validation_labels[:0]
        ),
        "validation inputs of another shape": replace(good, validation_inputs=good.validation_inputs[:, :4]),
        "inputs that are not finite": replace(good, train_inputs=good.train_inputs / 0),
        "training inputs of another shape": replace(good, train_inputs=good.train_inputs[:, :4]),
    }
    for what, data in bad.items():
        with refusal(DataError, r"train|validation|inputs", f"method {name!r}: {what}"):
            run(name, "mlp", data=data)


@pytest.mark.parametrize("name", [name for name in METHODS if "labels" in available_methods()[name].needs])
def test_bad_labels_are_refused(name: str) -> None:
    good = data_for("mlp")
    for what, labels in {
        "labels above the classes": good.train_labels + CLASSES,
        "negative labels": good.train_labels - CLASSES,
        "fewer labels than inputs": good.train_labels[1:],
    }.items():
        for split in ("train", "validation"):
            with refusal(DataError, f"{split} labels", f"method {name!r}: {what} in the {split} split"):
                run(name, "mlp", data=replace(good, **{f"{split}_labels": labels}))


@pytest.mark.parametrize("name", [name for name in METHODS if "base" in available_methods()[name].needs])
def test_a_base_that_is_missing_or_of_another_kind_is_refused(name: str) -> None:
    with refusal(SourceError, "needs the base model", f"method {name!r}: no base model"):
        run(name, "mlp", base=None)
    with refusal(SourceError, "base model", f"method {name!r}: a base model of another architecture"):
        run(name, "mlp", base=base_of("cnn1d"))
    with refusal(SourceError, r"base model.*NaN", f"method {name!r}: a base model with NaN"):
        run(name, "mlp", base=with_nan(sources_of("mlp")[0]))


@every_merge
def test_batchnorm_needs_inputs_whatever_the_method(name: str) -> None:
    with refusal(SettingsError, "got no data", f"method {name!r}: BatchNorm without data"):
        run(name, "resnet", data=None)


def test_an_unknown_method_is_named() -> None:
    with pytest.raises(NotFoundError, match="unknown method 'nothing'; expected one of: adamerging"):
        merge("nothing", sources_of("mlp"))
