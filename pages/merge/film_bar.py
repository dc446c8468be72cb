"""The controls of a film: a slider through its moments, which the browser fetches and shows by itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent
_ICONS = {
    "play": "M8 5v14l11-7z",
    "hold": "M6 5h4v14H6zM14 5h4v14h-4z",
    "back": "M6 5h2v14H6zM9 12l10 7V5z",
    "on": "M16 5h2v14h-2zM15 12L5 5v14z",
}


def _button(name: str, label: str, about: str, *icons: str) -> str:
    paths = "".join(f'<path class="sm-film-{icon}" d="{_ICONS[icon]}"/>' for icon in icons)
    drawing = f'<svg viewBox="0 0 24 24" aria-hidden="true">{paths}</svg>'
    return f'<button type="button" name="{name}" title="{about}">{drawing}<span>{label}</span></button>'


_component = st.components.v2.component(
    "softmerge_film_bar",
    html='<div class="sm-film" role="group" aria-label="Replay">'
    + _button("play", "Play", "Let the film run, or hold it.", "play", "hold")
    + _button("back", "Back", "Back by one moment.", "back")
    + _button("on", "On", "On by one moment.", "on")
    + '<label class="sm-film-speed" title="How fast the film runs.">Speed <select>'
    "<option>slow</option><option selected>usual</option><option>fast</option></select></label>"
    '<label class="sm-film-place" title="The moment that is shown; the arrow keys go from one to the next.">'
    '<span>Step <output></output></span><input type="range" min="0" step="1"></label>'
    '<p class="sm-film-said"></p></div>',
    css=(_HERE / "film_bar.css").read_text(encoding="utf-8"),
    js=(_HERE / "film_bar.js").read_text(encoding="utf-8"),
)


def film_bar(
    run_id: str,
    steps: Sequence[int],
    place: int | None,
    *,
    key: str,
    jump: int,
    live: bool,
    address: str,
    theme: str,
    marked: Sequence[str],
) -> None:
    """Draw the controls of the film whose moments are at these ``steps``.

    The reader's place in it is told as the state ``at`` of the component: the run, the place (None: the end of a live
    run), and the count of the last jump that it knows. ``place`` is shown at first, and after another ``jump``.
    ``address``: where a moment is fetched, with ``{place}`` in it; ``theme``: that of its figures; ``marked``: the
    keys of the live plots on which the moment is a line.
    """
    data: dict[str, Any] = {
        "run": run_id,
        "steps": in_rows(steps),
        "place": place,
        "jump": jump,
        "live": live,
        "address": address,
        "theme": theme,
        "marked": list(marked),
    }
    _component(key=key, data=data, on_at_change=_nothing)


def in_rows(steps: Sequence[int]) -> list[tuple[int, int, int]]:
    """Ascending numbers as rows of equal distance: (first, distance, count); most films are few rows."""
    rows: list[tuple[int, int, int]] = []
    for step in steps:
        first, distance, count = rows[-1] if rows else (0, 0, 0)
        if count == 1:
            rows[-1] = (first, step - first, 2)
        elif count and step == first + distance * count:
            rows[-1] = (first, distance, count + 1)
        else:
            rows.append((step, 0, 1))
    return rows


def _nothing() -> None:
    """A state key is only reported when it has a callback."""
