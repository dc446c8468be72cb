"""What is said of a gate's history follows from its numbers."""

from typing import Any

import pytest

from softmerge_core.experiments.merge.gate_why import why_gate


def history(**close: float) -> dict[str, Any]:
    """One gate of source "source-2" in conv1, from step 100 to 200, beside another."""
    told = {
        "step": 150.0,
        "steps": 50.0,
        "down": 40.0,
        "up": 5.0,
        "moved_task": -4.5,
        "moved_price": -0.4,
        "alone": 0.84,
    }
    course = {"log_alpha": [[2.0, 2.0], [2.0, -2.9]], "open": [[0.97, 0.9], [0.97, 0.2]]}
    course |= {"moved_task": [[0.0, 0.0], [1.0, -4.5]], "moved_price": [[0.0, 0.0], [1.0, -0.4]]}
    return {
        "sources": ["source-1", "source-2"],
        "names": ["conv1"],
        "groups": ["conv1"],
        "steps": [100, 200],
        "fixed": False,
        "differs": None,
        "parts": {"conv1": {"course": course, "close": {k: [0.0, v] for k, v in {**told, **close}.items()}}},
    }


def said(accuracies: dict[str, float] | None = None, **close: float) -> str:
    return " ".join(why_gate(history(**close), "conv1", 1, accuracies)).replace("\u00a0", " ")


def test_a_gate_that_the_loss_closed() -> None:
    text = said({"source-1": 0.8, "source-2": 0.31})
    assert "gate of Source 2 in layer conv1 closed at step 150, 50 steps after this stage began" in text
    assert "P(open) went from 0.90 to 0.20 by step 200" in text
    assert "In 80 % of the 50 steps the loss pushed it down, in 10 % up; in the other 10 % it had no say" in text
    assert "the loss made −4.50 and the penalty −0.40" in text
    assert "would by itself have taken P(open) from 0.90 to 0.84" in text
    assert "Alone, this source is right on 31.0 % of the validation samples, the lowest of 2." in text
    assert "So it was the loss that closed it." in text
    assert "chance" not in text


@pytest.mark.parametrize(
    ("close", "expected"),
    [
        ({"moved_task": 0.5, "moved_price": -3.0}, "it was the penalty that closed it: the loss would rather"),
        ({"moved_task": -0.5, "moved_price": -3.0}, "it was the penalty that closed it; the loss hardly minded"),
        ({"moved_task": -2.0, "moved_price": -1.5}, "loss and penalty closed it together"),
        ({"down": 24.0, "up": 22.0}, "The batches did not agree about it, so chance may have had a part"),
        ({"step": -1.0, "moved_task": 2.0}, "is open at step 200; since step 100"),
        ({"step": -1.0, "moved_task": 2.0, "up": 40.0, "down": 2.0}, "So the loss keeps it open. What of this source"),
        ({"step": -1.0, "moved_task": -0.5}, "on its way down"),
        ({"step": -1.0, "moved_task": 0.1, "moved_price": -0.1}, "why, these numbers do not say"),
    ],
)
def test_the_verdict_says_no_more_than_the_numbers(close: dict[str, float], expected: str) -> None:
    assert expected in said(**close)


def test_a_gate_that_began_closed_has_no_other_story() -> None:
    found = history(step=100.0, steps=0.0)
    assert "the reason lies in that stage" in " ".join(why_gate(found, "conv1", 1))
    found["parts"]["conv1"]["course"]["log_alpha"][0][1] = -20.0
    assert "alone it does worse than guessing" in " ".join(why_gate(found, "conv1", 1))
    assert "%" not in " ".join(why_gate(found, "conv1", 1))


def test_a_replay_that_went_another_way_and_a_held_gate_are_told() -> None:
    assert "from step 120 on" in " ".join(why_gate({**history(), "differs": 120}, "conv1", 1))
    assert "was held" in " ".join(why_gate({**history(), "fixed": True}, "conv1", 1))
    assert "Alone" not in said({"source-2": 0.31})  # there is nothing to compare it with
