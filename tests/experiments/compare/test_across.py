"""Sources of several architectures in words."""

from typing import Any

from softmerge_core.experiments.compare.across import STUDENTS, gained, possible
from softmerge_core.experiments.compare.spec import CompareSpec, MethodChoice
from softmerge_core.methods import available_methods
from softmerge_core.settings import DataSpec, SourceSpec
from softmerge_core.statistics import pack

N, SIDES = 1000, ("below", "above")
VGG, VIT = "digits-vgg-label-noise/source-1", "digits-vit-shared-trunk/source-1"
MLP, WIDE = "spirals-mlp-shared-trunk/source-1", "spirals-mlp-wide/source-1"


def spec_of(*models: str, **fields: Any) -> CompareSpec:
    sources = tuple(SourceSpec(model=model) for model in models)
    return CompareSpec(sources=sources, data=DataSpec(dataset="digits"), **fields)


def row(method: str, right: int) -> dict[str, Any]:
    accuracy = {"mean": right / N, "values": [right / N], "samples": N}
    return {"method": method, "accuracy": accuracy, "correct": [pack(number < right for number in range(N))]}


def test_what_can_be_done_is_said_only_of_sources_of_several_architectures() -> None:
    assert possible(spec_of(VGG, VGG).sources) == ""
    said = possible(spec_of(VGG, VIT, VGG).sources)
    assert said.startswith(
        "The sources are 2 vgg and 1 vit. Weights of different architectures cannot be averaged, and "
    )
    assert "optimal transport bridges only widths; distillation can learn from all of them" in said
    assert "takes labels, and the time and memory of training" in said
    assert said.endswith(f"So only 4 of {len(available_methods())} ways to merge can run.")


def test_of_two_widths_it_is_said_that_transport_maps_them() -> None:
    said = possible(spec_of(MLP, WIDE).sources)
    assert "The sources are 1 mlp and 1 mlp_wide. They have the same layers, of other widths: optimal transport" in said
    assert said.endswith(f"So only 5 of {len(available_methods())} ways to merge can run.")


def test_distillation_is_compared_with_the_same_training_without_teachers() -> None:
    rows = [row("distillation", 900), row("distillation_anew", 700), row("fine_tuned_source", 800)]
    said = gained(spec_of(VGG, VIT), rows)
    control = "the same source fine-tuned without the others."
    assert said == (
        f"Into the architecture of the best source: Distillation is 10.0\u00a0points above {control} "
        f"Distillation from scratch is 10.0\u00a0points below {control}"
    )
    assert gained(spec_of(VGG, VGG), rows) == ""
    assert gained(spec_of(VGG, VIT), rows[:2]) == ""


def test_no_gain_is_told_where_there_is_none() -> None:
    said = gained(spec_of(VGG, VIT), [row("distillation", 801), row("fine_tuned_source", 800)])
    assert "Distillation cannot be told apart from the same source fine-tuned without the others on 1,000 test" in said
    both = gained(spec_of(VGG, VIT), [row(name, 800) for name in (*STUDENTS, "fine_tuned_source")])
    assert "Distillation and Distillation from scratch cannot be told apart from the same source" in both


def test_a_control_with_another_training_is_called_so() -> None:
    named = [MethodChoice(method="distillation", settings={"steps": 20}), MethodChoice(method="fine_tuned_source")]
    rows = [row("distillation", 900), row("fine_tuned_source", 800)]
    assert "without the others (with another training)." in gained(spec_of(VGG, VIT, methods=tuple(named)), rows)
    same = [choice.model_copy(update={"settings": {"steps": 20}}) for choice in named]
    assert "another training" not in gained(spec_of(VGG, VIT, methods=tuple(same)), rows)


def test_transport_is_compared_with_the_source_that_it_maps_to() -> None:
    names = {"source-1 (mlp)": 750, "source-1 (mlp_wide)": 950, "best_source": 950, "transport": 850}
    rows = [row(name, right) for name, right in names.items()]
    below, above = (f"Optimal transport is 10.0\u00a0points {side} the source that it maps to." for side in SIDES)
    into_best = "Into the architecture of the best source"
    assert gained(spec_of(MLP, WIDE), rows) == f"{into_best}, Source 1 (mlp_wide): {below}"
    assert gained(spec_of(MLP, WIDE), [*rows, row("source-2 (mlp)", 950)]) == f"{into_best}: {below}"
    assert gained(spec_of(MLP, WIDE, target=MLP), rows) == f"Into the architecture of Source 1 (mlp): {above}"


def test_a_target_whose_name_another_source_has_too_is_found_by_its_number() -> None:
    other = "spirals-mlp-independent/source-1"
    names = {"source-1 (mlp)": 700, "source-1 (mlp) (2)": 750, "transport": 850}
    said = gained(spec_of(MLP, other, WIDE, target=other), [row(name, right) for name, right in names.items()])
    assert said.startswith("Into the architecture of Source 1 (mlp) (2): Optimal transport is 10.0\u00a0points above ")
