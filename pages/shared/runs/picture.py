"""One picture of a run: its place in the page, its title and sentence, and its chart, drawn again as events come."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.shared.runs.downloads import file_stem
from pages.shared.runs.pinned import pinned_behind, run_name
from pages.shared.runs.reader import RunReader
from pages.shared.runs.record import CANNOT, whatever_it_holds
from pages.shared.show.drawn_figure import DrawnFigure
from pages.shared.show.live_plot import Click
from pages.shared.show.picture import drawn, show_picture
from pages.shared.show.theme import current_theme
from softmerge_core.experiments import Spec
from softmerge_core.experiments.behind import apart
from softmerge_core.figures.ghost import Ghost, Select, with_ghost
from softmerge_core.figures.style import Theme
from softmerge_core.zoo import slug

NEVER = "None: the run ended before there was anything to show."


@dataclass(frozen=True)
class Behind:
    """How a pinned run lies behind a picture: which of its traces, and what, beside other data, keeps it away.

    ``apart``: why the pinned run (the second spec) must not be drawn, as the end of a sentence; "" where it may be.
    """

    select: Select = lambda trace: True
    apart: Callable[[Spec, Spec], str] = lambda shown, pinned: ""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """The one declaration of a picture.

    ``key``: its place in the page (style class ``st-key-picture-<key>``, chart ``<key>-plot``); ``idle``: a sentence
    about what it will show, for the time before the first run and for the chart's accessible name; ``kinds``: the
    kinds of events that it is built from, the only ones for which it is built again; ``build``: the figure of a run
    in a theme, or None while there is nothing to draw; ``words``: the sentence under the title, as Markdown;
    ``height``: in px; ``waiting``: the text in place of a figure; ``missing``: the sentence where the run ended
    without a figure (empty: that of ``words``); ``pause``: seconds between two figures of a live run;
    ``clickable``: whether clicks are reported; ``terms``: words in it that the glossary explains; ``behind``: how the
    pinned run is drawn behind it, if it is.

    A picture that varies with the spec is a copy, made with ``dataclasses.replace``.
    """

    key: str
    title: str
    idle: str
    kinds: tuple[str, ...]
    build: Callable[..., go.Figure | None]
    words: Callable[[RunReader], str]
    height: int
    waiting: str = "Drawn here while a run is live"
    missing: str = NEVER
    pause: float = 0.0
    clickable: bool = False
    terms: tuple[str, ...] = ()
    behind: Behind | None = None

    def draw(self, reader: RunReader | None, *, height: int | None = None, **chosen: Hashable) -> Click | None:
        """Draw the picture of a run, or its empty place before the first run; returns the last click.

        ``chosen`` is what the page's reader has chosen to see; it is handed to ``build`` after the run and the theme.
        """
        pinned, reason = self._pinned(reader)
        behind, kept_away = None if reason else pinned, f" The pinned run is not drawn: {reason}." if reason else ""
        figure = None if reader is None else self.figure(reader, current_theme(), behind, **chosen)
        return show_picture(
            figure,
            key=self.key,
            title=self.title,
            sentence=self._sentence(reader, figure, chosen) + kept_away,
            alt=f"{self.title}: {self.idle}",
            height=height or self.height,
            waiting=self.waiting,
            clickable=self.clickable,
            terms=self.terms,
            file=self._file(reader),
        )

    def _file(self, reader: RunReader | None) -> str:
        """What the picture's files are called: the page, the picture, of which networks, and the run."""
        return "" if reader is None else file_stem(reader, slug(self.title))

    def _pinned(self, reader: RunReader | None) -> tuple[RunReader | None, str]:
        """The pinned run that belongs behind the picture, and why it is not drawn; the page tells of other data."""
        pinned = pinned_behind(reader.view.spec.kind, reader) if reader is not None and self.behind else None
        if pinned is None or reader is None or self.behind is None or apart(reader.view.spec, pinned.view.spec):
            return None, ""
        return pinned, self.behind.apart(reader.view.spec, pinned.view.spec)

    def figure(
        self, reader: RunReader, theme: Theme, pinned: RunReader | None = None, **chosen: Hashable
    ) -> DrawnFigure | None:
        """The figure of a run as it is drawn, with a ``pinned`` run behind; built again only when new."""
        name = f"{self.key}:{sorted(chosen.items())}"
        if pinned is None:
            ghost = None
        else:
            ghost = pinned.drawn(f"ghost:{name}", self.kinds, theme, lambda: self._build(pinned, theme, chosen))
            name += f":{pinned.run_id}:{pinned.view.status}"  # of one that is live, as it was, until it ends
        figure: DrawnFigure | None = reader.drawn(
            name, self.kinds, theme, lambda: self._build(reader, theme, chosen, ghost, pinned), pause=self.pause
        )
        return figure

    def _build(
        self,
        reader: RunReader,
        theme: Theme,
        chosen: dict[str, Hashable],
        ghost: DrawnFigure | None = None,
        pinned: RunReader | None = None,
    ) -> DrawnFigure | None:
        figure: go.Figure | None = whatever_it_holds(reader, self._named, lambda: self.build(reader, theme, **chosen))
        if figure is not None and ghost is not None and pinned is not None and self.behind is not None:
            figure = with_ghost(figure, Ghost(ghost.figure(), run_name(pinned), self.behind.select), theme)
        return drawn(figure, self.key)

    @property
    def _named(self) -> str:
        return f"the picture {self.title!r}"

    def _sentence(self, reader: RunReader | None, figure: DrawnFigure | None, chosen: dict[str, Hashable]) -> str:
        if reader is None:
            return self.idle
        if figure is None and not reader.live and self.missing:
            return CANNOT if self._named in reader.unmade else self.missing
        if self._named in reader.unmade:
            return CANNOT
        said = whatever_it_holds(reader, f"the sentence of {self.title!r}", lambda: self._said(reader, chosen))
        return said or CANNOT

    def _said(self, reader: RunReader, chosen: dict[str, Hashable]) -> str:
        name = f"{self.key}:{self.title}:{sorted(chosen.items())}:words"
        return str(reader.once(name, lambda: self.words(reader)))


def draw_row(reader: RunReader | None, *pictures: Picture, height: int | None = None, **chosen: Hashable) -> None:
    """Draw pictures side by side (on a phone, one under the other), all of the same ``height`` where it is given."""
    for column, picture in zip(picture_columns(pictures[0].key, len(pictures)), pictures, strict=True):
        with column:
            picture.draw(reader, height=height, **chosen)


def picture_columns(name: str, count: int) -> list[DeltaGenerator]:
    """Columns for one picture each and nothing else: they stand at one height, however long the words above them are.

    ``name``: one of its own on the page. The style sheet knows them by their key: to look for what columns hold costs a
    browser seconds a page.
    """
    with st.container(key=f"row-of-pictures-{name}"):
        return list(st.columns(count, gap="medium"))
