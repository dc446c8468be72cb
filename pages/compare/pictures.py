"""The pictures of a comparison: every method on one axis of test accuracy, and against the number of labels."""

import plotly.graph_objects as go

from pages.compare.reading import comparison, scores_of, spec_of
from pages.shared.runs.picture import Behind, Picture
from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from softmerge_core.experiments.compare.across import gained
from softmerge_core.experiments.compare.labels import said
from softmerge_core.experiments.compare.spec import numbers, planned
from softmerge_core.experiments.compare.words import sentence as judged
from softmerge_core.experiments.compare.words import so_far
from softmerge_core.figures.comparison import comparison_figure, comparison_height, is_dot
from softmerge_core.figures.label_counts import is_curve, label_counts_figure, label_counts_height
from softmerge_core.figures.style import Theme

ROWS = 12  # rows before the first run


def compare_pictures(reader: RunReader | None) -> None:
    """Draw the pictures of a run, or the empty place of the first one before any run."""
    ACCURACY.draw(reader, height=comparison_height(len(comparison(reader).methods) if reader else ROWS))
    if reader and numbers(spec_of(reader)):
        LABELS.draw(reader, height=_labels_height(reader))


def _figure(reader: RunReader, theme: Theme) -> go.Figure | None:
    rows, methods = comparison(reader)
    seeds = getattr(reader.view.spec, "seeds", 1)
    return comparison_figure(rows, theme=theme, order=methods, seeds=seeds)


def _words(reader: RunReader) -> str:
    """The result in one sentence; while the run is live, that of the methods that are done."""
    rows, methods = comparison(reader)
    if reader.view.result:
        told = f"{judged(rows)} {gained(spec_of(reader), rows)}"  # an older run's own words may tell apart too much
        return plain(told.strip(), 1200)
    return plain(so_far(rows, len(methods), live=reader.live, seeds=getattr(reader.view.spec, "seeds", 1)), 900)


def _labels_height(reader: RunReader) -> int:
    """The height of the picture of labels, the same from the run's first moment to its end."""
    return label_counts_height(planned(spec_of(reader)))


def _labels(reader: RunReader, theme: Theme) -> go.Figure | None:
    found = numbers(spec_of(reader))
    return label_counts_figure(scores_of(reader), theme=theme, numbers=found, height=_labels_height(reader))


def _labels_words(reader: RunReader) -> str:
    """With how many labels which method is above which, in words."""
    return plain(said(spec_of(reader), scores_of(reader), live=reader.live), 900)


ACCURACY = Picture(
    key="compare",
    terms=("plain average", "ensemble"),
    title="Test accuracy",
    idle="A dot for every method on one axis of test accuracy, beside the best source, the plain average and the "
    "ensemble.",
    kinds=("score",),
    build=_figure,
    words=_words,
    height=comparison_height(ROWS),
    waiting="Drawn here while methods are compared",
    missing="",  # the sentence says why there is none
    behind=Behind(is_dot),
)
LABELS = Picture(
    key="compare-labels",
    title="How many labels?",
    idle="Test accuracy of each method over the number of labelled samples.",
    kinds=("score",),
    build=_labels,
    words=_labels_words,
    height=label_counts_height(()),
    waiting="Drawn here once methods merge with few labels",
    missing="",  # the sentence says why there is none
    pause=0.5,
    behind=Behind(is_curve),
)
