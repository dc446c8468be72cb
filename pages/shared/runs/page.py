"""The one layout of every page that runs something: what to run on the left, what comes of it on the right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import streamlit as st

from pages.shared.runs.belonging import StateOf, tell_belonging, tell_other_live, what_made_it
from pages.shared.runs.following import follow
from pages.shared.runs.opening import fetch_settings
from pages.shared.runs.panel import RESUMABLE, Steered, controls, current_run, progress, shown_run, tell_end
from pages.shared.runs.pinned import tell_pinned
from pages.shared.runs.pinned_link import pinned_of_link
from pages.shared.runs.reader import RunReader
from pages.shared.runs.record import CANNOT, tell_record, whatever_it_holds
from pages.shared.runs.setup import Setup
from pages.shared.show.copy_link import page_head
from pages.shared.show.site_map import page_at
from pages.shared.show.text import plain
from pages.shared.show.theme import setup_link
from softmerge_core.experiments.words import clipped, sentence
from softmerge_core.numbers import usual_spaces
from softmerge_core.zoo import all_families

Draw = Callable[[RunReader | None], None]


class Verdict(NamedTuple):
    """The outcome of a run in one sentence, with a caption under it; both are Markdown."""

    sentence: str
    caption: str


def as_it_is(reader: RunReader) -> RunReader:
    """The run itself, for pages without a film."""
    return reader


def nothing(reader: RunReader) -> None:
    """No verdict and no outcome, for pages whose pictures say everything."""


@dataclass(frozen=True, kw_only=True)
class RunPage:
    """A page that runs experiments of one kind. The page is drawn when the instance is called.

    ``kind``: the experiment; ``purpose``: one sentence under the title; ``start``: the label of the button that
    starts a run; ``idle``: the text beside the empty progress bar before the first run; ``setup``: draws the widgets
    on the left and returns the spec that they describe; ``state_of``: its inverse, the values by key that its widgets
    have when they describe a spec; ``pictures``: draws the pictures of a run, or of None before
    the first run, always in the same places; ``verdict``: the sentence above the pictures, once there is one;
    ``seen``: the run as its verdict is to tell it, where the page's reader looks at an earlier moment of it;
    ``outcome``: draws tables and downloads below the pictures; ``resumable``: the states from which a run can go on;
    ``steered``: draws what a paused run can be told to go on with, given one, and returns it once it is to go on.
    """

    kind: str
    title: str
    purpose: str
    start: str
    idle: str
    setup: Callable[[], Setup]
    state_of: StateOf
    pictures: Draw
    verdict: Callable[[RunReader], Verdict | None] = nothing
    seen: Callable[[RunReader], RunReader] = as_it_is
    outcome: Callable[[RunReader], None] = nothing
    resumable: Sequence[str] = RESUMABLE
    steered: Steered | None = None

    def __call__(self) -> None:
        """Draw the page."""
        left, right = st.columns([1, 2], gap="large")
        with left:
            page_head(self.title, self.purpose)
            setup_link()
            fetch_settings(self.kind, self.state_of)
            setup = self.setup()
        with right:
            run_column(
                self.kind,
                setup,
                self.draw,
                start=self.start,
                resumable=self.resumable,
                steered=self.steered,
                state_of=self.state_of,
            )

    def draw(self, reader: RunReader | None) -> None:
        """Draw the run: its progress and verdict, its pictures, and what can be taken along."""
        with st.container(key="verdict-slot"):  # never empty: an empty one would move, and so remount, the charts
            self._head(reader)
        if reader is None:
            self.pictures(None)
        else:
            self._drawn(reader, "a picture", lambda: self.pictures(reader))
        with st.container(key="outcome-slot"):
            if reader is not None:
                self._drawn(reader, "the outcome", lambda: self.outcome(reader))

    def _head(self, reader: RunReader | None) -> None:
        if reader is None:
            st.progress(0.0, text=self.idle)
            return
        progress(reader)
        what_made_it(reader)
        tell_end(reader)
        tell_record(reader)
        self._drawn(reader, "the verdict", lambda: self._tell_verdict(reader))

    def _tell_verdict(self, reader: RunReader) -> None:
        watched = f"{self.kind}:watched"  # the run that this session saw live: only its verdict can come and go
        if reader.live:
            st.session_state[watched] = reader.run_id
        seen = self.seen(reader)
        room = "verdict-fits" if seen is reader else "verdict-moment"
        if st.session_state.get(watched) == reader.run_id:
            room = "verdict-room"
        if (verdict := seen.once("verdict", lambda: self.verdict(seen))) is not None:
            with st.container(key=room), st.container(border=True, gap="xsmall", key="verdict"):
                st.markdown(f"**{verdict.sentence}**")
                st.caption(verdict.caption)

    def _drawn(self, reader: RunReader, what: str, draw: Callable[[], None]) -> None:
        """Draw one part of a run; what cannot be drawn says so in its place."""
        whatever_it_holds(reader, what, draw)
        if what in reader.unmade:
            st.warning(CANNOT, icon=":material/broken_image:")


def run_column(
    kind: str,
    setup: Setup,
    draw: Draw,
    *,
    start: str,
    resumable: Sequence[str] = RESUMABLE,
    steered: Steered | None = None,
    state_of: StateOf | None = None,
) -> None:
    """Draw the right side: the buttons, any problem with the set-up or the run, and the run, followed while it is live.

    With ``state_of`` a run of other settings than those on the left says so, and lends its settings to the widgets.
    Everything that belongs to the run is drawn by ``draw``, so that its end and its outcome are seen together.
    """
    pinned_of_link(kind)
    pins, current = state_of is not None, current_run(kind)
    problem = controls(kind, current, setup.spec, label=start, resumable=resumable, pins=pins, steered=steered)
    reader = shown_run(kind)  # the buttons may have started another
    for text in filter(None, (setup.problem, problem)):
        st.error(plain(sentence(text), 600), icon=":material/error:")
    if setup.mixed:
        _offer_comparison(kind)
    with st.container(key="belonging-slot", gap="xsmall"):  # never empty, as the slot of the verdict
        tell_belonging(kind, setup, reader, state_of)
        tell_other_live(kind, reader)
        if pins:
            tell_pinned(kind, reader)
    with st.container(key="shown-run"):
        follow(kind, draw)


def _offer_comparison(kind: str) -> None:
    """Draw a link to the page that takes sources of several architectures; it keeps the family and the own networks."""
    family = all_families().get(str(st.session_state.get("family")))
    if kind == "compare" or family is None:
        return
    st.page_link(
        page_at("compare"),
        label="Compare the ways that work across architectures",
        icon=":material/table_chart:",
        query_params={"family": usual_spaces(clipped(family.title, 120))},  # as the address has it
        help="Distillation learns from sources of any architectures, and optimal transport bridges widths.",
    )
