"""A run opened for surgery tells the numbers of its own result, and what is trained on from there says so."""

from pathlib import Path

import pytest

from softmerge_core.errors import RunError, SettingsError
from softmerge_core.experiments.describe import what_made
from softmerge_core.experiments.merge import by_hand
from softmerge_core.experiments.merge.continued import continued
from softmerge_core.experiments.merge.explain import explain_step
from softmerge_core.experiments.merge.run import GRID, boundary, plane_extent
from softmerge_core.experiments.merge.spec import MergeSpec, check, small
from softmerge_core.experiments.merge.surgery import OpenedRun
from softmerge_core.merging.changes import Change
from softmerge_core.merging.forced import Forced
from softmerge_core.runs import files
from softmerge_core.runs.results import read_result
from softmerge_core.runs.store import RunStore, read_spec
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import DataSpec, SoftMergeSettings, SourceSpec
from softmerge_core.zoo import families


def made(root: Path, spec: MergeSpec) -> Path:
    store = RunStore(root / "runs")
    folder = store.folder(store.create(spec))
    assert conduct(folder) == "finished", (folder / files.TRACEBACK).read_text()
    return folder


def opened(folder: Path, *, ended: bool = True) -> OpenedRun:
    spec = read_spec(folder)
    assert isinstance(spec, MergeSpec)
    weights = {path.stem: path for path in (folder / files.WEIGHTS).glob("*.safetensors")}
    snapshot = None if ended else (folder / files.SNAPSHOT).read_bytes()
    return OpenedRun(spec, read_result(folder, "merge")[0] if ended else None, snapshot, weights)


@pytest.fixture(scope="module")
def layered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A merge in the plane with a gate for each layer."""
    family = families()["spirals-mlp-shared-trunk"]
    sources = [SourceSpec(model=family.source(model)) for model in family.models[:2]]
    settings = SoftMergeSettings(granularity="layer", steps=6, evaluate_every=3)
    data = DataSpec(dataset="spirals", train_samples=100, validation_samples=60)
    return made(tmp_path_factory.mktemp("one"), MergeSpec(sources=tuple(sources), data=data, settings=settings))


@pytest.mark.parametrize("granularity", ["channel", "auto"])
def test_with_nothing_forced_all_numbers_are_those_of_the_result(granularity: str, tmp_path: Path) -> None:
    spec = small()
    settings = spec.settings.model_copy(update={"granularity": granularity})
    folder = made(tmp_path, spec.model_copy(update={"settings": settings}))
    result, told = read_result(folder, "merge")[0], opened(folder).told
    assert result is not None
    for split, key in (("validation", "validation_"), ("test", "")):
        for name, own in (("learned", "soft"), ("average", "average"), ("best_source", "best_source")):
            found = told["scores"][name][split]
            wanted = (result[f"{key}accuracy"][own], result[f"{key}loss"][own])
            assert (found["accuracy"], found["loss"]) == wanted, (split, name)
    assert told["scores"]["learned"]["test"]["correct"] == result["correct"]["soft"]
    assert told["best_source"] == result["best_source"]
    assert [list(row) for row in told["gates"]["value"]] == result["gates"]["value"]


def test_a_run_under_way_is_opened_at_its_newest_snapshot(layered: Path) -> None:
    found = opened(layered, ended=False)
    assert found.told["step"] == 3
    assert found.start()["step"] == 3


def test_what_has_no_gates_yet_is_refused() -> None:
    with pytest.raises(RunError, match="no gates yet"):
        OpenedRun(small(), None, None, {})


def test_a_run_trained_on_from_there_begins_with_what_was_forced_and_says_so(layered: Path, tmp_path: Path) -> None:
    run, parent = opened(layered), read_spec(layered)
    assert isinstance(parent, MergeSpec)
    parent = parent.model_copy(update={"name": "Mine", "changes": (Change(step=1, penalty=0.5),)})
    forced = (Forced(first=0, last=0, source=1, to="shut"),)
    spec = continued(parent, layered.name, run.start(), forced, keep=True)
    check(spec)
    assert (spec.name, spec.settings.penalty, spec.changes) == ("Mine with gates forced by hand", 0.5, ())
    assert spec.settings.granularity == "layer"
    assert continued(spec, "other", run.start(), forced).name == spec.name
    assert "shut by hand, and kept so" in what_made(spec)
    assert f"begun with the gates of run {layered.name}, 1 gate of Source 2" in what_made(spec)
    first, second = (made(tmp_path / name, spec) for name in ("a", "b"))
    results = [read_result(folder, "merge")[0] for folder in (first, second)]
    assert results[0] is not None
    assert results[0]["gates"]["value"][0][1] == 0
    assert results[0]["gates"] == results[1]["gates"]  # type: ignore[index]
    assert len({(folder / files.WEIGHTS / "merged.safetensors").read_bytes() for folder in (first, second)}) == 1
    explained = explain_step(spec, 2, told=RunStore(first.parent).read(first.name).events)
    assert explained["compared"] > 0
    assert explained["differs"] is None  # a replay begins with the same gates


def test_a_start_of_other_sources_is_refused_before_it_runs(layered: Path) -> None:
    parent = read_spec(layered)
    assert isinstance(parent, MergeSpec)
    spec = continued(parent, "r", opened(layered).start(), ())
    with pytest.raises(SettingsError, match="expected gates for 3 sources, got 2"):
        check(spec.model_copy(update={"sources": (*spec.sources, spec.sources[0])}))


def test_decisions_follow_what_is_forced(layered: Path) -> None:
    run = opened(layered)
    learned, first = (
        run.forced(forced)["boundary"]["classes"]
        for forced in ((), [Forced(first=0, last=2, source=k, to="shut" if k else "open") for k in (0, 1)])
    )
    assert len(learned) == GRID * GRID
    points = boundary(run.modules[0], plane_extent(run.data) or (0, 0, 0, 0), 0).classes
    assert first == points != learned
    assert by_hand.shape_of(run.told) == (3, 2)
