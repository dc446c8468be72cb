"""The time that is told before a merge: counted, learnt from merges before, and within the bounds of its stages."""

import json
from pathlib import Path

import pytest

from softmerge_core.events import Evaluation, Progress
from softmerge_core.experiments.merge.spec import MergeSpec, example, small
from softmerge_core.experiments.merge.timing import (
    SURER,
    UNSURE,
    Budget,
    budget_of,
    estimate,
    facts_of,
    remember,
    seconds_of,
    time_sentence,
)
from softmerge_core.home import home
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import SoftMergeSettings, SourceSpec
from softmerge_core.zoo import families


def spec_of(family: str, **settings: object) -> MergeSpec:
    info = families()[family]
    chosen = SoftMergeSettings.model_validate(settings)
    sources = tuple(SourceSpec(model=info.source(model)) for model in info.models[:3])
    return example().model_copy(
        update={
            "sources": sources,
            "data": example().data.model_copy(update={"dataset": info.dataset}),
            "settings": chosen,
        }
    )


def test_before_any_merge_the_ends_are_far_apart_and_after_one_they_are_near() -> None:
    spec = spec_of("digits-resnet-specialists", granularity="layer")
    least, most = estimate(spec) or (0.0, 0.0)
    assert most / least == pytest.approx(UNSURE**2)
    facts = facts_of(spec)
    assert facts is not None
    budget = budget_of(spec, facts).most
    counted = seconds_of(facts, budget)
    assert least < counted < most
    remember(spec, budget.steps, budget.evaluations, 3 * counted)
    least, most = estimate(spec) or (0.0, 0.0)
    assert most / least == pytest.approx(SURER**2)
    assert (least * most) ** 0.5 == pytest.approx(3 * counted)
    other = estimate(spec_of("digits-vgg-label-noise", granularity="layer")) or (0.0, 0.0)
    assert other[1] / other[0] == pytest.approx(UNSURE**2)  # of another kind: the same machine, but less sure


def test_more_of_anything_takes_longer() -> None:
    facts = facts_of(spec_of("digits-resnet-specialists"))
    assert facts is not None
    usual = seconds_of(facts, Budget(100, 5))
    assert seconds_of(facts, Budget(101, 5)) > usual
    assert seconds_of(facts, Budget(100, 6)) > usual


@pytest.mark.parametrize(
    "family", ["digits-resnet-specialists", "spirals-mlp-shared-trunk", "mnist1d-lstm-shared-trunk"]
)
@pytest.mark.parametrize("granularity", ["auto", "layer"])
def test_a_real_merge_takes_as_many_steps_as_were_told(family: str, granularity: str, tmp_path: Path) -> None:
    spec = spec_of(family, granularity=granularity, steps=20, evaluate_every=2, batch_size=16)
    facts = facts_of(spec)
    assert facts is not None
    budget = budget_of(spec, facts)
    store = RunStore(tmp_path)
    run_id = store.create(spec)
    assert conduct(store.folder(run_id)) == "finished"
    events = store.read(run_id).events
    last = [event for event in events if isinstance(event, Progress)][-1]
    done = sum(isinstance(event, Evaluation) and event.series == "soft" for event in events)
    assert budget.least.steps <= last.step <= budget.most.steps
    assert budget.least.evaluations <= done <= budget.most.evaluations
    assert first_total(events) == budget.most.steps
    assert len(json.loads((home() / "measured" / "pace.json").read_bytes())) == 1  # the run has told its pace


def first_total(events: tuple[object, ...]) -> int:
    return next(event.total for event in events if isinstance(event, Progress))


def test_the_sentence_says_about_or_between() -> None:
    spec = spec_of("digits-resnet-specialists", granularity="layer")
    assert time_sentence(spec).startswith("It takes between ")
    facts = facts_of(spec)
    assert facts is not None
    budget = budget_of(spec, facts).most
    remember(spec, budget.steps, budget.evaluations, 600.0)
    assert time_sentence(spec) == "It takes about 10\u00a0min on a machine that does nothing else."


def test_nothing_is_told_of_what_is_not_known() -> None:
    spec = small().model_copy(update={"sources": (SourceSpec(model="library/gone"),) * 2})
    assert estimate(spec) is None
    assert time_sentence(spec) == ""


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a": "b"}', b'{"a": 0}', b'{"a": NaN}'])
def test_a_damaged_record_is_as_none(content: bytes) -> None:
    (home() / "measured").mkdir(parents=True)
    (home() / "measured" / "pace.json").write_bytes(content)
    assert estimate(spec_of("digits-resnet-specialists")) is not None
