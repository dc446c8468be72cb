"""The figure of the gates as data."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from softmerge_core.events import Event, Gates, Stage
from softmerge_core.figures.gates import CLOSED, OPEN, gates_figure, gates_picture, most_rows

PROBABILITY = ((0.2, 0.99), (0.51234, 0.7))
VALUE = ((0.0, 1.0), (0.4, 0.6))


def picture(**changes: Any) -> Any:
    options: dict[str, Any] = {"theme": "light", **changes}
    return gates_picture(("zeta", "alpha"), ("s1", "s2"), PROBABILITY, VALUE, **options)


def test_shows_the_probability_on_a_fixed_scale_with_exact_gates_marked() -> None:
    figure = picture()
    cells = figure.data[0]
    assert [list(row) for row in cells.z] == [[0.2, 0.99], [0.512, 0.7]]
    assert [list(row) for row in cells.text] == [[CLOSED, OPEN], ["", ""]]
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == (0, 1)
    assert figure.layout.coloraxis.colorbar.title.text == "P(open)"
    assert figure.layout.coloraxis.colorscale[0][1] == "#00224e"  # cividis
    assert figure.layout.xaxis.side == "top"


def test_shows_the_value_when_asked_with_the_same_marks() -> None:
    figure = picture(show="value")
    assert [list(row) for row in figure.data[0].z] == [[0, 1], [0.4, 0.6]]
    assert [list(row) for row in figure.data[0].text] == [[CLOSED, OPEN], ["", ""]]
    assert figure.layout.coloraxis.colorbar.title.text == "Gate z"


def test_rows_keep_the_order_of_the_network_from_the_top() -> None:
    figure = picture()
    assert list(figure.data[0].y) == ["zeta", "alpha"]
    assert list(figure.layout.yaxis.range) == [1.5, -0.5]


def test_few_rows_do_not_fill_the_height() -> None:
    low, high = picture().layout.yaxis.domain
    assert high == 1
    assert 0.7 < low < 0.8  # two rows of 44 px


@pytest.mark.parametrize("scale", [(), (2.0, 1.0)])
def test_the_note_under_few_rows_lies_below_the_colour_bars(scale: Sequence[float]) -> None:
    layout = picture(scale=scale).layout
    bars = [layout.coloraxis.colorbar, *([layout.coloraxis2.colorbar] if scale else [])]
    ends = [bar.y - bar.len if bar.yanchor == "top" else bar.y for bar in bars]
    assert layout.annotations[0].yanchor == "top"
    assert layout.annotations[0].y <= min(ends)


def channels(layers: int, width: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    parts = tuple(f"layer{layer}[{channel}]" for layer in range(layers) for channel in range(width))
    return parts, tuple(part.partition("[")[0] for part in parts)


def many(layers: int, width: int, sources: int = 4, height: int = 460) -> Any:
    parts, groups = channels(layers, width)
    chance = np.random.default_rng(0).uniform(size=(len(parts), sources))
    value = np.clip(1.2 * chance - 0.1, 0, 1)
    names = tuple(f"s{index}" for index in range(sources))
    tables = [tuple(map(tuple, table.tolist())) for table in (chance, value)]
    return gates_picture(parts, names, *tables, groups=groups, theme="dark", height=height)


def test_channels_are_grouped_by_layer() -> None:
    figure = many(3, 24)
    assert list(figure.layout.yaxis.ticktext) == ["layer0", "layer1", "layer2"]
    assert list(figure.layout.yaxis.tickvals) == [11.5, 35.5, 59.5]
    assert [shape.y0 for shape in figure.layout.shapes] == [23.5, 47.5]


def test_where_rows_are_low_exact_gates_are_bars_at_the_edges() -> None:
    figure = many(5, 64)
    cells, edges = figure.data
    assert cells.texttemplate is None
    marks = np.asarray(edges.z).reshape(320, 4, 4)
    value = np.clip(1.2 * np.random.default_rng(0).uniform(size=(320, 4)) - 0.1, 0, 1)
    assert ((marks[:, :, 0] == 0) == (value == 0)).all()
    assert ((marks[:, :, 2] == 2) == (value == 1)).all()
    assert (marks[:, :, [1, 3]] == 1).all()
    assert len(edges.x) == 17
    assert all(a < b for a, b in zip(edges.x, edges.x[1:], strict=False))
    assert "bar" in figure.layout.annotations[0].text


def test_labels_of_crowded_layers_keep_their_distance() -> None:
    figure = many(100, 3)
    places = list(figure.layout.yaxis.tickvals)
    row = (460 - 58) / 300
    assert 20 <= len(places) < 100
    assert min(b - a for a, b in itertools.pairwise(places)) * row >= 14


def test_names_are_plain_text_and_do_not_fall_together() -> None:
    figure = gates_picture(("p", "p"), ("<b>x</b>", "<b>x</b>"), PROBABILITY, VALUE, theme="light")
    assert list(figure.data[0].x) == ["&lt;b&gt;x&lt;/b&gt;", "&lt;b&gt;x&lt;/b&gt; (2)"]
    assert list(figure.data[0].y) == ["p", "p (2)"]
    assert "b>x" not in figure.data[0].hovertemplate  # a name in a template could be read as one


def events() -> list[Event]:
    return [
        Stage(step=0, stage="model", title="Model", parts=("all",), sources=("a", "b")),
        Gates(step=1, stage="model", probability=((0.5, 0.5),), value=((0.5, 0.5),)),
        Stage(step=2, stage="layer", title="Layer", parts=("zeta", "alpha"), sources=("a", "b")),
    ]


def test_waits_for_the_first_gates_and_then_shows_the_newest() -> None:
    assert gates_figure([], theme="light") is None
    assert gates_figure(events()[:1], theme="light") is None
    first = gates_figure(events(), theme="light")
    assert first is not None
    assert list(first.data[0].y) == ["all"]
    newest = Gates(step=3, stage="layer", probability=PROBABILITY, value=VALUE)
    second = gates_figure([*events(), newest], theme="light")
    assert second is not None
    assert list(second.data[0].y) == ["zeta", "alpha"]
    assert first.layout.uirevision != second.layout.uirevision  # a zoom into other rows means nothing here


def test_a_zoom_is_kept_while_the_rows_stay() -> None:
    assert picture().layout.uirevision == picture(show="value").layout.uirevision


def test_the_note_tells_marks_from_colours_and_the_hover_agrees_with_the_marks() -> None:
    figure = gates_picture(
        ("a", "b"), ("s1", "s2"), ((0.1, 0.05), (0.9, 0.999)), ((1.0, 0.0), (0.6, 0.9996)), theme="light"
    )
    note = figure.layout.annotations[0].text
    assert f"{CLOSED} closed (z = 0)" in note
    assert f"{OPEN} fully open (z = 1)" in note
    assert "Colour: how likely the gate is open" in note
    assert "last one left in its row" in note  # 1 at P(open) = .1
    assert [list(line) for line in figure.data[0].customdata] == [["1, fully open", "0, closed"], ["0.60", "over 0.99"]]
    assert "last one left" not in picture().layout.annotations[0].text


def test_rows_name_layer_and_channel() -> None:
    parts = tuple(f"conv {channel}" for channel in range(2))
    figure = gates_picture(parts, ("s1", "s2"), PROBABILITY, VALUE, groups=("conv", "conv"), theme="light")
    assert list(figure.data[0].y) == ["conv, channel 0", "conv, channel 1"]
    assert "%{y}" in figure.data[0].hovertemplate


def test_thousands_of_channels_become_rows_of_at_least_a_pixel() -> None:
    parts = tuple(f"layer{layer} {channel}" for layer in range(3) for channel in range(1000))
    groups = tuple(part.split()[0] for part in parts)
    table = tuple((index / 3000, 0.5) for index in range(3000))
    figure = gates_picture(parts, ("s1", "s2"), table, table, groups=groups, theme="light", height=400)
    assert len(figure.data[0].y) <= most_rows(400) == len(range(28, 400 - 60))
    assert figure.data[0].y[0] == "layer0, channels 0 to 9"
    assert figure.data[0].z[0][0] == round(4.5 / 3000, 3)
    assert "Each row is the mean of up to 10 channels" in figure.layout.annotations[0].text
    assert "mean P(open)" in figure.data[0].hovertemplate


def test_learned_factors_are_a_column_of_their_own_where_they_are_not_one() -> None:
    figure = picture(scale=(2.0, 1.0))
    factors = figure.data[-1]
    assert [list(line) for line in factors.z] == [[1], [None]]
    assert factors.customdata[0][0] == "2.00"
    assert (figure.layout.coloraxis2.cmin, figure.layout.coloraxis2.cmax) == (-1, 1)
    assert list(figure.layout.coloraxis2.colorbar.ticktext) == ["×0.5", "×1", "×2"]
    assert figure.layout.xaxis.domain[1] < figure.layout.xaxis3.domain[0]
    assert figure.layout.coloraxis2.colorbar.title.text == "Factor"
    wide = picture(scale=(0.2, 1.5))
    assert wide.layout.coloraxis2.cmax == 3
    for none in ((1.0, 1.0), ()):
        assert len(picture(scale=none).data) == 1


def test_bars_at_the_edges_keep_to_the_gates_beside_a_column_of_factors() -> None:
    parts, groups = channels(5, 64)
    table = tuple((0.0, 1.0) for _ in parts)
    figure = gates_picture(parts, ("s1", "s2"), table, table, groups=groups, theme="dark", scale=[1.5] * 320)
    assert figure.layout.xaxis2.domain == figure.layout.xaxis.domain


@pytest.mark.parametrize(
    ("names", "wide", "narrow"),
    [
        (["source-1", "source-2 (noise)"], ["Source 1", "Source 2, noise"], ["Source 1", "Source 2,<br>noise"]),
        ([f"source-{n}" for n in (1, 2, 3, 4)], ["Source 1", "Source 2"], ["Source<br>1", "Source<br>2"]),
        ([f"source-{n}" for n in range(1, 9)], ["Source 1", "Source 2"], ["1", "2"]),
        (["a < b and much more than fits"] * 4, ["a &lt; b and much<br>more\u2026"], ["a &lt; b<br>and\u2026"]),
    ],
)
def test_names_of_sources_stay_level_and_fit_their_columns(
    names: list[str], wide: list[str], narrow: list[str]
) -> None:
    table = ((0.5,) * len(names),)
    layout = gates_picture(("a",), names, table, table, theme="light").layout
    assert layout.xaxis.tickangle == 0
    assert list(layout.xaxis.ticktext)[: len(wide)] == wide
    assert list(layout.meta["narrow"]["xaxis.ticktext"])[: len(narrow)] == narrow
