"""The work of a comparison: rows that agree with merging by hand, stops, and what each row looked at."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from softmerge_core.data import load_dataset
from softmerge_core.errors import SourceError
from softmerge_core.evaluation import evaluate, reestimate_batchnorm
from softmerge_core.events import BEST, Event, Notice, Progress, Score
from softmerge_core.experiments import experiment, parse_spec
from softmerge_core.experiments.compare.drawing import drawn
from softmerge_core.experiments.compare.spec import CompareSpec, MethodChoice
from softmerge_core.methods import available_methods, merge
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import AttackSettings, DataSpec, SourceSpec
from softmerge_core.statistics import unpack
from softmerge_core.zoo import load_source
from tests.experiments.library import trained

CHEAP = ("average", "median", "krum")
MOONS = tuple(SourceSpec(model=f"moons-mlp-label-noise/source-{number}") for number in (1, 2, 3))


def compare_spec(*methods: str, **fields: Any) -> CompareSpec:
    choices = tuple(MethodChoice(method=name) for name in methods or CHEAP)
    return CompareSpec(**{"sources": MOONS, "data": DataSpec(dataset="moons"), "methods": choices, **fields})


class Memory:
    """A context in memory that can be stopped after some tasks."""

    def __init__(self, snapshot: bytes | None = None, tasks: int = 10**6) -> None:
        self.events: list[Event] = []
        self.kept: list[str] = []
        self.snapshot, self.left = snapshot, tasks

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def should_stop(self) -> bool:
        return self.left <= 0

    def parallel(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        for position, task in enumerate(tasks):
            if self.left <= 0:
                return
            self.left -= 1
            yield position, function(task)

    def save_weights(self, name: str, state: Any, metadata: Any = None) -> None:
        self.kept.append(name)

    def save_snapshot(self, snapshot: bytes) -> None:
        self.snapshot = snapshot

    def load_snapshot(self) -> bytes | None:
        return self.snapshot

    def scores(self) -> list[Score]:
        return [event for event in self.events if isinstance(event, Score)]


def run(spec: CompareSpec, context: Memory | None = None) -> dict[str, Any]:
    result: dict[str, Any] = experiment("compare").run(spec, context or Memory())
    return result


def test_rows_agree_with_merging_by_hand() -> None:
    context = Memory()
    result = run(compare_spec("average"), context)
    data, sources = load_dataset("moons"), [load_source(spec).module for spec in MOONS]
    by_hand = evaluate(merge("average", sources), *data.split("test"))
    row = next(score for score in context.scores() if score.series == "average")
    assert (row.accuracy, row.loss) == by_hand
    assert 0 <= row.calibration <= 1
    assert row.took > 0
    assert row.memory >= 0
    assert not row.problem
    losses = [evaluate(source, *data.split("validation"))[1] for source in sources]
    best = next(score for score in context.scores() if score.series == BEST)
    assert best.accuracy == evaluate(sources[losses.index(min(losses))], *data.split("test"))[0]
    entry = next(entry for entry in result["rows"] if entry["method"] == "average")
    assert entry["accuracy"]["mean"] == by_hand[0]
    assert entry["accuracy"]["half"] is None
    assert entry["needs"] == []


def test_events_tell_each_row_and_how_far_it_is() -> None:
    context = Memory()
    run(compare_spec(), context)
    assert {score.series for score in context.scores()} == {*CHEAP, BEST, "source-1", "source-2", "source-3"}
    assert [event.step for event in context.events if isinstance(event, Progress)] == [0, 1, 2, 3]


def test_a_stopped_comparison_goes_on_where_it_was() -> None:
    spec, first = compare_spec(), Memory(tasks=2)
    run(spec, first)
    assert len(json.loads(first.snapshot or b"{}")) == 2
    second = Memory(first.snapshot)
    result = run(spec, second)
    assert second.left == 10**6 - 1
    assert {entry["method"] for entry in result["rows"]} >= set(CHEAP)


def test_a_method_that_cannot_run_says_why_and_the_others_do() -> None:
    needy = [m.name for m in available_methods().values() if "base" in m.needs]
    assert needy
    sources = tuple(SourceSpec(model=f"spirals-mlp-independent/source-{number}") for number in (1, 2))
    result = run(compare_spec("average", *needy[:1], sources=sources, data=DataSpec(dataset="spirals")))
    problems = {entry["method"]: entry["problem"] for entry in result["rows"]}
    assert problems["average"] == ""
    assert all("base model" in problems[name] for name in needy[:1])


def test_sources_that_are_not_finite_are_refused_or_excluded_with_a_notice() -> None:
    sources = (*MOONS, SourceSpec(model=MOONS[0].model, attack=AttackSettings(kind="nan")))
    with pytest.raises(SourceError, match="NaN"):
        run(compare_spec(sources=sources))
    context = Memory()
    result = run(compare_spec(sources=sources, non_finite="exclude"), context)
    assert any("is left out" in event.text for event in context.events if isinstance(event, Notice))
    assert all(not entry["problem"] for entry in result["rows"])


def test_it_runs_as_a_run_and_the_result_is_json(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    spec = compare_spec()
    assert parse_spec(json.loads(spec.model_dump_json())) == spec
    run_id = store.create(spec)
    assert conduct(store.folder(run_id)) == "finished"
    view = store.read(run_id)
    assert view.result is not None
    assert "mong the best" in view.result["reason"]
    kept = {row["method"]: row["correct"] for row in view.result["rows"]}
    assert all(text.startswith("600:") and unpack(text) is not None for texts in kept.values() for text in texts)
    assert view.result["source_names"] == ["source-1", "source-2", "source-3"]


@pytest.mark.parametrize(("align", "repair"), [("weights", False), ("activations", False), ("weights", True)])
def test_needs_tell_what_alignment_and_repair_looked_at(align: str, repair: bool) -> None:
    context = Memory()
    result = run(compare_spec("average", "fisher", align=align, repair=repair), context)
    found = {entry["method"]: entry.get("needs") for entry in result["rows"] if not entry["problem"]}
    assert found["average"] == (["inputs"] if repair or align == "activations" else [])
    assert found["fisher"] == ["inputs"]


def test_a_source_named_like_a_method_has_a_row_of_its_own(home_folder: Path) -> None:
    sources = tuple(trained(name, seed) for seed, name in enumerate(("median", "other")))
    result = run(compare_spec("median", "average", sources=sources))
    assert result["source_names"] == ["median (2)", "other"]
    rows = {row["method"]: row for row in result["rows"]}
    assert rows["median"]["title"] == available_methods()["median"].title
    assert "title" not in rows["median (2)"]


WIDTHS = tuple(SourceSpec(model=f"spirals-mlp-{name}/source-1") for name in ("shared-trunk", "wide"))


def test_sources_of_two_widths_are_merged_into_the_target_or_else_the_best() -> None:
    data, sources = load_dataset("spirals"), [load_source(spec).module for spec in WIDTHS]
    validation, test = data.split("validation"), data.split("test")
    losses = [evaluate(source, *validation)[1] for source in sources]
    spec = compare_spec("transport", "fine_tuned_source", sources=WIDTHS, data=DataSpec(dataset="spirals"), seeds=1)
    for target, place in (("", losses.index(min(losses))), (WIDTHS[0].model, 0), (WIDTHS[1].model, 1)):
        context = Memory()
        result = run(spec.model_copy(update={"target": target}), context)
        assert result["source_names"] == ["source-1 (mlp)", "source-1 (mlp_wide)"]
        for name in ("transport", "fine_tuned_source"):
            by_hand = merge(name, sources, data.for_merging(), target=place)
            (found,) = [score for score in context.scores() if score.series == name]
            assert (found.accuracy, found.loss) == evaluate(by_hand, *test), f"{name} into {target or 'the best'}"
        assert "Into the architecture of " in result["reason"]
        assert "Optimal transport " in result["reason"].partition("Into the architecture of ")[2]


def test_a_target_that_is_left_out_is_told_and_the_others_run() -> None:
    spoiled = WIDTHS[0].model_copy(update={"attack": AttackSettings(kind="nan")})
    spec = compare_spec(
        "ensemble", "transport", sources=(spoiled, *WIDTHS), data=DataSpec(dataset="spirals"), non_finite="exclude"
    )
    rows = {row["method"]: row for row in run(spec)["rows"]}
    assert not rows["transport"]["problem"]
    gone = spec.model_copy(update={"sources": (spoiled, WIDTHS[1], WIDTHS[1]), "target": spoiled.model})
    rows = {row["method"]: row for row in run(gone)["rows"]}
    assert rows["transport"]["problem"].endswith("is left out")


def test_with_few_labels_each_method_has_the_same_drawn_samples() -> None:
    context = Memory()
    run(compare_spec("average", "greedy_soup", "weighted_average", labels=(20, 60), seeds=2), context)
    data, sources = load_dataset("moons"), [load_source(spec).module for spec in MOONS]
    found = {(score.series, score.labels, score.seed): score for score in context.scores() if score.labels}
    places = [(n, seed) for n in (20, 60) for seed in (0, 1)]
    methods = ("greedy_soup", "weighted_average", BEST)
    assert found.keys() == {(name, n, seed) for name in methods for n, seed in places}
    for n, seed in places:
        some = drawn(data, n, seed)
        by_hand = merge("greedy_soup", sources, some, seed=seed)
        got = found["greedy_soup", n, seed]
        assert (got.accuracy, got.loss) == evaluate(by_hand, *data.split("test"))
        losses = [evaluate(source, some.validation_inputs, some.validation_labels)[1] for source in sources]
        best = sources[losses.index(min(losses))]
        assert found[BEST, n, seed].accuracy == evaluate(best, *data.split("test"))[0]


def test_with_few_labels_batchnorm_still_has_all_inputs() -> None:
    sources = tuple(SourceSpec(model=f"digits-resnet-specialists/source-{number}") for number in (1, 2))
    context = Memory()
    run(compare_spec("greedy_soup", sources=sources, data=DataSpec(dataset="digits"), labels=(40,), seeds=1), context)
    data = load_dataset("digits")
    by_hand = merge("greedy_soup", [load_source(spec).module for spec in sources], drawn(data, 40, 0), seed=0)
    without = evaluate(by_hand, *data.split("test"))
    reestimate_batchnorm(by_hand, data.train_inputs)
    (found,) = [score for score in context.scores() if score.labels and score.series != BEST]
    assert (found.accuracy, found.loss) == evaluate(by_hand, *data.split("test")) != without


def test_rows_with_all_labels_are_the_same_with_and_without_few() -> None:
    plain, more = (run(compare_spec("average", "greedy_soup", labels=labels)) for labels in ((), (20,)))
    assert "labels" not in plain
    assert more["labels"]["reason"]
    for one, other in zip(plain["rows"], more["rows"], strict=True):
        assert (one["method"], one["accuracy"]) == (other["method"], other["accuracy"])


def test_alignment_brings_independent_sources_together() -> None:
    sources = tuple(SourceSpec(model=f"mnist1d-cnn-independent/source-{number}") for number in (1, 2))
    spec = compare_spec("average", sources=sources, data=DataSpec(dataset="mnist1d"))

    def accuracy(align: str, repair: bool) -> float:
        result = run(spec.model_copy(update={"align": align, "repair": repair}))
        return float(next(e for e in result["rows"] if e["method"] == "average")["accuracy"]["mean"])

    apart, matched, repaired = accuracy("none", False), accuracy("weights", False), accuracy("weights", True)
    assert matched > apart + 0.2
    assert repaired > matched
