"""The picture of gates that are forced by hand."""

from softmerge_core.experiments.merge.by_hand import hand_rows
from softmerge_core.figures.by_hand import NAME, by_hand_figure
from softmerge_core.merging.forced import Forced

GATES = {
    "parts": ["a 0", "a 1"],
    "groups": ["a", "a"],
    "sources": ["one", "two"],
    "probability": [[0.9, 0.1], [0.8, 0.2]],
    "value": [[1.0, 0.5], [1.0, 0.5]],
    "scale": [1.0, 1.0],
}


def marks(forced: list[Forced], most: int) -> dict[str, set[tuple[str, str]]]:
    rows = hand_rows({"gates": GATES, "parts": 2}, forced, most)
    figure = by_hand_figure(rows, ("one", "two"), theme="light", height=300)
    found = [trace for trace in figure.data if trace.name == NAME]
    assert all(trace.hoverinfo == "skip" for trace in found)  # a click goes to the cell under a mark
    return {trace.marker.symbol: set(zip(trace.y, trace.x, strict=True)) for trace in found}


def test_each_forced_cell_has_a_bar_and_each_that_is_so_in_part_a_dot() -> None:
    forced = [Forced(first=0, last=0, source=1, to="shut")]
    assert marks(forced, 2) == {"line-ew": {("a, channel 0", "two")}, "circle": set()}
    assert marks(forced, 1) == {"line-ew": set(), "circle": {("a, channels 0 to 1", "two")}}
