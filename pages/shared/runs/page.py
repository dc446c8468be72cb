"""The one layout of every page that runs something: what to run on the left, what comes of it on the right."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from pages.shared.runs.panel import RESUMABLE, controls, current_run, follow
from pages.shared.runs.reader import RunReader
from pages.shared.runs.setup import Setup
from pages.shared.show.text import plain
from softmerge_core.experiments import Spec
from softmerge_core.experiments.words import sentence

Draw = Callable[[RunReader | None], None]


@dataclass(frozen=True)
class RunPage:
    """A page that runs experiments of one kind.

    ``purpose``: one sentence under the title; ``label``: of the button that starts; ``setup``: draws the widgets and
    returns the spec they describe; ``draw``: draws a run (None before the first), before, during and after it, and
    is given the spec on the left as well; ``resumable``: how a run may have ended that can still go on where it was.
    """

    kind: str
    title: str
    purpose: str
    label: str
    setup: Callable[[], Setup]
    draw: Callable[[RunReader | None, Spec | None], None]
    resumable: Sequence[str] = RESUMABLE

    def __call__(self) -> None:
        """Draw the page."""
        left, right = st.columns([1, 2], gap="large")
        with left:
            st.markdown(f"# {self.title}\n{self.purpose}")
            setup = self.setup()
        with right:
            run_column(
                self.kind,
                setup,
                lambda reader: self.draw(reader, setup.spec),
                label=self.label,
                resumable=self.resumable,
            )


def run_column(kind: str, setup: Setup, draw: Draw, *, label: str, resumable: Sequence[str] = RESUMABLE) -> None:
    """The right side: the buttons, what is wrong with the set-up or went wrong, and the run, followed while it is live.

    Everything that belongs to the run is drawn by ``draw``, so that its end and what came of it are seen together.
    """
    reader = current_run(kind)
    problem = controls(kind, reader, setup.spec, label=label, resumable=resumable)
    for text in filter(None, (setup.problem, problem)):
        st.error(plain(sentence(text), 600), icon=":material/error:")
    follow(kind, draw)
