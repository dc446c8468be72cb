"""Paths, strips, planes and curves as runs: what they tell, where they begin, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
import torch

from softmerge_core.data import load_dataset
from softmerge_core.errors import SettingsError, SoftMergeError, SourceError
from softmerge_core.evaluation import evaluate
from softmerge_core.events import BezierCurve, Notice, PlaneRows, PlaneTrail, Progress, Score, WeightPath, WeightPlane
from softmerge_core.experiments import experiment
from softmerge_core.experiments.connectivity.paths import beginning_of, initial_network, overlay_path, start_path
from softmerge_core.experiments.connectivity.plane import beginning
from softmerge_core.experiments.connectivity.spec import ConnectivitySpec, plan
from softmerge_core.experiments.connectivity.words import OVERLAYS, STRIP, verdict
from softmerge_core.experiments.train.spec import TrainSpec
from softmerge_core.runs.store import RunStore, RunView
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import AttackSettings, DataSpec, SourceSpec, TrainSettings
from softmerge_core.training import train
from softmerge_core.zoo import load_base, load_source
from tests.experiments.library import trained

SPIRALS = tuple(SourceSpec(model=f"spirals-mlp-independent/source-{number}") for number in (1, 2, 3))
SMALL: dict[str, Any] = {
    "points": 5,
    "grid": 7,
    "samples": 60,
    "curve_steps": 40,
    "gate_steps": 20,
    "overlays": ("plain",),
}


def spec(**fields: Any) -> ConnectivitySpec:
    return ConnectivitySpec(**{"sources": SPIRALS, "data": DataSpec(dataset="spirals"), **SMALL, **fields})


def done(asked: ConnectivitySpec, folder: Path) -> RunView:
    store = RunStore(folder)
    run_id = store.create(asked)
    assert conduct(store.folder(run_id)) == "finished", store.read(run_id).error
    return store.read(run_id)


def of(view: RunView, kind: type) -> list[Any]:
    return [event for event in view.events if isinstance(event, kind)]


@pytest.mark.parametrize(
    ("fields", "error", "words"),
    [
        ({"sources": SPIRALS[:1]}, SourceError, "two or more"),
        ({"sources": (*SPIRALS, SourceSpec(model="spirals-mlp-independent/source-4"))}, SourceError, "two or three"),
        ({"sources": (*SPIRALS[:2], SPIRALS[0])}, SourceError, "chosen twice"),
        (
            {"sources": (SPIRALS[0], SourceSpec(model="moons-mlp-label-noise/source-1"))},
            SoftMergeError,
            "cannot be merged",
        ),
        ({"sources": (SPIRALS[0], SourceSpec(model="nobody/nowhere"))}, SoftMergeError, "unknown model"),
        ({"data": DataSpec(dataset="mnist1d")}, SoftMergeError, "expects"),
        ({"overlays": ()}, SettingsError, "one or more"),
        ({"overlays": ("plain", "plain")}, SettingsError, "each once"),
        (
            {"sources": (SPIRALS[0], SPIRALS[1].model_copy(update={"attack": AttackSettings(kind="nan")}))},
            SourceError,
            "not finite",
        ),
    ],
)
def test_what_is_wrong_is_refused_before_any_work(fields: dict[str, Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        experiment("connectivity").check(spec(**fields))


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
    last = of(view, Progress)[-1]
    assert last.step == last.total == len(plan(asked))
    assert view.result is not None
    assert view.result["reason"] == verdict(paths)
    assert "straight path rises" in view.result["reason"]


def test_the_gates_way_lies_off_the_plane_where_there_is_a_gate_a_channel(tmp_path: Path) -> None:
    view = done(spec(gates="channel", starts=False), tmp_path)
    (trail,) = of(view, PlaneTrail)
    assert max(trail.off) > 0.01 * trail.width
    assert view.result is not None
    assert view.result["off_plane"] == pytest.approx(max(trail.off) / trail.width)


def test_a_curve_is_told_as_it_is_trained_and_ends_under_the_straight_line(tmp_path: Path) -> None:
    view = done(spec(sources=SPIRALS[:2], picture="bezier", curve_steps=120, starts=False), tmp_path)
    curves = of(view, BezierCurve)
    assert [curve.trained for curve in curves] == [0, 20, 40, 60, 80, 100, 120]
    assert curves[0].loss == pytest.approx(curves[0].straight_loss, abs=1e-4)
    assert max(curves[-1].loss) < 0.6 * max(curves[-1].straight_loss)
    last = of(view, Progress)[-1]
    assert last.step == last.total
    assert not of(view, WeightPlane)


def test_of_two_models_the_third_corner_is_the_middle_of_a_curve(tmp_path: Path) -> None:
    view = done(spec(sources=SPIRALS[:2], starts=False), tmp_path)
    (plane,) = of(view, WeightPlane)
    assert plane.names[2] == "middle of a Bezier curve"
    trails = {trail.series: trail for trail in of(view, PlaneTrail)}
    assert set(trails) == {"soft", "bezier"}
    assert max(trails["bezier"].off) < 1e-6 * plane.corners[1][0]
    assert (trails["bezier"].x[10], trails["bezier"].y[10]) == pytest.approx(plane.corners[2], abs=1e-4)


def test_around_a_model_random_directions_have_it_in_the_middle(tmp_path: Path) -> None:
    view = done(spec(picture="random", starts=False), tmp_path)
    (plane,) = of(view, WeightPlane)
    (middle,) = [event for event in of(view, PlaneRows) if event.first == 2]
    assert (plane.span, plane.corners) == ("random", ((0.0, 0.0),))
    assert middle.loss[1][3] == pytest.approx(plane.loss[0], rel=1e-3)
    assert not of(view, PlaneTrail)


def test_models_that_span_no_plane_end_the_run_in_words(tmp_path: Path) -> None:
    twin = trained("twin", 1), trained("twin", 1), trained("other", 2)
    asked = ConnectivitySpec(sources=twin, data=DataSpec(dataset="moons"), **SMALL)
    store = RunStore(tmp_path)
    run_id = store.create(asked)
    assert conduct(store.folder(run_id)) == "failed"
    assert "have the same weights" in (store.read(run_id).error or "")


def test_batchnorm_is_estimated_again_so_that_paths_and_planes_agree_at_the_models() -> None:
    sources = tuple(SourceSpec(model=f"digits-resnet-poisoned-1/source-{number}") for number in (1, 2, 3))
    asked = spec(sources=sources, data=DataSpec(dataset="digits", train_samples=128), points=3, grid=5, samples=128)
    path, (plane, *_) = overlay_path(asked, "plain"), beginning(asked, None)
    assert isinstance(plane, WeightPlane)
    assert plane.loss[:2] == pytest.approx((path.train_loss[0], path.train_loss[-1]), abs=1e-4)


def test_where_training_began_is_known_for_families_and_own_trainings(tmp_path: Path) -> None:
    settings = TrainSettings(epochs=1, seed=5)
    made = done(TrainSpec(name="mine", dataset="moons", network="mlp", settings=settings), tmp_path)  # type: ignore[arg-type]
    assert made.result is not None
    mine = SourceSpec(model=f"library/{made.result['library']}")
    assert beginning_of(mine) == ("its random initial weights (seed 5)", 5)
    network, data = initial_network(mine), load_dataset("moons")
    assert network is not None
    train(network, data.train_inputs, data.train_labels, settings, classes=data.classes)
    again = load_source(mine).module.state_dict()
    assert all(torch.equal(value, again[name]) for name, value in network.state_dict().items())
    shared = SourceSpec(model="spirals-mlp-shared-trunk/source-2")
    trunk, base = initial_network(shared), load_base("spirals-mlp-shared-trunk")
    assert trunk is not None
    assert base is not None
    assert all(torch.equal(v, base.state_dict()[n]) for n, v in trunk.state_dict().items())
    assert beginning_of(SourceSpec(model="spirals-mlp-shared-trunk/base"))[1] is not None


def test_where_it_is_not_known_that_is_said() -> None:
    sources = (trained("one", 1), trained("other", 2))
    assert initial_network(sources[0]) is None
    asked = ConnectivitySpec(sources=sources, data=DataSpec(dataset="moons"), **SMALL)
    paths = [start_path(asked, which) for which in (0, 1)]
    assert [path.t for path in paths] == [(), ()]
    assert all(path.note.startswith("not known where it began") for path in paths)


def test_the_same_spec_gives_the_same_numbers(tmp_path: Path) -> None:
    asked = spec(starts=False, sources=SPIRALS[:2], curve_steps=20)
    first, again = (done(asked, tmp_path / name) for name in ("first", "again"))
    for kind in (WeightPath, BezierCurve, PlaneRows, PlaneTrail):
        told = [[event.model_copy(update={"seconds": 0}) for event in of(view, kind)] for view in (first, again)]
        assert told[0] == told[1]


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
