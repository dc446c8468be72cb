"""The picture of a comparison: every method on one axis of test accuracy."""

import plotly.graph_objects as go

from pages.compare.reading import comparison
from pages.shared.runs.picture import Picture
from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from softmerge_core.experiments.compare.words import sentence as judged
from softmerge_core.experiments.compare.words import so_far
from softmerge_core.figures.comparison import comparison_figure, comparison_height
from softmerge_core.figures.style import Theme

ROWS = 12  # rows before the first run


def compare_pictures(reader: RunReader | None) -> None:
    """Draw the picture of a run, or its empty place before the first run."""
    ACCURACY.draw(reader, height=comparison_height(len(comparison(reader).methods) if reader else ROWS))


def _figure(reader: RunReader, theme: Theme) -> go.Figure | None:
    rows, methods = comparison(reader)
    seeds = getattr(reader.view.spec, "seeds", 1)
    return comparison_figure(rows, theme=theme, order=methods, seeds=seeds)


def _words(reader: RunReader) -> str:
    """The result in one sentence; while the run is live, that of the methods that are done."""
    rows, methods = comparison(reader)
    if reader.view.result:
        return plain(judged(rows), 900)  # an older run's own words may tell apart what its samples cannot
    return plain(so_far(rows, len(methods), live=reader.live, seeds=getattr(reader.view.spec, "seeds", 1)), 900)


ACCURACY = Picture(
    key="compare",
    title="Test accuracy",
    idle="A dot for every method on one axis of test accuracy, beside the best source, the plain average and the "
    "ensemble.",
    kinds=("score",),
    build=_figure,
    words=_words,
    height=comparison_height(ROWS),
    waiting="Drawn here while methods are compared",
    missing="",  # the sentence says why there is none
)
