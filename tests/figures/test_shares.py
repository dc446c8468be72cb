"""The origin of each layer as data."""

import pytest

from softmerge_core.events import Event, Gates, Stage
from softmerge_core.figures.shares import shares_figure


def gates(value: tuple[tuple[float, ...], ...], groups: tuple[str, ...]) -> list[Event]:
    sources = tuple(f"s{index}" for index in range(len(value[0])))
    parts = tuple(f"{name} {index}" for index, name in enumerate(groups))
    stage = Stage(step=0, stage="channel", title="t", parts=parts, sources=sources, groups=groups)
    return [stage, Gates(step=1, stage="channel", probability=value, value=value)]


def test_every_layer_is_a_bar_divided_among_the_sources() -> None:
    figure = shares_figure(gates(((1, 1), (1, 0), (0.2, 0.6)), ("conv", "conv", "head")), theme="light")
    assert figure is not None
    assert [trace.name for trace in figure.data] == ["s0", "s1"]
    assert list(figure.data[0].y) == ["conv", "head"]
    assert list(figure.data[0].x) == pytest.approx([75, 25])
    assert list(figure.data[1].x) == pytest.approx([25, 75])
    assert figure.layout.barmode == "stack"
    assert list(figure.layout.yaxis.range) == [1.5, -0.5]  # from the top down
    assert list(figure.data[1].text) == ["25", "75"]


def test_sources_are_told_apart_and_their_names_are_plain_text() -> None:
    events = gates((tuple([1.0] * 9),), ("conv",))
    stage = events[0].model_copy(update={"sources": ("<b>x</b>", *(f"s{index}" for index in range(8)))})
    figure = shares_figure([stage, events[1]], theme="dark")
    assert figure is not None
    looks = {(trace.marker.color, trace.marker.pattern.shape) for trace in figure.data}
    assert len(looks) == 9
    assert figure.data[0].name == "&lt;b&gt;x&lt;/b&gt;"


def test_small_shares_and_crowded_layers_carry_no_number() -> None:
    figure = shares_figure(gates(((0.05, 0.95),), ("conv",)), theme="light")
    assert figure is not None
    assert [trace.text[0] for trace in figure.data] == ["", "95"]
    groups = tuple(f"layer{index}" for index in range(40))
    crowded = shares_figure(gates(((1.0, 1.0),) * 40, groups), theme="light")
    assert crowded is not None
    assert set(crowded.data[0].text) == {""}
    assert crowded.layout.yaxis.dtick == 3


def test_there_is_no_picture_before_the_first_gates() -> None:
    assert shares_figure([], theme="light") is None
