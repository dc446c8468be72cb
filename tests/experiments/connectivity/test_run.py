"""Whole connectivity runs: what they tell, that they repeat, and how they end where there is no plane."""

from pathlib import Path

import pytest

from softmerge_core.data import load_dataset
from softmerge_core.evaluation import evaluate
from softmerge_core.events import BezierCurve, Notice, PlaneRows, PlaneTrail, Progress, Score, WeightPath, WeightPlane
from softmerge_core.experiments.connectivity.paths import overlay_path
from softmerge_core.experiments.connectivity.spec import ConnectivitySpec, plan
from softmerge_core.experiments.connectivity.words import ENDS, OVERLAYS, STRIP, verdict
from softmerge_core.landscape import network_between
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import AttackSettings, DataSpec, SourceSpec
from softmerge_core.zoo import load_source
from tests.experiments.connectivity.library import SMALL, SPIRALS, done, of, spec
from tests.experiments.library import trained


def test_every_path_the_strip_the_plane_and_the_gates_way_are_told(tmp_path: Path) -> None:
    asked = spec(overlays=tuple(OVERLAYS), scope_epochs=1)
    view = done(asked, tmp_path)
    paths = {event.series: event for event in of(view, WeightPath)}
    assert set(paths) == {*OVERLAYS, "start:0", "start:1"}
    assert all(len(path.test_loss) == len(path.t) == 5 for path in paths.values())
    ends = [
        (path.test_loss[0], path.test_loss[-1]) for key, path in paths.items() if key in OVERLAYS and key != "scope"
    ]
    data = load_dataset("spirals")
    own = [evaluate(load_source(source).module, *data.split("test"))[1] for source in SPIRALS]
    for first, last in ends:  # aligned and repaired models compute what the models do
        assert first == pytest.approx(own[0], abs=1e-4)
        assert last == pytest.approx(own[1], abs=1e-4)
    assert paths["scope"].test_loss[0] != pytest.approx(own[0], abs=1e-4)
    assert "other networks" in paths["scope"].note
    assert max(paths["plain"].test_loss) > 1.5 * max(paths["weights"].test_loss)
    (plane,) = of(view, WeightPlane)
    rows = sorted(of(view, PlaneRows), key=lambda event: event.first)
    grid = [row for event in rows for row in event.loss]
    assert (len(grid), {len(row) for row in grid}) == (7, {7})
    for source, loss in zip(SPIRALS, plane.loss, strict=True):
        inputs, labels = data.split("train")
        assert loss == pytest.approx(evaluate(load_source(source).module, inputs[:60], labels[:60])[1], abs=1e-4)
    (trail,) = of(view, PlaneTrail)
    assert max(trail.off) < 1e-3 * trail.width  # one gate a model, normalised: a mix of the corners
    assert plane.x[0] < min(trail.x) <= max(trail.x) < plane.x[-1]
    strip = {event.series: event for event in of(view, Score)}
    assert list(strip) == list(STRIP)
    assert strip["a"].accuracy == pytest.approx(evaluate(load_source(SPIRALS[0]).module, *data.split("test"))[0])
    losses = [evaluate(load_source(source).module, *data.split("validation"))[1] for source in SPIRALS]
    assert [strip[end].best for end in ENDS] == [loss == min(losses[:2]) for loss in losses[:2]]
    assert not any(strip[key].best for key in ("average", "soft"))
    assert all(strip[key].correct for key in STRIP)
    last = of(view, Progress)[-1]
    assert last.step == last.total == len(plan(asked))
    assert view.result is not None
    assert view.result["reason"] == verdict(paths)
    assert "straight path rises" in view.result["reason"]


def test_models_that_span_no_plane_end_the_run_in_words(tmp_path: Path) -> None:
    twin = trained("twin", 1), trained("twin", 1), trained("other", 2)
    asked = ConnectivitySpec(sources=twin, data=DataSpec(dataset="moons"), **SMALL)
    store = RunStore(tmp_path)
    run_id = store.create(asked)
    assert conduct(store.folder(run_id)) == "failed"
    assert "have the same weights" in (store.read(run_id).error or "")


def test_the_same_spec_gives_the_same_numbers(tmp_path: Path) -> None:
    asked = spec(starts=False, sources=SPIRALS[:2], curve_steps=20)
    first, again = (done(asked, tmp_path / name) for name in ("first", "again"))
    for kind in (WeightPath, BezierCurve, PlaneRows, PlaneTrail):
        told = [[event.model_copy(update={"seconds": 0}) for event in of(view, kind)] for view in (first, again)]
        assert told[0] == told[1]


def test_statistics_of_batchnorm_can_be_mixed_until_they_are_repaired() -> None:
    sources = [SourceSpec(model=f"digits-resnet-specialists/source-{number}") for number in (1, 2)]
    asked = spec(sources=sources, data=DataSpec(dataset="digits"), points=3)
    mixed = asked.model_copy(update={"norms": "mixed"})
    data, modules = load_dataset("digits"), [load_source(source).module for source in sources]
    accuracy, loss = evaluate(network_between(*modules, 0.5), *data.split("test"))
    path, _ = overlay_path(mixed, "plain")
    assert path.test_loss[1] == pytest.approx(loss, rel=1e-4)
    assert path.test_error[1] == pytest.approx(1 - accuracy, abs=1e-4)
    assert path.test_loss[1] != pytest.approx(overlay_path(asked, "plain")[0].test_loss[1], rel=1e-2)
    assert overlay_path(mixed, "weights_repair")[0] == overlay_path(asked, "weights_repair")[0]


@pytest.mark.parametrize("picture", ["plane", "random", "bezier"])
def test_a_spoiled_model_is_walked_to_all_the_same(tmp_path: Path, picture: str) -> None:
    spoiled = SPIRALS[1].model_copy(update={"attack": AttackSettings(kind="extreme", strength=1e5)})
    asked = spec(sources=(SPIRALS[0], spoiled), picture=picture, overlays=("plain", "weights_repair"))
    view = done(asked, tmp_path)
    assert view.result is not None
    assert view.result["reason"].startswith("On test data")
    told = [event.text for event in of(view, Notice)]
    assert any("lie on one line" in text for text in told) == (picture == "plane")  # the curve hardly leaves the line
    begun = {path.series: path.note for path in of(view, WeightPath)}
    assert begun["start:1"].endswith("(the model was spoiled afterwards)")
