"""The page of HTML that plays a merge: what it holds, that it fits, and that it asks no network for anything."""

import base64
import gzip
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from softmerge_core.errors import RunError
from softmerge_core.export.replay import page as made
from softmerge_core.export.replay.frames import different, whole_log
from softmerge_core.export.replay.page import replay_page
from softmerge_core.figures.style import thin
from softmerge_core.runs import files
from softmerge_core.runs.film import Film
from softmerge_core.runs.store import EXAMPLES

LOOK = EXAMPLES / "first-look"
EVIL = "</script><script>alert(1)</script> <!--FILM--> & more"


def film_in(text: str) -> dict[str, Any]:
    """What is packed into a page."""
    (packed,) = re.findall(r'<script type="text/plain" id="film">([^<]*)</script>', text)
    found: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(packed)))
    return found


def patched(base: Any, patch: list[list[Any]]) -> Any:
    """What the page's script makes of a figure and what is other than in it."""
    figure = json.loads(json.dumps(base))
    for path, value in patch:
        inner = figure
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
    return figure


def test_a_page_holds_every_moment_and_no_address_that_is_asked(tmp_path: Path) -> None:
    page = replay_page(LOOK)
    steps = Film(LOOK / files.EVENTS).steps
    assert (page.shown, page.moments) == (len(steps), len(steps))
    assert len(page.html) < 4_000_000
    film = film_in(page.html)
    assert film["steps"] == steps
    assert [picture["key"] for picture in film["pictures"]] == ["gates", "accuracy", "shares", "losses"]
    gates = film["pictures"][0]
    first, last = patched(gates["base"], gates["frames"][0]), patched(gates["base"], gates["frames"][-1])
    assert gates["frames"][0] == []
    assert len(first["data"][0]["y"]) < len(last["data"][0]["y"])  # from one gate a source to those of channels
    assert all(len(picture["words"]) == len(steps) for picture in film["pictures"])
    assert "default-src 'none'" in page.html
    outside = re.sub(r'<script type="text/plain"[^>]*>[^<]*</script>', "", page.html)
    assert not re.search(r"https?:|\bsrc=|\bhref=|@import|url\(", outside)


def drawn(classes: list[int]) -> bytes:
    """A line of a log with decisions on a grid of two by two."""
    where = {"series": "soft", "extent": [0, 1, 0, 1], "size": 2, "classes": classes}
    return json.dumps({"step": 0, "seconds": 0, "kind": "boundary", **where}, separators=(",", ":")).encode() + b"\n"


def test_names_are_text_and_decisions_have_a_picture_of_their_own(tmp_path: Path) -> None:
    folder = tmp_path / "evil"
    shutil.copytree(LOOK, folder)
    spec = json.loads((folder / files.SPEC).read_bytes()) | {"name": EVIL}
    (folder / files.SPEC).write_text(json.dumps(spec), encoding="utf-8")
    lines = (folder / files.EVENTS).read_bytes().splitlines(keepends=True)
    gates = [number for number, line in enumerate(lines) if b'"kind":"gates"' in line]
    for place, classes in ((3, [1] * 4), (2, [0, 1, 1, 0])):
        lines.insert(gates[place], drawn(classes))
    (folder / files.EVENTS).write_bytes(b"".join(lines))
    text = replay_page(folder).html
    assert "<script>alert" not in text
    film = film_in(text)
    assert film["title"] == EVIL
    (decisions,) = [picture for picture in film["pictures"] if picture["key"] == "decisions"]
    shown = [patched(decisions["base"], frame)["data"][0]["z"]["bdata"] for frame in decisions["frames"]]
    assert [list(base64.b64decode(grid)) for grid in dict.fromkeys(shown)] == [[0, 1, 1, 0], [1, 1, 1, 1]]


def test_a_long_film_is_thinned_until_it_fits_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(made, "plotly_script", lambda: b"")
    monkeypatch.setattr(made, "MOST_MOMENTS", 8)
    page = replay_page(LOOK)
    film = film_in(page.html)
    drawn = made.strips(Film(LOOK / files.EVENTS), thin(28, 8), whole_log(LOOK / files.EVENTS), None)
    monkeypatch.setattr(made, "strips", lambda *_: drawn)
    assert (page.shown, page.moments) == (8, film["moments"])
    assert [film["steps"][0], film["steps"][-1]] == [0, 675]
    monkeypatch.setattr(made, "MOST_BYTES", len(page.html) * 9 // 10)
    assert replay_page(LOOK).shown == 4
    monkeypatch.setattr(made, "MOST_BYTES", 1000)
    with pytest.raises(RunError, match="more than the 1,000 bytes"):
        replay_page(LOOK)


def test_what_cannot_be_played_says_why(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected a merge, got kind 'scope'"):
        replay_page(EXAMPLES / "first-scope")
    folder = tmp_path / "bare"
    shutil.copytree(LOOK, folder)
    (folder / files.EVENTS).write_bytes(b"")
    with pytest.raises(RunError, match="has 0 moments"):
        replay_page(folder)
    (folder / files.END).unlink()
    with pytest.raises(RunError, match="is waiting"):
        replay_page(folder)


def test_what_is_other_leads_from_one_value_to_the_other() -> None:
    base = {"data": [{"z": [[1, 2]], "name": "a"}, {"z": [3]}], "layout": {"shapes": [{"x": 1}], "gone": 1}}
    other = {"data": [{"z": [[1, 5]], "name": "a"}, {"z": [3]}], "layout": {"shapes": [], "new": {"x": 2}}}
    patch = different(base, other)
    assert [path for path, _ in patch] == [
        ["data", 0, "z"],
        ["layout", "shapes"],
        ["layout", "gone"],
        ["layout", "new"],
    ]
    assert patched(base, patch) == {**other, "layout": {**other["layout"], "gone": None}}
    assert different(base, base) == []
