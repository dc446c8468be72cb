"""Planes of weight space as data."""

from math import log, log10

import numpy as np
import pytest

from softmerge_core.events import Event, PlaneRows, PlaneTrail, WeightPlane
from softmerge_core.figures.landscape import loss_scale, plane_figure, plane_grid

PLANE = WeightPlane(
    step=0, span="models", x=(0.0, 1.0, 2.0), y=(0.0, 1.0), names=("a", "<i>b</i>", "c"),
    corners=((0.0, 0.0), (2.0, 0.0), (1.0, 1.0)), loss=(0.2, 0.4, 0.3), error=(0.1, 0.2, 0.1),
    split="train", samples=100, classes=10,
)  # fmt: skip
ROW = PlaneRows(step=1, first=0, loss=((0.2, 50.0, 0.4),), error=((0.1, 0.9, 0.2),))
TOP = PlaneRows(step=2, first=1, loss=((1.0, float("nan"), 2.0),), error=((0.5, 0.9, 0.6),))
TRAIL = PlaneTrail(step=0, series="soft", x=(1.0, 0.5), y=(0.3, 0.1), off=(0.0, 0.2), width=2.0)


def test_rows_fill_the_grid_and_the_rest_is_a_gap() -> None:
    grid = plane_grid([PLANE, ROW], PLANE, "loss")
    assert grid[0].tolist() == [0.2, 50.0, 0.4]
    assert np.isnan(grid[1]).all()
    assert plane_grid([PLANE, ROW, TOP], PLANE, "error")[1].tolist() == pytest.approx([50, 90, 60])


def test_the_scale_is_known_before_the_first_row_and_never_changes() -> None:
    low, high = loss_scale(PLANE)
    assert (low, high) == (pytest.approx(0.1), pytest.approx(4 * log(10)))
    for events in ([PLANE], [PLANE, ROW], [PLANE, ROW, TOP]):
        figure = plane_figure(events, theme="light", what="loss")  # type: ignore[arg-type]
        assert figure is not None
        heat = figure.data[0]
        assert (heat.zmin, heat.zmax) == (pytest.approx(log10(low)), pytest.approx(log10(high)))
    worse = PLANE.model_copy(update={"loss": (0.0, 80.0, float("inf"))})
    assert loss_scale(worse) == (pytest.approx(1e-3), pytest.approx(96))


def test_losses_are_logarithms_clipped_to_the_scale_and_hovering_tells_them_whole() -> None:
    figure = plane_figure([PLANE, ROW], theme="dark", what="loss")
    assert figure is not None
    heat, lines = figure.data[:2]
    assert heat.z[0].tolist() == pytest.approx([log10(0.2), log10(4 * log(10)), log10(0.4)])
    assert heat.customdata[0].tolist() == [0.2, 50.0, 0.4]
    assert "nats" in heat.colorbar.title.text
    assert heat.colorbar.ticktext[0].startswith("≤")
    assert heat.colorbar.ticktext[-1].startswith("≥")
    assert lines.contours.coloring == "none"  # lines over the colours, so that colour is not alone
    error = plane_figure([PLANE, ROW], theme="dark", what="error")
    assert error is not None
    assert (error.data[0].zmin, error.data[0].zmax) == (0, 100)


def test_models_and_paths_are_marked_with_words() -> None:
    events: list[Event] = [PLANE, ROW, TRAIL, TRAIL.model_copy(update={"series": "bezier"})]
    figure = plane_figure(events, theme="light", what="loss", names=("Mine",))
    assert figure is not None
    assert [note.text for note in figure.layout.annotations] == ["gates", "Mine", "&lt;i&gt;b&lt;/i&gt;", "c"]
    models = figure.data[-1]
    assert (list(models.x), list(models.y)) == ([0, 2, 1], [0, 0, 1])
    assert models.text[0] == "Mine: loss 0.2 nats"
    ends = next(trace for trace in figure.data if trace.name == "Gate training")
    assert (list(ends.x), list(ends.marker.symbol)) == ([1.0, 0.5], ["circle-open", "star"])
    assert any(trace.name == "Bezier curve, white" and trace.line.dash == "dot" for trace in figure.data)


def test_a_random_plane_says_what_its_axes_count_and_without_a_plane_there_is_no_picture() -> None:
    around = PLANE.model_copy(
        update={"span": "random", "corners": ((0.0, 0.0),), "names": ("a",), "loss": (0.2,), "error": (0.1,)}
    )
    figure = plane_figure([around], theme="light", what="error", names=("A", "B"))
    assert figure is not None
    assert figure.layout.xaxis.title.text == "x (filter norms)"
    assert [note.text for note in figure.layout.annotations] == ["A"]
    assert plane_figure([ROW], theme="light", what="loss") is None
