"""States of the gate laboratory: those that are offered, and what is taken from browsers and links."""

import math
from typing import Any

import pytest
import torch

from pages.gate.states import LIMITS, PRESETS, number, start_state, told_state
from softmerge_core import gates
from softmerge_core.settings import SoftMergeSettings

SOUND = {"log_alpha": -1.5, "temperature": 0.5, "gamma": -0.2, "zeta": 1.3, "jump": 2}


def test_it_begins_with_the_gate_with_which_a_merge_begins() -> None:
    usual, start = SoftMergeSettings(), start_state()
    gate = gates.HardConcrete(
        1,
        initial_open_probability=usual.initial_open_probability,
        temperature=usual.temperature,
        stretch=usual.stretch,
    )
    assert start["log_alpha"] == pytest.approx(gate.log_alpha.item(), abs=1e-6)
    opened = gates.probability_open(
        torch.tensor(start["log_alpha"], dtype=torch.float64), start["temperature"], (start["gamma"], start["zeta"])
    )
    assert opened.item() == pytest.approx(usual.initial_open_probability, abs=1e-12)


def test_every_preset_is_a_state_of_the_laboratory() -> None:
    assert PRESETS[0].state == start_state()
    for preset in PRESETS:
        assert set(preset.state) == set(LIMITS)
        assert {name: number(name, value) for name, value in preset.state.items()} == preset.state
    assert len({preset.label for preset in PRESETS}) == len(PRESETS)


def test_what_the_laboratory_told_is_taken_as_it_is() -> None:
    assert told_state(SOUND, 2) == {name: SOUND[name] for name in LIMITS}
    assert told_state(SOUND, 3) is None, "a link has asked for another state since"


@pytest.mark.parametrize(
    "told",
    [
        None, "x", 3, [], {}, {**SOUND, "jump": None}, {**SOUND, "zeta": None}, {**SOUND, "zeta": "far"},
        {**SOUND, "zeta": 9}, {**SOUND, "gamma": 0.1}, {**SOUND, "log_alpha": math.nan}, {**SOUND, "temperature": True},
        {**SOUND, "temperature": 0}, {**SOUND, "log_alpha": 10**400}, {**SOUND, "log_alpha": [1]},
    ],
)  # fmt: skip
def test_whatever_else_a_browser_sends_is_no_state(told: Any) -> None:
    assert told_state(told, 2) is None
