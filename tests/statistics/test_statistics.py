"""Tests and intervals against textbook values, and against simulated methods whose truth is known."""

import math

import numpy as np
import pytest
from scipy.special import stdtr

from benchmarks.told_apart import GAP, World, apart, clearly_best, discordant
from softmerge_core.statistics import (
    Measured,
    among_best,
    bar,
    difference,
    difference_of_values,
    holm,
    interval,
    pack,
    unpack,
)
from softmerge_core.statistics.bars import wilson


def pair(both: int, first: int, second: int, neither: int) -> tuple[Measured, Measured]:
    """Two networks by the four cells of their table: samples that both, just one, or neither gets right."""
    a = [True] * (both + first) + [False] * (second + neither)
    b = [True] * both + [False] * first + [True] * second + [False] * neither
    n = len(a)
    return Measured((sum(a) / n,), n, (pack(a),)), Measured((sum(b) / n,), n, (pack(b),))


@pytest.mark.parametrize("n", [1, 7, 8, 9, 1000])
def test_what_is_right_is_read_as_it_was_written(n: int) -> None:
    right = np.random.default_rng(0).random(n) < 0.5
    text = pack(right.tolist())
    assert (unpack(text) == right).all()
    assert len(text) <= n / 6 + 12


@pytest.mark.parametrize(
    "text", ["", "8", "8:", "0:", "9:/w==", "8:!!", "-8:/w==", "8:/w", "²:/w==", f"{'9' * 5000}:/w=="]
)
def test_damaged_records_are_as_good_as_none(text: str) -> None:
    assert unpack(text) is None
    assert difference(Measured((0.5,), 100, (text,)), Measured((0.5,), 100)).paired is False


def test_mcnemars_mid_p_is_that_of_the_textbook() -> None:
    # Fagerland, Lydersen, Laake (2013): airway hyper-responsiveness, cells 1, 1, 7, 12; exact p .070, mid-p .039
    found = difference(*pair(1, 1, 7, 12))
    assert found.p == pytest.approx(0.039, abs=5e-4)
    assert found.gap == pytest.approx(-6 / 21)
    assert found.paired
    assert found.low < found.gap < found.high


def test_the_same_samples_tell_apart_what_independent_ones_would_not() -> None:
    first, second = pair(800, 40, 15, 145)
    assert difference(first, second).told_apart
    alone = difference(Measured(first.accuracies, 1000), Measured(second.accuracies, 1000))
    assert not alone.told_apart
    assert not alone.paired
    assert alone.resolves > difference(first, second).resolves


def test_the_gap_that_is_resolved_is_that_of_80_percent_power() -> None:
    # 110 of 1,000 samples discordant: (1.960 + 0.842) * sqrt(.11 / 1000) is 2.9 points
    assert difference(*pair(800, 55, 55, 90)).resolves == pytest.approx(0.0294, abs=2e-4)


def test_networks_that_agree_everywhere_are_the_same() -> None:
    found = difference(*pair(800, 0, 0, 200))
    assert (found.same, found.p, found.told_apart) == (True, 1.0, False)
    assert not difference(*pair(799, 1, 0, 200)).same


def test_with_nothing_known_nothing_is_claimed() -> None:
    for found in (
        difference(Measured((0.9,)), Measured((0.1,))),
        difference(Measured((math.nan,), 10), Measured((0.5,), 10)),
    ):
        assert not found.told_apart
        assert math.isnan(found.p)


def test_gaps_over_seeds_are_students() -> None:
    found = difference_of_values([1.0, 2.0, 3.0])
    # t = 2 / (1 / sqrt 3) = 3.464 with two degrees of freedom: p = .0742; half width 4.302653 / sqrt 3
    assert found.p == pytest.approx(0.0742, abs=5e-5)
    assert found.high - found.gap == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert not found.told_apart
    assert math.isnan(difference_of_values([1.0]).p)


def test_seeds_of_two_methods_are_welchs() -> None:
    # no samples known: t = .05 / sqrt((.01^2 + .02^2) / 3) with 2 (1 + 4)^2 / (1 + 16) degrees of freedom
    found = difference(Measured((0.79, 0.80, 0.81)), Measured((0.73, 0.75, 0.77)))
    assert found.p == pytest.approx(float(2 * stdtr(50 / 17, -0.05 / math.sqrt(0.0005 / 3))), rel=1e-3)


def test_seeds_that_lie_apart_are_asked_as_well_as_samples() -> None:
    # 500 samples more are right with every network of the first than with the second's, save for one seed
    n, none = 10_000, np.zeros(10_000, dtype=bool)
    networks = [np.arange(n) < right for right in (5900, 5800, 5200)]
    first = Measured(tuple(float(each.mean()) for each in networks), n, tuple(pack(each) for each in networks))
    second = Measured((0.5,), n, (pack(none | (np.arange(n) < 5000)),))
    assert not difference(first, second).told_apart
    assert difference(Measured(first.accuracies[:1], n, first.correct[:1]), second).told_apart


def test_holms_values() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([math.nan, 0.2]) == pytest.approx([1.0, 0.4])


def test_the_best_stands_alone_only_if_all_others_are_clearly_below() -> None:
    methods = {"low": Measured((0.5,), 1000), "high": Measured((0.9,), 1000), "next": Measured((0.89,), 1000)}
    assert among_best(methods) == ["high", "next"]
    del methods["next"]
    assert among_best(methods) == ["high"]
    assert among_best({}) == []


def test_one_network_has_the_bar_of_the_samples() -> None:
    # Wilson's interval of 8 of 10: .490 to .943 (Brown, Cai, DasGupta 2001)
    assert wilson(0.8, 10) == pytest.approx((0.490, 0.943), abs=5e-4)
    found = bar(Measured((0.8,), 10))
    assert found is not None
    assert (found.of, found.samples, found.seeds) == ("samples", 10, 1)
    assert bar(Measured((0.8,))) is None
    assert bar(Measured((math.nan,), 10)) is None


def test_several_seeds_have_the_bar_of_both() -> None:
    seeds, both = bar(Measured((0.5, 0.6, 0.7))), bar(Measured((0.5, 0.6, 0.7), 1000))
    assert seeds is not None
    assert both is not None
    assert (seeds.of, both.of) == ("seeds", "both")
    assert seeds.high == pytest.approx(0.6 + 4.302653 * 0.1 / math.sqrt(3), rel=1e-6)
    assert both.high >= seeds.high
    near = Measured((0.59, 0.6, 0.61)), Measured((0.59, 0.6, 0.61), 1000)  # samples bring more than the seeds show
    alone, together = bar(near[0]), bar(near[1])
    assert alone is not None
    assert together is not None
    assert together.high > alone.high


def test_the_interval_is_students() -> None:
    found = interval([0.5, 0.6, 0.7])
    # 4.302653: the 97.5 % quantile of Student's t with two degrees of freedom
    assert found["mean"] == pytest.approx(0.6)
    assert found["half"] == pytest.approx(4.302653 * 0.1 / math.sqrt(3), rel=1e-6)
    assert found["values"] == [0.5, 0.6, 0.7]


def test_a_single_value_has_no_interval() -> None:
    assert interval([0.5]) == {"mean": 0.5, "half": None, "values": [0.5]}


def test_no_interval_is_claimed_of_what_is_not_finite() -> None:
    assert interval([0.5, math.inf])["half"] is None
    assert interval([0.5, math.nan])["half"] is None


# A smaller table of benchmarks/told_apart.py; its generators are seeded, so that it is the same each time.


def test_simulated_methods_are_like_merges() -> None:
    assert 0.1 <= discordant(1, GAP) <= 0.12


@pytest.mark.parametrize("seeds", [1, 3])
def test_equal_methods_are_hardly_ever_told_apart_and_three_points_mostly_are(seeds: int) -> None:
    assert apart(0.0, seeds, 1000 if seeds == 1 else 300) <= 0.05
    assert apart(GAP, seeds, 300) >= 0.8


def test_equal_methods_whose_seeds_lie_far_apart_are_hardly_ever_told_apart() -> None:
    assert apart(0.0, 3, 300, world=World(seed_sd=0.01)) <= 0.05
    assert apart(0.0, 3, 300, world=World(seed_sd=0.02)) <= 0.05


@pytest.mark.parametrize("seeds", [1, 3])
def test_of_19_equal_methods_hardly_ever_one_is_called_best(seeds: int) -> None:
    called_best, left_out = clearly_best(19, seeds, 40)
    assert called_best <= 0.05
    assert left_out <= 0.05


def shared_seeds(generator: np.random.Generator, gap: float) -> tuple[Measured, Measured]:
    """Two methods of three seeds each; a seed moves both by the same, far more than it moves one of them alone."""
    levels, hard = generator.normal(0.75, 0.08, (3, 1)), generator.normal(0, 0.2, 500)
    made = []
    for more in (gap, 0.0):
        chance = np.clip(levels + generator.normal(0, 0.005, (3, 1)) + hard + more, 0, 1)
        right = generator.random((3, 500)) < chance
        made.append(Measured(tuple(right.mean(1)), 500, tuple(pack(row.tolist()) for row in right)))
    return made[0], made[1]


def test_equal_methods_of_the_same_seeds_are_hardly_ever_told_apart_and_others_more_often_than_unpaired() -> None:
    generator = np.random.default_rng(0)
    equal = [difference(*shared_seeds(generator, 0.0), same_seeds=True).told_apart for _ in range(200)]
    assert sum(equal) <= 14  # 5 % and what 200 may bring
    better = [shared_seeds(generator, 0.1) for _ in range(50)]
    paired, unpaired = (sum(difference(*two, same_seeds=same).told_apart for two in better) for same in (True, False))
    assert paired > 2 * unpaired
    assert paired > 25


def test_the_same_seeds_are_as_many() -> None:
    with pytest.raises(ValueError, match="zip"):
        difference(Measured((0.5, 0.6), 100), Measured((0.5,), 100), same_seeds=True)
