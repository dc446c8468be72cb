"""What soft merging makes of the shipped families, on test data it never saw: the claims the project stands on."""

import pytest

from benchmarks.shipped_families import average, merge
from softmerge_core.evaluation import ensemble_log_probabilities, evaluate, score
from softmerge_core.zoo import load_family

HALF_A_POINT, THREE_POINTS = 0.005, 0.03


def test_sources_that_share_a_trunk_merge_to_the_ensembles_accuracy() -> None:
    family = load_family("mnist1d-cnn-shared-trunk")
    sources, data = family.sources[:4], family.data
    together = score(ensemble_log_probabilities(sources, data.test_inputs), data.test_labels)[0]
    soft = max(merge(sources, data, granularity)[0] for granularity in ("channel", "auto"))
    assert soft >= together - HALF_A_POINT
    assert soft >= average(sources, data) + THREE_POINTS


@pytest.mark.parametrize("kind", ["label-noise", "poisoned-1", "poisoned-3", "independent"])
def test_auto_keeps_up_with_the_best_source_whatever_the_others_are(kind: str) -> None:
    family = load_family(f"mnist1d-cnn-{kind}")
    data = family.data
    losses = [evaluate(source, data.validation_inputs, data.validation_labels)[1] for source in family.sources]
    best = family.sources[losses.index(min(losses))]
    soft, _ = merge(family.sources, data, "auto", steps=120)  # fewer than usual: the promise does not depend on them
    assert soft >= evaluate(best, data.test_inputs, data.test_labels)[0] - HALF_A_POINT
