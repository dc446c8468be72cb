"""The pictures of a sweep: by how many settings vary a line, a map or parallel axes; the front; every run's curve."""

from collections.abc import Callable
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.shared.runs.picture import picture_columns
from pages.shared.show.drawn_figure import DrawnFigure
from pages.shared.show.live_plot import Click
from pages.shared.show.picture import drawn, show_picture
from pages.shared.show.theme import current_theme
from softmerge_core.experiments.sweeping.words import front_sentence
from softmerge_core.experiments.words import percent
from softmerge_core.figures.style import Theme
from softmerge_core.figures.sweep import FEW_SEEDS, HEIGHT, line_figure
from softmerge_core.figures.sweep_curves import MOST, curve_ends, curves_figure, curves_height
from softmerge_core.figures.sweep_map import front_figure, map_figure
from softmerge_core.figures.sweep_marks import Shown, measure_of, upper
from softmerge_core.figures.sweep_parallel import parallel_figure
from softmerge_core.runs.sweep_reader import SweepReader

CLICK = "Click a point to open its run."
DRAWN = "sweep:drawn"


def pictures(reader: SweepReader) -> str | None:
    """Draw all pictures; returns the id of the run that was clicked just now, if one was."""
    count, gated = len(reader.table.axes), reader.table.gated or reader.kept.sweep.base.kind == "merge"
    clicks: list[Click | None] = []
    if count > 2:
        clicks.append(_parallel(reader))
        clicks += [_front(reader)] if gated else []
    else:
        draw = _line if count == 1 else _map
        measures: list[Shown] = ["main", "open"] if gated else ["main"]
        for column, measure in zip(picture_columns("measures", len(measures)), measures, strict=True):
            with column:
                clicks.append(draw(reader, measure))
        clicks += [_front(reader)] if gated else []
    clicks += [_curves(reader)] if reader.table.measure.curved else []
    return next((run for click in clicks if (run := _fresh(reader, click))), None)


def _fresh(reader: SweepReader, click: Click | None) -> str | None:
    """The run of a click that was not answered before."""
    if click is None or click.count <= st.session_state.get("sweep:answered", 0):
        return None
    st.session_state["sweep:answered"] = click.count
    found = click.customdata[0] if isinstance(click.customdata, list) and click.customdata else click.customdata
    return found if found in reader.states else None


def _drawn(reader: SweepReader, name: str, build: Callable[[Theme], go.Figure | None]) -> DrawnFigure | None:
    """A figure, built again only when something new was read."""
    theme, kept = current_theme(), st.session_state.setdefault(DRAWN, {})
    state = (reader.kept.id, reader.changes, theme)
    if kept.get(name, (None, None))[0] != state:
        kept[name] = (state, drawn(build(theme), f"sweep-{name}"))
    figure: DrawnFigure | None = kept[name][1]
    return figure


def _show(reader: SweepReader, key: str, build: Callable[[Theme], go.Figure | None], **about: Any) -> Click | None:
    return show_picture(
        _drawn(reader, key, build), key=f"sweep-{key}", clickable=True,
        waiting="Drawn here as the first runs are done", **about,
    )  # fmt: skip


def _name(reader: SweepReader, shown: Shown) -> str:
    """What a picture shows."""
    return "share of open gates" if shown == "open" else measure_of(reader.table, shown).title


def _line(reader: SweepReader, shown: Shown) -> Click | None:
    table, name = reader.table, _name(reader, shown)
    seeds, whole = table.repeats if shown == "main" else len(table.seeds), shown == "main" and table.measure.accuracy
    span = " with 95\u00a0% intervals" if seeds > 1 or whole else ""
    rings = ", each seed a ring" if 1 < len(table.seeds) < FEW_SEEDS else ""
    said = f"Over {table.names[0]}: the mean of {seeds} seeds{span}{rings}. {CLICK}"
    return _show(
        reader, f"line-{shown}", lambda theme: line_figure(table, shown, theme=theme), height=HEIGHT,
        title=upper(name), sentence=said if seeds > 1 else said.replace("the mean of 1 seeds", "one seed"),
        alt=f"The {name} over {table.names[0]}",
    )  # fmt: skip


def _map(reader: SweepReader, shown: Shown) -> Click | None:
    table, name = reader.table, _name(reader, shown)
    said = f"The mean over seeds, for {table.names[0]} and {table.names[1]}; dotted: the values there were. {CLICK}"
    return _show(
        reader, f"map-{shown}", lambda theme: map_figure(table, shown, theme=theme), height=HEIGHT + 40,
        title=upper(name), sentence=said, alt=f"The {name} over {table.names[0]} and {table.names[1]}",
    )  # fmt: skip


def _parallel(reader: SweepReader) -> Click | None:
    table = reader.table
    best = " the best one is thick," if table.chosen else ""
    said = f"A line for each point;{best} the one with the values there were is dashed. {CLICK}"
    return _show(
        reader, "parallel", lambda theme: parallel_figure(table, theme=theme), height=HEIGHT + 60,
        title="Points", sentence=said, alt="Every point as a line through its settings and what came of them",
    )  # fmt: skip


def _front(reader: SweepReader) -> Click | None:
    table = reader.table
    return _show(
        reader, "front", lambda theme: front_figure(table, theme=theme), height=HEIGHT, title="Accuracy for gates",
        sentence=f"{front_sentence(table)} {CLICK}",
        alt="Validation accuracy over the share of open gates, with the Pareto front",
    )  # fmt: skip


def _curves(reader: SweepReader) -> Click | None:
    table = reader.table
    ends = curve_ends([curve for curve in reader.curves.values() if curve])
    scale = f" All go from step 0 to {ends[0]:,}, and from {percent(ends[1])} to {percent(ends[2])}." if ends else ""
    some = f" The first {MOST} of {len(table.rows)} points." if len(table.rows) > MOST else ""
    return _show(
        reader, "curves", lambda theme: curves_figure(table, reader.curves, theme=theme), height=curves_height(table),
        title="Every run", sentence=f"How the accuracy of each run went, a plot for each point.{scale}{some} {CLICK}",
        alt="The accuracy of every run over its steps, in a small plot for each point",
    )  # fmt: skip
