"""What is forced by hand in the gates of a run, step by step, so that each can be undone; and its scores."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import streamlit as st

from pages.shared.choose.linked import linked, unlink
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import run_store
from pages.shared.show.page_state import beside, refuse
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.merge.by_hand import as_texts, from_texts, shape_of
from softmerge_core.home import home
from softmerge_core.merging.forced import Forced
from softmerge_core.runs.surgeon import Surgeon

ON = "surgery-on"
NAME = "forced"  # in the address: what is forced, piece by piece
LINKED = 60  # pieces that a link holds; of more there is no link
KEPT = 200  # states whose scores are kept
State = tuple[Forced, ...]


@dataclass
class Hand:
    """The work on one run: ``states`` has what was forced after each change, ``at`` which of them holds.

    ``told`` is what is known of the run, for its ``mark``; ``scores`` are those of states that were asked for.
    """

    run_id: str
    states: list[State] = field(default_factory=lambda: [()])
    at: int = 0
    told: dict[str, Any] | None = None
    seen: Any = None
    scores: OrderedDict[State, dict[str, Any]] = field(default_factory=OrderedDict)
    problem: str = ""
    clicked: int = 0
    cell: tuple[int, int, int] = (-1, 0, 0)  # layer, row and column that were clicked last

    @property
    def now(self) -> State:
        """What is forced."""
        return self.states[self.at]

    def take(self, state: State) -> None:
        """Let this be forced from now on, if it can be: its scores are asked for first; else ``problem`` says why."""
        self.problem = ""
        if state == self.now:
            return
        try:
            self.scored(state)
        except SoftMergeError as error:
            self.problem = str(error)
            return
        self.states = [*self.states[: self.at + 1], state][-KEPT:]
        self.at = len(self.states) - 1

    def move(self, steps: int) -> None:
        """Undo (-1) or redo (1)."""
        self.problem, self.at = "", min(max(self.at + steps, 0), len(self.states) - 1)

    def scored(self, state: State) -> dict[str, Any]:
        """The scores of a state; raises SoftMergeError."""
        if state not in self.scores:
            answer = surgeon().forced(run_store().folder(self.run_id), state)
            if self.told is not None and answer["mark"] != self.told["mark"]:
                self.told = None  # the run has gone on meanwhile
                self.scores.clear()
            self.scores[state] = answer["scores"]
            while len(self.scores) > KEPT:
                self.scores.popitem(last=False)
        return self.scores[state]

    def opened(self, reader: RunReader) -> dict[str, Any]:
        """What is known of the run as it stands now; raises SoftMergeError."""
        seen = (reader.view.status, reader.view.next)
        if self.told is None or self.seen != seen:
            told = surgeon().opened(run_store().folder(self.run_id))
            if self.told is None or told["mark"] != self.told["mark"]:
                self.scores.clear()
            if self.told is not None and shape_of(told) != shape_of(self.told):  # another stage, of other parts
                self.states, self.at = [()], 0
            self.told, self.seen = told, seen
            self.scores[()] = told["scores"]["learned"]
        return self.told


@cache
def _surgeon(folder: str) -> Surgeon:
    return Surgeon()


def surgeon() -> Surgeon:
    """The one process of this server that holds runs open, for all sessions; it begins with the first question."""
    return _surgeon(str(home()))


def hand_of(run_id: str) -> Hand:
    """The work of this session on a run; what is forced in another one is left for it."""
    hands: dict[str, Hand] = st.session_state.setdefault("surgery:hands", {})
    return hands.setdefault(run_id, Hand(run_id))


def forced_of_link(run_id: str) -> None:
    """Force what the link with which the page was opened asks for, and let links of this page hold what is forced."""
    beside(NAME, lambda: _texts(run_id))
    asked = linked(NAME)
    if not asked:
        return
    unlink(NAME)
    hand = hand_of(run_id)
    try:
        hand.take(from_texts(asked))
    except SoftMergeError as error:
        hand.problem = str(error)
    if hand.problem:
        refuse(NAME, ", ".join(asked), hand.problem)


def _texts(run_id: str) -> Sequence[str]:
    forced = hand_of(run_id).now if st.session_state.get(ON) else ()
    return as_texts(forced) if len(forced) <= LINKED else []
