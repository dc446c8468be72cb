"""The spec of a comparison: what is refused before any work, and which methods are compared."""

from typing import Any

import pytest

from softmerge_core.errors import ArchitectureError, NotFoundError, SettingsError, SourceError
from softmerge_core.experiments import experiment
from softmerge_core.experiments.compare.spec import CompareSpec, MethodChoice, chosen, needs, numbers, plan, planned
from softmerge_core.methods import available_methods
from softmerge_core.settings import DataSpec, SourceSpec, parse
from softmerge_core.zoo import families

MOONS = tuple(SourceSpec(model=f"moons-mlp-label-noise/source-{number}") for number in (1, 2, 3))


def compare_spec(**fields: Any) -> CompareSpec:
    methods = tuple(MethodChoice(method=name) for name in ("average", "median", "krum"))
    return CompareSpec(**{"sources": MOONS, "data": DataSpec(dataset="moons"), "methods": methods, **fields})


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"sources": MOONS[:1]}, SourceError, "expected two or more sources, got 1"),
        ({"methods": (MethodChoice(method="magic"),)}, NotFoundError, "unknown method 'magic'"),
        (
            {"methods": (MethodChoice(method="average", settings={"no": 1}),)},
            SettingsError,
            "settings of Plain average",
        ),
        ({"methods": (MethodChoice(method="average"),) * 2}, SettingsError, "named twice"),
        ({"base": "nothing/at-all"}, NotFoundError, "unknown model"),
        ({"data": DataSpec(dataset="moons", validation_samples=0)}, Exception, "no validation data"),
    ],
)
def test_what_is_wrong_is_refused_before_any_work(fields: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        experiment("compare").check(compare_spec(**fields))


def test_no_methods_named_means_all_that_take_so_many_sources() -> None:
    names = [choice.method for choice in chosen(CompareSpec(sources=MOONS))]
    assert names == [m.name for m in available_methods().values() if m.sources is None or m.sources >= 3]


def test_methods_keep_the_order_of_all_methods_whatever_the_order_of_the_spec() -> None:
    choices = tuple(MethodChoice(method=name) for name in reversed(available_methods()))
    assert planned(CompareSpec(sources=MOONS[:2], methods=choices)) == list(available_methods())
    assert planned(CompareSpec(sources=MOONS, methods=choices[:3])) == list(available_methods())[-3:]


def test_inputs_that_alignment_or_repair_looked_at_are_needed_too() -> None:
    assert needs(compare_spec(), "average") == []
    assert needs(compare_spec(align="activations"), "average") == ["inputs"]
    assert needs(compare_spec(repair=True), "average") == ["inputs"]
    assert needs(compare_spec(repair=True), "ensemble") == sorted(available_methods()["ensemble"].needs)


def test_inputs_for_batchnorm_are_told_as_well() -> None:
    family = families()["digits-resnet-specialists"]
    sources = tuple(SourceSpec(model=f"{family.name}/{model.name}") for model in family.models[:2])
    spec = CompareSpec(sources=sources, data=DataSpec(dataset=family.dataset))
    assert needs(spec, "average") == ["inputs"]
    assert needs(spec, "ensemble") == sorted(available_methods()["ensemble"].needs)
    gone = CompareSpec(sources=(SourceSpec(model="library/gone"), *sources))
    assert needs(gone, "median") == ["inputs"]


VGG, VIT = (SourceSpec(model=f"digits-{name}/source-1") for name in ("vgg-label-noise", "vit-shared-trunk"))
WIDTHS = tuple(SourceSpec(model=f"spirals-mlp-{name}/source-1") for name in ("shared-trunk", "wide"))


def mixed_spec(*methods: str, **fields: Any) -> CompareSpec:
    choices = tuple(MethodChoice(method=name) for name in methods)
    return CompareSpec(**{"sources": (VGG, VIT), "data": DataSpec(dataset="digits"), "methods": choices, **fields})


def test_sources_of_two_architectures_are_merged_by_all_that_can() -> None:
    across = ["distillation", "distillation_anew", "ensemble", "fine_tuned_source"]
    experiment("compare").check(mixed_spec())
    assert planned(mixed_spec()) == across
    widths = mixed_spec(sources=WIDTHS, data=DataSpec(dataset="spirals"))
    experiment("compare").check(widths)
    assert planned(widths) == [*across, "transport"]


@pytest.mark.parametrize("name", [name for name, method in available_methods().items() if not method.across])
def test_a_method_that_cannot_work_across_architectures_is_refused_with_both_sources(name: str) -> None:
    told = (
        f"{available_methods()[name].title} cannot merge sources .*vgg.* and .*vit.*, of the architectures vgg and vit"
    )
    with pytest.raises(ArchitectureError, match=told):
        experiment("compare").check(mixed_spec("ensemble", name))


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"methods": (MethodChoice(method="transport"),)}, ArchitectureError, "Optimal transport cannot merge"),
        ({"align": "weights"}, ArchitectureError, "cannot be aligned first: sources .*vgg.* and .*vit"),
        ({"target": "digits-vit-shared-trunk/source-2"}, SettingsError, "target: expected one of the sources, got"),
        ({"sources": (VGG, *WIDTHS)}, SourceError, "cannot be merged: the input shape of the first is"),
    ],
)
def test_what_several_architectures_cannot_have_is_refused(
    fields: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        experiment("compare").check(mixed_spec(**fields))


def test_a_target_that_is_chosen_by_labels_needs_them() -> None:
    spec = mixed_spec(sources=WIDTHS, data=DataSpec(dataset="spirals"))
    assert needs(spec, "transport") == ["inputs", "labels"]
    assert needs(spec.model_copy(update={"target": WIDTHS[0].model}), "transport") == []


LEARNING = (MethodChoice(method="average"), MethodChoice(method="greedy_soup"), MethodChoice(method="soft"))


def test_a_comparison_without_numbers_of_labels_is_as_it_was() -> None:
    spec = compare_spec(methods=LEARNING, seeds=2)
    assert spec.labels == ()
    assert [(task.choice.method, task.seed, task.labels) for task in plan(spec)] == [
        ("average", 0, 0), ("greedy_soup", 0, 0), ("soft", 0, 0), ("soft", 1, 0),
    ]  # fmt: skip


def test_what_looks_at_labels_merges_with_each_number_and_seed_after_the_whole_comparison() -> None:
    spec = compare_spec(methods=LEARNING, seeds=2, labels=(50, 20))
    few = [(task.choice.method, task.seed, task.labels) for task in plan(spec)][4:]
    assert few == [(name, seed, n) for seed in (0, 1) for n in (20, 50) for name in ("greedy_soup", "soft")]


def test_numbers_of_labels_in_another_order_or_twice_lead_to_the_same_run() -> None:
    spec = compare_spec(methods=LEARNING, labels=(50, 20, 50))
    assert numbers(spec) == (20, 50)
    assert spec.settled() == compare_spec(methods=LEARNING, labels=(20, 50)).settled()


@pytest.mark.parametrize(
    ("labels", "words"),
    [((19,), "expected at least 20, got 19"), (("few",), "expected a whole number"), ((20,) * 9, "at most 8 of them")],
)
def test_numbers_of_labels_are_few_whole_numbers(labels: tuple[Any, ...], words: str) -> None:
    with pytest.raises(SettingsError, match=f"Numbers of labels .*{words}|labels.*{words}"):
        parse(CompareSpec, {"labels": labels}, "spec")


def test_there_must_be_so_many_samples_and_a_method_that_looks_at_them() -> None:
    data = DataSpec(dataset="moons", train_samples=30, validation_samples=12)
    experiment("compare").check(compare_spec(methods=LEARNING, labels=(20, 42), data=data))
    with pytest.raises(SettingsError, match="at most the 42 training and validation samples, got 43"):
        experiment("compare").check(compare_spec(methods=LEARNING, labels=(20, 43), data=data))
    with pytest.raises(SettingsError, match="expected a method that looks at labels, got none"):
        experiment("compare").check(compare_spec(labels=(20,)))
