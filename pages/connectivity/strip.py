"""The strip from one model to the other: each network's test accuracy and loss, side by side."""

import html
from math import isfinite

import streamlit as st

from pages.connectivity.reading import titles_of
from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from pages.shared.show.theme import current_theme
from softmerge_core.events import Score
from softmerge_core.experiments.connectivity.words import STRIP, strip_sentence
from softmerge_core.experiments.words import percent
from softmerge_core.figures.style import method_style
from softmerge_core.numbers import number_text

STYLES = {"a": "source:0", "b": "source:1"}  # the two models are drawn as sources, the rest by its method


def draw_strip(reader: RunReader | None) -> None:
    """Draw the models, their plain average and their soft merge; before the first run, empty cells."""
    events = reader.events if reader else []
    scores = {event.series: event for event in events if isinstance(event, Score) and event.case == "strip"}
    titles = dict(STRIP)
    if reader is not None:
        titles["a"], titles["b"], *_ = titles_of(reader)
    st.markdown(f"**Strip.** {plain(strip_sentence(scores, (titles['a'], titles['b'])), 300)}")
    cells = "".join(_cell(titles[key], key, scores.get(key)) for key in STRIP)
    st.html(f'<div class="sm-walk">{cells}</div>')


def _cell(title: str, key: str, score: Score | None) -> str:
    color = method_style(STYLES.get(key, key), current_theme()).color
    if score is None:
        value, share, note = "…", 0.0, "waiting"
    elif score.problem or not isfinite(score.accuracy):
        value, share, note = "none", 0.0, score.problem or "not finite"
    else:
        value, share, note = percent(score.accuracy), score.accuracy, f"loss {number_text(score.loss)} nats"
    return (
        f'<div class="sm-walk-cell"><span>{html.escape(title)}</span><b>{value}</b><small>{html.escape(note)}</small>'
        f'<i style="width:{100 * share:.1f}%;background:{color}"></i></div>'
    )
