"""Which rows of the gates of a deep network are shown: the blocks that are open, and the names that are looked for."""

import contextlib
from dataclasses import dataclass

import streamlit as st

from pages.shared.runs.reader import RunReader
from pages.shared.show.live_plot import Click, newest_click
from pages.shared.show.picture import chart_key
from softmerge_core.errors import SoftMergeError
from softmerge_core.events import Gates, Stage
from softmerge_core.experiments.merge import words
from softmerge_core.experiments.merge.blocks import MANY, matching
from softmerge_core.experiments.merge.drill import deep_rows, is_deep
from softmerge_core.experiments.merge.rows import GateRows
from softmerge_core.figures.gate_factors import NAME as FACTOR
from softmerge_core.figures.style import distinct
from softmerge_core.zoo import find_source

OPENED, WANTED, TURNED, SHOWN = "gates-opened", "gates-wanted", "gates-turned", "gates-shown"
HOW = "Click a block to open or close it, and a cell to read it."


@dataclass(frozen=True)
class Chosen:
    """The keys of the rows that are ``opened``, and the name that is ``wanted``."""

    opened: tuple[str, ...] = ()
    wanted: str = ""


ALL_CLOSED = Chosen()


def chosen_rows(reader: RunReader) -> Chosen:
    """What is open and looked for; a click on a row since the last time opens or closes it first."""
    if not is_deep_run(reader):
        return ALL_CLOSED
    _turn(newest_click(chart_key("gates")))
    return Chosen(tuple(sorted(st.session_state.get(OPENED, ()))), str(st.session_state.get(WANTED) or "").strip())


def find_layers() -> None:
    """Draw the search for layers; what is looked for is known to ``chosen_rows`` before it is drawn."""
    st.text_input(
        "Find layers by name",
        key=WANTED,
        bind="query-params",
        persist_state="session",
        label_visibility="collapsed",
        placeholder="Find layers by name",
        icon=":material/search:",
        help="Shows only the layers whose names have these words.",
    )


def shown_rows(reader: RunReader, stage: Stage, gates: Gates, scale: tuple[float, ...], chosen: Chosen) -> GateRows:
    """The rows as the figure has them; what a click on each of them opens is remembered for the next click."""
    name = f"gate-rows:{chosen}"
    rows: GateRows = reader.once(
        name, lambda: deep_rows(stage, gates, scale, opened=chosen.opened, wanted=chosen.wanted)
    )
    st.session_state[SHOWN] = dict(zip(distinct(rows.titles, 60), rows.keys, strict=True))
    return rows


def deep_cell_text(rows: GateRows, stage: Stage, click: Click | None, chosen: Chosen) -> str:
    """The gates in the cell that was clicked, found by the title of its row, for rows come and go above it."""
    names = list(st.session_state.get(SHOWN, ()))
    if chosen.wanted and not matching(stage.groups or stage.parts, chosen.wanted):
        return f"No layer has “{chosen.wanted[:40]}” in its name."
    if click is None or click.col is None or click.y not in names:
        return HOW
    row = names.index(click.y)
    return (
        words.factor_text(rows, row) if click.name == FACTOR else words.gate_text(rows, stage.sources, row, click.col)
    )


def _turn(click: Click | None) -> None:
    """Open or close the row that was clicked, once."""
    if click is None or st.session_state.get(TURNED) == click.count:
        return
    st.session_state[TURNED] = click.count
    key = st.session_state.get(SHOWN, {}).get(click.y)
    if key:
        st.session_state[OPENED] = set(st.session_state.get(OPENED, ())) ^ {key}


def is_deep_run(reader: RunReader) -> bool:
    """Whether the run's network has many layers: told by its first source, so that the search is there all along."""
    key = f"gates-deep:{reader.run_id}"
    if not st.session_state.get(key):
        sources = getattr(reader.view.spec, "sources", ())
        layers = 0
        with contextlib.suppress(SoftMergeError):  # it was deleted meanwhile
            layers = len(getattr(find_source(sources[0].model), "layers", ())) if sources else 0
        stages = (event for event in reader.events if isinstance(event, Stage))
        st.session_state[key] = layers > MANY or any(map(is_deep, stages))
    return bool(st.session_state[key])
