"""Branches and changes on the way, in real run folders: the same bits, whoever begins, pauses or is killed."""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from softmerge_core.checkpoints.files import load_checkpoint
from softmerge_core.errors import RunError, SettingsError
from softmerge_core.events import Evaluation, Event, Stage
from softmerge_core.experiments import parse_spec
from softmerge_core.experiments.describe import differences, what_made
from softmerge_core.experiments.merge.branch import branched, settings_at
from softmerge_core.experiments.merge.spec import MergeSpec, check
from softmerge_core.merging.changes import Change
from softmerge_core.runs import files, waypoints
from softmerge_core.runs.steering import checked_change
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import SoftMergeSettings, SourceSpec
from tests.experiments.library import trained
from tests.experiments.merge.specs import merge_spec

SETTINGS = SoftMergeSettings(steps=12, evaluate_every=4, batch_size=64, learning_rate=0.3)


class Killed(BaseException):
    """Ends a writer as a kill does."""


class Runs:
    """A store with one whole merge, ``parent``, whose stages end at 12, 24 and 36 steps."""

    def __init__(self, folder: Path) -> None:
        self.store = RunStore(folder)
        self.spec = merge_spec(trained("first", 1), trained("second", 2), settings=SETTINGS)
        self.spec = self.spec.model_copy(update={"name": "Two moons"})
        self.parent = self.made(self.spec)

    def made(self, spec: MergeSpec) -> str:
        run_id = self.store.create(spec)
        conduct(self.store.folder(run_id))
        return run_id

    def bits(self, run_id: str) -> Any:
        """The merged network, what the result says, without times, and all evaluations on the way."""
        view = self.store.read(run_id)
        assert view.status == "finished", view.error
        assert view.result is not None
        state = load_checkpoint(self.store.weights(run_id, "merged"))
        result = {key: value for key, value in view.result.items() if key != "seconds"}
        return json.dumps(result), {name: value.numpy().tobytes() for name, value in state.items()}, self.told(run_id)

    def told(self, run_id: str) -> list[str]:
        """The stages and evaluations of a run: pictures of gates are thinned by the clock."""
        told = [each for each in self.store.read(run_id).events if isinstance(each, (Stage, Evaluation))]
        return [each.model_dump_json(exclude={"seconds"}) for each in told]


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path / "runs")


def test_a_branch_without_a_change_ends_with_the_bits_of_its_parent(runs: Runs) -> None:
    """From the beginning, a border of stages and between two snapshots; begun there, or computed from the start."""
    wanted = runs.bits(runs.parent)
    for step in (0, 12, 21):
        spec = branched(runs.spec, runs.parent, step, {})
        assert spec.changes == ()
        run_id = runs.store.create(spec)
        assert max(waypoints.steps(runs.store.folder(run_id))) == step - step % 4
        conduct(runs.store.folder(run_id))
        assert runs.bits(run_id) == wanted
    orphan = runs.made(branched(runs.spec, "20200101-000000-00000000", 16, {}))
    assert runs.bits(orphan) == wanted


def test_a_branch_with_a_change_ends_as_if_that_had_been_planned(runs: Runs) -> None:
    values = {"penalty": 2.0, "learning_rate": SETTINGS.learning_rate}
    spec = branched(runs.spec, runs.parent, 17, values)
    assert spec.changes == (Change(step=17, penalty=2.0),)  # what holds already is no change
    assert (spec.name, spec.parent) == ("Two moons from step 17", (runs.parent, 17))
    run_id = runs.made(spec)
    planned = runs.made(runs.spec.model_copy(update={"changes": spec.changes}))
    assert runs.bits(run_id) == runs.bits(planned) != runs.bits(runs.parent)
    recipe = load_recipe(runs.store.weights(run_id, "merged"))
    assert recipe == runs.store.read(run_id).spec  # whoever gets the network gets all it takes to make it again

    back = branched(spec, run_id, 10, {})  # what was changed later is not
    assert (back.changes, back.name) == ((), "Two moons from step 10")
    assert runs.bits(runs.made(back)) == runs.bits(runs.parent)
    again = branched(spec, run_id, 30, {"temperature": 0.3})
    whole = again.model_copy(update={"branch": None})
    assert runs.bits(runs.made(again)) == runs.bits(runs.made(whole))


def load_recipe(path: Path) -> Any:
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        return parse_spec(json.loads(file.metadata()["softmerge.recipe"]))


def test_snapshots_of_another_merge_are_not_begun_with(runs: Runs) -> None:
    other = runs.spec.model_copy(update={"settings": SETTINGS.model_copy(update={"seed": 5})})
    forged = branched(other, runs.parent, 16, {})
    assert waypoints.steps(runs.store.folder(runs.store.create(forged))) == []
    changed = branched(runs.spec, runs.parent, 16, {}).model_copy(update={"changes": (Change(step=2, penalty=2),)})
    assert waypoints.steps(runs.store.folder(runs.store.create(changed))) == []


def changed_live(runs: Runs, step: int, change: dict[str, Any], listen: Callable[[Event], None] | None = None) -> str:
    """A run of the parent's spec that is paused about ``step``, and goes on with a change."""
    run_id = runs.store.create(runs.spec)
    folder = runs.store.folder(run_id)

    def steer(event: Event) -> None:
        if event.step >= step and files.read_json(folder / files.REQUEST) is None:
            runs.store.request(run_id, "pause")
        if listen:
            listen(event)

    def work() -> None:
        with contextlib.suppress(Killed):
            conduct(folder, listen=steer)

    worker = threading.Thread(target=work)
    worker.start()
    deadline = time.monotonic() + 60
    while runs.store.status(run_id).status != "paused":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    runs.store.request(run_id, "resume", checked_change(runs.store, run_id, change))
    worker.join(60)
    return run_id


@pytest.fixture
def attentive(monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that looks at its request before every step."""
    monkeypatch.setattr("softmerge_core.runs.writer.POLL", 0.0)


@pytest.mark.usefixtures("attentive")
def test_changed_while_it_was_paused_and_planned_from_the_beginning_are_one(runs: Runs) -> None:
    run_id = changed_live(runs, 8, {"penalty": 2.0, "temperature": 0.4})
    spec = runs.store.read(run_id).spec
    assert isinstance(spec, MergeSpec)
    (change,) = spec.changes
    assert (change.step, change.penalty, change.temperature) == (8, 2.0, 0.4)
    planned = runs.made(spec)
    assert runs.bits(run_id) == runs.bits(planned) != runs.bits(runs.parent)
    new = ["from step 8 on: penalty 2", "from step 8 on: temperature 0.4"]
    assert what_made(spec).endswith("; ".join(new))
    assert differences(spec, runs.spec) == new
    assert differences(runs.spec, spec)[0] == "from step 8 on: penalty as before"


@pytest.mark.usefixtures("attentive")
def test_a_worker_that_is_killed_after_a_change_leaves_it_to_the_next(runs: Runs) -> None:
    def kill(event: Event) -> None:
        if event.step >= 18:
            raise Killed

    run_id = changed_live(runs, 8, {"learning_rate": 0.01}, kill)
    assert runs.store.status(run_id).status == "interrupted"
    spec = runs.store.read(run_id).spec
    conduct(runs.store.folder(run_id))
    assert runs.store.read(run_id).spec == spec
    assert runs.bits(run_id) == runs.bits(runs.made(spec)) != runs.bits(runs.parent)  # type: ignore[arg-type]
    child = branched(spec, run_id, 26, {})  # type: ignore[arg-type]
    assert runs.bits(runs.made(child)) == runs.bits(run_id)


def test_only_a_paused_run_takes_values_within_their_limits(runs: Runs) -> None:
    with pytest.raises(RunError, match="is finished: only a paused run"):
        checked_change(runs.store, runs.parent, {"penalty": 1})
    with pytest.raises(SettingsError, match="expected at most 10, got 11"):
        branched(runs.spec, runs.parent, 3, {"penalty": 11})
    with pytest.raises(SettingsError, match="expected penalty, learning_rate, temperature, got 'seed'"):
        branched(runs.spec, runs.parent, 3, {"seed": 11})


def test_a_plan_that_cannot_be_is_refused_before_any_work(pair: tuple[SourceSpec, SourceSpec]) -> None:
    spec = merge_spec(*pair, settings=SETTINGS, changes=(Change(step=96, penalty=1),))
    with pytest.raises(SettingsError, match="95 at most, got step 96"):
        check(spec)
    again = {**spec.model_dump(), "changes": [{"step": 4, "penalty": 1}, {"step": 4, "temperature": 1}]}
    with pytest.raises(SettingsError, match="later step than the one before, got 4 after 4"):
        parse_spec(again)


def test_the_settings_of_a_moment_are_those_of_all_changes_before(pair: tuple[SourceSpec, SourceSpec]) -> None:
    plan = Change(step=4, penalty=1), Change(step=9, temperature=1)
    spec = merge_spec(*pair, settings=SETTINGS, changes=plan)
    held = [(at.penalty, at.temperature) for at in (settings_at(spec, step) for step in (3, 4, 8, 9))]
    usual = SETTINGS.temperature
    assert held == [(SETTINGS.penalty, usual), (1, usual), (1, usual), (1, 1)]
