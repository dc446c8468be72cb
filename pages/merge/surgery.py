"""Surgery on a merge that is paused or over: force gates open or shut by hand, and see what that network would do."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import streamlit as st

from pages.merge.surgery_state import ON, Hand, State, forced_of_link, hand_of, surgeon
from pages.shared.runs.downloads import file_stem, run_table
from pages.shared.runs.panel import begin
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import run_store
from pages.shared.show.drawn_figure import DrawnFigure
from pages.shared.show.live_plot import newest_click
from pages.shared.show.picture import chart_key, drawn, show_picture
from pages.shared.show.text import plain
from pages.shared.show.theme import current_theme
from softmerge_core.errors import SoftMergeError
from softmerge_core.events import Boundary, Points
from softmerge_core.experiments.merge import by_hand
from softmerge_core.experiments.merge.by_hand import HandRows, Span, Told
from softmerge_core.experiments.merge.continued import continued
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.words import sentence, source_text
from softmerge_core.figures.boundary import boundary_figure
from softmerge_core.figures.by_hand import by_hand_figure
from softmerge_core.figures.style import Theme

HEIGHT, LOW = 460, 340  # px
MOST = 50  # rows: each high enough to be hit; a row of several parts forces them all
LAYER = "surgery-layer"
GATES = "surgery-gates"
READY = ("paused", "finished", "stopped", "interrupted", "failed")
ALL = "all"
ABOUT = "Force any gate open or shut and see at once what the merged network would do; nothing of the run changes."
NOT_YET = "Pause the run, or let it end, to force its gates by hand."
HEAD = ("Network", "Validation", "Points", "Loss", "Test")
OPENING = "Opening the run: its sources and samples are read once, which takes a few seconds."
UNREAD = "Click a cell to read it and to change it."
WARNING = (
    "This is a what-if on the same samples: choices made by hand on validation data fit these samples too well, and "
    "whoever looks at the test column while choosing uses it up as well."
)


def surgery(reader: RunReader | None) -> None:
    """Draw the switch, and where it is on and the run stands still, the gates to force and what comes of it.

    The switch has its place before a run and while it goes on as well, so that nothing moves when it ends.
    """
    ready = reader is not None and reader.view.status in READY
    with st.container(key="surgery-slot", gap="xsmall"):
        st.toggle(
            "Edit gates by hand",
            key=ON,
            bind="query-params",
            persist_state="session",
            disabled=not ready,
            help=ABOUT if ready else NOT_YET,
        )
        if reader is not None and ready:
            forced_of_link(reader.run_id)
            if st.session_state.get(ON):
                st.fragment(_work, key="surgery-work")(reader)


def _work(reader: RunReader) -> None:
    """All of it; drawn again by itself, so that a click does not wait for the rest of the page."""
    hand = hand_of(reader.run_id)
    try:
        with st.spinner(OPENING) if hand.told is None else nullcontext():
            told = hand.opened(reader)
        _take_click(reader, hand, told)
        scores = hand.scored(hand.now)
    except SoftMergeError as error:
        st.error(plain(sentence(str(error)), 400), icon=":material/error:")
        return
    with st.container(key="surgery-verdict"):
        st.markdown(f"**{plain(by_hand.verdict(told, hand.now, scores), 400)}**")
    first, second = st.columns(2, gap="medium")
    with first:
        _gates(reader, hand, told)
    with second:
        _menus(hand, told)
        _history(reader, hand)
        scored = [tuple(map(source_text, row)) for row in by_hand.score_rows(told, scores)]
        run_table(reader, "by-hand", HEAD, scored)
        st.caption(WARNING)
    if scores.get("boundary"):
        _decisions(reader, told, scores)


def _take_click(reader: RunReader, hand: Hand, told: Told) -> None:
    """Change the cell that was clicked since the last time."""
    click = newest_click(chart_key(GATES))
    if click is None or click.count <= hand.clicked or click.row is None or click.col is None or click.name != "gates":
        return
    hand.clicked, hand.cell = click.count, (_layer(), click.row, click.col)
    spans = _rows(reader, told, ()).spans
    if click.row >= len(spans) or click.col >= by_hand.shape_of(told)[1]:
        return
    span = spans[click.row][1:]
    to = by_hand.next_way(told, hand.now, span, click.col)
    hand.take(by_hand.changed(told, hand.now, span, [click.col], to))


def _rows(reader: RunReader, told: Told, forced: State) -> HandRows:
    """The rows of the picture: those of the layer that is chosen in the menu, or all."""
    place, layers = _layer(), by_hand.layer_spans(told)
    make = partial(by_hand.hand_rows, told, forced, MOST, layers[place - 1] if 0 < place <= len(layers) else None)
    return make() if forced else _as_learned(reader, told, f"rows of layer {place}", make)


def _as_learned(reader: RunReader, told: Told, name: str, make: Callable[[], Any]) -> Any:
    """What is made of the run as it was learned; kept, so that the answer to a click need not wait for it."""
    return reader.once(f"surgery: {name} at {told['mark']}", make)


def _layer() -> int:
    """The place of the layer that is chosen in the menu, from 1 on; 0 for all."""
    return int(st.session_state.get(LAYER) or 0)


def _gates(reader: RunReader, hand: Hand, told: Told) -> None:
    rows = _rows(reader, told, hand.now)
    theme, sources = current_theme(), tuple(map(source_text, told["gates"]["sources"]))
    step = "the network that the run kept" if told["step"] is None else f"the gates of step {told['step']:,}"
    show_picture(
        by_hand_figure(rows, sources, theme=theme, height=HEIGHT),
        key=GATES,
        title="Gates as forced",
        sentence=f"Click a cell: learned, shut, open, and back. A bar marks what is forced in {step}.",
        alt="Gates as forced: rows are parts of the network, columns are sources; forced cells have a bar.",
        height=HEIGHT,
        waiting="",
        clickable=True,
        terms=("P(open)", "z"),
        file=file_stem(reader, "gates-by-hand"),
    )
    if hand.problem:  # here it moves no picture
        st.warning(plain(sentence(hand.problem), 400), icon=":material/block:")
        return
    layer, row, column = hand.cell
    shown = layer == _layer() and row < len(rows.spans) and column < len(sources)
    words = by_hand.cell_words(told, hand.now, _rows(reader, told, ()), row, column) if shown else UNREAD
    st.text(words, width="stretch")


def _menus(hand: Hand, told: Told) -> None:
    """The same without a mouse: which parts, of which source, and how they are to be."""
    layers = by_hand.layer_spans(told)
    whole = Span("All parts", 0, by_hand.shape_of(told)[0] - 1)
    names, sound = told["gates"]["sources"], list(told["sound"])
    first, second, third = st.columns(3, gap="small")
    with first:
        layer = _chosen("Layer", LAYER, [whole, *layers], "The layer that is shown and forced, or all of them.")
    parts = by_hand.part_spans(told, layer) if layer != whole else []
    with second:
        ways = [Span("All of it", *layer[1:]), *parts]
        part = _chosen("Part", f"surgery-part:{layer.title}", ways, "One part of the layer, or all of it.")
    with third:
        options = [ALL, *map(str, sound)]
        source = st.selectbox(
            "Source",
            options,
            key="surgery-source",
            format_func=lambda text: "All sources" if text == ALL else plain(source_text(names[int(text)]), 40),
            help="The source whose gates are forced, or all of them.",
        )
    sources = sound if source == ALL else [int(source)]
    with st.container(horizontal=True, gap="small", key="surgery-force"):
        for label, to, icon, about in (
            ("Shut", "shut", ":material/radio_button_unchecked:", "Force these gates to be exactly 0."),
            ("Open", "open", ":material/circle:", "Force these gates to be exactly 1."),
            ("As learned", "learned", ":material/model_training:", "Force these gates no longer."),
        ):
            change = partial(_change, hand, told, (part.first, part.last), sources, to)
            st.button(label, key=f"surgery-{to}", icon=icon, on_click=change, help=about)


def _chosen(label: str, key: str, spans: list[Span], about: str) -> Span:
    place = st.selectbox(
        label,
        range(len(spans)),
        key=key,
        format_func=lambda place: plain(spans[place].title, 60),
        disabled=len(spans) == 1,
        help=about,
    )
    return spans[place or 0]


def _change(hand: Hand, told: Told, span: tuple[int, int], sources: list[int], to: str) -> None:
    hand.take(by_hand.changed(told, hand.now, span, sources, to))


def _history(reader: RunReader, hand: Hand) -> None:
    """Undo, redo, reset, and the way on from here."""
    last = len(hand.states) - 1
    with st.container(horizontal=True, gap="small", key="surgery-history"):
        st.button("Undo", icon=":material/undo:", key="surgery-undo", disabled=not hand.at, on_click=hand.move,
                  args=(-1,), help="Take back the last change.")  # fmt: skip
        st.button("Redo", icon=":material/redo:", key="surgery-redo", disabled=hand.at == last, on_click=hand.move,
                  args=(1,), help="Make the change again that was taken back.")  # fmt: skip
        st.button("Reset", icon=":material/restart_alt:", key="surgery-reset", disabled=not hand.now,
                  on_click=hand.take, args=((),), help="Force nothing any more; this can be undone.")  # fmt: skip
        _train_on(reader, hand)


def _train_on(reader: RunReader, hand: Hand) -> None:
    spec = reader.view.spec
    about = "A new run whose gates begin as they are here, and are trained on."
    with st.popover("Train on from here", icon=":material/fork_right:", key="surgery-train", help=about):
        keep = st.checkbox(
            "Keep forced gates as they are",
            key="surgery-keep",
            disabled=not hand.now,
            help="Else they begin where they were forced to, and training may move them.",
        )
        pressed = st.button("Start", key="surgery-start", type="primary", icon=":material/play_arrow:", help=about)
    if not pressed or not isinstance(spec, MergeSpec):
        return
    try:
        gates = surgeon().start(run_store().folder(reader.run_id))
        begin("merge", continued(spec, reader.run_id, gates, hand.now, keep=keep))
    except SoftMergeError as error:
        st.error(plain(sentence(str(error)), 400), icon=":material/error:")
    else:
        st.rerun()


def _decisions(reader: RunReader, told: Told, scores: dict[str, Any]) -> None:
    """The decisions of the network as it was learned, and as it is with what is forced."""
    theme, points = current_theme(), [event for event in reader.events if isinstance(event, Points)]
    both = (("learned", "As learned", told["scores"]["learned"]), ("forced", "As forced", scores))
    for column, (key, title, each) in zip(st.columns(2, gap="medium"), both, strict=True):
        place = f"surgery-{key}"
        make = partial(_plane, points, each["boundary"], theme, title, place)
        with column:
            show_picture(
                _as_learned(reader, told, f"{place} {theme}", make) if key == "learned" else make(),
                key=place,
                title=f"Decisions {title[0].lower()}{title[1:]}",
                sentence="The network's decision at each point of the plane, under the training samples.",
                alt=f"Decisions {title[0].lower()}{title[1:]}: each point of the plane in the colour of its class.",
                height=LOW,
                waiting="",
                file=file_stem(reader, f"decisions-{key}"),
            )


def _plane(points: list[Points], found: dict[str, Any], theme: Theme, title: str, key: str) -> DrawnFigure | None:
    events = [*points, Boundary.model_validate(found)]
    return drawn(boundary_figure(events, theme=theme, title=title, series="soft"), key)
