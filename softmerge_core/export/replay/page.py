"""The page of HTML that plays a merge: figures, their script and the film in one file. It asks no network for anything.

Plotly's script and the film are packed into it (gzip, as base64), so that a page has two to four megabytes.
"""

import base64
import gzip
import html
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from softmerge_core.errors import RunError, short
from softmerge_core.experiments.describe import what_made
from softmerge_core.experiments.merge.happenings import happenings
from softmerge_core.experiments.merge.kept import kept_network
from softmerge_core.experiments.merge.why import why_sentence
from softmerge_core.experiments.merge.words import gain_sentence
from softmerge_core.experiments.words import sentence
from softmerge_core.export.replay.frames import THEME, Strip, strips, whole_log
from softmerge_core.figures.compact import plotly_script
from softmerge_core.figures.style import THEMES, palette, thin
from softmerge_core.runs import RunView, files
from softmerge_core.runs.film import Film
from softmerge_core.runs.labels import read_labels
from softmerge_core.runs.status import ENDED
from softmerge_core.runs.store import read_run

MOST_BYTES = 7_500_000  # of a page
MOST_MOMENTS = 240  # shown of a film; longer ones are thinned
FEWEST = 2
KIND = "merge"
_HERE = Path(__file__).parent


class Page(NamedTuple):
    """A page, and how many of how many moments it shows."""

    html: str
    title: str
    shown: int
    moments: int


def replay_page(folder: Path) -> Page:
    """The page of the merge in a run's ``folder``; raises RunError where it is none, or there is nothing to play."""
    view = read_run(folder, folder.name, 2**62)
    if view.spec.kind != KIND:
        raise RunError(f"run {view.id!r} cannot be replayed: expected a merge, got kind {view.spec.kind!r}")
    if view.status not in ENDED:
        raise RunError(f"run {view.id!r} is {view.status}: a replay is made of a run that has ended")
    film = Film(folder / files.EVENTS)
    if len(film.moments) < FEWEST:
        raise RunError(f"run {view.id!r} has {len(film.moments)} moments: expected two or more to replay")
    return _fitting(folder, view, film)


def _fitting(folder: Path, view: RunView, film: Film) -> Page:
    """The page with as many moments as fit into it."""
    events = whole_log(folder / files.EVENTS)
    places = thin(len(film.moments), MOST_MOMENTS)
    pictures = strips(film, places, events, kept_network(view.result, events))
    head = _head(folder, view)
    chosen, most = list(range(len(places))), MOST_MOMENTS
    while len(text := _page(head, film, places, chosen, pictures)) > MOST_BYTES:
        if most <= FEWEST:
            raise RunError(f"run {view.id!r}: its pictures take more than the {MOST_BYTES:,} bytes of a page")
        most = max(FEWEST, most // 2)
        chosen = thin(len(places), most)
    return Page(text, str(head["title"]), len(chosen), len(film.moments))


def _head(folder: Path, view: RunView) -> dict[str, Any]:
    """The words above the pictures."""
    result = view.result or {}
    told = [gain_sentence(result, int(result["samples"]["test"])), why_sentence(result)] if result else []
    reason = sentence(str(result.get("reason") or view.error or ""))
    return {
        "title": read_labels(folder).name or view.spec.name or "A soft merge",
        "made": f"Made from: {sentence(short(what_made(view.spec), 400))}",
        "verdict": told[0] if told else "",
        "why": " ".join(filter(None, [*told[1:], reason])),
    }


def _page(
    head: Mapping[str, Any], film: Film, places: Sequence[int], chosen: Sequence[int], pictures: Sequence[Strip]
) -> str:
    shown = [places[number] for number in chosen]
    happened = happenings((number, film.gates(place)) for number, place in enumerate(shown))
    data = {
        **head,
        "steps": [film.moments[place].step for place in shown],
        "moments": len(film.moments),
        "told": [[each.place, each.step, each.words] for each in happened],
        "theme": THEME,
        "palettes": {theme: palette(theme) for theme in THEMES},
        "pictures": [strip.at(chosen) for strip in pictures],
    }
    film_text = json.dumps(data, separators=(",", ":"), allow_nan=False).encode()
    parts = {
        "TITLE": html.escape(str(head["title"])),
        "STYLE": _read("replay.css"),
        "SCRIPT": _read("replay.js"),
        "PLOTLY": _packed(plotly_script()),
        "FILM": _packed(film_text),
    }
    page = _read("replay.html")
    for name, text in parts.items():
        before, after = page.split(f"<!--{name}-->")
        page = f"{before}{text}{after}"
    return page


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()
