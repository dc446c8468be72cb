"""The order of the stages, and the logits each begins with."""

import math

import pytest
import torch

from softmerge_core.anatomy import describe, partition
from softmerge_core.gates import probability_open
from softmerge_core.merging.stages import DROPPED, REACH, StageResult, hopeless, plan_stages, refine, start_of
from softmerge_core.settings import SoftMergeSettings
from tests.networks_for_tests import NETWORKS, make_sources

NOBODY = torch.zeros(3, dtype=torch.bool)


@pytest.mark.parametrize("kind", NETWORKS)
def test_auto_refines_strictly_and_ends_afresh(kind: str) -> None:
    plans = plan_stages(describe(make_sources(kind, 1)[0]), SoftMergeSettings())
    assert plans[0].key == "model"
    assert plans[-1].key == "channel-afresh"
    counts = [len(plan.parts.names) for plan in plans[:-1]]
    assert counts == sorted(set(counts))
    assert [plan.before for plan in plans[:-1]] == [None, *[plan.key for plan in plans[:-2]]]
    assert plans[-1].before is None


def test_one_granularity_is_one_stage() -> None:
    (plan,) = plan_stages(describe(make_sources("perceptron", 1)[0]), SoftMergeSettings(granularity="layer"))
    assert (plan.key, plan.before) == ("layer", None)


def test_refining_lays_coarse_gates_over_the_finer_parts() -> None:
    layers = describe(make_sources("perceptron", 1)[0])
    coarse, fine = partition(layers, "layer"), partition(layers, "channel")
    logits = torch.tensor([[0.5, -9.0], [1.0, 9.0]])
    refined = refine(logits, coarse, fine)
    assert refined[:8].tolist() == [[0.5, -REACH]] * 8
    assert refined[8:].tolist() == [[1.0, REACH]] * 3


def test_a_refined_gate_can_still_change_its_mind() -> None:
    assert probability_open(torch.tensor(-REACH)).item() > 0.3


def test_fresh_gates_open_as_asked_and_dropped_sources_never() -> None:
    plan = plan_stages(describe(make_sources("perceptron", 1)[0]), SoftMergeSettings(granularity="channel"))[0]
    dropped = torch.tensor([False, True, False])
    settings = SoftMergeSettings(initial_open_probability=0.7)
    logits, scale = start_of(plan, {}, {}, dropped, settings)
    assert scale.tolist() == [[0.0]] * 11
    assert probability_open(logits[:, 0]).tolist() == pytest.approx([0.7] * 11)
    assert (logits[:, 1] == DROPPED).all()


def test_a_stage_begins_where_the_coarser_one_ended() -> None:
    plans = {plan.key: plan for plan in plan_stages(describe(make_sources("perceptron", 1)[0]), SoftMergeSettings())}
    done = {"model": StageResult("model", torch.tensor([[0.1, 0.2, 0.3]]), 1.0, 0.5, torch.tensor([[0.4]]))}
    logits, scale = start_of(plans["layer"], done, plans, NOBODY, SoftMergeSettings())
    assert logits.tolist() == [pytest.approx([0.1, 0.2, 0.3])] * 2
    assert scale.tolist() == [pytest.approx([0.4])] * 2


def test_only_a_closed_source_worse_than_guessing_is_hopeless() -> None:
    values = torch.tensor([[0.0, 0.0, 0.7]])
    losses = [math.log(10) + 0.1, math.log(10) - 0.1, 1e6]
    assert hopeless(values, losses, 10).tolist() == [True, False, False]
