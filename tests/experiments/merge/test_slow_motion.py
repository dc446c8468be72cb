"""The frames of a step have its numbers put in, and say what happens."""

import copy
import json
from typing import Any

import pytest

from softmerge_core.experiments.merge.slow_motion import as_plain, frames, numbers_table
from softmerge_core.experiments.merge.step_words import others_sentence, replay_note, step_sentence
from softmerge_core.runs.store import EXAMPLES

STEPS = json.loads((EXAMPLES / "steps.json").read_text(encoding="utf-8"))
EVERY = [(run, step) for run, steps in STEPS.items() for step in steps]


@pytest.fixture
def step() -> dict[str, Any]:
    return copy.deepcopy(STEPS["example:more-nothing-gained"]["180"])


@pytest.mark.parametrize(("run", "number"), EVERY)
def test_every_gate_of_every_shipped_step_has_its_frames(run: str, number: str) -> None:
    step = STEPS[run][number]
    assert step["step"] == int(number)
    assert step["differs"] is None
    for part in step["parts"]:
        for source in range(len(step["sources"])):
            found = frames(step, part, source)
            assert len({frame.title for frame in found}) == len(found) == 7
            assert all(frame.words.endswith(".") for frame in found)
            assert "nan" not in json.dumps(as_plain(found), allow_nan=False)
            assert step_sentence(step, part, source).startswith("In this step the gate of ")


def test_the_numbers_are_put_into_the_formulas(step: dict[str, Any]) -> None:
    told = [frame.formula for frame in frames(step, "conv1", 1)]
    assert (
        told[0]
        == "z = clip(1.2 · σ((logit 0.581 − 1.74) / 0.667) − 0.1, 0, 1) = clip(1.2 · 0.107 − 0.1, 0, 1) = 0.0287"
    )
    assert told[1] == "w = 0.0287 / (0 + 0.0287 + 0.719 + 0.4) = 0.025"
    assert told[2].startswith("θ = 0 · 0.262 + 0.025 · 0.00929 + 0.626 · (−0.483)")
    assert told[5] == "∂/∂log α = 0.17 (loss) + 0.000124 (penalty) = 0.17 nats".replace(" nats", "\u00a0nats")
    assert told[6] == "log α = −1.7387 − 0.1 · 0.00394 / 0.142 = −1.7415"


def test_the_sentence_says_who_pushed_and_whether_it_went_there(step: dict[str, Any]) -> None:
    assert "moves from P(open) 0.47 to 0.46: the loss pushes it down, and so does the penalty." in step_sentence(
        step, "conv1", 1
    )
    part = step["parts"]["conv1"]
    part["after"][1] = part["log_alpha"][1] + 0.05
    assert "It goes up nevertheless: Adam goes on" in step_sentence(step, "conv1", 1)
    part["by_task"][1], part["value"][1] = 0.0, 0.0
    assert "the loss has no say (its draw is exactly 0), and the penalty pushes it down" in step_sentence(
        step, "conv1", 1
    )
    step["fixed"] = True
    assert "is held at P(open) 0.47" in step_sentence(step, "conv1", 1)


def test_other_ways_of_training_have_formulas_of_their_own(step: dict[str, Any]) -> None:
    part = step["parts"]["conv1"]
    part["closed"] = True
    assert frames(step, "conv1", 1)[1].formula.startswith("w = softmax(")
    step["settings"] |= {"normalise": False, "optimiser": "sgd"}
    found = frames(step, "conv1", 1)
    assert found[1].formula.startswith("w = z")
    assert "beyond the first" not in found[4].words
    assert "the learning rate" in found[6].words
    assert len(numbers_table(step, "conv1")[1]) == 13  # no moments
    part["entries"][0]["base"] = 0.5
    assert frames(step, "conv1", 1)[2].formula.startswith("θ = 0.5 + 0 · (0.262 − 0.5)")


def test_what_the_replay_agrees_with_is_told(step: dict[str, Any]) -> None:
    assert "agrees with the run at 11 recorded moments" in replay_note(step)
    assert "another way than recorded from step 170 on" in replay_note({**step, "differs": 170})
    assert "told no gates near this step" in replay_note({**step, "compared": 0})
    assert others_sentence(step, "conv1") == "Of the 4 gates of this part 1 goes up and 3 go down."
