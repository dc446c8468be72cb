"""A chart under its title and a sentence, as every picture on a page is shown."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from pages.shared.show.drawn_figure import DrawnFigure, drawn_figure
from pages.shared.show.live_plot import Click, live_plot
from pages.shared.show.terms import explained
from softmerge_core.experiments.words import sentence as as_sentence
from softmerge_core.zoo import slug


def show_picture(
    figure: go.Figure | DrawnFigure | None,
    *,
    key: str,
    title: str,
    sentence: str,
    alt: str,
    height: int,
    waiting: str,
    clickable: bool = False,
    terms: Sequence[str] = (),
    file: str = "",
) -> Click | None:
    """Draw ``figure``, or the text ``waiting`` in its place; returns the last click where it is ``clickable``.

    ``key``: its place in the page (style class ``st-key-picture-<key>``, chart ``<key>-plot``); ``sentence``:
    Markdown; ``alt``: the chart's accessible name; ``height``: in px; ``terms``: words of the glossary to explain;
    ``file``: what its files are called (by default after the title).
    """
    with st.container(key=f"picture-{key}", gap="xsmall"):
        st.markdown(f"**{as_sentence(title)}** {sentence}", help=explained(*terms))
        return live_plot(
            figure,
            key=chart_key(key),
            height=height,
            alt=alt,
            waiting=waiting,
            clickable=clickable,
            file=file or slug(title),
        ).click


def drawn(figure: go.Figure | None, key: str) -> DrawnFigure | None:
    """What the picture called ``key`` shows of a figure, for who keeps it: a twentieth of what its objects take."""
    return None if figure is None else drawn_figure(figure, chart_key(key))


def chart_key(key: str) -> str:
    """The key of the chart in the picture called ``key``."""
    return f"{key}-plot"
