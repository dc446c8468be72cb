"""The points of a sweep with what came of them: the best, the front, the baselines, and what is said of them."""

import itertools

import pytest

from softmerge_core.experiments import experiment
from softmerge_core.experiments.outcome import Outcome, open_share
from softmerge_core.experiments.sweeping.spec import Axis, Listed, Sweep, values_of
from softmerge_core.experiments.sweeping.table import SweepTable
from softmerge_core.experiments.sweeping.words import choice_sentence, front_sentence, measure_sentence, sweep_sentence
from softmerge_core.statistics import Measured, pack

SAMPLES = 1000


def outcome(right: int, validation: float | None, opened: float | None = 0.5, average: float = 0.4) -> Outcome:
    """So many samples right, the first ones."""
    correct = pack(place < right for place in range(SAMPLES))
    return Outcome(Measured((right / SAMPLES,), SAMPLES, (correct,)), validation, opened, {"average": average})


def table(
    *points: list[Outcome | None], kind: str = "merge", path: str = "settings.penalty",
    listed: tuple[float, ...] = (0.002, 0.01, 0.1),
) -> SweepTable:  # fmt: skip
    """A table over the penalty; the base is the first point."""
    axis = Axis(path=path, range=Listed(listed=listed[: len(points)]))
    sweep = Sweep(base=experiment(kind).small(), axes=(axis,), seeds=tuple(range(len(points[0]))))
    runs = [f"run-{place}" for place in range(len(points) * len(points[0]))]
    found = {run: each for run, each in zip(runs, itertools.chain(*points), strict=True) if each}
    return SweepTable(sweep, values_of(sweep), runs, found)


def test_the_best_point_is_chosen_by_validation_data_and_never_by_test_data() -> None:
    found = table([outcome(600, 0.7)] * 2, [outcome(500, 0.9)] * 2, [outcome(900, 0.8)] * 2)
    assert found.best is found.rows[1]
    assert "penalty 0.01 is the best on validation data: 50.0" in sweep_sentence(found)
    assert "test samples had no say" in choice_sentence(found)


def test_without_validation_data_nothing_is_chosen_and_the_highest_is_described() -> None:
    found = table([outcome(600, None)], [outcome(900, None)])
    assert found.best is None
    assert found.leading is found.rows[1]
    told = sweep_sentence(found)
    assert told.startswith("Of 2 points, penalty 0.01 has the highest test accuracy: 90.0\u00a0% (95\u00a0% interval ")
    assert "(95\u00a0% interval 88.0 to 91.7\u00a0%) with one seed" in told
    assert "best" not in told
    assert choice_sentence(found).startswith("Nothing was chosen: only test data tell of these points, and the highest")


def barriers(*values: float, without: float = 0.3) -> list[Outcome | None]:
    return [Outcome(Measured((value,)), levels={"Without alignment": without}) for value in values]


def test_of_barriers_the_lowest_leads_with_its_unit_and_its_interval() -> None:
    points = (barriers(0.2, 0.22), barriers(0.05, 0.07), barriers(0.21, 0.2))
    found = table(*points, kind="scope", path="weight", listed=(1.0, 2.0, 3.0))
    assert (found.best, found.leading) == (None, found.rows[1])
    told = sweep_sentence(found).replace("\u00a0", " ")
    assert "KL weight 2 has the lowest test error barrier with alignment: 6.0 points (95 % interval" in told
    assert "interval \u22126.7 to 18.7 points), the mean" in told
    assert "the mean of 2 seeds. The settings that the sweep began from (KL weight 1) have 21.0 points." in told
    assert "best" not in told
    assert measure_sentence(found).endswith("with alignment in points; lower is better.")
    assert found.csv({})[0][3] == "test error barrier with alignment (points)"
    assert found.csv({})[1][0][3] == pytest.approx(20)


def test_one_seed_of_a_barrier_tells_nothing_apart() -> None:
    found = table(barriers(0.2), barriers(0.0), barriers(0.0), kind="scope", path="weight", listed=(1.0, 2.0, 3.0))
    assert "with one seed, which cannot tell what others would bring" in sweep_sentence(found)
    assert "None of the points can be told apart from it." in sweep_sentence(found)
    assert "Of 3 points, 2 share the lowest test error barrier with alignment, KL weight 2 of" in sweep_sentence(found)


def test_seeds_of_the_runs_themselves_count_as_seeds() -> None:
    own = Outcome(Measured((0.8, 0.9), 100), 0.8)
    found = table([own], [own], kind="compare", path="data.train_samples", listed=(100, 200))
    assert found.rows[0].measured == Measured((0.8, 0.9), 100, ("", ""))
    assert found.repeats == 2
    assert "test accuracy of Plain average 85.0\u00a0%, the mean of 2 seeds" in sweep_sentence(found)
    assert found.csv({})[1][0][1] is None


def test_only_points_with_all_their_seeds_can_be_best() -> None:
    found = table([outcome(600, 0.7)] * 2, [outcome(900, 0.9), None], [None, None])
    assert found.best is found.rows[0]
    assert found.done == [found.rows[0]]
    assert sweep_sentence(found).startswith("Of 1 point that are done of 3, the settings that the sweep began from")
    assert sweep_sentence(table([None], [None])) == "No point is done yet."


@pytest.mark.parametrize(
    ("best", "said"),
    [
        (900, "That is 30.0\u00a0points above the settings that the sweep began from (penalty 0.002)"),
        (602, "It cannot be told apart from the settings that the sweep began from"),
        (600, "It is right on exactly the same samples as the settings that the sweep began from"),
    ],
)
def test_a_difference_is_one_only_where_chance_does_not_explain_it(best: int, said: str) -> None:
    told = sweep_sentence(table([outcome(600, 0.7)], [outcome(best, 0.8)]))
    assert said in told
    assert ("the smallest gap they resolve" in told) == (best != 600)
    assert "one seed, which cannot tell what others would bring" in told


def test_how_many_others_may_be_as_good_is_said() -> None:
    near = table([outcome(898, 0.7)], [outcome(900, 0.9)], [outcome(300, 0.1)])
    assert "1 of the other 2 points cannot be told apart from it." in sweep_sentence(near)
    far = table([outcome(300, 0.7)], [outcome(900, 0.9)], [outcome(300, 0.1)])
    assert "It is told apart from all others." in sweep_sentence(far)
    same = table([outcome(899, 0.7)], [outcome(900, 0.9)], [outcome(898, 0.1)])
    assert "None of the points can be told apart from it." in sweep_sentence(same)


def test_the_front_has_the_points_that_none_beats_in_both() -> None:
    found = table([outcome(1, 0.7, 0.5)], [outcome(1, 0.6, 0.6)], [outcome(1, 0.9, 0.9)])
    assert found.front == [found.rows[0], found.rows[2]]
    assert "On 2 points" in front_sentence(found)
    alone = table([outcome(1, 0.7, 0.5)], [outcome(1, 0.6, 0.6)])
    assert alone.front == [alone.rows[0]]
    assert "One point has both" in front_sentence(alone)
    assert front_sentence(table([outcome(1, 0.5, None)])) == "Waiting for the first points."


def test_a_baseline_that_changes_from_run_to_run_has_no_level() -> None:
    assert table([outcome(1, 0.5)], [outcome(2, 0.5)]).levels == {"average": 0.4}
    assert table([outcome(1, 0.5)], [outcome(2, 0.5, average=0.5)]).levels == {}
    seeds = [outcome(1, 0.5), outcome(1, 0.5, average=0.5)]
    assert table(seeds, seeds).levels == {"average": pytest.approx(0.45)}, "seeds may differ, points may not"
    assert table(seeds, [outcome(1, 0.5), None]).levels == {"average": pytest.approx(0.45)}


def test_the_table_has_a_row_for_each_run_even_one_that_is_gone() -> None:
    head, rows = table([outcome(600, 0.7), None]).csv({"run-0": "finished"})
    assert head == ("penalty", "seed", "state", "test accuracy (%)", "validation accuracy (%)", "gates open (%)", "run")
    assert rows == [
        ["0.002", 0, "finished", 60.0, 70.0, 50.0, "run-0"],
        ["0.002", 1, "deleted", None, None, None, "run-1"],
    ]


@pytest.mark.parametrize(
    ("gates", "share"),
    [
        (None, None),
        ({"value": [], "sources": ["a"]}, None),
        ({"value": [[0.0, 0.2], [1.0, 0.0]], "sources": ["a", "b"]}, 0.5),
        ({"value": [[0.5, 0.5]], "sources": ["a", "b"], "sizes": [10], "closed": [[10, 0]]}, 0.5),
    ],
)
def test_the_share_of_open_gates_counts_gates_and_not_their_means(gates: dict[str, object], share: float) -> None:
    assert open_share(gates) == share
