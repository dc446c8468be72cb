"""The outcome of a scope run: the verdict, the merged networks stage by stage, and how Gaussian the weights are."""

from collections.abc import Sequence
from typing import cast

import streamlit as st

from pages.shared.runs.downloads import downloads, run_table
from pages.shared.runs.page import Verdict
from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from softmerge_core.experiments.scope import words
from softmerge_core.experiments.scope.spec import ScopeSpec
from softmerge_core.experiments.scope.told import SIDES, Told, layers_of


def verdict(reader: RunReader) -> Verdict:
    """The change that alignment has made so far, and the scope toward which the sources are pulled."""
    spec = cast("ScopeSpec", reader.view.spec)
    told = Told(epochs=spec.epochs * spec.stages, sources=len(spec.sources)).read(reader.events)
    return Verdict(plain(words.verdict(told), 600), plain(words.pull_sentence(spec), 600))


def outcome(reader: RunReader) -> None:
    """Draw the stages, the normality of every layer in words, and the downloads."""
    if stages := words.stage_rows(reader.events):
        st.markdown("**Merged network.** Test accuracy of the sources' average after each stage, one seed.")
        run_table(reader, "stages", ["Stage", *SIDES.values()], stages)
    if rows := words.normality_rows(reader.events, layers_of(reader.events)):
        with st.expander("How Gaussian each layer is", icon=":material/bar_chart:"):
            st.markdown("\n\n".join(_normality(layer, lines) for layer, lines in rows))
    if not reader.live:
        downloads(reader)


def _normality(layer: str, lines: Sequence[str]) -> str:
    """One layer as Markdown: its name, and a line for each network."""
    return "  \n".join([f"**{plain(layer, 60)}**", *(plain(line, 200) for line in lines)])
