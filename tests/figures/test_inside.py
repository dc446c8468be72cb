"""Figures of what a merged network does, as data: single samples, confusion matrices, calibration."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from softmerge_core.experiments.merge.inside import Answer, Shown
from softmerge_core.figures.answers import COLUMNS, answers_figure, answers_height, plane_figure
from softmerge_core.figures.confusion import MOST_CLASSES, confusion_figure, difference_figure
from softmerge_core.figures.reliability import errors_figure, reliability_figure
from softmerge_core.figures.style import method_style
from softmerge_core.figures.values import figure_values
from softmerge_core.statistics.calibration import BINS, FEW, Bins, Calibration


def samples(count: int, sources: int = 3) -> list[Shown]:
    own = Answer("soft", "the merged network", "Shirt <b>", 0.874, True)
    other = Answer("average", "the plain average", "Bag", 0.1, False)
    others = tuple(Answer(f"source:{k}", f"Source {k + 1}", "Bag", 0.5, k == 1) for k in range(sources))
    return [Shown(place, "Shirt <b>", own, other, others) for place in range(count)]


def test_each_sample_has_its_picture_its_class_both_answers_and_a_mark_for_each_source() -> None:
    inputs = np.zeros((4, 1, 8, 8), np.float32)
    inputs[2, 0, 3, 5] = 1.0
    figure = answers_figure(inputs, samples(4), theme="light")
    assert figure is not None
    pictures = figure.layout.images
    assert [(picture.x, int(picture.y)) for picture in pictures] == [(0.5, 0), (1.5, 0), (2.5, 0), (0.5, 1)]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(pictures[2].source.partition(",")[2]))))
    times = len(pixels) // 8
    assert pixels[::times, ::times, 0].tolist() == (255 * inputs[2, 0]).astype(int).tolist()
    lines = {trace.name: trace for trace in figure.data}
    assert lines["True class"].text[0] == "<b>Shirt &lt;b&gt;</b>"
    assert lines["Merged"].text[0] == "● ✓ Shirt &lt;b&gt; 87%"
    assert lines["Merged"].textfont.color == method_style("soft", "light").color
    assert lines["Other"].text[0] == "■ ✗ Bag 10%"
    assert "".join(lines["Sources"].text[0].split()) == "1✗2✓3✗"
    assert lines["Samples"].hovertemplate[0].count("<br>") == 5
    head, rows = figure_values(figure)
    assert head[:4] == ["Test sample", "True class", "The merged network", "Confidence (%)"]
    assert rows[3][:4] == [4, "Shirt <b>", "Shirt <b>", 87.4]
    assert answers_height(4) - answers_height(COLUMNS) == answers_height(7) - answers_height(4)


def test_lines_are_drawn_at_one_scale_and_of_many_sources_the_number_of_right_ones_is_told() -> None:
    inputs = np.stack([np.linspace(0, 1, 5), np.linspace(0, 0.5, 5)])[:, None]
    figure = answers_figure(inputs, samples(2, sources=12), theme="dark")
    assert figure is not None
    line = figure.data[0]
    assert sum(x is None for x in line.x) == 2
    first, second = line.y[:5], line.y[6:11]
    assert first[0] == second[0]
    assert (first[0] - first[4]) == pytest.approx(2 * (second[0] - second[4]), abs=1e-3)
    assert next(trace for trace in figure.data if trace.name == "Sources").text[0] == "1 of 12 sources right"
    assert answers_figure(None, samples(1), theme="light").layout.images == ()  # type: ignore[union-attr]
    assert answers_figure(None, [], theme="light") is None


def test_in_the_plane_changed_samples_are_large_and_those_shown_are_numbered() -> None:
    points, labels = np.arange(20, dtype=float).reshape(10, 2), np.arange(10) % 2
    figure = plane_figure(points, labels, [1, 2, 4], samples(3)[1:], theme="light")
    assert figure is not None
    changed = [trace for trace in figure.data[:-1] if "changed" in trace.name]
    assert {pair for trace in changed for pair in zip(trace.x, trace.y, strict=True)} == {(2, 3), (4, 5), (8, 9)}
    assert (list(figure.data[-1].x), list(figure.data[-1].text)) == ([2, 4], ["1", "2"])
    assert len(figure_values(figure)[1]) == 2


def test_a_confusion_matrix_has_fixed_ends_and_says_nothing_of_classes_without_samples() -> None:
    counts = np.array([[8, 2, 0], [0, 0, 0], [1, 0, 3]])
    shares, numbers = (confusion_figure(counts, "abc", theme="light", shares=choice) for choice in (True, False))
    assert shares is not None
    assert numbers is not None
    assert list(shares.data[0].z[0]) == [0.8, 0.2, 0.0]
    assert list(shares.data[0].z[1]) == [None, None, None]
    assert (shares.layout.coloraxis.cmin, shares.layout.coloraxis.cmax) == (0, 1)
    assert shares.layout.coloraxis.colorscale[0][1] == "#00224e"  # cividis
    assert (numbers.layout.coloraxis.cmin, numbers.layout.coloraxis.cmax) == (0, 10)
    assert list(numbers.data[0].text[0]) == ["8", "2", ""]
    _, rows = figure_values(numbers)
    assert ["Samples", "a", "c", 1] in rows
    gap = difference_figure(counts, np.array([[10, 0, 0], [0, 0, 0], [2, 0, 2]]), "abc", theme="dark")
    assert gap is not None
    assert list(gap.data[0].text[0]) == ["−0.20", "+0.20", ""]
    assert (gap.layout.coloraxis.cmin, gap.layout.coloraxis.cmax) == (-1, 1)
    many = np.eye(MOST_CLASSES + 1, dtype=int)
    assert confusion_figure(many, list(map(str, range(MOST_CLASSES + 1))), theme="light") is None


def test_many_classes_are_named_in_rows_and_by_their_groups_in_columns() -> None:
    counts, names = np.eye(29, dtype=int), [f"class {number}" for number in range(29)]
    groups = (("First", 10), ("Second", 10), ("Third", 9))
    figure = confusion_figure(counts, names, groups, theme="light")
    assert figure is not None
    assert list(figure.layout.xaxis.ticktext) == ["First", "Second", "Third"]
    assert list(figure.layout.xaxis.tickvals) == ["class 4", "class 14", "class 24"]
    assert {shape.x0 for shape in figure.layout.shapes} == {-0.5, 9.5, 19.5}
    assert figure.data[0].text is None
    wrong = confusion_figure(counts, names, groups[:2], theme="light")
    assert wrong is not None
    assert wrong.layout.shapes == ()


def bins(sizes: dict[int, int]) -> Bins:
    size = np.array([sizes.get(place, 0) for place in range(BINS)])
    middle = np.where(size > 0, (np.arange(BINS) + 0.5) / BINS, np.nan)
    return Bins(size, middle, middle)


def test_a_calibrated_network_lies_on_the_diagonal_and_bins_of_few_samples_are_hollow() -> None:
    figure = reliability_figure({"soft": bins({3: FEW, 9: FEW - 1}), "average": bins({0: 50})}, theme="light")
    assert figure is not None
    traces = {trace.name: trace for trace in figure.data}
    soft = traces["Soft merge"]
    assert list(soft.x) == list(soft.y) == pytest.approx([23.333, 63.333])
    assert list(soft.marker.symbol) == ["circle", "circle-open"]
    assert list(soft.customdata) == [FEW, FEW - 1]
    assert (soft.line.color, soft.line.dash) == (method_style("soft", "light").color, "solid")
    assert sum(traces["Soft merge, samples"].y) == 2 * FEW - 1
    assert traces["Soft merge, samples"].yaxis == "y2"
    assert reliability_figure({"soft": bins({})}, theme="light") is None


def test_errors_have_their_intervals_in_points() -> None:
    found = {"soft": Calibration(0.05, 0.0, 0.08, 0.06, 900), "average": Calibration(*[float("nan")] * 4, 0)}  # type: ignore[arg-type]
    figure = errors_figure(found, theme="dark")
    assert figure is not None
    (dot,) = figure.data
    assert (dot.x[0], dot.error_x.arrayminus[0], dot.error_x.array[0]) == pytest.approx((5.0, 5.0, 3.0))
    assert "n = 900" in figure.layout.xaxis.title.text
    assert errors_figure({"average": found["average"]}, theme="dark") is None
