"""Merges side by side: each gives what it gives alone; others go one after another."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from softmerge_core import MergeResult, SoftMergeSettings, soft_merge
from softmerge_core.errors import SettingsError, SourceError
from softmerge_core.events import Evaluation, Event, Loss, Progress, Stage
from softmerge_core.merging import seeds
from softmerge_core.merging.seeds import quicker_together, soft_merge_each
from softmerge_core.networks import build_network
from tests.networks_for_tests import NETWORKS, make_data, make_sources, train_sources

DATA = make_data(dtype=torch.float64)
Settings = list[SoftMergeSettings]


@pytest.fixture(scope="module")
def sources() -> list[nn.Module]:
    return [each.double() for each in train_sources("perceptron", 3, make_data())]


@pytest.fixture
def together(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many merges each call of the side-by-side loop was given."""
    counts: list[int] = []
    original: Callable[..., Any] = seeds._side_by_side

    def counted(lanes: Any, should_stop: Any) -> Any:
        counts.append(len(lanes))
        return original(lanes, should_stop)

    monkeypatch.setattr(seeds, "_side_by_side", counted)
    return counts


def settings(*changes: dict[str, Any], **same: Any) -> Settings:
    return [SoftMergeSettings(**{"steps": 30, "evaluate_every": 7, "batch_size": 32, **same, **own}) for own in changes]


def are_the_same(found: MergeResult, expected: MergeResult) -> None:
    assert found.winner == expected.winner
    assert found.stop_reason == expected.stop_reason
    assert found.settings == expected.settings
    assert found.gates.parts == expected.gates.parts
    for name in ("probability", "value", "weight", "scale"):
        one, other = (torch.tensor(getattr(each.gates, name)) for each in (found, expected))
        assert torch.allclose(one, other, atol=1e-5)
    assert found.candidates.keys() == expected.candidates.keys()
    assert found.controls.keys() == expected.controls.keys()
    for key, own in found.candidates.items():
        assert own.loss == pytest.approx(expected.candidates[key].loss, abs=1e-6)
    for one, other in zip(found.model.parameters(), expected.model.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("granularity", ["auto", "model", "layer", "channel"])
def test_seeds_side_by_side_give_what_each_gives_alone(
    granularity: str, sources: list[nn.Module], together: list[int]
) -> None:
    chosen = settings({"seed": 0}, {"seed": 1}, {"seed": 2}, granularity=granularity)
    found = soft_merge_each(sources, DATA, chosen)
    assert together == [3]
    for one, own in zip(found, chosen, strict=True):
        are_the_same(one, soft_merge(sources, DATA, own))
    assert found[0].gates != found[1].gates


def test_points_of_a_sweep_go_side_by_side_and_other_settings_apart(
    sources: list[nn.Module], together: list[int]
) -> None:
    changes = [{"learning_rate": 0.1}, {"normalise": False}, {"learning_rate": 0.01, "penalty": 0.1}]
    chosen = settings(*changes, granularity="channel")
    found = soft_merge_each(sources, DATA, chosen)
    assert together == [2]
    for one, own in zip(found, chosen, strict=True):
        are_the_same(one, soft_merge(sources, DATA, own))


def test_stages_that_end_at_different_steps(sources: list[nn.Module], together: list[int]) -> None:
    chosen = settings(
        {"learning_rate": 0.5}, {"learning_rate": 0.001}, {"learning_rate": 0.1}, steps=60, evaluate_every=4
    )
    found = soft_merge_each(sources, DATA, chosen)
    alone = [soft_merge(sources, DATA, own) for own in chosen]
    assert together == [3]
    for one, other in zip(found, alone, strict=True):
        are_the_same(one, other)
    done = [[event for event in one.history if isinstance(event, Progress)][-1] for one in found]
    assert len({event.step for event in done}) > 1
    assert all(event.step == event.total for event in done)


def test_each_may_have_samples_of_its_own(sources: list[nn.Module], together: list[int]) -> None:
    data = [make_data(40, seed, dtype=torch.float64) for seed in (0, 1)] + [make_data(30, 2, dtype=torch.float64)]
    chosen = settings(*[{}] * 3, granularity="layer")
    found = soft_merge_each(sources, data, chosen)
    assert together == [2]  # the third has fewer
    for one, samples, own in zip(found, data, chosen, strict=True):
        are_the_same(one, soft_merge(sources, samples, own))


def test_parts_that_are_kept_and_factors_of_channels(sources: list[nn.Module], together: list[int]) -> None:
    for same in ({"parts": {"2": "keep:1"}, "granularity": "layer"}, {"rescale": True, "granularity": "channel"}):
        chosen = settings({"seed": 0}, {"seed": 1}, **same)
        for one, own in zip(soft_merge_each(sources, DATA, chosen), chosen, strict=True):
            are_the_same(one, soft_merge(sources, DATA, own))
    assert together == [2, 2]


def test_without_labels(sources: list[nn.Module], together: list[int]) -> None:
    chosen = settings({"seed": 0}, {"seed": 1}, granularity="layer", objective="ensemble")
    for one, own in zip(soft_merge_each(sources, DATA, chosen), chosen, strict=True):
        are_the_same(one, soft_merge(sources, DATA, own))
    assert together == [2]


def test_events_tell_whose_they_are(sources: list[nn.Module]) -> None:
    seen: list[tuple[int, Event]] = []
    chosen = settings({"seed": 0}, {"seed": 1}, granularity="layer")
    found = soft_merge_each(sources, DATA, chosen, on_event=lambda number, event: seen.append((number, event)))
    for number, one in enumerate(found):
        own = [event for place, event in seen if place == number]
        assert own == list(one.history)
        alone = soft_merge(sources, DATA, chosen[number]).history
        for kind in (Stage, Evaluation, Loss):
            mine, theirs = ([event for event in events if isinstance(event, kind)] for events in (own, alone))
            assert [event.step for event in mine] == [event.step for event in theirs]
        assert own[-1] == Progress(step=30, total=30)


def test_asked_to_stop_all_end_with_what_they_have(sources: list[nn.Module]) -> None:
    answers = iter([False] * 10)
    chosen = settings({}, {"seed": 1})
    found = soft_merge_each(sources, DATA, chosen, should_stop=lambda: next(answers, True))
    assert [one.stop_reason for one in found] == ["stopped", "stopped"]
    assert {event.step for one in found for event in one.history if isinstance(event, Progress)} >= {7}
    assert max(event.step for one in found for event in one.history if isinstance(event, Progress)) == 10


def test_single_precision_takes_the_same_way() -> None:
    data, chosen = make_data(), settings({"seed": 0}, {"seed": 1}, granularity="layer")
    some = train_sources("perceptron", 3, data)
    for one, own in zip(soft_merge_each(some, data, chosen), chosen, strict=True):
        are_the_same(one, soft_merge(some, data, own))
    assert all(parameter.dtype == torch.float32 for parameter in one.model.parameters())


class Deciding(nn.Module):
    """A network whose way depends on its numbers, which ``vmap`` cannot follow."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(12, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        found = self.layer(inputs)
        return found if found.sum() > 0 else found * 2


@pytest.mark.parametrize("kind", ["deciding", "convolutional", "recurrent", "attention"])
def test_networks_that_cannot_go_side_by_side_go_one_after_another(kind: str, together: list[int]) -> None:
    data, chosen = make_data(), settings({"seed": 0}, {"seed": 1}, granularity="layer", steps=5)
    some = make_sources(kind, 2) if kind in NETWORKS else [Deciding(), Deciding()]
    found = soft_merge_each(some, data, chosen)
    assert not together
    for one, own in zip(found, chosen, strict=True):
        assert one.gates == soft_merge(some, data, own).gates  # to the bit


def test_which_networks_gain_by_it() -> None:
    shapes = {"mlp": (1, 40), "cnn1d": (1, 40), "lstm": (1, 40), "resnet": (1, 8, 8), "vit": (1, 8, 8)}
    assert [name for name, shape in shapes.items() if quicker_together(build_network(name, shape, 10, 0))] == [
        "mlp",
        "cnn1d",
    ]
    assert not quicker_together(nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4, affine=False)))


def test_noise_that_is_not_drawn_at_once(
    sources: list[nn.Module], together: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeds, "NOISE", 20)
    soft_merge_each(sources, DATA, settings({}, {"seed": 1}, granularity="layer"))
    assert not together


def test_wrong_arguments_are_refused_before_anything_is_trained(sources: list[nn.Module], together: list[int]) -> None:
    with pytest.raises(SettingsError, match="expected one for each of the 3 data sets, got 2"):
        soft_merge_each(sources, [DATA] * 3, settings({}, {}))
    with pytest.raises(SourceError, match="expected the base model"):
        soft_merge_each(sources, DATA, settings({}, {}, {"relative": True}))
    assert not together


def test_one_alone_is_merged_as_ever(sources: list[nn.Module], together: list[int]) -> None:
    alone = settings({}, granularity="layer")
    assert soft_merge_each(sources, DATA, alone)[0].gates == soft_merge(sources, DATA, alone[0]).gates
    assert soft_merge_each(sources, DATA, []) == []
    assert not together


def test_sources_stay_as_they_are(sources: list[nn.Module]) -> None:
    before = copy.deepcopy([each.state_dict() for each in sources])
    soft_merge_each(sources, replace(DATA), settings({}, {"seed": 1}, granularity="layer"))
    for source, old in zip(sources, before, strict=True):
        assert all(torch.equal(value, old[name]) for name, value in source.state_dict().items())
