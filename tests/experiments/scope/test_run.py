"""Weight scope alignment as an experiment: targets, stages, what is told, and what is refused."""

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import nn

from softmerge_core.checkpoints.files import load_into
from softmerge_core.data import load_data, load_dataset
from softmerge_core.evaluation import evaluate
from softmerge_core.events import Barrier, Evaluation, Event, Histogram, Loss, Notice, Progress, Scopes, WeightPath
from softmerge_core.experiments.scope.run import run
from softmerge_core.experiments.scope.spec import FACTORS, SourceTraining, check, seed_of, sources_for
from softmerge_core.networks import build_network
from softmerge_core.scope.measure import Scope, distance, fuse, scope_of
from softmerge_core.training import train
from softmerge_core.zoo import library
from tests.experiments.scope.library import spec

MOONS = load_dataset("moons")


class Memory:
    """A context that keeps everything in memory and stops after ``patience`` questions."""

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
        self.weights[name] = {key: value.clone() for key, value in state.items()}

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def scope(self, name: str) -> Scope:
        return scope_of(self.network(name))

    def network(self, name: str) -> nn.Module:
        network = build_network("mlp", MOONS.input_shape, MOONS.classes, 0)
        load_into(network, dict(self.weights[name]), name)
        return network.eval()


def done(**changes: Any) -> tuple[Memory, dict[str, Any]]:
    context, made = Memory(), spec(**changes)
    check(made)
    return context, run(made, context)  # type: ignore[arg-type]


def start(seed: int = 0) -> nn.Module:
    return build_network("mlp", MOONS.input_shape, MOONS.classes, seed)


def plain_numbers(scope: Scope) -> tuple[list[float], list[float]]:
    return scope.mu.tolist(), scope.sigma.tolist()


def targets(context: Memory) -> dict[int, Scopes]:
    return {event.step: event for event in context.of(Scopes) if event.series == "aligned:target"}


@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_the_pull_brings_every_source_nearer_to_the_target(direction: str) -> None:
    context, _ = done(weight=20.0, direction=direction, epochs=4)
    target = scope_of(start())
    for source in "AB":
        plain, aligned = (distance(context.scope(f"{side}-{source}"), target).sum() for side in ("plain", "aligned"))
        assert aligned < plain / 4


def test_without_weight_both_sides_are_the_same_bits() -> None:
    context, result = done(weight=0.0, target="dynamic", refuse_every=1)
    for source in ("A", "B", "merged"):
        plain, aligned = context.weights[f"plain-{source}"], context.weights[f"aligned-{source}"]
        assert all(torch.equal(plain[name], aligned[name]) for name in plain)
    assert result["plain"] == result["aligned"]


def test_the_same_spec_twice_tells_the_same() -> None:
    first, second = done(target="fused"), done(target="fused")
    assert first[0].events == second[0].events
    assert {**first[1], "seconds": 0} == {**second[1], "seconds": 0}


@pytest.mark.parametrize("fusion", ["mean", "mixture"])
def test_the_fused_target_is_that_of_the_plain_trainings(fusion: str) -> None:
    context, _ = done(target="fused", fusion=fusion)
    expected = fuse([context.scope("plain-A"), context.scope("plain-B")], how=fusion)  # type: ignore[arg-type]
    for name, values in zip(("mu", "sigma"), plain_numbers(expected), strict=True):
        assert getattr(targets(context)[3], name) == pytest.approx(values, rel=1e-5)


@pytest.mark.parametrize("chosen", [0, 1])
def test_a_chosen_source_is_the_target(chosen: int) -> None:
    context, _ = done(target="source", target_source=chosen)
    mu, sigma = plain_numbers(context.scope(f"plain-{'AB'[chosen]}"))
    assert targets(context)[2].mu == pytest.approx(mu, rel=1e-5)
    assert targets(context)[2].sigma == pytest.approx(sigma, rel=1e-5)


def test_a_dynamic_target_is_what_the_sources_had_when_it_was_fused() -> None:
    for every, fused_at in ((1, {1: 0, 2: 1, 3: 2, 4: 3}), (2, {1: 0, 2: 0, 3: 2, 4: 2})):
        context, _ = done(target="dynamic", refuse_every=every, epochs=4)
        sigma = {(e.series, e.step): e.sigma for e in context.of(Scopes)}
        for step, origin in fused_at.items():
            own = [sigma[f"aligned:{number}", origin] for number in range(2)]
            mean = [sum(pair) / 2 for pair in zip(*own, strict=True)]
            assert targets(context)[step].sigma == pytest.approx(mean, rel=1e-4)
    assert targets(context)[4].sigma != targets(context)[1].sigma


def test_every_epoch_of_both_sides_is_told() -> None:
    context, result = done()
    for side in ("plain", "aligned"):
        assert [e.step for e in context.of(Barrier) if e.series == side] == [0, 1, 2, 3]
        for source in (0, 1):
            series = f"{side}:{source}"
            assert [e.step for e in context.of(Loss) if e.series == series] == [1, 2, 3]
            assert [e.step for e in context.of(Evaluation) if e.series == series] == [0, 1, 2, 3]
            assert [e.step for e in context.of(Scopes) if e.series == series] == [0, 1, 2, 3]
    assert all(e.penalty == 0 for e in context.of(Loss) if e.series.startswith("plain"))
    assert all(e.penalty > 0 for e in context.of(Loss) if e.series.startswith("aligned"))
    assert [(e.step, e.total) for e in context.of(Progress)] == [(step, 6) for step in range(1, 7)]
    layers = scope_of(start()).layers
    shown = {(e.series, e.layer) for e in context.of(Histogram)}
    series = ("start:0", "plain:0", "plain:1", "aligned:0", "aligned:1")
    assert shown == {(name, layer) for name in series for layer in layers}
    assert [path.series for path in context.of(WeightPath)] == ["plain", "aligned"]
    assert result["stop_reason"] == "finished"
    assert result["reason"].startswith("After 3 of 3 epochs")
    assert set(context.weights) == {f"{side}-{name}" for side in ("plain", "aligned") for name in ("A", "B", "merged")}


def test_numbers_agree_with_the_weights_that_are_kept() -> None:
    context, result = done()
    inputs, labels = MOONS.split("test")
    for side in ("plain", "aligned"):
        networks = [context.network(f"{side}-{name}") for name in ("A", "B")]
        scores = [evaluate(network, inputs, labels) for network in networks]
        middle = evaluate(context.network(f"{side}-merged"), inputs, labels)
        assert result[side]["accuracy"] == pytest.approx([score[0] for score in scores])
        assert result[side]["merged"] == pytest.approx([middle[0]])
        expected = sum(score[0] for score in scores) / 2 - middle[0]
        assert result[side]["barrier"]["error"] == pytest.approx(expected, abs=1e-5)
        apart = distance(*(scope_of(network) for network in networks)).tolist()
        assert list(result[side]["distance"].values()) == pytest.approx(apart, rel=1e-4)
        (path,) = [path for path in context.of(WeightPath) if path.series == side]
        assert (path.t[0], path.t[10], path.t[-1]) == (0, 0.5, 1)
        assert 1 - path.test_error[10] == pytest.approx(middle[0], abs=1e-5)


def test_a_histogram_counts_every_weight() -> None:
    context, _ = done()
    for event in context.of(Histogram):
        weight = start().get_parameter(event.layer)
        assert sum(event.counts) + event.outside == weight.numel()
        assert len(event.counts) == 40
        assert event.low < event.mu < event.high


def test_the_next_stage_trains_on_from_what_was_merged() -> None:
    made = spec(stages=2, epochs=2)
    context, result = done(stages=2, epochs=2)
    assert len(result["plain"]["merged"]) == 2
    assert result["epochs"] == 4
    one, _ = done(epochs=2)
    by_hand = one.network("plain-merged")
    data = load_data(made.data)
    train(by_hand, data.train_inputs, data.train_labels, made.training(1), classes=data.classes)
    assert all(torch.equal(v, context.weights["plain-B"][name]) for name, v in by_hand.state_dict().items())
    accuracies = {(e.series, e.step): e.accuracy for e in context.of(Evaluation)}
    for step, merged in zip((2, 4), result["aligned"]["merged"], strict=True):
        assert accuracies["aligned:merged", step] == pytest.approx(merged, abs=1e-5)


def test_sources_of_different_starts_are_permuted_before_they_are_merged() -> None:
    context, result = done(same_start=False, epochs=4)
    assert [path.series for path in context.of(WeightPath)] == [
        "plain", "plain:permuted", "aligned", "aligned:permuted",
    ]  # fmt: skip
    first, last = (path for path in context.of(WeightPath) if path.series.startswith("plain"))
    assert last.test_error[0] == pytest.approx(first.test_error[0], abs=1e-5)  # each computes what it did
    assert last.test_error[-1] == pytest.approx(first.test_error[-1], abs=1e-5)
    assert 1 - last.test_error[10] == pytest.approx(result["plain"]["merged"][0], abs=1e-5)
    assert {e.series for e in context.of(Histogram)} >= {"start:0", "start:1"}
    expected = fuse([scope_of(start(0)), scope_of(start(1))])
    assert targets(context)[0].sigma == pytest.approx(expected.sigma.tolist(), rel=1e-5)


@pytest.mark.parametrize("factor", FACTORS)
def test_every_factor_changes_one_source_alone(factor: str) -> None:
    plain, other, third = sources_for(factor, 3)
    changed = {name for name in SourceTraining.model_fields if getattr(plain, name) != getattr(other, name)}
    assert changed == {*FACTORS[factor], "seed"}
    assert third == other.model_copy(update={"seed": seed_of(2)})
    context, _ = done(sources=(plain, other), epochs=1)
    a, b = context.weights["plain-A"], context.weights["plain-B"]
    assert any(not torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("patience", [0, 3])
def test_stop_keeps_what_there_is(patience: int) -> None:
    context = Memory(patience)
    result = run(spec(epochs=1000), context)  # type: ignore[arg-type]
    assert result["stop_reason"] == "stopped"
    assert len(context.weights) == 6
    assert result["reason"] == "Waiting for the first epoch."


def test_a_loss_that_explodes_is_told_and_the_others_go_on() -> None:
    context, result = done(sources=(SourceTraining(learning_rate=1e30), SourceTraining()))
    told = {notice.text for notice in context.of(Notice)}
    assert told == {
        f"The loss of Source A ({side}) stopped being finite; it was left as it was." for side in ("plain", "aligned")
    }
    assert result["plain"]["accuracy"][1] > 0.6
    assert all(bool(torch.isfinite(v).all()) for v in context.weights["aligned-A"].values())


def test_the_aligned_sources_are_kept_on_request() -> None:
    done(epochs=1)
    assert not library()
    _, result = done(epochs=1, keep=True, name="Mine")
    assert [model.title for model in library().values()] == ["Mine, aligned A", "Mine, aligned B"]
    kept = library()["mine-aligned-a"]
    assert kept.accuracy["test"] == pytest.approx(result["aligned"]["accuracy"][0])
    assert "its scope pulled" in kept.how
