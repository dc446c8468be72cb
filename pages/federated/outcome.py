"""The outcome of federated learning: the run that is ahead, the runs as a table, and the downloads."""

import streamlit as st

from pages.federated.pictures import spec_of
from pages.shared.runs.downloads import downloads, run_table
from pages.shared.runs.page import Verdict
from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from softmerge_core.experiments.federated import words
from softmerge_core.experiments.words import sentence


def verdict(reader: RunReader) -> Verdict:
    """The run that is ahead and the gain from scope alignment, live from the first round on."""
    spec = spec_of(reader)
    said = words.verdict(spec, words.histories(reader.events))
    return Verdict(
        plain(said, 900), f"{plain(sentence(spec.name), 120)} Accuracies are means over the last {words.LAST} rounds."
    )


def outcome(reader: RunReader) -> None:
    """Draw the runs as a table and, once the run has ended, the downloads."""
    st.markdown(
        "**The runs in numbers.** Test accuracy, one seed; points: what scope alignment gained over the run without it."
    )
    head = ("Run", f"Last {words.LAST} rounds", "Points", "Last (round)")
    rows = words.run_rows(reader.events, spec_of(reader))
    run_table(reader, "runs", head, rows)
    if not reader.live:
        downloads(reader)
