"""Events that are of the right types, and yet make no sense, are lines that are left out."""

import json
from typing import Any

import pytest

from softmerge_core.runs.log import parse_lines

SOUND: tuple[dict[str, Any], ...] = (
    {"kind": "stage", "step": 0, "stage": "layer", "title": "Layer", "parts": ["a", "b"], "groups": []},
    {"kind": "gates", "step": 1, "stage": "layer", "probability": [[0.5, 1], [0, 1]], "value": [[0, 1], [1, 1]]},
    {"kind": "evaluation", "step": 1, "series": "soft", "split": "test", "accuracy": 1, "loss": "Infinity"},
    {"kind": "score", "step": 1, "series": "soft", "accuracy": "NaN"},
    {"kind": "boundary", "step": 1, "series": "s", "extent": [0, 1, 0, 1], "size": 2, "classes": [0, 1, 1, 2]},
    {"kind": "shards", "step": 0, "counts": [[3, 0], [1, 2]], "malicious": [True, False]},
    {"kind": "weight_path", "step": 0, "series": "start:0", "note": "none is known"},
    {"kind": "barrier", "step": 1, "series": "plain", "error": -0.1, "loss": -2.5},
)


@pytest.mark.parametrize("event", SOUND, ids=lambda event: str(event["kind"]))
def test_sound_events_are_taken(event: dict[str, Any]) -> None:
    assert [len(found) if isinstance(found, tuple) else found for found in _read(event)] == [1, 0]


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (0, {"groups": ["one"]}),
        (0, {"step": 10**400}),
        (1, {"value": [[0, 1]]}),
        (1, {"value": [[0, 1], [1]]}),
        (1, {"probability": [], "value": []}),
        (2, {"accuracy": 1e308}),
        (2, {"accuracy": -0.2}),
        (4, {"size": 10**9}),
        (4, {"classes": [0, 1, 1, 10**9]}),
        (5, {"counts": [[3, 0], [1]]}),
        (5, {"counts": [[3, 0]]}),
        (5, {"counts": [[-3, 0], [1, 2]]}),
        (6, {"t": [0, 1], "test_loss": [0.5]}),
    ],
)
def test_what_makes_no_sense_is_left_out(place: int, change: dict[str, Any]) -> None:
    assert _read({**SOUND[place], **change}) == ((), 1)


def _read(event: dict[str, Any]) -> tuple[tuple[Any, ...], int]:
    text = json.dumps(event).replace('"NaN"', "NaN").replace('"Infinity"', "Infinity")
    return parse_lines(text.encode())
