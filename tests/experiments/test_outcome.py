"""What runs of several methods, paths or sides come to: which of their numbers stands for a run, and beside which."""

from typing import Any

import pytest

from softmerge_core.experiments import experiment
from softmerge_core.experiments.outcome import Measure, Outcome


def outcome(kind: str, result: dict[str, Any]) -> Outcome | None:
    find = experiment(kind).outcome
    assert find is not None
    return find(result)


def measure(kind: str, **changes: Any) -> Measure:
    return experiment(kind).measure(experiment(kind).small().model_copy(update=changes))


def row(method: str, *values: float, title: bool = True, reference: bool = False) -> dict[str, Any]:
    mean = sum(values) / len(values) if values else None
    told = (
        {"accuracy": {"mean": mean, "values": list(values)}, "validation": {"mean": (mean or 0) - 0.1}}
        if values
        else {}
    )
    about = {"title": method, "reference": reference, "needs": []} if title else {}
    return {"method": method, **about, "problem": "" if values else "no", **told}


BEST = row("best_source", 0.6, title=False)
AVERAGE, ENSEMBLE, SOFT = row("average", 0.5), row("ensemble", 0.9, reference=True), row("soft", 0.7, 0.8)


def test_a_comparison_is_compared_by_the_soft_merge_beside_its_baselines() -> None:
    found = outcome("compare", {"rows": [ENSEMBLE, SOFT, BEST, AVERAGE]})
    assert found is not None
    assert found.measured.accuracies == (0.7, 0.8)
    assert found.validation == pytest.approx(0.65)
    assert found.levels == {"average": 0.5, "best_source": 0.6, "ensemble": 0.9}
    assert measure("compare", methods=()).title == "test accuracy of Soft merge"
    assert outcome("compare", {"rows": [row("soft"), AVERAGE]}) is None, "another method does not stand in for it"


def test_without_a_soft_merge_it_is_the_first_method_that_gives_one_network() -> None:
    found = outcome("compare", {"rows": [ENSEMBLE, row("ties", 0.4), BEST, AVERAGE]})
    assert found is not None
    assert (found.measured.mean, found.levels) == (0.5, {"best_source": 0.6, "ensemble": 0.9})
    assert measure("compare") == Measure("test accuracy of Plain average", curved=False, random=False)


def score(series: str, accuracy: float | None, case: str = "chosen", seed: int = 0) -> dict[str, Any]:
    known = {} if accuracy is None else {"accuracy": accuracy, "validation": accuracy - 0.1}
    return {"series": series, "case": case, "seed": seed, **known}


def attacked(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"rows": list(rows), "blame": {"case": "chosen"}, "best_honest": {"scores": {"accuracy": 0.6}}}


def test_an_attack_is_compared_by_the_soft_merge_in_the_case_that_was_chosen() -> None:
    soft = (score("soft", 0.7), score("soft", 0.8, seed=9), score("soft", 0.1, case="other"))
    found = outcome("robustness", attacked(score("average", 0.2), *soft))
    assert found is not None
    assert found.measured.accuracies == (0.7, 0.8)
    assert found.validation == pytest.approx(0.65)
    assert found.levels == {"average": 0.2, "Best honest": 0.6}
    first = outcome("robustness", attacked(score("median", 0.3), score("average", 0.2)))
    assert first is not None
    assert first.measured.mean == 0.3
    assert outcome("robustness", attacked(score("soft", None), score("average", 0.2))) is None
    assert measure("robustness").title == "test accuracy of Plain average under attack"


def path(series: str, height: float | None) -> dict[str, Any]:
    return {"series": series, "test_loss_barrier": {"height": height, "t": 0.5}}


def test_a_walk_is_compared_by_the_barrier_of_its_last_path() -> None:
    found = outcome("connectivity", {"paths": [path("start:0", 9), path("weights", 0.4), path("plain", 2.5)]})
    assert found is not None
    assert (found.measured.accuracies, found.validation, found.levels) == ((0.4,), None, {"Straight": 2.5})
    straight = outcome("connectivity", {"paths": [path("plain", 2.5)]})
    assert straight is not None
    assert (straight.measured.mean, straight.levels) == (2.5, {})
    assert outcome("connectivity", {"paths": [path("plain", 2.5), path("weights", None)]}) is None
    told = measure("connectivity")
    assert told.title == "test loss barrier of the path aligned by weights"
    assert (told.text(0.4), told.lower_is_better) == ("0.40\u00a0nats", True)


def test_scope_alignment_is_compared_by_the_barrier_that_is_left() -> None:
    sides = {"aligned": {"barrier": {"error": -0.0001}}, "plain": {"barrier": {"error": 0.3}}}
    found = outcome("scope", sides)
    assert found is not None
    assert (found.measured.accuracies, found.levels) == ((-0.0001,), {"Without": 0.3})
    told = measure("scope")
    assert [told.text(value) for value in (-0.0001, -0.02, 0.3)] == [
        "0.0\u00a0points",
        "−2.0\u00a0points",
        "30.0\u00a0points",
    ]
    assert told.lower_is_better
    assert outcome("scope", {**sides, "aligned": {"barrier": {"error": None}}}) is None


@pytest.mark.parametrize("kind", ["robustness", "connectivity", "scope"])
@pytest.mark.parametrize("result", [{}, {"rows": 3, "paths": [7], "aligned": "x", "blame": {"case": "a"}}])
def test_a_result_of_another_shape_comes_to_nothing(kind: str, result: dict[str, Any]) -> None:
    assert outcome(kind, result) is None
