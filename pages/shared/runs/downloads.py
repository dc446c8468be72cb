"""The files that a reader can take from a run, and the command that repeats it."""

import json
from collections.abc import Callable

import streamlit as st

from pages.shared.runs.reader import RunReader


def file_stem(reader: RunReader) -> str:
    """The name of a run's downloads, without an ending."""
    return reader.run_id.removeprefix("example:")


def downloads(reader: RunReader, first: Callable[[], None] | None = None) -> None:
    """Draw a row of download buttons, the page's own (drawn by ``first``) before the spec, and the command below."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if first is not None:
            first()
        _spec(reader)
    st.caption(f"The same on the command line, with the spec downloaded above:  \n`{_command(reader)}`")


def _spec(reader: RunReader) -> None:
    st.download_button(
        "Spec",
        json.dumps(reader.view.spec.model_dump(mode="json"), indent=2),
        f"{file_stem(reader)}.json",
        "application/json",
        icon=":material/data_object:",
        on_click="ignore",
        help="All settings of this run, for the command line or another machine.",
    )


def _command(reader: RunReader) -> str:
    """The command for this run: ``merge`` and ``compare`` have their own, ``run`` takes a spec of any kind."""
    stem, kind = file_stem(reader), reader.view.spec.kind
    if kind == "merge":
        return f"python -m softmerge_core merge {stem}.json --out merged"
    return f"python -m softmerge_core {'compare' if kind == 'compare' else 'run'} {stem}.json"
