"""Gates forced by hand: the network they give is the mixture that a plain reckoning gives."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from softmerge_core import MergeData, SoftMergeSettings
from softmerge_core.errors import RunError, SettingsError
from softmerge_core.evaluation import predict
from softmerge_core.events import Evaluation, Event
from softmerge_core.merging.forced import Forced
from softmerge_core.merging.result import MergeResult
from softmerge_core.merging.soft import soft_merge
from softmerge_core.merging.surgery import Surgery, of_result, of_snapshot, open_merge
from tests.networks_for_tests import make_data, train_sources

NAMES = ("first", "second", "third")
SETTINGS = SoftMergeSettings(granularity="channel", steps=8, evaluate_every=4, rescale=True, learning_rate=0.5)
Merged = tuple[list[nn.Module], MergeData, MergeResult, list[bytes], list[Event]]


def merged(kind: str) -> Merged:
    data = make_data()
    sources = train_sources(kind, 3, data, steps=20)
    snapshots: list[bytes] = []
    events: list[Event] = []
    result = soft_merge(sources, data, SETTINGS, names=NAMES, on_snapshot=snapshots.append, on_event=events.append)
    return sources, data, result, snapshots, events


@pytest.fixture(scope="module", params=["perceptron", "convolutional"])
def merge(request: pytest.FixtureRequest) -> Merged:
    return merged(request.param)


@pytest.fixture(scope="module")
def surgery(merge: Merged) -> Surgery:
    sources, data, result, _, _ = merge
    opened = open_merge(sources, data, SETTINGS, names=NAMES)
    return of_result(opened, result.gates, temperature=SETTINGS.temperature)


def state(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(first: nn.Module, second: nn.Module) -> bool:
    one, other = state(first), state(second)
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_with_nothing_forced_it_is_the_network_of_the_result_bit_for_bit(merge: Merged, surgery: Surgery) -> None:
    surgery.network([Forced(first=0, last=0, source=1, to="open")])  # leaves nothing behind
    assert same(surgery.network(), merge[2].model)


def test_a_merge_under_way_has_the_scores_of_its_last_evaluation(merge: Merged) -> None:
    sources, data, _, snapshots, events = merge
    found = of_snapshot(open_merge(sources, data, SETTINGS, names=NAMES), snapshots[1])
    told = [e for e in events if isinstance(e, Evaluation) and e.series == "soft" and e.step == found.step]
    assert found.step == 4
    score = found.merge.judge.outputs(predict(found.network(), data.validation_inputs))
    assert (score.accuracy, score.loss) == (told[0].accuracy, told[0].loss)


def by_hand(surgery: Surgery, forced: dict[tuple[int, int], float]) -> np.ndarray:
    """The mixing weights in float64, cell by cell."""
    table = surgery.table
    weights = np.zeros((len(table.parts), 3))
    for part in range(len(table.parts)):
        gates = [forced.get((part, source), table.value[part][source]) for source in range(3)]
        for source in range(3):
            weights[part, source] = table.scale[part] * gates[source] / sum(gates)
    return weights


CELLS = st.dictionaries(st.tuples(st.integers(0, 5), st.integers(0, 1)), st.sampled_from([0.0, 1.0]), max_size=6)


@settings(max_examples=15)
@given(cells=CELLS)
def test_forced_gates_mix_as_a_plain_reckoning_does(cells: dict[tuple[int, int], float], surgery: Surgery) -> None:
    wanted = {**cells, **{(part, 2): 1.0 for part, _ in cells}}  # so that no part is shut altogether
    forced = [Forced(first=p, last=p, source=s, to="open" if z else "shut") for (p, s), z in wanted.items()]
    weights = by_hand(surgery, wanted)
    np.testing.assert_allclose(surgery.weights(forced).double().numpy(), weights, rtol=2e-6, atol=1e-7)
    network, layer = surgery.network(forced), surgery.merge.gated[0]
    slot = layer.slots[0]
    each = torch.stack([dict(source.named_parameters())[slot.name].double() for source in surgery.merge.sources])
    rows = torch.from_numpy(weights[: slot.channels]).T.reshape(3, slot.channels, *[1] * (each.dim() - 2))
    mixed = dict(network.named_parameters())[slot.name].double()
    torch.testing.assert_close(mixed, (rows * each).sum(0), rtol=2e-5, atol=1e-6)


def test_one_source_open_and_all_others_shut_is_that_source() -> None:
    data = make_data()
    sources = train_sources("perceptron", 3, data, steps=20)
    plain = SETTINGS.model_copy(update={"rescale": False})
    result = soft_merge(sources, data, plain, names=NAMES)
    surgery = of_result(open_merge(sources, data, plain, names=NAMES), result.gates, temperature=plain.temperature)
    last = len(result.gates.parts) - 1
    for chosen in range(3):
        forced = [
            Forced(first=0, last=last, source=source, to="open" if source == chosen else "shut") for source in range(3)
        ]
        assert same(surgery.network(forced), sources[chosen])


@pytest.mark.parametrize(
    ("forced", "said"),
    [
        ([{"first": 2, "last": 2, "source": k, "to": "shut"} for k in range(3)], "every gate of .* would be shut"),
        ([{"first": 0, "last": 10**6, "source": 0, "to": "shut"}], "expected parts 0 to"),
        ([{"first": 0, "last": 0, "source": 3, "to": "open"}], "sources 0 to 2"),
    ],
)
def test_what_cannot_be_forced_is_refused_in_a_sentence(forced: list[Any], said: str, surgery: Surgery) -> None:
    with pytest.raises(SettingsError, match=said):
        surgery.network([Forced.model_validate(each) for each in forced])


def test_a_source_that_was_left_out_cannot_be_opened() -> None:
    data = make_data()
    sources = train_sources("perceptron", 3, data, steps=5)
    with torch.no_grad():
        next(sources[1].parameters()).fill_(float("nan"))
    lenient = SETTINGS.model_copy(update={"non_finite": "exclude", "rescale": False})
    result = soft_merge(sources, data, lenient, names=NAMES)
    surgery = of_result(open_merge(sources, data, lenient, names=NAMES), result.gates, temperature=2 / 3)
    assert same(surgery.network(), result.model)
    with pytest.raises(SettingsError, match="'second', which was left out"):
        surgery.network([Forced(first=0, last=0, source=1, to="open")])


def test_a_damaged_snapshot_is_refused(merge: Merged) -> None:
    sources, data, _, snapshots, _ = merge
    opened = open_merge(sources, data, SETTINGS, names=NAMES)
    with pytest.raises(RunError, match="damaged"):
        of_snapshot(opened, snapshots[0][:100])
