"""How far the architectures of sources lie apart, as manifests tell it."""

from pathlib import Path

import pytest

from softmerge_core.experiments.kinds import apart, can_merge, first_two, networks_of
from softmerge_core.methods import find_method
from softmerge_core.settings import SourceSpec

MLP, WIDE, OTHER_MLP = (
    "spirals-mlp-shared-trunk/source-1",
    "spirals-mlp-wide/source-1",
    "moons-mlp-label-noise/source-1",
)
VGG, VIT = "digits-vgg-label-noise/source-1", "digits-vit-shared-trunk/source-1"


def specs(*models: str) -> list[SourceSpec]:
    return [SourceSpec(model=model) for model in models]


def test_networks_are_those_of_the_manifests_and_unknown_for_files_and_what_is_gone(tmp_path: Path) -> None:
    (tmp_path / "net.safetensors").touch()
    models = (VGG, "library/gone", str(tmp_path / "net.safetensors"), "nobody/nowhere")
    assert networks_of(specs(*models)) == ["vgg", "", "", ""]


@pytest.mark.parametrize(
    ("models", "expected"),
    [
        ((MLP, OTHER_MLP), ""),
        ((MLP, "library/gone"), ""),
        ((MLP, WIDE), "widths"),
        ((VGG, VIT), "architectures"),
        ((MLP, WIDE, VGG), "architectures"),
        ((), ""),
    ],
)
def test_sources_differ_in_nothing_in_widths_or_in_architectures(models: tuple[str, ...], expected: str) -> None:
    assert apart(specs(*models)) == expected


@pytest.mark.parametrize(
    ("name", "reach"),
    [("average", [True, False, False]), ("transport", [True, True, False]), ("distillation", [True, True, True])],
)
def test_a_method_takes_what_it_says_and_all_that_differs_less(name: str, reach: list[bool]) -> None:
    assert [can_merge(find_method(name), far) for far in ("", "widths", "architectures")] == reach


def test_the_first_two_of_two_architectures_are_named() -> None:
    assert first_two(specs(VGG, VGG, VIT)) == f"sources {VGG!r} and {VIT!r}, of the architectures vgg and vit"
