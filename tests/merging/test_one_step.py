"""A step that is written down is the trainer's own, number by number."""

from typing import Any

import pytest
import torch

from softmerge_core import SoftMergeSettings, soft_merge
from softmerge_core.merging.one_step import MOST_PARTS, OneStep, Reached, near_rows
from tests.networks_for_tests import make_data, make_sources

QUICK = SoftMergeSettings(steps=6, evaluate_every=3, batch_size=32, granularity="layer", penalty=0.05)


class Every:
    """Remembers the logits after every step of a merge that nothing ends."""

    def __init__(self) -> None:
        self.after: list[torch.Tensor] = []

    def watch(self, plan: Any, reporter: Any) -> "Every":
        return self

    def computed(self, training: Any, seen: Any) -> None:
        pass

    def updated(self, training: Any) -> None:
        self.after.append(training.logits())


def told(step: int, **settings: object) -> dict[str, Any]:
    one = OneStep(step)
    with pytest.raises(Reached):
        soft_merge(make_sources("convolutional", 3), make_data(), QUICK.model_copy(update=settings), watch=one.watch)
    return one.told


def table(document: dict[str, Any], name: str) -> torch.Tensor:
    return torch.tensor([part[name] for part in document["parts"].values()])


@pytest.mark.parametrize("settings", [{}, {"granularity": "channel", "rescale": True}, {"optimiser": "sgd"}])
def test_the_gates_before_and_after_are_the_runs_own_to_the_bit(settings: dict[str, object]) -> None:
    every = Every()
    soft_merge(make_sources("convolutional", 3), make_data(), QUICK.model_copy(update=settings), watch=every.watch)
    for step in (1, 4, 6):
        found = told(step, **settings)
        shown = slice(0, MOST_PARTS)
        assert torch.equal(table(found, "after"), every.after[step - 1][shown])
        if step > 1:
            assert torch.equal(table(found, "log_alpha"), every.after[step - 2][shown])
        assert not torch.equal(table(found, "after"), table(found, "log_alpha"))


@pytest.mark.parametrize("normalise", [True, False])
def test_the_numbers_of_a_step_follow_from_each_other(normalise: bool) -> None:
    found = told(5, normalise=normalise)
    low, high = found["settings"]["stretch"]
    uniform, alpha = table(found, "uniform"), table(found, "log_alpha")
    concrete = torch.sigmoid((uniform.logit() + alpha) / found["settings"]["temperature"])
    value = (concrete * (high - low) + low).clamp(0, 1)
    torch.testing.assert_close(table(found, "value"), value, atol=1e-5, rtol=1e-4)
    share = value / value.sum(1, keepdim=True) if normalise else value
    torch.testing.assert_close(table(found, "weight"), share, atol=1e-5, rtol=1e-4)
    for part in found["parts"].values():
        for entry in part["entries"]:
            mixed = sum(w * theta for w, theta in zip(part["weight"], entry["sources"], strict=True))
            assert entry["merged"] == pytest.approx(mixed, abs=1e-6)
    assert torch.equal(table(found, "by_task") + table(found, "by_penalty"), table(found, "gradient"))
    assert table(found, "by_penalty").abs().max() > 0
    gradient = table(found, "gradient") * found["clip"]["factor"]
    assert found["clip"]["norm"] == pytest.approx(float(table(found, "gradient").norm()))
    first = 0.9 * table(found, "first") + 0.1 * gradient
    second = 0.999 * table(found, "second") + 0.001 * gradient**2
    torch.testing.assert_close(table(found, "first_after"), first)
    torch.testing.assert_close(table(found, "second_after"), second)
    move = found["settings"]["rate"] / (1 - 0.9**5) * first / ((second / (1 - 0.999**5)).sqrt() + 1e-8)
    torch.testing.assert_close(table(found, "after"), alpha - move, atol=1e-5, rtol=1e-4)
    opened = table(found, "open").sum(1)
    paid = (opened - 1).clamp_min(0) if normalise else opened
    assert found["batch"]["paid"] == pytest.approx(float(paid.sum()), rel=1e-3)
    assert found["batch"]["penalty"] == pytest.approx(0.05 * float(paid.mean()), rel=1e-3)


def test_of_very_many_parts_those_around_the_one_asked_for_are_told() -> None:
    names = [f"conv {number}" for number in range(100)]
    assert near_rows(names[:10], "conv 3") == slice(0, 10)
    assert near_rows(names, "") == slice(0, MOST_PARTS)
    assert near_rows(names, "conv 99") == slice(100 - MOST_PARTS, 100)
    around = near_rows(names, "conv 50")
    assert around.start <= 50 < around.stop
    assert around.stop - around.start == MOST_PARTS
