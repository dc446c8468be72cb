"""What the benchmark of seeds side by side says of a family."""

import re
from dataclasses import replace
from math import inf

import pytest

from benchmarks import seeds
from softmerge_core import SoftMergeSettings, soft_merge
from softmerge_core.zoo import load_family

FAMILY = "moons-mlp-label-noise"


def test_a_row_has_a_ratio_for_each_number_of_seeds_and_how_far_gates_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeds, "COUNTS", (1, 2))
    name, granularity, *ratios, share, gap = seeds.row(FAMILY, "layer", steps=3, turns=1)
    assert (name, granularity, share) == (FAMILY, "layer", "100 %")
    assert all(re.fullmatch(r"\d+\.\d\d", each) for each in ratios)
    assert float(gap) <= seeds.SAME


def test_gates_of_different_stages_have_nothing_in_common() -> None:
    family = load_family(FAMILY)
    merged = soft_merge(family.sources, family.data.for_merging(), SoftMergeSettings(granularity="layer", steps=2))
    assert seeds.gap(merged, merged) == 0
    assert seeds.gap(merged, replace(merged, winner="average")) == inf
