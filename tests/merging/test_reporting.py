"""Reported numbers are short, and honest about exact 0 and 1."""

import pytest
import torch

from softmerge_core import SoftMergeSettings, soft_merge
from softmerge_core.events import Event, Gates, Progress, Stage
from softmerge_core.merging import reporting, summary
from softmerge_core.merging.pace import Ahead
from softmerge_core.merging.reporting import matrix
from softmerge_core.runs.shapes import makes_sense
from tests.networks_for_tests import make_data, make_sources


def test_rounding_never_makes_a_gate_look_closed_or_fully_open() -> None:
    told = matrix(torch.tensor([[0.0, 1e-9, 0.5, 1 - 1e-7, 1.0]], dtype=torch.float64))
    assert told == ((0.0, 0.0001, 0.5, 0.9999, 1.0),)


def test_numbers_are_short() -> None:
    assert matrix(torch.tensor([[1 / 3]])) == ((0.3333,),)


def test_of_large_reports_of_gates_few_are_kept_and_all_are_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    data = make_data()
    sources = make_sources("perceptron", 3)
    settings = SoftMergeSettings(granularity="channel", steps=40, evaluate_every=2, batch_size=8)
    whole: list[Event] = []
    soft_merge(sources, data, settings, on_event=whole.append)
    numbers = 2 * 3 * len(next(event for event in whole if isinstance(event, Gates)).value)
    monkeypatch.setattr(reporting, "PICTURES", 5 * numbers)
    told: list[Event] = []
    kept = soft_merge(sources, data, settings, on_event=told.append).history
    pictures = [event for event in kept if isinstance(event, Gates)]
    assert sum(isinstance(event, Gates) for event in told) > 20
    assert 2 < len(pictures) <= 5
    assert pictures[-1] == [event for event in told if isinstance(event, Gates)][-1]
    others = [event for event in told if not isinstance(event, Gates)]
    assert [event for event in kept if not isinstance(event, Gates)] == others


def test_of_very_many_gates_the_layers_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    data, sources = make_data(), make_sources("perceptron", 3)
    settings = SoftMergeSettings(granularity="channel", steps=4, evaluate_every=2, batch_size=8)
    whole: list[Event] = []
    merged = soft_merge(sources, data, settings, on_event=whole.append)
    monkeypatch.setattr(summary, "MOST", 8)
    told: list[Event] = []
    again = soft_merge(sources, data, settings, on_event=told.append)
    assert again.gates == merged.gates  # what is reported changes nothing
    stage, gates = (next(event for event in reversed(told) if isinstance(event, kind)) for kind in (Stage, Gates))
    assert stage.parts == tuple(dict.fromkeys(merged.gates.groups))
    assert sum(stage.sizes) == len(merged.gates.parts)
    values = torch.tensor(merged.gates.value)
    assert torch.tensor(gates.closed).sum(0).tolist() == (values == 0).sum(0).tolist()
    assert torch.tensor(gates.opened).sum(0).tolist() == (values == 1).sum(0).tolist()
    assert len(told[-1].model_dump_json()) < 300
    assert all(makes_sense(event) for event in told)  # type: ignore[arg-type]


def test_reports_of_very_many_gates_come_the_more_rarely_the_longer_a_merge_goes_on() -> None:
    reporter = reporting.Reporter(None, ["a", "b"], 10, 10)
    reporter._begun = 0.0
    assert reporter._calm(10.0) == reporting.LARGE_SECONDS
    assert reporter._calm(3600.0) == 3600 / reporting.NEWS


def test_a_merge_tells_how_long_it_still_takes_and_its_share_never_goes_back() -> None:
    data, sources = make_data(), make_sources("perceptron", 3)
    settings = SoftMergeSettings(granularity="auto", steps=40, evaluate_every=2, batch_size=8)
    told: list[Event] = []
    soft_merge(sources, data, settings, on_event=told.append)
    steps = [event for event in told if isinstance(event, Progress)]
    shares = [event.step / event.total for event in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    known = [(event.least, event.most) for event in steps if event.least is not None and event.most is not None]
    assert len(known) > 10
    assert all(0 <= least <= most for least, most in known)


def test_what_the_caller_expects_is_told_until_the_first_step_and_what_it_does_afterwards_is_counted() -> None:
    settings = SoftMergeSettings(granularity="layer", steps=4, evaluate_every=2, batch_size=8)

    def told(ahead: Ahead) -> list[tuple[int, float | None, float | None]]:
        history = soft_merge(make_sources("perceptron", 2), make_data(), settings, ahead=ahead).history
        return [(event.step, event.least, event.most) for event in history if isinstance(event, Progress)]

    assert told(Ahead())[0] == (0, None, None)
    found = told(Ahead((3.0, 5.0), samples=10**12))
    assert found[0] == (0, 3.0, 5.0)
    assert found[-1][0] == 4
    assert all(most is not None and most > 3600 for step, _, most in found if step)
