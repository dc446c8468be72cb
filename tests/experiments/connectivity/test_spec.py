"""Connectivity specs: what is refused before any work, and the order of the tasks."""

from typing import Any

import pytest

from softmerge_core.errors import SettingsError, SoftMergeError, SourceError
from softmerge_core.experiments import experiment
from softmerge_core.experiments.connectivity.spec import curve_is_corner, plan
from softmerge_core.settings import AttackSettings, DataSpec, SourceSpec
from tests.experiments.connectivity.library import SPIRALS, spec


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"sources": SPIRALS[:1]}, SourceError, "two or more"),
        ({"sources": (*SPIRALS, SourceSpec(model="spirals-mlp-independent/source-4"))}, SourceError, "two or three"),
        ({"sources": (*SPIRALS[:2], SPIRALS[0])}, SourceError, "chosen twice"),
        (
            {"sources": (SPIRALS[0], SourceSpec(model="moons-mlp-label-noise/source-1"))},
            SoftMergeError,
            "cannot be merged",
        ),
        ({"sources": (SPIRALS[0], SourceSpec(model="nobody/nowhere"))}, SoftMergeError, "unknown model"),
        ({"data": DataSpec(dataset="mnist1d")}, SoftMergeError, "expects"),
        ({"overlays": ()}, SettingsError, "one or more"),
        ({"overlays": ("plain", "plain")}, SettingsError, "each once"),
        (
            {"sources": (SPIRALS[0], SPIRALS[1].model_copy(update={"attack": AttackSettings(kind="nan")}))},
            SourceError,
            "not finite",
        ),
    ],
)
def test_what_is_wrong_is_refused_before_any_work(fields: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        experiment("connectivity").check(spec(**fields))


def test_what_stands_at_the_top_of_the_page_is_worked_on_first() -> None:
    paths, strip = ["path:plain", "start:0", "start:1"], ["strip:a", "strip:average", "strip:soft", "strip:b"]
    rows = ["rows:0", "rows:2", "rows:4", "rows:6"]
    assert plan(spec(picture="plane")) == [*paths, *strip, "trail", *rows]
    assert plan(spec(picture="random")) == [*paths, *strip, *rows]
    assert plan(spec(picture="bezier", starts=False)) == ["path:plain", *strip]


def test_a_curve_gives_the_plane_a_corner_only_where_a_third_model_is_missing() -> None:
    assert not curve_is_corner(spec())
    assert curve_is_corner(spec(sources=SPIRALS[:2]))
    assert not curve_is_corner(spec(sources=SPIRALS[:2], picture="random"))
