"""The outcome of an attack: which methods survive, the chosen case in numbers, and the downloads."""

import streamlit as st

from pages.robustness.pictures import spec_of
from pages.shared.runs.downloads import downloads, run_table
from pages.shared.runs.page import Verdict
from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from softmerge_core.experiments.robustness import words
from softmerge_core.figures.style import method_title


def verdict(reader: RunReader) -> Verdict:
    """The methods that survive, of those that are done, and the attack."""
    spec = spec_of(reader)
    said = words.survival_sentence(reader.events, spec, reader.view.result)
    return Verdict(plain(said, 700), f"{plain(words.about(spec), 200)}. Thin lines mark this case in the pictures.")


def outcome(reader: RunReader) -> None:
    """Draw the chosen case as a table and, once the run has ended, the downloads."""
    spec, about = spec_of(reader), "Points are percentage points against the best honest source."
    st.markdown(f"**The chosen case in numbers.** {about}{' One seed.' if spec.seeds == 1 else ''}")
    rows = [(method_title(key), *rest) for key, *rest in words.case_rows(reader.events, spec)]
    noted = any(row[-1] for row in rows)
    headings = ("Method", "Test", "Points", "Note")
    shown = rows if noted else [row[:-1] for row in rows]
    run_table(reader, "case", headings if noted else headings[:-1], shown)
    if not reader.live:
        downloads(reader)
