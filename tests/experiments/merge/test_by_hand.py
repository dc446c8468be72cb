"""Rows, menus, links and sentences of gates that are forced by hand."""

from typing import Any

import pytest

from softmerge_core.errors import SettingsError
from softmerge_core.experiments.merge import by_hand
from softmerge_core.merging.forced import Forced
from softmerge_core.statistics import pack

GATES = {
    "parts": ["a 0", "a 1", "a rest", "b 0"],
    "groups": ["a", "a", "a", "b"],
    "sources": ["source-1", "source-2"],
    "probability": [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]],
    "value": [[1.0, 0.0], [1.0, 0.0], [0.5, 0.5], [0.5, 0.5]],
    "scale": [1.0, 1.0, 1.0, 1.0],
}
LARGE = {**GATES, "parts": ["a", "b"], "groups": ["a", "b"], "sizes": [3, 1]} | {
    name: GATES[name][2:]
    for name in ("probability", "value", "scale")  # type: ignore[index]
}
TOLD: dict[str, Any] = {"gates": GATES, "parts": 4}
SHUT = Forced(first=0, last=1, source=0, to="shut")


def scores(right: list[bool]) -> dict[str, Any]:
    share = sum(right) / len(right)
    return {split: {"accuracy": share, "loss": 0.5, "correct": pack(right)} for split in ("validation", "test")}


def test_rows_are_parts_with_what_is_forced_in_them() -> None:
    rows = by_hand.hand_rows(TOLD, [SHUT], 10)
    assert [span[1:] for span in rows.spans] == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert rows.table.value == [[0.0, 0.0], [0.0, 0.0], [0.5, 0.5], [0.5, 0.5]]
    assert rows.forced == (("all", ""), ("all", ""), ("", ""), ("", ""))


def test_of_many_parts_a_row_is_several_and_forces_them_all() -> None:
    rows = by_hand.hand_rows(TOLD, [SHUT], 2)
    assert [span[1:] for span in rows.spans] == [(0, 2), (3, 3)]
    assert rows.forced == (("some", ""), ("", ""))
    layer = by_hand.layer_spans(TOLD)[1]
    assert [span[1:] for span in by_hand.hand_rows(TOLD, [SHUT], 2, layer).spans] == [(3, 3)]


def test_of_a_large_network_a_row_is_a_layer() -> None:
    told = {"gates": LARGE, "parts": 4}
    rows = by_hand.hand_rows(told, [Forced(first=0, last=2, source=1, to="open")], 10)
    assert [span[1:] for span in rows.spans] == [(0, 2), (3, 3)]
    assert rows.table.value[0] == (0.5, 1.0) or list(rows.table.value[0]) == [0.5, 1.0]
    assert by_hand.layer_spans(told) == [("a", 0, 2), ("b", 3, 3)]
    assert [span[1:] for span in by_hand.part_spans(told, by_hand.layer_spans(told)[0])] == [(0, 0), (1, 1), (2, 2)]


def test_menus_offer_layers_and_their_parts() -> None:
    layers = by_hand.layer_spans(TOLD)
    assert layers == [("a", 0, 2), ("b", 3, 3)]
    assert [span.title for span in by_hand.part_spans(TOLD, layers[0])] == ["a, channel 0", "a, channel 1", "a, rest"]
    assert by_hand.part_spans(TOLD, layers[1]) == []


def test_clicks_go_from_learned_to_shut_to_open_and_back() -> None:
    forced: tuple[Forced, ...] = ()
    seen = []
    for _ in range(4):
        way = by_hand.next_way(TOLD, forced, (1, 2), 1)
        seen.append(way)
        forced = by_hand.changed(TOLD, forced, (1, 2), [1], way)
    assert seen == ["shut", "open", "learned", "shut"]
    assert by_hand.next_way(TOLD, [SHUT], (0, 2), 0) == "learned"  # some of it is forced


def test_a_cell_tells_how_it_was_learned_and_how_it_is() -> None:
    rows = by_hand.hand_rows(TOLD, (), 10)
    said = by_hand.cell_words(TOLD, [SHUT], rows, 0, 0)
    assert said == "a, channel 0, Source 1: learned P(open) = 0.90, z = 1, fully open; now forced shut."
    assert by_hand.cell_words(TOLD, [SHUT], by_hand.hand_rows(TOLD, (), 2), 0, 0).endswith(
        "now as learned and forced shut."
    )


def test_texts_of_a_link_come_back() -> None:
    forced = (SHUT, Forced(first=2, last=3, source=1, to="open"))
    assert by_hand.from_texts(by_hand.as_texts(forced)) == forced
    for text in ("0-1.0.ajar", "x", "0-1.0", "0-9999999999.0.shut", "-1-1.0.shut", "0-1.0.shut\n"):
        with pytest.raises(SettingsError, match="expected parts, source and way"):
            by_hand.from_texts([text])


def test_the_verdict_says_whether_chance_alone_could_give_the_difference() -> None:
    learned = [True] * 60 + [False] * 40
    told = {**TOLD, "scores": {"learned": scores(learned)}}
    assert by_hand.verdict(told, (), scores(learned)) == (
        "Nothing is forced: validation accuracy 60.0\u00a0%, loss 0.500 nats, as learned."
    )
    same = by_hand.verdict(told, [SHUT], scores(learned))
    assert same.endswith("Both are right on exactly the same of the 100 validation samples.")
    close = by_hand.verdict(told, [SHUT], scores([True] * 61 + [False] * 39))
    assert "With 2 gates forced: validation accuracy 61.0\u00a0%" in close
    assert close.endswith("on the same 100 validation samples: they cannot be told apart.")
    far = by_hand.verdict(told, [SHUT], scores([True] * 30 + [False] * 70))
    assert "\u221230.0 points" in far
    assert far.endswith("more than chance.")


def test_a_loss_that_is_not_finite_is_said() -> None:
    bad = scores([True])
    bad["validation"]["loss"] = None
    told = {**TOLD, "best_source": "x", "scores": dict.fromkeys(("learned", "average", "best_source"), bad)}
    assert {row[3] for row in by_hand.score_rows(told, bad)} == {"not finite"}
