"""A few samples of each class as a picture: images in a grid, sequences as lines."""

import base64
import io
from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from softmerge_core.figures.style import Theme, class_colours, colour, distinct, new_figure

ROW, LEAST, AROUND = 46, 120, 24  # px: a row of the grid, the lowest picture, and what lies above and below the rows
GAP = 14  # between two images there is one pixel for so many of an image
HEAD = ("Class", "Training sample of it", "Lowest number", "Mean", "Highest number")
LINES = 3  # of each class
NAME = 24  # letters of a class
BARE = {"showgrid": False, "showline": False, "tickcolor": "rgba(0,0,0,0)"}  # the ticks keep names off the pictures


def samples_height(labels: np.ndarray) -> int:
    """Height in px that gives every class a row."""
    return max(LEAST, AROUND + ROW * len(np.unique(labels)))


def samples_figure(inputs: np.ndarray, labels: np.ndarray, names: Sequence[str], *, theme: Theme) -> go.Figure | None:
    """A row for each class: images [M, C, H, W] side by side, or sequences [M, C, L] as lines; None for anything else.

    ``names``: of the classes, or none of them, when their numbers are shown.
    """
    if not len(labels) or inputs.ndim not in (3, 4):
        return None
    figure = new_figure(theme)
    classes = np.unique(labels).tolist()
    if inputs.ndim == 4:
        places = _draw_images(figure, inputs, labels, classes, theme)
    else:
        places = _draw_lines(figure, inputs, labels, classes, theme)
    titles = distinct([names[label] if names else str(label) for label in classes], NAME)
    figure.update_layout(
        margin={"l": 8, "r": 8, "t": AROUND // 2, "b": AROUND // 2},
        showlegend=False,
        xaxis={"visible": False},
        yaxis={"tickvals": places, "ticktext": titles, **BARE},
        meta={**figure.layout.meta, "values": _values(inputs, labels, dict(zip(classes, titles, strict=True)))},
    )
    return figure


def _values(inputs: np.ndarray, labels: np.ndarray, titles: Mapping[int, str]) -> list[list[str | int | float]]:
    """The table of what is drawn: of each sample its class, its place in the row, and what its numbers are like."""
    rows: list[list[str | int | float]] = [list(HEAD)]
    for label, title in titles.items():
        for number, sample in enumerate(inputs[labels == label].astype(np.float64), 1):
            rows.append(
                [title, number, *(round(float(value), 4) for value in (sample.min(), sample.mean(), sample.max()))]
            )
    return rows


def _draw_images(
    figure: go.Figure, inputs: np.ndarray, labels: np.ndarray, classes: Sequence[int], theme: Theme
) -> list[float]:
    """Draw the grid; returns the middle of each row."""
    pixels = as_pixels(inputs)
    gap = max(1, max(pixels.shape[1:3]) // GAP)
    height, width = pixels.shape[1] + gap, pixels.shape[2] + gap
    most = max(int((labels == label).sum()) for label in classes)
    background = [int(colour("background", theme)[at : at + 2], 16) for at in (1, 3, 5)]
    grid = np.full((height * len(classes) - gap, width * most - gap, 3), background, np.uint8)
    for row, label in enumerate(classes):
        for column, image in enumerate(pixels[labels == label]):
            top, left = row * height, column * width
            grid[top : top + height - gap, left : left + width - gap] = image
    figure.add_trace(go.Image(source=png(grid), hoverinfo="skip", name="Samples"))
    figure.update_xaxes(range=[-0.5, grid.shape[1] - 0.5], constrain="domain", constraintoward="left")
    figure.update_yaxes(range=[grid.shape[0] - 0.5, -0.5], scaleanchor="x", constrain="domain", constraintoward="top")
    return [row * height + (height - gap) / 2 - 0.5 for row in range(len(classes))]


def as_pixels(inputs: np.ndarray) -> np.ndarray:
    """Return uint8 [M, H, W, 3] of images [M, C, H, W]: bytes as they are, other numbers from least to most."""
    shown = inputs if inputs.shape[1] == 3 else np.repeat(inputs[:, :1], 3, axis=1)
    if shown.dtype != np.uint8:
        numbers = shown.astype(np.float64)
        low, high = float(numbers.min()), float(numbers.max())
        shown = (255 * (numbers - low) / (high - low if high > low else 1)).round().astype(np.uint8)
    return shown.transpose(0, 2, 3, 1)


def png(pixels: np.ndarray) -> str:
    """Return uint8 [H, W, 3] as the address of a picture that holds itself."""
    from PIL import Image

    made = io.BytesIO()
    Image.fromarray(pixels).save(made, "PNG")
    return f"data:image/png;base64,{base64.b64encode(made.getvalue()).decode()}"


def _draw_lines(
    figure: go.Figure, inputs: np.ndarray, labels: np.ndarray, classes: Sequence[int], theme: Theme
) -> list[float]:
    """Draw a few sequences of each class over each other in its row; returns the middle of each row."""
    colours = class_colours(theme)
    lines = inputs[:, 0].astype(np.float64)
    low, high = float(lines.min()), float(lines.max())
    lines = 0.9 * (lines - low) / (high - low if high > low else 1) - 0.45
    for row, label in enumerate(classes):
        for number, line in enumerate(lines[labels == label][:LINES]):
            figure.add_trace(
                go.Scatter(
                    y=line - row, mode="lines", hoverinfo="skip", name=f"{label}, {number}",
                    line={"color": colours[row % len(colours)], "width": 2 if number == 0 else 1},
                    opacity=1 if number == 0 else 0.5,
                )
            )  # fmt: skip
    figure.update_yaxes(range=[0.55 - len(classes), 0.55])
    return [-float(row) for row in range(len(classes))]
