"""What a live plot sends to the page: small, plain, and safe to parse."""

import json
import math
import re
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from pages.shared.show import live_plot
from pages.shared.show.plotly_script import FILE
from softmerge_core.figures.compact import compact
from softmerge_core.figures.gates import gates_picture
from softmerge_core.figures.style import new_figure


def test_numbers_are_rounded_and_gaps_are_null() -> None:
    figure = new_figure("light")
    figure.add_scatter(y=[1 / 3, math.nan, math.inf, np.float32(0.1), 12], customdata=np.array([1, 2]))
    sent = compact(figure, "key")["data"][0]
    assert sent["y"] == [0.33333, None, None, 0.1, 12]
    json.dumps(sent, allow_nan=False)


def test_hover_labels_are_written_where_the_chart_typesets_their_numbers() -> None:
    hovers = re.findall(r"hovertemplateString\(\{(.*?)template:", FILE.read_text(encoding="utf-8"))
    assert hovers
    assert all(re.search(r"locale:\w+\._d3locale", call) for call in hovers)


def test_traces_have_lasting_ids_and_layouts_a_lasting_revision() -> None:
    figure = go.Figure([go.Scatter(name="a"), go.Scatter(name="b"), go.Scatter(name="a")])
    sent = compact(figure, "key")
    ids = [trace["uid"] for trace in sent["data"]]
    assert len(set(ids)) == 3
    assert all(identity.isalnum() for identity in ids)  # plotly makes CSS selectors of them
    assert [trace["uid"] for trace in compact(go.Figure(figure.data[1:]), "key")["data"]] == [ids[1], ids[0]]
    assert sent["layout"]["uirevision"] == "key"
    figure.update_layout(uirevision="rows")
    assert compact(figure, "key")["layout"]["uirevision"] == "rows"


def test_a_large_picture_of_gates_is_light() -> None:
    chance = np.random.default_rng(0).uniform(size=(72, 8))
    table = tuple(map(tuple, chance.tolist()))
    value = tuple(map(tuple, np.clip(1.2 * chance - 0.1, 0, 1).tolist()))
    parts = [f"conv{index // 24}[{index % 24}]" for index in range(72)]
    groups = [part.partition("[")[0] for part in parts]
    picture = gates_picture(parts, [f"s{k}" for k in range(8)], table, value, theme="light", groups=groups)
    assert len(json.dumps(compact(picture, "gates"))) < 20_000


@pytest.mark.parametrize(
    "change",
    [
        None,
        3,
        [],
        {},
        {"count": "x"},
        {"row": -1},
        {"col": 0.5},
        {"count": None},
        {"name": 3},
        {"point": 10**30},
        {"more": 1},
    ],
)
def test_what_the_chart_does_not_send_is_no_click(change: Any) -> None:
    sound = {
        "count": 1_795_000_000_000,  # the time in ms
        "curve": 0,
        "name": "a",
        "point": None,
        "row": 1,
        "col": 2,
        "x": 1,
        "y": "b",
        "customdata": None,
    }
    assert live_plot._click(sound) == live_plot.Click(**sound)
    assert live_plot._click({**sound, **change} if isinstance(change, dict) and change else change) is None
