"""The Bezier curve of a run, told as it is trained."""

from pathlib import Path

import pytest

from softmerge_core.events import BezierCurve, Progress, WeightPlane
from tests.experiments.connectivity.library import SPIRALS, done, of, spec


def test_a_curve_is_told_as_it_is_trained_and_ends_under_the_straight_line(tmp_path: Path) -> None:
    view = done(spec(sources=SPIRALS[:2], picture="bezier", curve_steps=120, starts=False), tmp_path)
    curves = of(view, BezierCurve)
    assert [curve.trained for curve in curves] == [0, 20, 40, 60, 80, 100, 120]
    assert curves[0].loss == pytest.approx(curves[0].straight_loss, abs=1e-4)
    assert max(curves[-1].loss) < 0.6 * max(curves[-1].straight_loss)
    last = of(view, Progress)[-1]
    assert last.step == last.total
    assert not of(view, WeightPlane)
