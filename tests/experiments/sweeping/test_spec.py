"""The points of a sweep: what they are, in which order, and what is refused before anything starts."""

import dataclasses
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from softmerge_core.errors import SettingsError
from softmerge_core.experiments import experiment, experiments
from softmerge_core.experiments.merge.spec import MergeSpec, small
from softmerge_core.experiments.sweeping.spec import (
    MOST_RUNS,
    Axis,
    Linear,
    Listed,
    Log,
    Sweep,
    axes_of,
    base_values,
    expand,
    point_text,
    size,
    values_of,
)
from softmerge_core.experiments.sweeping.varied import can_be_swept, changed, seed_path, varied_settings

BASE = small()
PENALTY = Axis(path="settings.penalty", range=Listed(listed=(0.1, 0.002, 0.01)))
GRANULARITY = Axis(path="settings.granularity", range=Listed(listed=("model", "auto")))


def sweep(*axes: Axis, seeds: tuple[int, ...] = (3, 5), with_base: bool = True) -> Sweep:
    return Sweep(base=BASE, axes=axes, seeds=seeds, with_base=with_base)


def test_every_combination_is_there_once_with_each_seed_and_nothing_else_changes() -> None:
    points = expand(sweep(PENALTY, GRANULARITY))
    assert [point.values for point in points[::2]] == [
        (penalty, granularity) for penalty in (0.002, 0.01, 0.1) for granularity in ("model", "auto")
    ]
    assert [point.seed for point in points] == [3, 5] * 6
    for point in points:
        assert isinstance(point.spec, MergeSpec)
        settings = point.spec.settings
        assert (settings.penalty, settings.granularity, settings.seed) == (*point.values, point.seed)
        update = {"penalty": BASE.settings.penalty, "granularity": BASE.settings.granularity, "seed": 0}
        back = point.spec.model_copy(update={"name": "", "settings": settings.model_copy(update=update)})
        assert back == BASE
    assert len({point.spec.name for point in points}) == len(points)
    assert points[0].spec.name == "penalty 0.002, granularity model, seed 3"


def test_the_present_setting_is_a_point_unless_it_is_not_wanted() -> None:
    far = Axis(path="settings.penalty", range=Log(first=0.1, last=10, count=3))
    assert values_of(sweep(far)) == [(0.002, 0.1, 1.0, 10.0)]
    assert values_of(sweep(far, with_base=False)) == [(0.1, 1.0, 10.0)]
    assert base_values(sweep(far, GRANULARITY)) == (0.002, "auto")
    assert size(sweep(far, GRANULARITY)) == (8, 16)


@given(st.floats(1e-6, 1e3), st.floats(1e-6, 1e3), st.integers(2, 50))
def test_ranges_begin_and_end_where_they_should_in_even_steps(first: float, last: float, count: int) -> None:
    for values, scale in ((Linear(first=first, last=last, count=count).values(), float),
                          (Log(first=first, last=last, count=count).values(), math.log)):  # fmt: skip
        assert len(values) == count
        assert (values[0], values[-1]) == (first, last)
        places = [scale(value) for value in values]
        steps = [after - before for before, after in itertools.pairwise(places)]
        rounding = 6e-3 if scale is math.log else 6e-4 * max(map(abs, places))
        assert max(steps) - min(steps) <= 3 * rounding


def test_a_range_of_a_whole_number_has_whole_numbers_each_once() -> None:
    steps = Axis(path="settings.steps", range=Linear(first=1, last=4, count=9))
    assert values_of(sweep(steps, with_base=False)) == [(1, 2, 3, 4)]
    assert all(type(point.values[0]) is int for point in expand(sweep(steps, with_base=False)))


@pytest.mark.parametrize(
    ("axes", "told"),
    [
        ((Axis(path="settings.penalty", range=Listed(listed=(0.1, 11.0))),), "penalty 11: .*at most 10, got 11"),
        ((Axis(path="settings.penalty", range=Listed(listed=("much",))),), r"penalty: expected numbers, got 'much'"),
        ((PENALTY, Axis(path="settings.granularity", range=Listed(listed=("atom",)))), r"granularity atom"),
        ((Axis(path="settings.seed", range=Listed(listed=(1, 2))),), r"got 'settings.seed'"),
        ((Axis(path="sources", range=Listed(listed=(1, 2))),), r"got 'sources'"),
        ((Axis(path="settings.steps", range=Linear(first=1, last=400, count=50)),
          Axis(path="settings.penalty", range=Linear(first=0, last=1, count=50))), rf"at most {MOST_RUNS} runs, got"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_told_with_setting_and_value(axes: tuple[Axis, ...], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        expand(sweep(*axes))


def test_what_the_check_of_an_experiment_refuses_is_told_with_the_point() -> None:
    wrong = Sweep(base=experiment("robustness").small(), axes=(Axis(path="malicious", range=Listed(listed=(1, 9))),))
    with pytest.raises(SettingsError, match=r"malicious 9: malicious: expected fewer than the 2 sources"):
        expand(wrong)
    federated = experiment("federated").small()
    malicious = Sweep(base=federated, axes=(Axis(path="settings.malicious", range=Listed(listed=(0, 3))),))
    with pytest.raises(SettingsError, match=r"malicious.* 3: malicious: expected fewer than the 3 clients"):
        expand(malicious)


@pytest.mark.parametrize(
    "axes", [(), (PENALTY, PENALTY), tuple(Axis(path=f"settings.x{k}", range=PENALTY.range) for k in range(5))]
)
def test_axes_are_one_to_four_and_each_once(axes: tuple[Axis, ...]) -> None:
    with pytest.raises(ValidationError):
        sweep(*axes)
    with pytest.raises(ValidationError, match="seeds: expected each one once"):
        sweep(PENALTY, seeds=(1, 1))


def test_a_sweep_comes_back_from_its_json() -> None:
    made = sweep(PENALTY, GRANULARITY, Axis(path="settings.normalise", range=Listed(listed=(True, False))))
    assert Sweep.model_validate_json(made.model_dump_json()) == made


def test_the_settings_that_vary_are_those_that_the_models_have() -> None:
    found = varied_settings(BASE)
    assert {"settings.penalty", "settings.granularity", "settings.normalise", "align", "data.train_samples"} <= set(
        found
    )
    assert not {"settings.seed", "name", "kind", "settings.parts", "settings.device", "settings.stretch"} & set(found)
    assert found["settings.penalty"].now == 0.002
    assert found["settings.normalise"].choices == (False, True)
    for about in found.values():
        for value in about.choices:
            assert getattr_path(changed(BASE, about.path, value), about.path) == value


def getattr_path(model: object, path: str) -> object:
    for name in path.split("."):
        model = getattr(model, name)
    return model


@pytest.mark.parametrize("kind", experiments())
def test_every_kind_tells_whether_it_can_be_swept(kind: str) -> None:
    spec = experiment(kind).small()
    assert can_be_swept(spec) == (experiment(kind).outcome is not None)
    place = seed_path(spec)
    assert (place is None) == (kind == "compare")
    if place is not None:
        assert getattr_path(changed(spec, place, 7), place) == 7


def test_a_kind_without_a_main_number_cannot_be_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    without = dataclasses.replace(experiment("merge"), outcome=None)
    monkeypatch.setattr("softmerge_core.experiments.sweeping.varied.experiment", lambda kind: without)
    with pytest.raises(SettingsError, match="expected an experiment with one main number, got merge"):
        expand(sweep(PENALTY))


def test_runs_that_repeat_with_seeds_of_their_own_are_done_once() -> None:
    axes = (Axis(path="repair", range=Listed(listed=(True, False))),)
    points = expand(Sweep(base=experiment("compare").small(), axes=axes, seeds=(0,)))
    assert [(point.values, point.spec.name) for point in points] == [((True,), "REPAIR on"), ((False,), "REPAIR off")]
    with pytest.raises(SettingsError, match=r"compare: expected one seed, for its runs repeat .*, got 3"):
        expand(Sweep(base=experiment("compare").small(), axes=axes))


def test_names_that_a_model_knows_are_choices() -> None:
    attack = varied_settings(experiment("robustness").small())["attack"]
    assert {"nan", "extreme", "copy"} <= set(attack.choices)
    assert attack.now == "nan"


def test_a_point_reads_as_a_sentence() -> None:
    made = sweep(PENALTY, Axis(path="settings.normalise", range=Listed(listed=(False,))), with_base=False)
    assert point_text(axes_of(made), (0.1, False)) == "penalty 0.1, normalise off"
