"""A training run: what it tells, keeps and repeats."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch

from softmerge_core.checkpoints.files import state_hash
from softmerge_core.errors import TrainingError
from softmerge_core.events import Evaluation, Event, Loss, Notice, Progress
from softmerge_core.experiments.train.run import run
from softmerge_core.experiments.train.spec import check
from softmerge_core.settings import AttackSettings, TrainSettings
from softmerge_core.zoo import library, load_source
from tests.experiments.train.specs import QUICK, START, spec


class Memory:
    """A context that keeps everything in memory and stops after ``patience`` steps."""

    def __init__(self, patience: int = 10**9) -> None:
        self.events: list[Event] = []
        self.weights: dict[str, Mapping[str, torch.Tensor]] = {}
        self.patience = patience

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def should_stop(self) -> bool:
        self.patience -= 1
        return self.patience < 0

    def save_weights(self, name: str, state: Mapping[str, torch.Tensor], metadata: Any = None) -> None:
        self.weights[name] = state

    def save_snapshot(self, snapshot: bytes) -> None:
        raise AssertionError("training keeps no snapshots")

    def load_snapshot(self) -> bytes | None:
        return None

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def test_a_run_trains_tells_and_keeps() -> None:
    context, made = Memory(), spec(name="My model")
    check(made)
    result = run(made, context)
    assert (result["stop_reason"], result["steps"], result["library"]) == ("finished", 48, "my-model")
    kept = library()["my-model"]
    assert (kept.title, kept.settings, kept.origin) == ("My model", QUICK, "trained")
    assert "Started from random weights (seed 3), then trained 4 epochs" in kept.how
    assert kept.accuracy == result["accuracy"]
    assert result["accuracy"]["train"] > 0.75
    assert state_hash(context.weights["trained"]) == kept.sha256
    assert context.of(Loss)[-1].step == context.of(Progress)[-1].step == 48
    assert [(e.step, e.accuracy) for e in context.of(Evaluation)] == [(s, a) for s, _, a in kept.history]


def test_the_same_spec_twice_gives_the_same_weights_under_two_names() -> None:
    names = [run(spec(), Memory())["library"] for _ in range(2)]
    assert names == ["mlp-on-moons", "mlp-on-moons-2"]
    assert library()[names[0]].sha256 == library()[names[1]].sha256


def test_going_on_from_a_zoo_model() -> None:
    still = TrainSettings(epochs=1, learning_rate=1e-30, optimiser="sgd")
    made = spec(start_from=START, settings=still)
    check(made)
    result = run(made, Memory())
    assert library()[result["library"]].sha256 == state_hash(load_source(START).module.state_dict())
    assert "the weights of moons-mlp-label-noise/source-1" in library()[result["library"]].how


@pytest.mark.parametrize("patience", [0, 5])
def test_stop_keeps_what_there_is(patience: int) -> None:
    result = run(spec(settings=QUICK.model_copy(update={"epochs": 10_000})), Memory(patience))
    assert (result["stop_reason"], result["steps"]) == ("stopped", patience)
    assert f"ended at step {patience} (stopped)" in library()[result["library"]].how


def test_a_loss_that_explodes_is_noticed_and_the_last_finite_weights_are_kept() -> None:
    context = Memory()
    result = run(spec(settings=QUICK.model_copy(update={"learning_rate": 1e30})), context)
    assert result["stop_reason"] == "non-finite loss"
    assert "stopped being finite" in context.of(Notice)[0].text
    assert all(bool(torch.isfinite(value).all()) for value in context.weights["trained"].values())


def test_a_data_file(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    arrays = {}
    for split in ("train", "validation"):
        arrays[f"{split}_inputs"] = rng.normal(size=(40, 3))
        arrays[f"{split}_labels"] = rng.integers(0, 4, 40)
    np.savez(tmp_path / "own.npz", **arrays)
    made = spec(dataset=str(tmp_path / "own.npz"))
    check(made)
    result = run(made, Memory())
    kept = library()[result["library"]]
    assert (kept.input_shape, kept.classes, kept.dataset) == ((3,), 4, str(tmp_path / "own.npz"))


def test_weights_that_are_not_finite_are_no_start() -> None:
    broken = START.model_copy(update={"attack": AttackSettings(kind="nan")})
    with pytest.raises(TrainingError, match=r"moons-mlp-label-noise/source-1.*NaN or Inf"):
        run(spec(start_from=broken), Memory())
