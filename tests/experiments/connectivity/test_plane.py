"""Planes as runs: through three models, through a curve's middle, and around one model."""

from pathlib import Path

import pytest

from softmerge_core.events import PlaneRows, PlaneTrail, WeightPlane
from softmerge_core.experiments.connectivity.paths import overlay_path
from softmerge_core.experiments.connectivity.plane import beginning
from softmerge_core.settings import DataSpec, SourceSpec
from tests.experiments.connectivity.library import SPIRALS, done, of, spec


def test_the_gates_way_lies_off_the_plane_where_there_is_a_gate_a_channel(tmp_path: Path) -> None:
    view = done(spec(gates="channel", starts=False), tmp_path)
    (trail,) = of(view, PlaneTrail)
    assert max(trail.off) > 0.01 * trail.width
    assert view.result is not None
    assert view.result["off_plane"] == pytest.approx(max(trail.off) / trail.width)


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


def test_batchnorm_is_estimated_again_so_that_paths_and_planes_agree_at_the_models() -> None:
    sources = tuple(SourceSpec(model=f"digits-resnet-poisoned-1/source-{number}") for number in (1, 2, 3))
    asked = spec(sources=sources, data=DataSpec(dataset="digits", train_samples=128), points=3, grid=5, samples=128)
    (path, _), (plane, *_) = overlay_path(asked, "plain"), beginning(asked, None)
    assert isinstance(plane, WeightPlane)
    assert plane.loss[:2] == pytest.approx((path.train_loss[0], path.train_loss[-1]), abs=1e-4)
