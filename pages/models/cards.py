"""Trained models as entries of a collection, and each one's record as a row of a table."""

import html
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from pages.models.figures import line_style, poisoned
from pages.shared.choose.form import one_of
from pages.shared.choose.sources import FIRST
from pages.shared.show.text import plain
from pages.shared.show.theme import current_theme
from softmerge_core.attacks import find_attack
from softmerge_core.experiments.words import clipped, percent
from softmerge_core.zoo import FamilyInfo, LibraryModel, ModelInfo, families, library

MINE = "my-models"
HASH = 10  # letters shown of a SHA-256
SPLITS = ("test", "validation", "train")
_CSS = (Path(__file__).parent / "table.css").read_text(encoding="utf-8")
# plotly's dashes as CSS: drawn and empty stretches in px
_DASHES = {
    "solid": (30,),
    "dash": (7, 4),
    "dot": (3, 3),
    "dashdot": (8, 3, 3, 3),
    "longdash": (12, 6),
    "longdashdot": (12, 3, 3, 3),
}


@dataclass(frozen=True)
class Entry:
    """A model, its name in a SourceSpec, and the family or library model that states its network and data."""

    model: str
    info: ModelInfo
    origin: FamilyInfo | LibraryModel


def family_entries(family: FamilyInfo) -> list[Entry]:
    """The models of a family, in its order."""
    return [Entry(family.source(model), model, family) for model in family.models]


def own_entries() -> list[Entry]:
    """The models of the reader's library."""
    return [Entry(f"library/{name}", model, model) for name, model in library().items()]


def pick_collection(*, key: str = "models") -> str:
    """The name of the chosen family, or MINE."""
    found = families()
    names = [*sorted(found, key=lambda name: (name != FIRST, found[name].title)), MINE]
    return one_of(
        st.selectbox,
        "Models",
        names,
        format_func=lambda name: found[name].title if name in found else "My models",
        key=key,
        bind="query-params",
        help="A family that ships with the project, or the models you have trained, poisoned or uploaded.",
    )


def about(collection: str, entries: Sequence[Entry]) -> str:
    """One sentence about the chosen models, as Markdown."""
    if collection in families():
        return plain(families()[collection].description, 400)
    origins = [entry.origin.origin for entry in entries if isinstance(entry.origin, LibraryModel)]
    counts = [f"{number} {origin}" for origin, number in Counter(origins).items()]
    return f"Kept on this machine: {', '.join(counts)}." if counts else "Kept on this machine; none yet."


def model_table(entries: Sequence[Entry]) -> None:
    """A row per model: its line in the pictures, name, accuracies in percent, how it was trained, its hash."""
    heads = ("Model", "Test", "Validation", "Train", "How it was trained", "Weights")
    classes = ("sm-model", "sm-number", "sm-number", "sm-number", "sm-how", "sm-hash")
    head = "".join(f'<th scope="col" class="{name}">{text}</th>' for text, name in zip(heads, classes, strict=True))
    rows = "".join(_row(index, entry) for index, entry in enumerate(entries))
    table = f'<table class="sm-models"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
    st.html(f"<style>{_CSS}</style>{table}")


def _row(index: int, entry: Entry) -> str:
    info = entry.info
    numbers = "".join(
        f'<td class="sm-number" data-label="{split.capitalize()}">{percent(info.accuracy.get(split))}</td>'
        for split in SPLITS
    )
    return (
        f'<tr><th scope="row" class="sm-model"><div class="sm-title">{_swatch(index)}'
        f"<span>{_safe(info.title, 60)}</span>{_mark(info)}</div></th>"
        f'{numbers}<td class="sm-how">{_safe(info.how, 400)}</td>'
        f'<td class="sm-hash" data-label="SHA-256" title="SHA-256 of the weights: {_safe(info.sha256)}">'
        f"{_safe(info.sha256[:HASH])}</td></tr>"
    )


def _swatch(index: int) -> str:
    """A sample of the model's line in the pictures."""
    color, dash = line_style(index, current_theme())
    stops, at = [], 0
    for place, length in enumerate(_DASHES[dash]):
        stops.append(f"{'transparent' if place % 2 else color} {at}px {at + length}px")
        at += length
    pattern = f"repeating-linear-gradient(90deg, {', '.join(stops)})"
    return f'<span class="sm-swatch" aria-hidden="true" style="background: {pattern}"></span>'


def _mark(info: ModelInfo) -> str:
    if not poisoned(info) or info.attack is None:
        return ""
    done = _safe(find_attack(info.attack.kind).title.lower())
    return f'<span class="sm-poisoned">\u26a0\ufe0e Poisoned: {done}</span>'


def _safe(text: str, limit: int = 80) -> str:
    """User text as HTML that shows it letter by letter, on one line of at most ``limit`` letters."""
    return html.escape(clipped(text, limit))
