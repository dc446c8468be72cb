"""A heatmap that gains data several times a second, for the live plot's tests; ``?wait=60`` holds it back so long."""

import math
import time

import streamlit as st

from pages.shared.show.live_plot import let_it_be_sent, live_plot
from pages.shared.show.theme import current_theme, type_switch
from softmerge_core.events import Event, Gates, Stage
from softmerge_core.figures.gates import gates_figure

SOURCES = tuple(f"source {index}" for index in range(8))
PARTS = tuple(f"conv{layer}[{channel}]" for layer in range(3) for channel in range(24))
LAYERS = ("conv0", "conv1", "conv2")
GROUPS = tuple(part.partition("[")[0] for part in PARTS)

start = st.session_state.setdefault("start", time.monotonic())


def probability(part: int, source: int, time_passed: float) -> float:
    return 1 / (1 + math.exp(-6 * math.sin(part * 0.7 + source * 1.3 + time_passed)))


def events(time_passed: float, parts: tuple[str, ...], groups: tuple[str, ...]) -> list[Event]:
    table = tuple(tuple(probability(p, s, time_passed) for s in range(8)) for p in range(len(parts)))
    value = tuple(tuple(min(max(1.2 * cell - 0.1, 0.0), 1.0) for cell in row) for row in table)
    stage = Stage(step=0, stage="gates", title="Gates", parts=parts, sources=SOURCES, groups=groups)
    return [stage, Gates(step=1, stage="gates", probability=table, value=value)]


@st.fragment(run_every=0.2)
def picture() -> None:
    passed = time.monotonic() - start
    st.session_state["ticks"] = st.session_state.get("ticks", 0) + 1
    rows = (LAYERS, LAYERS) if st.session_state.get("coarse") else (PARTS, GROUPS)
    shown = events(passed, *rows) if passed > float(st.query_params.get("wait", "0")) else []
    result = live_plot(
        gates_figure(shown, theme=current_theme()),
        key="gates",
        height=460,
        alt="Gates of each part",
        waiting="Waiting for the first gates",
        clickable=True,
    )
    if result.fresh and result.click:
        st.session_state.setdefault("clicks", []).append((result.click.row, result.click.col))
    st.text(f"ticks: {st.session_state['ticks']}")
    st.text(f"clicks: {st.session_state.get('clicks', [])}")


st.title("Live")
type_switch()
st.toggle("Layers only", key="coarse")
picture()
let_it_be_sent()
