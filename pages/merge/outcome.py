"""What came of a merge: one sentence, who won and why, test accuracy, and what can be taken along."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from pages.shared.runs.panel import tell_end
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import is_live, run_store
from pages.shared.runs.setup import file_stem, spec_button
from pages.shared.show.live_plot import live_plot
from pages.shared.show.text import html_table, plain
from pages.shared.show.theme import current_theme
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.merge.words import gain_sentence
from softmerge_core.experiments.words import percent, sentence
from softmerge_core.figures.bars import accuracy_dots, accuracy_height
from softmerge_core.figures.style import method_title

SOON = 160  # px: the height of a chart that has nothing to show yet
METHODS = ("soft", "average", "best_source", "ensemble")


def verdict(reader: RunReader | None) -> None:
    """How the run ended, in words; nothing while it is live."""
    if reader is None:
        return
    tell_end(reader, "run")
    if reader.view.result:
        _result(reader.view.result)


def _result(result: Mapping[str, Any]) -> None:
    with st.container(border=True, gap="xsmall", key="verdict"):
        st.markdown(f"**{gain_sentence(result, test_samples(result))}**")
        st.caption(plain(sentence(str(result.get("reason", ""))), 600))


def test_samples(result: Mapping[str, Any]) -> int:
    """How many test samples the accuracies come from."""
    return int(result["samples"]["test"])


def outcome(reader: RunReader | None) -> None:
    """Test accuracy as a picture and a table, and the downloads; while the run is live, only their place."""
    if reader is None or not (reader.view.result or is_live(reader.view)):
        return
    result = reader.view.result
    first, second = st.columns(2, gap="medium")
    with first:
        _test_accuracy(result)
    if result:
        with second:
            st.markdown("**The same in numbers.** Points are percentage points against plain averaging.")
            st.html(html_table(("Network", "Test", "Points", "Validation"), accuracy_table(result)))
        downloads(reader)


def _test_accuracy(result: Mapping[str, Any] | None) -> None:
    """The chart is there from the start, so that nothing leaves the page when another run begins."""
    if result is None:
        figure, height = None, SOON
        about = "Measured when the run ends, on samples that nothing was trained on."
    else:
        n = test_samples(result)
        figure, height = accuracy_dots(result, theme=current_theme(), n=n), accuracy_height(result)
        about = f"Every network on the same {n:,} test samples, none of which was trained on."
    st.markdown(f"**Test accuracy.** {about}")
    live_plot(figure, key="test-plot", height=height, alt="Test accuracy of every network", waiting="At the end")


def accuracy_table(result: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """A row per network: its name, test accuracy, points against plain averaging, validation accuracy."""
    test, validation = result["accuracy"], result.get("validation_accuracy") or {}
    titles = {key: method_title(key) for key in METHODS}
    if result.get("best_source"):
        titles["best_source"] += f" ({result['best_source']})"
    rows = [(titles[key], test.get(key), validation.get(key)) for key in METHODS]
    seen = validation.get("sources") or [None] * len(test["sources"])
    rows += list(zip(result["source_names"], test["sources"], seen, strict=True))
    average = test.get("average")
    return [(name, percent(share), _points(share, average), percent(other)) for name, share, other in rows]


def _points(share: float | None, average: float | None) -> str:
    if share is None or average is None:
        return ""
    return f"{100 * (share - average):+.1f}".replace("-", "−")


def downloads(reader: RunReader) -> None:
    """The merged weights, the spec, and the command that makes the same merge again."""
    store, run_id, stem = run_store(), reader.run_id, file_stem(reader)
    with st.container(horizontal=True, vertical_alignment="center"):
        try:
            path = store.weights(run_id, "merged")
            st.download_button(
                "Merged weights",
                path.read_bytes,
                f"{stem}.safetensors",
                "application/octet-stream",
                icon=":material/download:",
                on_click="ignore",
                help="The merged network as safetensors, of the sources' architecture.",
            )
        except SoftMergeError:
            st.caption("This run kept no weights.")
        spec_button(reader)
    command = f"python -m softmerge_core merge {stem}.json --out merged"
    st.caption(f"The same merge on the command line, with the spec downloaded above:  \n`{command}`")
