"""Pictures of several trained models: their accuracies as dots, and how each of them was trained as a line."""

from collections.abc import Callable, Sequence
from math import isfinite

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from softmerge_core.figures.accuracy import percent_range
from softmerge_core.figures.labels import EndLabel, end_labels
from softmerge_core.figures.style import Theme, colour, distinct, method_style, new_figure, source_colour, thin
from softmerge_core.zoo import ModelInfo

ROW, LEAST = 30, 420  # px: a row of dots, the lowest picture
TOP, BOTTOM = 34, 48  # px: margins
UPPER, GAP = 0.6, 0.07  # shares of the height: the upper panel, and what lies between the two
LABEL, BRIEF = 18, 12  # letters of a label at the end of a line, and in a narrow picture
NAME, SHORT = 30, 24  # letters of the name of a row, and in a narrow picture
KEY = (("●", "Test"), ("□", "Validation"), ("◇", "Training"))
# split -> (title, marker, size)
SPLITS = {
    "test": ("Test", "circle", 11),
    "validation": ("Validation", "square-open", 9),
    "train": ("Training", "diamond-open", 9),
}


def poisoned(model: ModelInfo) -> bool:
    """Whether the model was spoiled on purpose."""
    return model.attack is not None


def shortened(text: str, limit: int) -> str:
    """``text`` in at most ``limit`` letters, its end kept: names made alike differ there."""
    return text if len(text) <= limit else f"{text[: limit - 6].rstrip()}\u2026{text[-5:]}"


def line_style(index: int, theme: Theme) -> tuple[str, str]:
    """(colour, plotly dash) of the model at ``index`` of a collection, the same in every picture of it."""
    return source_colour(index, theme), method_style(f"source:{index}", theme).dash


def pictures_height(models: Sequence[ModelInfo]) -> int:
    """Height in px that gives every model its row and its label."""
    return max(LEAST, TOP + BOTTOM + ROW * len(models))


def dots_figure(models: Sequence[ModelInfo], *, theme: Theme) -> go.Figure | None:
    """Accuracy in percent on test, validation and training samples, a row per model; None without models."""
    if not models:
        return None
    names = [("\u26a0\ufe0e " if poisoned(model) else "") + model.title for model in models]
    labels, short = distinct(names, NAME), distinct([shortened(name, SHORT) for name in names])
    figure = new_figure(theme, narrow={"yaxis.ticktext": short})
    for index, (model, label) in enumerate(zip(models, labels, strict=True)):
        _add_row(figure, index, model, label, theme)
    _add_key(figure, models, theme)
    values = [100 * value for model in models for value in model.accuracy.values() if isfinite(value)]
    figure.update_layout(
        margin={"l": 8, "r": 64, "t": TOP, "b": BOTTOM},
        showlegend=False,
        xaxis={"title": {"text": "Accuracy (%)"}, "range": percent_range(values or [0.0, 100.0]), "tickangle": 0},
        yaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": labels[::-1],
            "tickvals": labels,
            "ticktext": labels,
            "range": [-0.6, len(labels) - 0.4],
            "showline": False,
            "ticks": "",
            "tickfont": {"color": colour("text", theme)},
        },
    )
    return figure


def _add_row(figure: go.Figure, index: int, model: ModelInfo, label: str, theme: Theme) -> None:
    hue, _ = line_style(index, theme)
    for split in reversed(SPLITS):
        title, symbol, size = SPLITS[split]
        symbol = "x" if split == "test" and poisoned(model) else symbol
        figure.add_scatter(
            x=[100 * model.accuracy.get(split, float("nan"))],
            y=[label],
            name=f"{label} {split}",
            mode="markers",
            marker={"color": hue, "symbol": symbol, "size": size, "line": _outline(split, hue, theme)},
            cliponaxis=False,
            hovertemplate=f"%{{y}}<br>{title}: %{{x:.1f}}\u00a0%<extra></extra>",
        )
    test = 100 * model.accuracy.get("test", float("nan"))
    figure.add_annotation(
        text=f"{test:.1f}\u00a0%" if isfinite(test) else "unknown", showarrow=False, font={"color": hue},
        xref="paper", x=1, xanchor="left", xshift=8, y=label, yanchor="middle",
    )  # fmt: skip


def _outline(split: str, hue: str, theme: Theme) -> dict[str, object]:
    """The test marker is filled, and set off from the open ones it may lie on."""
    return {"width": 1, "color": colour("background", theme)} if split == "test" else {"width": 2, "color": hue}


def _add_key(figure: go.Figure, models: Sequence[ModelInfo], theme: Theme) -> None:
    """What the markers mean, above the plot."""
    marks = [*KEY, *([("✕", "Test, poisoned")] if any(map(poisoned, models)) else [])]
    text = "\u2003".join(f'<span style="font-size:15px">{mark}</span>\u00a0{word}' for mark, word in marks)
    figure.add_annotation(
        text=text, showarrow=False, font={"color": colour("quiet", theme), "size": 12},
        xref="paper", x=1, xanchor="right", xshift=60, yref="paper", y=1, yanchor="bottom", yshift=8,
    )  # fmt: skip


def histories_figure(models: Sequence[ModelInfo], *, theme: Theme, height: int) -> go.Figure | None:
    """Validation accuracy above and training loss below, over the steps of each model's own training, as measured."""
    shown = [(index, model) for index, model in enumerate(models) if model.history]
    if not shown:
        return None
    figure = make_subplots(
        rows=2, cols=1, shared_xaxes=True, vertical_spacing=GAP, row_heights=[UPPER, 1 - UPPER],
        figure=new_figure(theme),
    )  # fmt: skip
    names = distinct([model.title for model in models], 26)
    for index, model in shown:
        _add_line(figure, 1, index, names[index], model, lambda entry: 100 * entry[2], "%", theme)
        _add_line(figure, 2, index, names[index], model, lambda entry: entry[1], " nats", theme)
    low, high = percent_range([100 * entry[2] for _, model in shown for entry in model.history])
    figure.update_xaxes(range=[0, max(model.history[-1][0] for _, model in shown)])
    figure.update_xaxes(title={"text": "Step of its own training"}, row=2)
    figure.update_yaxes(title={"text": "Validation acc. (%)"}, range=[low, high], row=1)
    figure.update_yaxes(title={"text": "Loss (nats)"}, rangemode="tozero", row=2)
    figure.update_layout(showlegend=False, margin={"t": TOP, "b": BOTTOM})
    plot = (height - TOP - BOTTOM) * (1 - GAP) * UPPER
    end_labels(figure, _labels(shown, names, theme), low=low, high=high, plot_height=plot)
    return figure


def _add_line(
    figure: go.Figure, row: int, index: int, name: str, model: ModelInfo,
    value: Callable[[tuple[int, float, float]], float], unit: str, theme: Theme,
) -> None:  # fmt: skip
    hue, dash = line_style(index, theme)
    entries = [model.history[place] for place in thin(len(model.history))]
    figure.add_trace(
        go.Scatter(
            x=[entry[0] for entry in entries], y=[value(entry) for entry in entries], mode="lines", name=name,
            line={"color": hue, "dash": dash, "width": 2},
            hovertemplate=f"%{{fullData.name}}<br>step %{{x}}: %{{y:.3g}}{unit}<extra></extra>",
        ), row=row, col=1,
    )  # fmt: skip


def _labels(shown: Sequence[tuple[int, ModelInfo]], names: Sequence[str], theme: Theme) -> list[EndLabel]:
    brief, long = (
        distinct([shortened(model.title.partition(",")[0], limit) for _, model in shown]) for limit in (BRIEF, LABEL)
    )
    return [
        EndLabel(100 * model.history[-1][2], long[place], brief[place], line_style(index, theme)[0])
        for place, (index, model) in enumerate(shown)
    ]
