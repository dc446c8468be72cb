"""The picture of a few samples of each class."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from softmerge_core.figures.samples import as_pixels, samples_figure, samples_height
from softmerge_core.figures.style import THEMES, Theme

LABELS = np.array([0, 0, 2, 2, 2])


def grid(figure: object) -> np.ndarray:
    """The pixels of the picture."""
    source = figure.data[0].source  # type: ignore[attr-defined]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))))


@pytest.mark.parametrize("theme", THEMES)
def test_images_stand_in_a_row_for_each_class(theme: Theme) -> None:
    images = np.arange(5 * 3 * 4 * 4, dtype=np.uint8).reshape(5, 3, 4, 4)
    figure = samples_figure(images, LABELS, ("cat", "cow", "<b>dog"), theme=theme)
    assert figure is not None
    pixels = grid(figure)
    assert pixels.shape == (2 * 5 - 1, 3 * 5 - 1, 3)
    assert np.array_equal(pixels[5:9, 5:9], images[3].transpose(1, 2, 0))
    assert list(figure.layout.yaxis.ticktext) == ["cat", "&lt;b&gt;dog"]
    assert list(figure.layout.yaxis.tickvals) == [1.5, 6.5]


@pytest.mark.parametrize("shape", [(5, 1, 2, 2), (5, 1, 4)])
def test_the_table_of_values_has_a_row_for_each_sample(shape: tuple[int, ...]) -> None:
    numbers = np.arange(20.0).reshape(shape)
    figure = samples_figure(numbers, LABELS, ("cat", "cow", "<b>dog"), theme="light")
    assert figure is not None
    head, *rows = figure.layout.meta["values"]
    assert head[:2] == ["Class", "Training sample of it"]
    assert rows == [
        ["cat", 1, 0, 1.5, 3],
        ["cat", 2, 4, 5.5, 7],
        ["&lt;b&gt;dog", 1, 8, 9.5, 11],
        ["&lt;b&gt;dog", 2, 12, 13.5, 15],
        ["&lt;b&gt;dog", 3, 16, 17.5, 19],
    ]
    json.dumps(figure.layout.meta["values"])  # plain numbers, which a page takes


def test_numbers_become_grey_from_least_to_most() -> None:
    images = np.array([-1.0, 0.0, 1.0]).reshape(3, 1, 1, 1)
    assert as_pixels(images)[:, 0, 0].tolist() == [[0, 0, 0], [128, 128, 128], [255, 255, 255]]
    assert as_pixels(np.full((1, 1, 2, 2), 7.0)).max() == 0
    assert as_pixels(np.full((1, 2, 2, 2), 9, np.uint8)).shape == (1, 2, 2, 3)


def test_sequences_become_lines_in_the_row_of_their_class() -> None:
    lines = np.random.default_rng(0).normal(size=(5, 1, 40))
    figure = samples_figure(lines, LABELS, (), theme="light")
    assert figure is not None
    assert len(figure.data) == 5
    assert [(-round(float(np.mean((min(t.y), max(t.y)))))) for t in figure.data] == [0, 0, 1, 1, 1]
    assert list(figure.layout.yaxis.ticktext) == ["0", "2"]


def test_rows_and_nothing_have_no_picture() -> None:
    assert samples_figure(np.zeros((5, 3)), LABELS, (), theme="dark") is None
    assert samples_figure(np.zeros((0, 1, 2, 2)), np.zeros(0, int), (), theme="dark") is None


def test_every_class_has_room() -> None:
    assert samples_height(np.arange(20)) > 20 * 40
    assert samples_height(np.array([1, 1])) >= 100
