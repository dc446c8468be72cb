"""What a manifest says is shown letter by letter, never as HTML."""

from typing import Any

import pytest

from pages.models import cards
from softmerge_core.zoo import families


def test_a_hash_edited_by_hand_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(cards.st, "html", drawn.append)
    monkeypatch.setattr(cards, "line_style", lambda *_: ("#000", "solid"))
    monkeypatch.setattr(cards, "current_theme", lambda: "light")
    entry = cards.family_entries(families()["moons-mlp-label-noise"])[0]
    info = entry.info.model_copy(update={"sha256": '"><img src=x onerror=alert(1)>'})
    cards.model_table([cards.Entry(entry.model, info, entry.origin)])
    assert "<img" not in drawn[0]
