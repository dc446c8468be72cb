"""What moved each gate: the parts of its way add up to it."""

from typing import Any

import pytest
import torch

from softmerge_core import SoftMergeSettings, soft_merge
from softmerge_core.merging.gate_history import GateHistory
from softmerge_core.merging.one_step import Reached
from tests.networks_for_tests import make_data, make_sources

QUICK = SoftMergeSettings(steps=40, evaluate_every=10, batch_size=32, granularity="layer", learning_rate=0.3)


def history(until: int, **settings: object) -> dict[str, Any]:
    found, chosen = GateHistory("layer", until), QUICK.model_copy(update=settings)
    with pytest.raises(Reached):
        soft_merge(make_sources("perceptron", 3), make_data(), chosen, watch=found.watch)
    return found.told


def course(document: dict[str, Any], name: str) -> torch.Tensor:
    """[parts, points, K]."""
    return torch.tensor([part["course"][name] for part in document["parts"].values()])


@pytest.mark.parametrize("settings", [{"penalty": 0.2}, {"optimiser": "sgd", "penalty": 0.2}, {"penalty": 0.0}])
def test_loss_and_penalty_together_have_moved_the_gates_as_they_moved(settings: dict[str, object]) -> None:
    found = history(37, **settings)
    assert found["steps"][0] == 0
    assert found["steps"][-1] == 37
    alpha, by_loss, by_penalty = (course(found, name) for name in ("log_alpha", "moved_task", "moved_price"))
    torch.testing.assert_close(alpha[:, :1] + by_loss + by_penalty, alpha, atol=2e-4, rtol=0)
    assert (by_loss.abs().max() > 0.01) == (settings.get("optimiser") != "sgd") or by_loss.abs().max() > 0
    assert (by_penalty < 0).any() == bool(settings["penalty"])
    assert (by_penalty <= 0).all()  # a price never opens a gate


def test_the_account_of_a_gate_ends_where_it_closed() -> None:
    found = history(40, penalty=2.0)
    closes = [
        (part["course"]["log_alpha"][-1][k], {name: row[k] for name, row in part["close"].items()})
        for part in found["parts"].values()
        for k in range(3)
    ]
    closed = [close for alpha, close in closes if close["step"] >= 0]
    assert closed
    assert len(closed) < len(closes)  # the last gate of a part is held open
    assert all(alpha < -2.39 for alpha, close in closes if close["step"] >= 0)
    for close in (close for _, close in closes):
        assert close["steps"] == (close["step"] if close["step"] >= 0 else 40)
        assert close["down"] + close["up"] <= close["steps"]


def test_a_stage_that_never_comes_has_no_history() -> None:
    found = GateHistory("channel", 10)
    soft_merge(make_sources("perceptron", 2), make_data(), QUICK, watch=found.watch)
    assert found.told == {}
