"""Soft merging as a whole, on every kind of network."""

import copy
import math

import pytest
import torch
from torch import nn

from softmerge_core import MergeData, MergeResult, SoftMergeSettings, checks, soft_merge
from softmerge_core.checks import devices, usable_device
from softmerge_core.errors import DataError, SettingsError, SourceError
from softmerge_core.evaluation import evaluate, predict, reestimate_batchnorm
from softmerge_core.events import Evaluation, Event, Gates, Loss, Notice, Progress, Stage
from softmerge_core.merging import staged
from softmerge_core.merging.candidates import surely_better
from softmerge_core.merging.staged import LONG_PATIENCE, PATIENCE
from tests.networks_for_tests import NETWORKS, make_data, make_sources, train_sources

QUICK = SoftMergeSettings(steps=12, evaluate_every=4, batch_size=32)


def quick(granularity: str = "auto", **more: object) -> SoftMergeSettings:
    return QUICK.model_copy(update={"granularity": granularity, **more})


def states(sources: list[nn.Module]) -> list[dict[str, torch.Tensor]]:
    return [copy.deepcopy(source.state_dict()) for source in sources]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("granularity", ["auto", "model", "module", "layer", "channel"])
def test_merges_any_network_and_leaves_the_sources_alone(kind: str, granularity: str) -> None:
    sources, data = make_sources(kind, 3), make_data()
    sources[1].eval()
    before, modes = states(sources), [source.training for source in sources]
    result = soft_merge(sources, data, quick(granularity))
    assert all(same(source.state_dict(), old) for source, old in zip(sources, before, strict=True))
    assert [source.training for source in sources] == modes
    assert all(parameter.grad is None for source in sources for parameter in source.parameters())
    assert type(result.model) is type(sources[0])
    assert result.model(data.validation_inputs).shape == (96, 3)
    assert result.stop_reason == "finished"
    assert len(result.gates.value) == len(result.gates.parts)


def test_the_same_spec_twice_is_bit_identical() -> None:
    data = make_data()
    sources = train_sources("convolutional", 3, data)
    one, two = (soft_merge(sources, data, quick("channel")) for _ in range(2))
    assert one.gates == two.gates
    assert same(one.model.state_dict(), two.model.state_dict())
    other = soft_merge(sources, data, quick("channel", seed=1))
    assert other.gates != one.gates


@pytest.mark.parametrize("kind", NETWORKS)
def test_auto_keeps_what_is_surely_better_on_validation_data(kind: str) -> None:
    data = make_data()
    result = soft_merge(train_sources(kind, 3, data), data, quick())
    _, loss = evaluate(result.model, data.validation_inputs, data.validation_labels)
    kept = result.candidates[result.winner]
    assert loss == pytest.approx(kept.loss, abs=1e-6)
    simple = [result.candidates[name] for name in ("average", "best_source", "model")]
    assert result.winner in ("average", "best_source", "model") or any(surely_better(kept, each) for each in simple)
    assert not any(surely_better(each, kept) for each in simple if sum(each.right) >= sum(kept.right))
    assert result.reason.startswith(kept.title[:1].upper())


def test_gates_find_the_one_good_source_among_bad_ones() -> None:
    data = make_data(400)
    good = train_sources("perceptron", 2, data, steps=300)[0]
    bad = make_sources("perceptron", 2, seed=5)
    with torch.no_grad():
        for source in bad:
            for parameter in source.parameters():
                parameter.mul_(50)
    result = soft_merge([bad[0], good, bad[1]], data, SoftMergeSettings(granularity="model", steps=200))
    assert result.gates.closed_sources() == ("source 1", "source 3")
    assert same(result.model.state_dict(), good.state_dict())


@pytest.mark.parametrize("granularity", ["auto", "model", "module", "layer", "channel"])
def test_identical_sources_give_that_source_back(granularity: str) -> None:
    data = make_data()
    source = train_sources("convolutional", 1, data)[0]
    result = soft_merge([source, source, copy.deepcopy(source)], data, quick(granularity))
    reference = copy.deepcopy(source)
    reestimate_batchnorm(reference, data.train_inputs)
    for name, value in result.model.named_parameters():
        assert torch.allclose(value, source.state_dict()[name], atol=1e-6), name
    outputs = [predict(network, data.validation_inputs) for network in (result.model, reference)]
    assert torch.allclose(*outputs, atol=1e-4) or result.winner == "best_source"


def test_a_stage_of_auto_ends_when_it_no_longer_improves_and_the_rest_is_not_counted() -> None:
    data = make_data()
    source = train_sources("perceptron", 1, data)[0]
    settings = SoftMergeSettings(steps=100, evaluate_every=5)
    result = soft_merge([source, copy.deepcopy(source)], data, settings)  # no gate changes anything
    progress = [event for event in result.history if isinstance(event, Progress)][-1]
    stages = sum(isinstance(event, Stage) for event in result.history)
    assert stages == 4
    assert progress.step == progress.total == 5 * (2 * PATIENCE + 2 * LONG_PATIENCE)  # two of channel gates


def test_what_rescaling_gives_alone_is_measured_beside() -> None:
    data = make_data()
    sources = train_sources("perceptron", 3, data)
    result = soft_merge(sources, data, quick("channel", rescale=True))
    assert set(result.controls) == {"best_source_rescaled", "average_rescaled"}
    assert result.winner == "channel"
    best = sources[int(result.best_source[-1]) - 1]
    alone = result.controls["best_source_rescaled"]
    before, after = (torch.cat([each[0].weight, each[0].bias[:, None]], 1) for each in (best, alone))
    factors = after / before
    assert torch.allclose(factors, factors[:, :1].expand_as(factors), rtol=1e-4)  # one factor a channel, nothing else
    assert (factors[:, 0] - 1).abs().max() > 1e-3
    mean = sum(source[0].weight for source in sources) / 3
    ratio = result.controls["average_rescaled"][0].weight / mean
    assert torch.allclose(ratio, ratio[:, :1].expand_as(ratio), rtol=1e-3)
    assert not soft_merge(sources, data, quick("channel")).controls


def test_gates_relative_to_the_base_weigh_what_was_learned_since() -> None:
    data = make_data()
    sources = train_sources("perceptron", 3, data)
    base = make_sources("perceptron", 1)[0]
    result = soft_merge(sources, data, quick("layer", relative=True), base=base)
    assert result.gates.relative
    weights = result.gates.weight[result.gates.parts.index("0")]
    expected = base[0].weight + sum(w * (s[0].weight - base[0].weight) for w, s in zip(weights, sources, strict=True))
    assert torch.allclose(result.model[0].weight, expected, atol=1e-5)
    assert "channel-relative" in soft_merge(sources, data, quick(relative=True), base=base).candidates
    with pytest.raises(SourceError, match="expected the base model"):
        soft_merge(sources, data, quick("layer", relative=True))
    with pytest.raises(SourceError, match="base model"):
        soft_merge(sources, data, quick(relative=True), base=make_sources("tied", 1)[0])


def test_without_labels_gates_come_closer_to_what_the_sources_predict_together() -> None:
    data = make_data()
    sources = train_sources("perceptron", 3, data)
    settings = quick("layer", objective="ensemble", steps=60)
    result = soft_merge(sources, data, settings)
    found = result.candidates
    assert found["ensemble"].loss < found["layer"].loss < min(found["average"].loss, found["best_source"].loss)
    assert all(found["ensemble"].right)  # it is what is matched, whatever the labels are
    assert "against the ensemble" in result.reason
    shuffled = MergeData(
        data.train_inputs, data.train_labels.flip(0), data.validation_inputs, data.validation_labels.flip(0)
    )
    again = soft_merge(sources, shuffled, settings)
    assert same(result.model.state_dict(), again.model.state_dict())
    assert again.candidates["layer"].loss == found["layer"].loss
    assert again.candidates["layer"].accuracy != found["layer"].accuracy  # the labels are for display alone


def test_parts_are_averaged_or_kept_as_asked() -> None:
    data = make_data()
    sources = make_sources("perceptron", 3)
    result = soft_merge(sources, data, quick("layer", parts={"0": "keep:2"}))
    assert torch.equal(result.model[0].weight, sources[2][0].weight)
    assert result.gates.parts == ("2",)
    result = soft_merge(sources, data, quick("auto", parts={"2": "average"}))
    assert torch.allclose(result.model[2].weight, sum(source[2].weight for source in sources) / 3, atol=1e-6)
    assert result.winner not in ("best_source", "average")


def test_batchnorm_statistics_are_those_of_the_merged_network() -> None:
    data = make_data()
    sources = train_sources("convolutional", 3, data)
    merged = soft_merge(sources, data, quick("layer")).model
    first, norm = merged[1], merged[2]
    activations = first(data.train_inputs.unflatten(1, (1, 12)))
    assert torch.allclose(norm.running_mean, activations.mean((0, 2)), atol=1e-5)
    assert torch.allclose(norm.running_var, activations.var((0, 2)), rtol=1e-3)


def test_events_tell_the_whole_story_in_order() -> None:
    told: list[Event] = []
    data = make_data()
    result = soft_merge(train_sources("perceptron", 3, data), data, quick(), on_event=told.append)
    assert tuple(told) == result.history
    assert [type(event) for event in told[:3]] == [Stage, Gates, Progress]
    stages = [event for event in told if isinstance(event, Stage)]
    assert [stage.stage for stage in stages] == ["model", "layer", "channel", "channel-afresh"]
    assert [event.step for event in told] == sorted(event.step for event in told)
    progress = [event for event in told if isinstance(event, Progress)]
    assert (progress[-1].step, progress[-1].total) == (48, 48)
    series = {event.series for event in told if isinstance(event, Evaluation)}
    assert series == {"soft", "average", "best_source", "ensemble", "source 1", "source 2", "source 3"}
    for loss in (event for event in told if isinstance(event, Loss)):
        assert loss.total == pytest.approx(loss.task + loss.penalty)


def test_gate_events_fit_the_stage_they_belong_to() -> None:
    data = make_data()
    result = soft_merge(make_sources("recurrent", 2), data, quick())
    shape = (0, 0)
    for event in result.history:
        if isinstance(event, Stage):
            shape = (len(event.parts), len(event.sources))
        if isinstance(event, Gates):
            assert (len(event.value), len(event.value[0])) == shape
            assert all(0 <= number <= 1 for row in event.value + event.probability for number in row)


def test_stopping_keeps_what_was_learned() -> None:
    data = make_data()
    asked: list[int] = []
    result = soft_merge(
        make_sources("perceptron", 2), data, quick(), should_stop=lambda: bool(asked.append(1)) or len(asked) > 5
    )
    assert result.stop_reason == "stopped"
    assert max(event.step for event in result.history) == 5
    assert math.isfinite(result.candidates[result.winner].loss)


def test_stopping_before_the_first_step_still_gives_a_network() -> None:
    result = soft_merge(make_sources("tied", 2), make_data(), quick(), should_stop=lambda: True)
    assert result.stop_reason == "stopped"
    assert result.model(make_data().train_inputs).shape == (96, 3)


@pytest.mark.parametrize("granularity", ["auto", "channel"])
def test_an_interrupted_merge_resumes_to_the_same_bits(granularity: str) -> None:
    data = make_data()
    sources = train_sources("convolutional", 3, data)
    snapshots: list[bytes] = []
    whole = soft_merge(sources, data, quick(granularity), on_snapshot=snapshots.append)
    for snapshot in snapshots[:: max(1, len(snapshots) // 5)]:
        resumed = soft_merge(sources, data, quick(granularity), snapshot=snapshot)
        assert resumed.gates == whole.gates
        assert resumed.winner == whole.winner
        assert same(resumed.model.state_dict(), whole.model.state_dict())


def test_observers_see_the_merged_network_at_every_evaluation() -> None:
    seen: list[int] = []
    soft_merge(make_sources("perceptron", 2), make_data(), quick("layer"), observe=lambda _, step: seen.append(step))
    assert seen == [0, 4, 8, 12]


def test_a_huge_learning_rate_ends_with_finite_weights() -> None:
    data = make_data()
    result = soft_merge(train_sources("perceptron", 3, data), data, quick("channel", learning_rate=1e30))
    assert all(torch.isfinite(value).all() for value in result.model.state_dict().values())


# -- what is refused, before any training ---------------------------------------------------------------------------


def refused(error: type[Exception], match: str, sources: list[nn.Module], data: MergeData, **settings: object) -> None:
    told: list[Event] = []
    with pytest.raises(error, match=match):
        soft_merge(sources, data, quick(**settings), on_event=told.append)
    assert told == []


def test_one_source_or_none_is_refused() -> None:
    refused(SourceError, "two or more sources, got 1", make_sources("perceptron", 1), make_data())
    refused(SourceError, "two or more sources, got 0", [], make_data())


def test_two_architectures_are_refused_by_the_first_tensor_that_differs() -> None:
    wider = nn.Sequential(nn.Linear(12, 9), nn.ReLU(), nn.Linear(9, 3))
    sources = [*make_sources("perceptron", 1), wider]
    refused(SourceError, r"'source 1' and 'source 2'.*0\.weight.*\[8, 12\].*\[9, 12\]", sources, make_data())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_weights_that_are_not_finite_are_refused_by_name(value: float) -> None:
    sources = make_sources("perceptron", 3)
    with torch.no_grad():
        sources[1][2].bias[0] = value
    refused(SourceError, r"'source 2': 2\.bias has NaN or Inf", sources, make_data())


def excluded(sources: list[nn.Module]) -> MergeResult:
    return soft_merge(sources, make_data(), quick(non_finite="exclude"))


def test_weights_that_are_not_finite_can_be_excluded_with_a_notice() -> None:
    sources = make_sources("perceptron", 3)
    with torch.no_grad():
        sources[1][2].bias[0] = math.nan
        sources[2][0].weight.fill_(3e38)  # finite, but the forward pass is not
    result = excluded(sources)
    notices = [event.text for event in result.history if isinstance(event, Notice)]
    assert result.excluded == ("source 2", "source 3")
    assert len(notices) == 2
    assert "source 2" in notices[0]
    assert same(result.model.state_dict(), sources[0].state_dict())
    assert result.gates.closed_sources() == ("source 2", "source 3")


def test_nothing_left_after_excluding_is_refused() -> None:
    sources = make_sources("perceptron", 2)
    with torch.no_grad():
        for source in sources:
            source[0].weight.fill_(math.nan)
    refused(SourceError, "no source is left", sources, make_data(), non_finite="exclude")


def cut(data: MergeData, **parts: torch.Tensor) -> MergeData:
    return MergeData(**{**vars(data), **parts})


def test_data_that_do_not_fit_are_refused_by_split() -> None:
    sources, data = make_sources("perceptron", 2), make_data()
    empty = cut(data, validation_inputs=data.validation_inputs[:0], validation_labels=data.validation_labels[:0])
    refused(DataError, "no validation data", sources, empty)
    empty = cut(data, train_inputs=data.train_inputs[:0], train_labels=data.train_labels[:0])
    refused(DataError, "no train data", sources, empty)
    labels = data.validation_labels.clone()
    labels[7] = 3
    refused(
        DataError, "validation labels: expected 0 to 2, got 3 at index 7", sources, cut(data, validation_labels=labels)
    )
    labels[7] = -1
    refused(DataError, "train labels: expected 0 to 2, got -1", sources, cut(data, train_labels=labels))
    refused(DataError, "train labels: expected shape", sources, cut(data, train_labels=labels[:5]))
    refused(DataError, "dtype int64", sources, cut(data, train_labels=data.train_labels.float()))
    wide = cut(data, validation_inputs=torch.zeros(4, 13), validation_labels=torch.zeros(4, dtype=torch.int64))
    refused(DataError, r"cannot read inputs of shape \[13\]", sources, wide)
    nan = data.train_inputs.clone()
    nan[0, 0] = math.nan
    refused(DataError, "train inputs", sources, cut(data, train_inputs=nan))


def test_one_sample_of_each_is_enough() -> None:
    data = make_data()
    one = MergeData(
        data.train_inputs[:1], data.train_labels[:1], data.validation_inputs[:1], data.validation_labels[:1]
    )
    assert soft_merge(make_sources("perceptron", 2), one, quick()).stop_reason == "finished"


def test_fixing_every_layer_leaves_nothing_to_gate() -> None:
    refused(
        SettingsError,
        "gate at least one",
        make_sources("perceptron", 2),
        make_data(),
        parts={"0": "average", "2": "average"},
    )


def test_names_are_made_unique_and_never_a_methods_key() -> None:
    result = soft_merge(make_sources("perceptron", 3), make_data(), quick("model"), names=["a", "a", "average"])
    assert result.gates.sources == ("a", "a (2)", "average (2)")


def test_sources_of_mixed_precision_merge_in_the_first_ones() -> None:
    sources = make_sources("perceptron", 2)
    sources[1].double()
    merged = soft_merge(sources, make_data(), quick("layer")).model
    assert merged[0].weight.dtype == torch.float32


def test_a_device_that_is_absent_is_told_before_anything_is_trained() -> None:
    sources, data = make_sources("perceptron", 2), make_data()
    absent = next(name for name in ("cuda:7", "xpu:7") if name not in devices())
    with pytest.raises(SettingsError, match=rf"^device: expected one that is there \(auto, cpu.*got '{absent}'"):
        soft_merge(sources, data, quick("model", device=absent), on_event=lambda event: pytest.fail("it began"))


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for found, expected in ((("cpu",), "cpu"), (("cpu", "cuda:0", "cuda:1"), "cuda:0"), (("cpu", "mps"), "mps")):
        monkeypatch.setattr(checks, "devices", lambda found=found: found)
        assert usable_device("auto") == expected
        assert [usable_device(name) for name in found] == list(found)
    with pytest.raises(SettingsError, match="got 'cuda'"):
        usable_device("cuda")


def test_on_auto_without_a_gpu_the_bits_are_those_of_the_cpu() -> None:
    if len(devices()) > 1:
        pytest.skip("auto is another device here")
    sources, data = make_sources("perceptron", 2), make_data()
    one, other = (soft_merge(sources, data, quick("model", device=device)).model for device in ("cpu", "auto"))
    assert same(one.state_dict(), other.state_dict())


@pytest.mark.parametrize("better", [True, False])
def test_fresh_channel_gates_are_left_out_where_refined_ones_are_surely_better(
    monkeypatch: pytest.MonkeyPatch, better: bool
) -> None:
    monkeypatch.setattr(staged, "surely_better", lambda *_: better)
    data = make_data()
    result = soft_merge(train_sources("perceptron", 2, data), data, quick())
    assert ("channel-afresh" in result.candidates) is not better
    progress = [event for event in result.history if isinstance(event, Progress)][-1]
    assert progress.step == progress.total == QUICK.steps * (3 if better else 4)
