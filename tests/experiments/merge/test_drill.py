"""Rows of gates of a deep network against a plain count over all gates, however they were reported."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softmerge_core.events import Gates, Stage
from softmerge_core.experiments.merge.drill import CHANNELS, deep_rows, is_deep, layer_gates
from softmerge_core.experiments.merge.words import gate_text, gates_sentence
from softmerge_core.figures.gates import gates_figure
from softmerge_core.figures.shares import shares_figure
from softmerge_core.merging.reporting import counts, matrix
from softmerge_core.merging.summary import layer_sizes, summed

NAMES = tuple(f"layer{block}.{unit}.conv{place}" for block in (1, 2, 3) for unit in range(4) for place in (1, 2))
SOURCES = ("a", "b", "c")


def gates_of(seed: int = 0, sizes: tuple[int, ...] = ()) -> tuple[Stage, Gates]:
    """Channel gates, some of which are exactly 0 or 1."""
    draw = np.random.default_rng(seed)
    widths = sizes or tuple(int(width) for width in draw.integers(1, 20, len(NAMES)))
    parts = tuple(f"{name} {channel}" for name, width in zip(NAMES, widths, strict=True) for channel in range(width))
    groups = tuple(name for name, width in zip(NAMES, widths, strict=True) for _ in range(width))
    value = np.clip(1.6 * draw.random((len(parts), 3)) - 0.3, 0, 1)
    value[value.sum(1) == 0, 0] = 1
    chance = draw.random(value.shape)
    stage = Stage(step=0, stage="channel", title="Channel", parts=parts, groups=groups, sources=SOURCES)
    tables = [tuple(map(tuple, table.tolist())) for table in (chance, value)]
    return stage, Gates(step=1, stage="channel", probability=tables[0], value=tables[1])


def reported(stage: Stage, gates: Gates) -> tuple[Stage, Gates]:
    """The same as a merge reports it where the gates are too many."""
    tables = [torch.tensor(table, dtype=torch.float64) for table in (gates.probability, gates.value)]
    found = summed(stage.groups, *tables, tables[1] / tables[1].sum(1, keepdim=True))
    sizes = layer_sizes(stage.groups)
    told = {"share": matrix(found.share), "closed": counts(found.closed), "opened": counts(found.opened)}
    short = stage.model_copy(update={"parts": tuple(sizes), "groups": (), "sizes": tuple(sizes.values())})
    means = {"probability": matrix(found.probability), "value": matrix(found.value)}
    return short, Gates(step=1, stage="channel", **means, **told)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10**6))
def test_layers_are_the_means_and_counts_of_their_gates_in_both_forms(seed: int) -> None:
    stage, gates = gates_of(seed)
    value, chance = np.array(gates.value), np.array(gates.probability)
    share = value / value.sum(1, keepdims=True)
    for pair in ((stage, gates), reported(stage, gates)):
        table = layer_gates(*pair)
        assert table.names == NAMES
        for place, name in enumerate(NAMES):
            inside = np.array([group == name for group in stage.groups])
            assert table.sizes[place] == inside.sum()
            assert table.probability[place] == pytest.approx(chance[inside].mean(0), abs=1.01e-4)
            assert table.value[place] == pytest.approx(value[inside].mean(0), abs=1.01e-4)
            assert table.share[place] == pytest.approx(share[inside].mean(0), abs=1.01e-4)
            assert table.closed[place].tolist() == (value[inside] == 0).sum(0).tolist()
            assert table.opened[place].tolist() == (value[inside] == 1).sum(0).tolist()


def test_at_first_a_row_is_a_block_with_the_means_over_all_its_gates() -> None:
    stage, gates = gates_of()
    rows = deep_rows(stage, gates)
    value = np.array(gates.value)
    assert rows.titles == ("layer1, 8 layers", "layer2, 8 layers", "layer3, 8 layers")
    assert rows.keys == ("layer1.*", "layer2.*", "layer3.*")
    for row, block in enumerate(("layer1", "layer2", "layer3")):
        inside = np.array([group.startswith(block) for group in stage.groups])
        assert rows.value[row] == pytest.approx(value[inside].mean(0))
        assert rows.closed[row] == tuple((value[inside] == 0).sum(0))
        assert rows.opened[row] == tuple((value[inside] == 1).sum(0))
        assert rows.sizes[row] == inside.sum()


def test_an_open_block_is_followed_by_its_layers_and_an_open_layer_by_its_channels() -> None:
    stage, gates = gates_of(sizes=(40,) * len(NAMES))
    rows = deep_rows(stage, gates, opened=("layer2.*", "layer2.0.conv2"))
    assert rows.titles[:4] == ("layer1, 8 layers", "layer2, 8 layers", "layer2.0.conv1", "layer2.0.conv2")
    channels = [title for title in rows.titles if title.startswith("layer2.0.conv2, channel")]
    assert 1 < len(channels) <= CHANNELS
    assert channels[-1].endswith(" 39")
    assert rows.titles[-1] == "layer3, 8 layers"
    lengths = {len(table) for table in (rows.groups, rows.value, rows.share, rows.closed, rows.keys, rows.sizes)}
    assert lengths == {len(rows.titles)}


def test_layers_alone_are_not_opened_to_channels_that_nobody_reported() -> None:
    rows = deep_rows(*reported(*gates_of()), opened=("layer1.*", "layer1.0.conv1"))
    assert rows.keys[:2] == ("layer1.*", "")
    assert len(rows.titles) == 3 + 8


def test_a_search_shows_the_layers_that_have_the_name_in_their_blocks() -> None:
    stage, gates = gates_of()
    rows = deep_rows(stage, gates, wanted="3.CONV2")
    layers = [f"layer{block}.3.conv2" for block in (1, 2, 3)]
    assert [title for title in rows.titles if title in NAMES] == layers
    assert deep_rows(stage, gates, wanted="nothing") == deep_rows(stage, gates)


def test_the_mean_factor_of_a_block_is_geometric() -> None:
    stage, gates = gates_of(sizes=(2,) * len(NAMES))
    rows = deep_rows(stage, gates, (0.5, 2.0) * len(NAMES))
    assert rows.scale == pytest.approx((1.0, 1.0, 1.0))


def test_few_layers_are_shown_as_they_are() -> None:
    few = Stage(step=0, stage="layer", title="", parts=tuple(f"l{place}" for place in range(20)), sources=("a", "b"))
    assert not is_deep(few)
    assert is_deep(gates_of()[0])


def figure(*events: Any, **chosen: Any) -> Any:
    return gates_figure(events, theme="light", **chosen)


def test_the_figure_writes_how_many_gates_are_exactly_0_and_1_and_tells_what_a_click_does() -> None:
    stage, gates = gates_of()
    drawn = figure(stage, gates)
    closed, opened = (sum(row[0] == edge for row in gates.value[: len(gates.value)]) for edge in (0.0, 1.0))
    texts = [line[0].split("<br>") for line in drawn.data[0].text]
    assert sum(int(text[0].split()[1]) for text in texts) == closed
    assert sum(int(text[1].split()[1]) for text in texts) == opened
    assert list(drawn.layout.yaxis.ticktext) == ["▸ layer1", "▸ layer2", "▸ layer3"]
    assert "Click a row" in drawn.layout.annotations[0].text
    inside = figure(stage, gates, opened=("layer1.*",))
    assert inside.layout.yaxis.ticktext[0] == "▾ layer1"
    assert inside.layout.uirevision != drawn.layout.uirevision


def test_shares_are_drawn_for_the_same_blocks() -> None:
    stage, gates = gates_of()
    drawn: Any = shares_figure((stage, gates), theme="light", opened=("layer2.*",))
    assert len(drawn.data[0].y) == 3 + 8
    totals = np.sum([trace.x for trace in drawn.data], axis=0)
    assert totals == pytest.approx(np.full(11, 100.0))


def test_words_count_gates_and_not_layers() -> None:
    stage, gates = gates_of()
    whole = gates_sentence([stage, gates])
    assert gates_sentence(reported(stage, gates)) == whole
    rows = deep_rows(stage, gates)
    text = gate_text(rows, SOURCES, 0, 1)
    assert f"of {rows.sizes[0]:,} gates {rows.closed[0][1]:,} closed, {rows.opened[0][1]:,} fully open" in text
