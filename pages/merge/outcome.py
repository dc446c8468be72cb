"""The outcome of a merge: the winner and the reason, test accuracy, and what can be taken along."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.merge.inside import inside
from pages.merge.moments import PastReader, since
from pages.shared.choose.take_home import onnx_note, take_home
from pages.shared.runs.downloads import csv_button, downloads, file_name, run_table
from pages.shared.runs.page import Verdict
from pages.shared.runs.picture import Picture
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import run_store
from pages.shared.show.file_button import file_button, made
from pages.shared.show.table import Exact
from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.merge.rows import gates_csv
from softmerge_core.experiments.merge.why import why_sentence
from softmerge_core.experiments.merge.words import accuracy_sentence, gain_sentence, gates_sentence
from softmerge_core.experiments.words import percent, points, sentence, source_text
from softmerge_core.figures.bars import accuracy_dots, accuracy_height
from softmerge_core.figures.style import Theme, method_title

SOON = 160  # px: the height of a chart that has nothing to show yet
# It keeps the verdict's place, so that the end of a run moves no picture.
LATER = Verdict("The verdict is given here when the run ends.", "Until then: how the gates move, picture by picture.")
METHODS = ("soft", "average", "best_source", "ensemble")
EXACT = ("Network", "Test accuracy (%)", "Against the plain average (points)", "Validation accuracy (%)")
YARDSTICKS = ("trunk", "joint")  # of families that have them


def verdict(reader: RunReader) -> Verdict | None:
    """The gain over the other candidates, and why this one was kept; of a live run, that it is still to come.

    At a moment of a film: what holds then.
    """
    if isinstance(reader, PastReader):
        return _at_the_moment(reader)
    result = reader.view.result
    if not result:
        return LATER if reader.live else None
    reason = plain(sentence(str(result.get("reason", ""))), 600)
    why = why_sentence(result)
    caption = (f"{plain(why, 600)}  \n" if why else "") + f":small[{reason}]"
    return Verdict(gain_sentence(result, test_samples(result)), caption)


def _at_the_moment(past: PastReader) -> Verdict:
    told = f"{gates_sentence(past.events)} {since(past.film, past.place)}"
    return Verdict(f"At step {past.step:,}: {plain(accuracy_sentence(past.events), 200)}", plain(told, 300))


def test_samples(result: Mapping[str, Any]) -> int:
    """The number of test samples that the accuracies were measured on."""
    return int(result["samples"]["test"])


def outcome(reader: RunReader) -> None:
    """Draw test accuracy as a picture and a table, and the downloads; while the run is live, only their place."""
    result = reader.view.result
    if not (result or reader.live):
        return
    first, second = st.columns(2, gap="medium")
    with first:
        TEST.draw(reader, height=accuracy_height(result) if result else SOON)
    if result:
        with second:
            st.markdown("**The same in numbers.** Points are percentage points against plain averaging.")
            head = ("Network", "Test", "Points", "Validation")
            exact = Exact(EXACT, accuracy_values(result))
            run_table(reader, "accuracy", head, accuracy_table(result), exact=exact)
        downloads(reader, lambda: _own_downloads(reader))
        if note := onnx_note():
            st.caption(note)
        inside(reader)


def _test_figure(reader: RunReader, theme: Theme) -> go.Figure | None:
    result = reader.view.result
    return accuracy_dots(result, theme=theme, n=test_samples(result)) if result else None


def _test_words(reader: RunReader) -> str:
    result = reader.view.result
    if not result:
        return TEST.idle
    return f"Every network on the same {test_samples(result):,} test samples, none of which was trained on."


# The chart is there from the start of a run, so that nothing leaves the page when another run begins.
TEST = Picture(
    key="test",
    title="Test accuracy",
    idle="Measured when the run ends, on samples that nothing was trained on.",
    kinds=(),
    build=_test_figure,
    words=_test_words,
    height=SOON,
    waiting="At the end",
)


def _networks(result: Mapping[str, Any]) -> list[tuple[str, float | None, float | None]]:
    """Name, test and validation accuracy (0-1) of every network."""
    test, validation = result["accuracy"], result.get("validation_accuracy") or {}
    titles = {key: method_title(key) for key in METHODS}
    if result.get("best_source"):
        titles["best_source"] += f" ({source_text(result['best_source'])})"
    titles |= {key: method_title(key) for key in YARDSTICKS if test.get(key) is not None}
    rows = [(title, test.get(key), validation.get(key)) for key, title in titles.items()]
    seen = validation.get("sources") or [None] * len(test["sources"])
    rows += list(zip(map(source_text, result["source_names"]), test["sources"], seen, strict=True))
    return rows


def accuracy_table(result: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """A row per network: its name, test accuracy, points against plain averaging, validation accuracy."""
    average = result["accuracy"].get("average")
    return [(name, percent(share), _points(share, average), percent(other)) for name, share, other in _networks(result)]


def accuracy_values(result: Mapping[str, Any]) -> list[tuple[str, float | None, float | None, float | None]]:
    """The same in percent and points, with all digits."""
    average = result["accuracy"].get("average")

    def times(share: float | None, less: float | None = 0.0) -> float | None:
        return None if share is None or less is None else 100 * (share - less)

    return [(name, times(share), times(share, average), times(other)) for name, share, other in _networks(result)]


def _points(share: float | None, average: float | None) -> str:
    return "" if share is None or average is None else points(share - average)


def _own_downloads(reader: RunReader) -> None:
    _weights(reader)
    gates = (reader.view.result or {}).get("gates")
    if gates:
        about = "A table (CSV): for each part and source P(open), the gate z and the share, and each part's factor."
        table = reader.once("gates-table", lambda: gates_csv(gates))
        csv_button("Gates", table, file_name(reader, "gates", "csv"), about, place="gates-table")
        if gates.get("sizes"):
            _file(
                reader,
                "gates",
                "All gates",
                "Every gate as safetensors: probability, value and weight, [part, source].",
            )


def _weights(reader: RunReader) -> None:
    """A button that downloads the merged network, where the run kept it."""
    about = "The merged network as safetensors, of the sources' architecture."
    if not _file(reader, "merged", "Merged weights", about, "weights"):
        st.caption("This run kept no weights.")
        return
    take_home(reader.run_id, partial(file_name, reader), place="merged")


def _file(reader: RunReader, name: str, label: str, about: str, called: str = "all-gates") -> bool:
    """A button that downloads a file of tensors that the run kept; whether it did."""
    try:
        run_store().weights(reader.run_id, name)
    except SoftMergeError:
        return False
    file, address = file_name(reader, called, "safetensors"), made(name, reader.run_id)
    file_button(label, file, address=address, icon=":material/download:", help=about, place=name)
    return True
