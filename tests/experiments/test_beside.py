"""Runs beside each other: only settings that differ, and gaps that agree with the statistics."""

from typing import Any

import numpy as np
import pytest

from softmerge_core.experiments import experiments
from softmerge_core.experiments.beside import against_first, beside_sentence, differing, merged
from softmerge_core.experiments.merge.spec import example
from softmerge_core.settings import AttackSettings
from softmerge_core.statistics import Measured, difference, pack


def network(right: Any) -> Measured:
    return Measured((float(np.mean(right)),), len(right), (pack(right),))


def changed(**settings: Any) -> Any:
    spec = example()
    return spec.model_copy(update={"settings": spec.settings.model_copy(update=settings)})


def test_only_settings_that_differ_are_listed() -> None:
    specs = [changed(), changed(penalty=0.05), changed(penalty=0.05, steps=100)]
    assert differing(specs) == [
        ("penalty", ["0.002", "0.05", "0.05"]),
        ("steps of each stage", ["400", "400", "100"]),
    ]
    assert differing([specs[0], specs[0].model_copy(update={"name": "another name"})]) == []


def test_a_setting_that_one_run_has_not_is_a_dash() -> None:
    first = example().sources[0]
    poisoned = first.model_copy(update={"attack": AttackSettings(kind="sign_flip")})
    spoiled = example().model_copy(update={"sources": (poisoned, *example().sources[1:])})
    values = [values for _, values in differing([example(), spoiled])]
    assert values == [["–", "signs flipped"]] or values[0][0] == "–"


@pytest.mark.parametrize("kind", [name for name in experiments() if name != "counting"])
def test_every_kind_of_run_can_be_set_beside_itself(kind: str) -> None:
    spec = experiments()[kind].example()
    assert differing([spec, spec, spec]) == []
    rows = differing([spec, experiments()[kind].small()])
    assert rows
    assert all(name and len(values) == 2 and values[0] != values[1] for name, values in rows)


def test_gaps_are_those_of_the_paired_test() -> None:
    generator = np.random.default_rng(0)
    first = generator.random(500) < 0.6
    better = first | (generator.random(500) < 0.3)
    a, b = network(first), network(better)
    found = difference(b, a)
    (none, told) = against_first([a, b], True)
    assert none == ""
    assert told == f"+{100 * found.gap:.1f} points (+{100 * found.low:.1f} to +{100 * found.high:.1f})"
    assert "not told apart" in against_first([a, network(np.roll(first, 1))], True)[1]
    assert against_first([a, a, None], True) == ["", "the same samples right", ""]
    assert against_first([a, b], False)[1] == "other test samples"


def test_the_sentence_claims_no_more_than_the_samples_can_tell() -> None:
    low, high = network([True] * 30 + [False] * 70), network([True] * 90 + [False] * 10)
    assert beside_sentence([low, high], True) == (
        "B is highest on the test samples (90.0\u00a0%), and told apart from each of the others. One seed each."
    )
    nearly = network([True] * 89 + [False] * 11)
    assert "but C cannot be told apart from it" in beside_sentence([low, high, nearly], True)
    assert "other samples" in beside_sentence([low, high], False)
    assert "Fewer than two" in beside_sentence([low, None], True)


@pytest.mark.parametrize("result", [None, {}, {"accuracy": {"soft": None}, "samples": {"test": 5}}, {"accuracy": {}}])
def test_a_run_without_a_merged_network_has_no_accuracy(result: Any) -> None:
    assert merged(result) is None


def test_the_accuracy_of_a_merge_is_that_of_its_result() -> None:
    found = merged(
        {"accuracy": {"soft": 0.25}, "samples": {"test": 4}, "correct": {"soft": pack([True, False, False, False])}}
    )
    assert found is not None
    assert (found.mean, found.n) == (0.25, 4)
