"""The spec of an attack: what is refused before any work, and which cases are looked at."""

from typing import Any

import pytest

from softmerge_core.attacks import find_attack
from softmerge_core.errors import SettingsError, SourceError
from softmerge_core.experiments import experiment
from softmerge_core.experiments.robustness.spec import Case, RobustnessSpec, cases, repeats, seed_of, strength_of
from softmerge_core.settings import DataSpec, SourceSpec

MOONS = tuple(SourceSpec(model=f"moons-mlp-label-noise/source-{number}") for number in (1, 2, 3))


def spec(**fields: Any) -> RobustnessSpec:
    data = DataSpec(dataset="moons")
    return RobustnessSpec(**{"sources": MOONS, "data": data, "methods": ("average",), **fields})


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"sources": MOONS[:1]}, SourceError, "two or more"),
        ({"malicious": 3}, SettingsError, "fewer than the 3 sources"),
        ({"methods": ()}, SettingsError, "one method or more"),
    ],
)
def test_what_is_wrong_is_refused_before_any_work(fields: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        experiment("robustness").check(spec(**fields))


def test_cases_are_every_number_and_then_every_strength() -> None:
    found = cases(spec(malicious=2, strength=7))
    assert found[:3] == [Case(0, 7), Case(1, 7), Case(2, 7)]
    assert [case.strength for case in found[3:]] == list(find_attack("extreme").strengths)
    assert all(case.malicious == 2 for case in found[3:])
    assert len(found) == len(set(found))
    assert cases(spec(attack="nan")) == [Case(0, 1), Case(1, 1), Case(2, 1)]
    assert strength_of(spec()) == 50


def test_only_what_is_random_is_repeated() -> None:
    asked = RobustnessSpec(attack="extreme", seeds=3, methods=("average", "soft"))
    assert [repeats(asked, Case(malicious, 50), "average") for malicious in (0, 1)] == [1, 3]
    assert repeats(asked, Case(0, 50), "soft") == 3
    assert repeats(asked.model_copy(update={"attack": "sign_flip"}), Case(1, 1), "average") == 1
    assert repeats(RobustnessSpec(), Case(1, 50), "soft") == 1


def test_no_two_seeds_share_an_attack() -> None:
    asked = RobustnessSpec(seed=7, seeds=20)
    seeds = [seed_of(asked, repeat) for repeat in range(20)]
    assert seeds[0] == 7
    assert min(abs(a - b) for a in seeds for b in seeds if a != b) > 1000
    assert max(seed_of(RobustnessSpec(seed=2**31 - 1), repeat) for repeat in range(20)) < 2**31
