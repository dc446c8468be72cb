"""One picture of a run: its place in the page, its title and sentence, and the chart, drawn again when events come."""

from collections.abc import Callable
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st

from pages.shared.runs.reader import RunReader
from pages.shared.show.live_plot import Click, live_plot
from pages.shared.show.theme import current_theme
from softmerge_core.figures.style import Theme

NEVER = "None: the run ended before there was anything to show."


@dataclass(frozen=True)
class Picture:
    """What a page says of one of its pictures, once.

    ``key``: its place in the page (the style class ``st-key-picture-<key>``); ``idle``: what will be there, as a
    sentence: shown before the first run, and the chart's accessible name; ``kinds``: the events it is built from,
    the only ones for which it is drawn again; ``build``: the figure, or None while there is nothing to draw;
    ``words``: what it shows now, as Markdown; ``height`` in px; ``pause``: seconds between two drawings of a live run.
    """

    key: str
    title: str
    idle: str
    kinds: tuple[str, ...]
    build: Callable[[RunReader, Theme], go.Figure | None]
    words: Callable[[RunReader], str]
    height: int
    waiting: str = "Drawn here while a run is live"
    pause: float = 0.0
    clickable: bool = False

    def draw(self, reader: RunReader | None, *, state: str = "", height: int | None = None) -> Click | None:
        """The picture of a run; of none, what will be there. Returns the last click where it is clickable.

        ``state``: what the reader of the page has chosen to see, where the figure depends on it.
        """
        figure = self._figure(reader, state)
        with st.container(key=f"picture-{self.key}", gap="xsmall"):
            st.markdown(f"**{self.title}.** {self._sentence(reader, figure)}")
            return live_plot(
                figure,
                key=f"{self.key}-plot",
                height=height or self.height,
                alt=f"{self.title}: {self.idle}",
                waiting=self.waiting,
                clickable=self.clickable,
            ).click

    def _figure(self, reader: RunReader | None, state: str) -> go.Figure | None:
        if reader is None:
            return None
        theme = current_theme()
        name = f"{self.key}:{state}"
        figure: go.Figure | None = reader.drawn(
            name, self.kinds, theme, lambda: self.build(reader, theme), pause=self.pause
        )
        return figure

    def _sentence(self, reader: RunReader | None, figure: go.Figure | None) -> str:
        if reader is None:
            return self.idle
        return self.words(reader) if figure is not None or reader.live else NEVER
