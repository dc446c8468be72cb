"""The work of an attack: attacks are real, every method is scored, and the right sources are blamed."""

import copy
import math
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from softmerge_core.attacks import attacks
from softmerge_core.data import load_dataset
from softmerge_core.evaluation import evaluate
from softmerge_core.events import BEST, Blame, Notice, Score
from softmerge_core.experiments.robustness import run
from softmerge_core.experiments.robustness.run import attacked, honest, leave_one_out
from softmerge_core.experiments.robustness.spec import Case, RobustnessSpec
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import DataSpec, SoftMergeSettings, SourceSpec

MOONS = tuple(SourceSpec(model=f"moons-mlp-label-noise/source-{number}") for number in (1, 2, 3))
ATTACKS = (*attacks(), "copy")


def spec(**fields: Any) -> RobustnessSpec:
    data = DataSpec(dataset="moons")
    return RobustnessSpec(**{"sources": MOONS, "data": data, "methods": ("average",), **fields})


@pytest.fixture
def quick_blame(monkeypatch: pytest.MonkeyPatch) -> None:
    """The merge that shows on whom gates close takes few steps."""
    monkeypatch.setattr(run, "SoftMergeSettings", partial(SoftMergeSettings, steps=40))


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_last_sources_are_attacked_and_the_others_stay(attack: str) -> None:
    asked = spec(attack=attack, malicious=2, strength=3.0)
    before = [{n: v.clone() for n, v in module.state_dict().items()} for module in honest(asked)[0]]
    sent, _, malicious = attacked(asked, Case(2, 3.0))
    assert malicious == (False, True, True)
    for module, state in zip(honest(asked)[0], before, strict=True):
        assert all(torch.equal(value, state[name]) for name, value in module.state_dict().items())
    assert all(torch.equal(v, before[0][n]) for n, v in sent[0].state_dict().items())
    for module, state in zip(sent[1:], before[1:], strict=True):
        assert any(not torch.equal(value, state[name]) for name, value in module.state_dict().items())


def test_attacks_that_lie_do_what_they_say() -> None:
    data = load_dataset("moons")
    asked = spec(attack="label_flip")
    honest_accuracy = evaluate(honest(asked)[0][2], *data.split("test"))[0]
    assert evaluate(attacked(asked, Case(1, 20))[0][2], *data.split("test"))[0] < honest_accuracy - 0.3
    wrong = attacked(spec(attack="confident"), Case(1, 5))[0][2]
    accuracy, loss = evaluate(wrong, *data.split("test"))
    assert accuracy == pytest.approx(1 - honest_accuracy, abs=1e-9)  # of two classes each is given the other's answer
    assert loss > evaluate(attacked(spec(attack="confident"), Case(1, 1))[0][2], *data.split("test"))[1]


@pytest.mark.usefixtures("quick_blame")
@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_gives_finite_scores_and_the_blame(attack: str, tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run_id = store.create(spec(attack=attack, malicious=2))
    assert conduct(store.folder(run_id)) == "finished"
    view = store.read(run_id)
    scores = [event for event in view.events if isinstance(event, Score)]
    assert all(math.isfinite(score.accuracy) and not score.problem for score in scores)
    assert [score.series for score in scores].count(BEST) == 1
    (blame,) = [event for event in view.events if isinstance(event, Blame)]
    assert blame.malicious == (False, True, True)
    assert all(0 <= gate <= 1 for gate in blame.gates)
    told = any("left out" in event.text for event in view.events if isinstance(event, Notice))
    assert told == (attack in ("nan", "inf"))
    if attack in ("nan", "inf"):
        assert blame.gates == (1.0, 0.0, 0.0)
    assert view.result is not None
    assert view.result["reason"].startswith("With 2 of 3 sources malicious")


def test_gates_close_on_whom_leaving_out_helps(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    run_id = store.create(spec(attack="extreme", malicious=1))
    conduct(store.folder(run_id))
    (blame,) = [event for event in store.read(run_id).events if isinstance(event, Blame)]
    assert blame.gates[2] == 0
    assert min(blame.gates[:2]) >= 0
    assert max(blame.gates[:2]) > 0
    assert max(range(3), key=lambda index: blame.gains[index]) == 2


def test_leaving_out_agrees_with_averaging_by_hand() -> None:
    modules, _, data = honest(spec())
    gains = leave_one_out(modules, data)

    def mean(chosen: list[torch.nn.Module]) -> float:
        states = [module.state_dict() for module in chosen]
        network = copy.deepcopy(modules[0])
        network.load_state_dict({name: sum(s[name] for s in states) / len(states) for name in states[0]})
        return evaluate(network, *data.split("validation"))[0]

    everyone = mean(list(modules))
    for k in range(3):
        assert gains[k] == pytest.approx(mean([m for j, m in enumerate(modules) if j != k]) - everyone, abs=0.006)


def test_every_seed_has_an_attack_of_its_own_and_the_first_is_that_of_one_seed() -> None:
    asked = spec(attack="noise", malicious=1, seeds=2)
    first, second = (attacked(asked, Case(1, 3.0), repeat)[0][2].state_dict() for repeat in (0, 1))
    alone = attacked(spec(attack="noise", malicious=1), Case(1, 3.0))[0][2].state_dict()
    assert all(torch.equal(first[name], alone[name]) for name in alone)
    assert not all(torch.equal(first[name], second[name]) for name in first)


def test_an_attack_is_called_random_if_another_seed_sends_something_else() -> None:
    for name, attack in attacks().items():
        sent = [attacked(spec(attack=name, seeds=2), Case(1, 3.0), repeat)[0][2].state_dict() for repeat in (0, 1)]
        differ = not all(torch.equal(sent[0][key], sent[1][key]) for key in sent[0])
        assert differ == attack.random or not attack.finite, name  # others are left out of every merge


def test_the_plan_for_several_seeds_begins_with_that_for_one() -> None:
    one, three = list(run._plan(spec())), list(run._plan(spec(seeds=3)))
    assert three[: len(spec().methods) + 1] == one[: len(spec().methods) + 1]
    assert len(set(three)) == len(three)
    assert [task for task in three if task[2] == 0] == one
