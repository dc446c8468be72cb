"""The outcome of a walk between networks: how high the barriers are, notes on the measurements, and the downloads."""

from typing import cast

import streamlit as st

from pages.connectivity.reading import paths_of, titles_of
from pages.shared.runs.downloads import downloads
from pages.shared.runs.page import Verdict
from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from softmerge_core.experiments.connectivity import words
from softmerge_core.experiments.connectivity.spec import STATISTICS, ConnectivitySpec


def verdict(reader: RunReader) -> Verdict:
    """The barriers of all paths in one sentence, and the two ends of the paths."""
    spec = cast("ConnectivitySpec", reader.view.spec)
    said = words.between_sentence(titles_of(reader), spec.points)
    return Verdict(plain(words.verdict(paths_of(reader)), 700), plain(said, 300))


def outcome(reader: RunReader) -> None:
    """Draw the notes without which the pictures could be misread, and the downloads."""
    mixed = cast("ConnectivitySpec", reader.view.spec).norms == "mixed"
    st.caption(
        "At every point of every picture, BatchNorm statistics (where there are any) are estimated again on training "
        f"samples; for the picture below the paths, on {STATISTICS} of them."
        + (" On the paths without REPAIR they are mixed as the weights are." if mixed else "")
    )
    path = paths_of(reader).get("scope")
    if path is not None:
        st.caption(f"Scope-aligned: {plain(path.note, 400)}.")
    if not reader.live:
        downloads(reader)
