"""The contract of every experiment in ``softmerge_core/experiments``; a new folder is picked up by itself."""

import importlib.util
import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from pages.shared.runs.page import RunPage
from pages.site import PAGES
from softmerge_core.errors import SoftMergeError
from softmerge_core.events import Barrier, Event, Progress, Score, WeightPath, parse_event
from softmerge_core.experiments import Spec, check_result, experiment, experiments, parse_spec
from softmerge_core.landscape.barriers import path_barrier
from softmerge_core.runs.shapes import makes_sense
from softmerge_core.settings import DataSpec
from tests.contracts.helpers import ROOT, loaded_after, refusal
from tests.contracts.memory import Memory

KINDS = tuple(kind for kind, found in experiments().items() if found.work.startswith("softmerge_core."))
PACKAGE = "softmerge_core.experiments"
# What the clock or the library decides: it differs from run to run.
OTHERWISE = {"seconds", "took", "memory", "library"}
every_experiment = pytest.mark.parametrize("kind", KINDS)


def run(kind: str, context: Memory) -> dict[str, Any]:
    return experiment(kind).run(experiment(kind).small(), context)


@cache
def whole(kind: str) -> tuple[Memory, dict[str, Any]]:
    """A small run to its end, made once for all tests."""
    context, random = Memory(), torch.get_rng_state()
    result = run(kind, context)
    assert torch.equal(torch.get_rng_state(), random), f"experiment {kind!r} moves torch's global random state"
    return context, result


def lasting(value: Any) -> Any:
    """A result without what differs from run to run."""
    if isinstance(value, dict):
        return {key: lasting(inner) for key, inner in value.items() if key not in OTHERWISE}
    return [lasting(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def check_json(kind: str, result: Any, what: str) -> None:
    assert isinstance(result, dict), f"experiment {kind!r}, {what}: expected a result of JSON values, got {result!r}"
    for key, value in result.items():
        try:
            same = json.loads(json.dumps(value, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise AssertionError(f"experiment {kind!r}, {what}: result[{key!r}] is not JSON: {error}") from error
        assert lists(value) == same, (
            f"experiment {kind!r}, {what}: result[{key!r}] comes back from JSON as another value"
        )
    try:
        check_result(kind, json.loads(json.dumps(result)))
    except SoftMergeError as error:
        raise AssertionError(f"experiment {kind!r}, {what}: its result is not what pages expect: {error}") from error


def lists(value: Any) -> Any:
    """``value`` with tuples as lists, as JSON has them."""
    if isinstance(value, dict):
        return {key: lists(inner) for key, inner in value.items()}
    return [lists(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def test_the_experiments_that_ship_are_there() -> None:
    missing = {"merge", "compare", "robustness", "connectivity", "scope", "federated", "train"} - set(KINDS)
    assert not missing, f"experiments that ship are not found: {sorted(missing)}"


def test_titles_tell_experiments_apart() -> None:
    titles = [experiment(kind).title for kind in KINDS]
    assert all(titles), "an experiment has no title"
    assert len(set(titles)) == len(titles), f"two experiments have one title: {sorted(titles)}"


@every_experiment
def test_its_spec_explains_itself_and_survives_json(kind: str) -> None:
    found = experiment(kind)
    assert found.spec.model_fields["kind"].default == kind, f"experiment {kind!r}: its spec must have kind={kind!r}"
    silent = [key for key, field in found.spec.model_fields.items() if key != "kind" and not field.description]
    assert not silent, f"experiment {kind!r}: {silent} of its spec have no description"
    for what in ("example", "small"):
        spec: Spec = getattr(found, what)()
        again = parse_spec(json.loads(spec.model_dump_json()))
        assert again == spec, f"experiment {kind!r}: its {what} comes back from JSON as another spec"
        try:
            found.check(spec)
        except SoftMergeError as error:
            raise AssertionError(f"experiment {kind!r}: its own {what} does not pass its check: {error}") from error
    assert found.example().name, f"experiment {kind!r}: expected its example to have a name for the reader"


@every_experiment
def test_it_runs_in_memory_to_a_result_of_json_values(kind: str) -> None:
    context, result = whole(kind)
    check_json(kind, result, "run to its end")
    assert context.events, f"experiment {kind!r} tells nothing while it runs"
    assert any(isinstance(event, Progress) for event in context.events), (
        f"experiment {kind!r} emits no Progress; the bar on its page would never move"
    )
    bar = [(event.step, event.total) for event in context.events if isinstance(event, Progress)]
    assert bar == sorted(bar), f"experiment {kind!r}: expected the steps of Progress to rise, got {bar}"
    assert bar[-1][0] == bar[-1][1], f"experiment {kind!r} ends at step {bar[-1][0]} of {bar[-1][1]}; expected all"
    strange = [key for key in context.weights if not re.fullmatch(r"[A-Za-z0-9_-]+", key)]
    assert not strange, f"experiment {kind!r}: names of weights may have letters, digits, - and _ only: {strange}"


def scored(context: Memory, **about: Any) -> float:
    """The accuracy of the newest score with these values."""
    found = [e for e in context.events if isinstance(e, Score) and all(getattr(e, k) == v for k, v in about.items())]
    return found[-1].accuracy


def newest_of(context: Memory, kind: type[Any], series: str) -> Any:
    return [event for event in context.events if isinstance(event, kind) and event.series == series][-1]


NUMBERS: dict[str, Callable[[Memory], float]] = {  # by which runs are compared, from what their events tell
    "compare": lambda run: scored(run, series="average", labels=0),
    "robustness": lambda run: scored(run, series="average", malicious=1),
    "connectivity": lambda run: path_barrier(newest_of(run, WeightPath, "weights"))[0],
    "scope": lambda run: newest_of(run, Barrier, "aligned").error,
}


@every_experiment
def test_a_whole_run_comes_to_the_number_by_which_sweeps_compare_it(kind: str) -> None:
    context, result = whole(kind)
    found = experiment(kind)
    assert found.outcome is not None, f"experiment {kind!r} has no outcome, so that its page has no Vary"
    made = found.outcome(json.loads(json.dumps(result)))
    assert made is not None, f"experiment {kind!r}: a whole run comes to no number"
    assert found.measure(found.small()).title
    if kind in NUMBERS:
        assert made.measured.mean == pytest.approx(NUMBERS[kind](context)), f"experiment {kind!r}: another number"


@every_experiment
def test_every_event_comes_back_from_its_line(kind: str) -> None:
    for event in whole(kind)[0].events:
        try:
            again = parse_event(event.model_dump_json())
        except ValueError as error:
            told = f"experiment {kind!r}: event {type(event).__name__} cannot be read back"
            raise AssertionError(f"{told}; add it to events.AnyEvent: {error}") from error
        assert type(again) is type(event), f"experiment {kind!r}: {type(event).__name__} comes back as {type(again)}"
        assert makes_sense(again), (
            f"experiment {kind!r}: pages leave out {event!r}: shares are 0-1, counts at least 0, lists alike in length"
        )


@every_experiment
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_asked_to_stop_it_ends_early_with_a_result(kind: str, share: float) -> None:
    full = whole(kind)[0]
    assert full.asked, f"experiment {kind!r} never asks whether it should stop"
    context = Memory(patience=int(share * full.asked))
    result = run(kind, context)
    check_json(kind, result, "stopped early")
    if "stop_reason" in result:
        told, otherwise = result["stop_reason"], whole(kind)[1]["stop_reason"]
        assert told != otherwise, f"experiment {kind!r}: stopped early, it says {told!r} as after a whole run"
    assert len(context.events) < len(full.events), (
        f"experiment {kind!r}: asked to stop after {share:.0%} of the run, it tells as much as a whole run"
    )


class Killed(BaseException):
    """Ends a run as a kill does."""


class Dying(Memory):
    """A context in which the run is killed at one of its events."""

    def __init__(self, events: int) -> None:
        super().__init__()
        self.left = events

    def emit(self, event: Event) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed
        super().emit(event)


@every_experiment
def test_resumed_it_comes_to_the_same_result(kind: str) -> None:
    full, expected = whole(kind)
    first = Dying(2 * len(full.events) // 3)
    with pytest.raises(Killed):
        run(kind, first)
    second = Memory(first.snapshot)
    result = run(kind, second)
    different = [
        key for key in expected.keys() | result.keys() if lasting(expected).get(key) != lasting(result).get(key)
    ]
    assert not different, f"experiment {kind!r}: resumed from its snapshot, its result differs in {sorted(different)}"
    kept = {**first.weights, **second.weights}  # they lie in one folder
    assert kept.keys() == full.weights.keys(), f"experiment {kind!r}: resumed, it keeps other weights"
    for name, state in full.weights.items():
        same = all(torch.equal(kept[name][key], value) for key, value in state.items())
        assert same, f"experiment {kind!r}: resumed from its snapshot, its weights {name!r} differ"


def light_parts(kind: str) -> list[str]:
    """The modules of an experiment that pages import."""
    parts = [f"{PACKAGE}.{kind}", f"{PACKAGE}.{kind}.spec", f"{PACKAGE}.{kind}.words"]
    return [part for part in parts if part == parts[0] or importlib.util.find_spec(part)]


@every_experiment
def test_it_has_sentences_of_its_own(kind: str) -> None:
    there = importlib.util.find_spec(f"{PACKAGE}.{kind}.words")
    assert there, f"experiment {kind!r} has no words.py: plain sentences about its events and its result"


def test_pages_can_import_its_parts_without_torch() -> None:
    parts = [part for kind in KINDS for part in light_parts(kind)]
    if "torch" in loaded_after("import " + ", ".join(parts)):
        heavy = [part for part in parts if "torch" in loaded_after(f"import {part}")]
        raise AssertionError(f"{', '.join(heavy)} load torch; import it in run.py alone")


@every_experiment
def test_a_page_can_check_a_spec_without_torch(kind: str) -> None:
    code = f"from softmerge_core.experiments import experiment as e\nk = e({kind!r})\nk.check(k.example())"
    assert "torch" not in loaded_after(code), f"experiment {kind!r}: its check or its example loads torch"


@every_experiment
def test_its_check_refuses_what_does_not_exist(kind: str) -> None:
    spec = experiment(kind).example()
    for field in ("sources", "models", "data", "dataset", "network"):
        if field not in type(spec).model_fields:
            continue
        bad = {"sources": (), "models": (), "data": DataSpec(dataset="nothing")}.get(field, "nothing")
        with refusal(SoftMergeError, "", f"experiment {kind!r}: a spec with {field}={bad!r}"):
            experiment(kind).check(spec.model_copy(update={field: bad}))


@every_experiment
def test_a_page_in_the_navigation_runs_it(kind: str) -> None:
    using = {path.relative_to(ROOT / "pages").parts[0] for path in (ROOT / "pages").rglob("*.py") if uses(path, kind)}
    assert using, f"experiment {kind!r}: no folder in pages/ imports {PACKAGE}.{kind}"
    shown = [folder for folder in using if folder in PAGES]
    assert shown, f"experiment {kind!r}: the pages of {sorted(using)} are not in PAGES of pages/site.py"
    kinds = {found.kind for found, *_ in PAGES.values() if isinstance(found, RunPage)} | {"train"}
    assert kind in kinds, f"experiment {kind!r}: no RunPage of the navigation has kind={kind!r}"


def uses(path: Path, kind: str) -> bool:
    return f"{PACKAGE}.{kind}." in path.read_text(encoding="utf-8")
