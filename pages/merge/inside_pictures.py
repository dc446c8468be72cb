"""The pictures of what a merged network does: single samples, confusion matrices, calibration."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.merge.predicted import Inside, inside_of
from pages.shared.runs.picture import Picture
from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from softmerge_core.data.picking import pick_test
from softmerge_core.errors import DataError
from softmerge_core.experiments.merge import inside as words
from softmerge_core.experiments.merge.inside import CALIBRATED, SOFT, Shown, shown_samples
from softmerge_core.experiments.words import sentence
from softmerge_core.figures.answers import answers_figure, answers_height, plane_figure
from softmerge_core.figures.confusion import (
    MOST_CLASSES,
    confusion_figure,
    confusion_height,
    difference_figure,
)
from softmerge_core.figures.reliability import HEIGHT, errors_figure, errors_height, reliability_figure
from softmerge_core.figures.style import Theme
from softmerge_core.statistics.calibration import Bins, Calibration, calibration, confidence_bins

PAGE = 12  # samples that are shown at once
PLANE = 360  # px
CHANGED = "the data are not those that the run was tested on"
TOO_MANY = f"There are more than {MOST_CLASSES} classes, too many to be told apart in a matrix."


def sides(partner: str, *, gained: bool) -> tuple[str, str]:
    """(the network that is right, the one that is wrong) of a gallery."""
    return (SOFT, partner) if gained else (partner, SOFT)


def places_of(known: Inside, partner: str, *, gained: bool) -> np.ndarray:
    """The places of all test samples that belong into a gallery."""
    return known.found.gained(*sides(partner, gained=gained))


def gallery(known: Inside, partner: str, start: int, *, gained: bool) -> tuple[Picture, int]:
    """The picture of up to PAGE samples from the one numbered ``start`` on, and its height in px."""
    places, name = places_of(known, partner, gained=gained), words.brief(partner)
    count, flat = len(places[start : start + PAGE]), _in_the_plane(known)
    problem = data_problem(known)
    text = words.page_sentence(len(places), start, count) if count else "There is none."
    if problem:
        text = f"{text} {plain(problem, 300)}"
    if flat and count and not problem:
        text += " Large marks are all of them; numbers those of the table of values."
    about = "the merged network is right and" if gained else "the merged network is wrong and"
    picture = Picture(
        key="inside-gained" if gained else "inside-lost",
        title=f"{'Right' if gained else 'Wrong'} where {name} is {'wrong' if gained else 'right'}",
        idle=f"Test samples on which {about} the other network is {'not' if gained else 'right'}.",
        kinds=(),
        build=_gallery,
        words=lambda reader: text,
        height=PLANE if flat else answers_height(count),
        waiting="None",
        missing="",
    )
    return picture, picture.height


def _gallery(reader: RunReader, theme: Theme, partner: str, start: int, gained: bool) -> go.Figure | None:
    known = inside_of(reader)
    if known is None:
        return None
    places = places_of(known, partner, gained=gained)
    shown = _shown(known, partner, places[start : start + PAGE])
    if data_problem(known) or not shown:
        return answers_figure(None, shown, theme=theme)
    if _in_the_plane(known):
        everything = pick_test(known.dataset, range(known.found.count))
        return plane_figure(everything["inputs"], known.found.labels, places.tolist(), shown, theme=theme)
    inputs = pick_test(known.dataset, [each.place for each in shown])["inputs"]
    return answers_figure(inputs if 2 <= inputs.ndim <= 4 else None, shown, theme=theme)


def _shown(known: Inside, partner: str, places: np.ndarray) -> Sequence[Shown]:
    return shown_samples(known.found, places.tolist(), partner, known.classes, known.sources)


def _in_the_plane(known: Inside) -> bool:
    return not data_problem(known) and pick_test(known.dataset, [0])["inputs"].shape[1:] == (2,)


def data_problem(known: Inside) -> str:
    """Why the samples themselves cannot be shown; "" where they can."""
    looked = [0, known.found.count - 1]
    try:
        same = pick_test(known.dataset, looked)["labels"].tolist() == known.found.labels[looked].tolist()
    except DataError as error:
        return f"Their pictures cannot be shown: {error}."
    return "" if same else f"{sentence(f'Their pictures cannot be shown: {CHANGED}')}"


def matrix_pictures(known: Inside, network: str, partner: str, *, shares: bool) -> tuple[Picture, Picture]:
    """The confusion matrix of a network, and its difference against the partner's."""
    few = len(known.classes) <= MOST_CLASSES
    counts = known.found.confusion(network, len(known.classes)) if few else np.zeros((1, 1), int)
    first = words.confusion_sentence(counts, network, known.classes, known.groups, known.sources) if few else TOO_MANY
    second = words.against_sentence(network, partner, known.sources) if network != partner else SAME
    height = confusion_height(len(known.classes))
    title = f"Confusion matrix of {words.brief(network)}"
    own = replace(MATRIX, title=title, words=lambda reader: plain(first, 400), height=height)
    than = plain(second, 400) if few else TOO_MANY
    against = replace(AGAINST, title=f"Against {words.brief(partner)}", words=lambda reader: than, height=height)
    return own, against


def _matrix(reader: RunReader, theme: Theme, network: str, shares: bool) -> go.Figure | None:
    known = inside_of(reader)
    if known is None or len(known.classes) > MOST_CLASSES:
        return None
    counts = known.found.confusion(network, len(known.classes))
    return confusion_figure(counts, known.classes, known.groups, theme=theme, shares=shares)


def _against(reader: RunReader, theme: Theme, network: str, partner: str, shares: bool) -> go.Figure | None:
    known = inside_of(reader)
    if known is None or len(known.classes) > MOST_CLASSES or network == partner:
        return None
    counts, other = (known.found.confusion(each, len(known.classes)) for each in (network, partner))
    return difference_figure(counts, other, known.classes, known.groups, theme=theme, shares=shares)


SAME = "Both are the same network: choose another one to see where they differ."
MATRIX = Picture(
    key="inside-matrix",
    title="Confusion matrix",
    idle="Which class a network takes for which: rows are true classes, columns answers.",
    kinds=(),
    build=_matrix,
    words=lambda reader: "",
    height=HEIGHT,
    waiting="Too many classes",
    missing="",
)
AGAINST = replace(
    MATRIX,
    key="inside-against",
    title="Against another network",
    idle="Where the confusion matrices of two networks differ: rows are true classes, columns answers.",
    build=_against,
    waiting="Nothing to compare",
)


def calibrated(known: Inside) -> tuple[dict[str, Bins], dict[str, Calibration]]:
    """(the bins, the errors) of the networks whose calibration is shown."""
    pairs = {name: (known.found.right(name), known.found.sure(name)) for name in CALIBRATED}
    return (
        {name: confidence_bins(*pair) for name, pair in pairs.items()},
        {name: calibration(*pair) for name, pair in pairs.items()},
    )


def _reliability(reader: RunReader, theme: Theme) -> go.Figure | None:
    found = _calibrated(reader)
    return reliability_figure(found[0], theme=theme) if found else None


def _errors(reader: RunReader, theme: Theme) -> go.Figure | None:
    found = _calibrated(reader)
    return errors_figure(found[1], theme=theme) if found else None


def _calibrated(reader: RunReader) -> Any:
    known = inside_of(reader)
    return reader.once("calibrated", lambda: calibrated(known)) if known else None


def _calibration_words(reader: RunReader) -> str:
    known, found = inside_of(reader), _calibrated(reader)
    if known is None or found is None:
        return ""
    means = {
        name: (float(np.nanmean(known.found.sure(name))), float(known.found.right(name).mean()))
        for name, each in found[1].items()
        if each.samples
    }
    return words.calibration_sentence(found[1], {SOFT: (0.0, 0.0), **means})


RELIABILITY = Picture(
    key="inside-calibration",
    title="Calibration",
    idle="How often networks are right at each confidence; on the diagonal as often as they say.",
    kinds=(),
    build=_reliability,
    words=_calibration_words,
    height=HEIGHT,
    waiting="Confidences are not finite",
    missing="",
)
ERRORS = Picture(
    key="inside-errors",
    title="Calibration error",
    idle="The mean distance between confidence and right answers over the bins; 0 is a network that is calibrated.",
    kinds=(),
    build=_errors,
    words=lambda reader: ERRORS_ARE,
    height=errors_height(len(CALIBRATED)),
    waiting="Confidences are not finite",
    missing="",
)
ERRORS_ARE = (
    "The mean distance between what a network says and how often it is right. Where the interval reaches 0, it "
    "cannot be told from a perfectly calibrated network."
)
