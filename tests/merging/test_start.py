"""A merge that begins with given gates begins there; forced gates move or stay; the same start gives the same bits."""

import pytest
import torch

from softmerge_core import SoftMergeSettings
from softmerge_core.errors import SettingsError
from softmerge_core.events import Event, Gates
from softmerge_core.gates import deterministic_gate
from softmerge_core.merging.forced import Forced, Start
from softmerge_core.merging.result import MergeResult
from softmerge_core.merging.soft import soft_merge
from softmerge_core.merging.start import edges, gate_start
from tests.networks_for_tests import make_data, train_sources

DATA = make_data()
SETTINGS = SoftMergeSettings(granularity="layer", steps=6, evaluate_every=3, learning_rate=1.0)
FORCED = (Forced(first=0, last=0, source=1, to="shut"), Forced(first=1, last=1, source=0, to="open"))


def start(*, keep: bool = False, parts: int = 2, sources: int = 2) -> Start:
    return Start(run="r", forced=FORCED, keep=keep, logits=((0.3,) * sources,) * parts, factors=(1.0,) * parts)


def merge(given: Start, settings: SoftMergeSettings = SETTINGS) -> tuple[MergeResult, list[Event]]:
    events: list[Event] = []
    sources = train_sources("perceptron", 2, DATA, steps=10)
    return soft_merge(sources, DATA, settings, on_event=events.append, start=gate_start(given)), events


@pytest.mark.parametrize("stretch", [(-0.1, 1.1), (-0.5, 1.02), (-0.01, 3.0)])
def test_forced_gates_begin_just_beyond_where_they_are_exactly_shut_or_open(stretch: tuple[float, float]) -> None:
    shut, full = edges(stretch)
    values = deterministic_gate(torch.tensor([shut, shut + 0.2, full - 0.2, full], dtype=torch.float64), stretch)
    assert values[0] == 0 < values[1]
    assert values[2] < 1 == values[3]


def test_a_merge_begins_with_what_it_is_given_and_ends_with_the_same_bits() -> None:
    (first, events), (second, _) = merge(start()), merge(start())
    begun = next(event for event in events if isinstance(event, Gates))
    assert (begun.value[0][1], begun.value[1][0]) == (0.0, 1.0)
    assert (
        begun.value[0][0] == begun.value[1][1] == pytest.approx(float(deterministic_gate(torch.tensor(0.3))), abs=1e-4)
    )
    assert first.gates == second.gates
    assert all(map(torch.equal, first.model.state_dict().values(), second.model.state_dict().values()))


def test_forced_gates_stay_only_where_they_are_to_be_kept() -> None:
    free, kept = merge(start())[0].gates, merge(start(keep=True))[0].gates
    assert (kept.value[0][1], kept.value[1][0]) == (0.0, 1.0)
    assert kept.probability[0][1] < 1e-6 < 0.01 < free.probability[0][1]  # trained, as all others are
    assert kept.probability[0][0] != pytest.approx(kept.probability[1][1], abs=1e-3)


@pytest.mark.parametrize(
    ("given", "settings", "said"),
    [
        (start(parts=3), SETTINGS, "expected gates for the 2 parts of this merge, got 3"),
        (start(sources=3), SETTINGS, "expected gates for 2 sources, got 3"),
        (start(), SETTINGS.model_copy(update={"granularity": "auto"}), "one granularity"),
    ],
)
def test_gates_that_do_not_fit_are_refused(given: Start, settings: SoftMergeSettings, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        merge(given, settings)
