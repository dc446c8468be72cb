"""A comparison of ways to merge: one dot per method on one axis of test accuracy."""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, nan
from typing import Any

import plotly.graph_objects as go

from softmerge_core.events import BEST
from softmerge_core.experiments.words import percent
from softmerge_core.figures.accuracy import percent_range
from softmerge_core.figures.laying import Mark, lay
from softmerge_core.figures.rows import dot, noted, row_axis, row_number
from softmerge_core.figures.style import Theme, colour, distinct, method_style, method_title, new_figure
from softmerge_core.numbers import range_text
from softmerge_core.statistics.bars import wilson

REFERENCES = (BEST, "average", "ensemble")  # drawn as lines
ROW = 25  # px a method
TOP, BOTTOM = 62, 66  # px: three rows of labels above; the axis and its note below
_LABEL = 17  # px a row of labels
_FEW = 5  # with fewer seeds than this each one is drawn
_PART = 6  # of so many methods one may lie beyond the axis ...
_ARROW = "\N{BLACK LEFT-POINTING POINTER}"
_WORTH = 2  # ... where that makes it at least so many times shorter

Entry = Mapping[str, Any]  # method, title, problem; accuracy: {mean, values, low, high, of, samples}, 0-1, where known


def comparison_height(methods: int) -> int:
    """The height in px that gives each of ``methods`` rows its room."""
    return TOP + BOTTOM + ROW * max(methods, 4)


def comparison_figure(
    entries: Sequence[Entry], *, theme: Theme, order: Sequence[str] = (), seeds: int = 1
) -> go.Figure | None:
    """Test accuracy (percent) of every method with its 95 % interval; None before the first.

    ``entries`` are the rows of a comparison's result or of its ``report`` so far. ``order``: the methods' keys from
    top to bottom; while a run is live, pass all that it will try, so that no row moves. By default, that of
    ``entries``. ``seeds``: how many each random method will have; until then its bar does not stretch the axis, which
    only grows. Once all are there, it is that of most methods: of a few that lie far below them, an arrow at its edge
    tells the interval.
    """
    found = {str(entry["method"]): entry for entry in entries}
    keys = [key for key in (order or found) if key in order or _is_method(found[key])]
    shown = [entry for entry in found.values() if entry["method"] in (*keys, *REFERENCES)]
    values = {str(entry["method"]): _values(entry, seeds) for entry in shown}
    if not any(values.values()):
        return None
    beyond = _beyond(values) if found.keys() >= set(keys) else set()
    low, high = percent_range([value for key in values.keys() - beyond for value in values[key]])
    labels = dict(zip(keys, distinct([method_title(key) for key in keys], 28), strict=True))
    figure = new_figure(theme)
    _add_references(figure, found, theme, middle=(low + high) / 2)
    told = {key: each for key, each in found.items() if each.get("accuracy") or each.get("problem")}
    lay(figure, annotations=[_number(key, label, told[key], theme) for key, label in labels.items() if key in told])
    for key, label in labels.items():
        _add_row(figure, key, label, found.get(key), theme)
        if key in beyond:
            _put_beyond(figure, key, label, found[key], low, theme)
        else:
            _add_ends(figure, key, label, found.get(key), (low, high), theme)
    _lay_out(figure, list(labels.values()), (low, high), _note(found.values(), bool(beyond)), theme)
    return figure


def is_dot(trace: go.Scatter) -> bool:
    """Whether a trace of ``comparison_figure`` is a method's mean: it is named as its row."""
    return tuple(trace.y) == (trace.name,)


def _is_method(entry: Entry) -> bool:
    """Whether the row is a method's; those of sources and of the best source have no title."""
    return "title" in entry


def _values(entry: Entry, seeds: int) -> list[float]:
    """All values of a row that must lie on the axis, in percent: what other test samples may give, and its bar.

    The bar of the first seeds may be very long, and is shorter when the next is there: it would make the axis jump.
    """
    accuracy = entry.get("accuracy")
    if not accuracy:
        return []
    values, samples = accuracy["values"], accuracy.get("samples", 0)
    settled = accuracy.get("of") == "samples" or len(values) >= max(3, seeds)
    ends = [accuracy[end] for end in ("low", "high") if end in accuracy and settled]
    chances = [end for value in values if samples and isfinite(value) for end in wilson(value, samples)]
    return [100 * value for value in (*values, *chances, *ends) if isfinite(value)]


def _beyond(values: Mapping[str, list[float]]) -> set[str]:
    """The few lowest methods without which the axis is much shorter; never one that is drawn as a line."""
    rows = sorted((key for key in values if values[key]), key=lambda key: max(values[key]))
    span = _span(values[key] for key in rows)
    for count in range(1, len(rows) // _PART + 1):
        if rows[count - 1] in REFERENCES:
            break
        if _span(values[key] for key in rows[count:]) * _WORTH <= span:
            return set(rows[:count])
    return set()


def _span(rows: Iterable[list[float]]) -> float:
    """The length in points of the axis that holds these rows."""
    low, high = percent_range([value for row in rows for value in row])
    return high - low


def _put_beyond(figure: go.Figure, key: str, label: str, entry: Entry, edge: float, theme: Theme) -> None:
    """Let a row that lies beyond the axis end at its edge, with an arrow and its interval in words."""
    color, accuracy = method_style(key, theme).color, entry["accuracy"]
    clipped = {"cliponaxis": True, "error_x.width": 0}  # where zooming brings it in, it is all there but for the caps
    figure.for_each_trace(lambda trace: trace.update(clipped), selector=lambda trace: label in trace.y)
    reach = range_text(*(percent(accuracy[end]) for end in ("low", "high"))) if "low" in accuracy else "further left"
    figure.add_annotation(
        text=f"{_ARROW} {reach}", showarrow=False, font={"color": color, "size": 12},
        bgcolor=colour("background", theme), borderpad=0, x=edge, xanchor="left", xshift=4, y=label, yanchor="middle",
    )  # fmt: skip


def _add_row(figure: go.Figure, key: str, label: str, entry: Entry | None, theme: Theme) -> None:
    """Draw a method's mean with its interval, each seed if there are few, and the mean as a number."""
    style, accuracy = method_style(key, theme), (entry or {}).get("accuracy") or {}
    x, seeds = 100 * accuracy.get("mean", nan), accuracy.get("values", [])
    error = (x - 100 * accuracy["low"], 100 * accuracy["high"] - x) if "low" in accuracy else None
    reach = range_text(percent(accuracy["low"]), percent(accuracy["high"])) if error else ""
    about = f"<br>95\u00a0% interval: {reach}, {_counts(accuracy)}" if error else ""
    figure.add_trace(dot(label, x, style, error=error, about=about))
    if 1 < len(seeds) < _FEW:
        figure.add_scatter(
            x=[100 * value for value in seeds], y=[label] * len(seeds), name=f"{label}, each seed", mode="markers",
            marker={"symbol": "circle-open", "size": 5, "color": style.color, "line": {"width": 1}}, cliponaxis=False,
            hovertemplate="%{y}, one seed: %{x:.2f}\u00a0%<extra></extra>",
        )  # fmt: skip


def _number(key: str, label: str, entry: Entry, theme: Theme) -> Mark:
    """The mean of a row as a number beside it, or that there is none."""
    if accuracy := entry.get("accuracy"):
        return row_number(label, f"{100 * accuracy['mean']:.1f}\u00a0%", method_style(key, theme).color)
    return row_number(label, "no result", colour("quiet", theme))


def _add_ends(
    figure: go.Figure, key: str, label: str, entry: Entry | None, limits: tuple[float, float], theme: Theme
) -> None:
    """An arrow head at each edge of the axis beyond which the row's bar goes on."""
    accuracy = (entry or {}).get("accuracy") or {}
    known = ((limits[0], "left", accuracy.get("low", 1) * 100), (limits[1], "right", accuracy.get("high", 0) * 100))
    beyond = [(edge, side) for edge, side, end in known if (end < edge if side == "left" else end > edge)]
    if beyond:
        figure.add_scatter(
            x=[edge for edge, _ in beyond], y=[label] * len(beyond), name=f"{label}, goes on", mode="markers",
            marker={"symbol": [f"triangle-{side}" for _, side in beyond], "size": 8,
                    "color": method_style(key, theme).color},
            cliponaxis=False, hoverinfo="skip",
        )  # fmt: skip


def _add_references(figure: go.Figure, found: Mapping[str, Entry], theme: Theme, *, middle: float) -> None:
    """Draw the best source, the plain average and the ensemble as lines, each label in a row of its own."""
    known = {key: 100 * found[key]["accuracy"]["mean"] for key in REFERENCES if (found.get(key) or {}).get("accuracy")}
    shapes: list[Mark] = []
    labels: list[Mark] = []
    for row, (key, x) in enumerate(_label_rows(known, middle)):
        style, right = method_style(key, theme), x > middle
        line = {"color": style.color, "dash": style.dash, "width": 1.5}
        place = {"type": "line", "x0": x, "x1": x, "yref": "paper", "y0": 0}
        up = {"ysizemode": "pixel", "yanchor": 1, "y1": _LABEL * row + 14}
        shapes += [{**place, "y1": 1, "line": line, "layer": "below"}, {**place, **up, "line": {**line, "width": 1}}]
        labels.append({
            "text": f"{method_title(key)} {x:.1f}\u00a0%", "showarrow": False,
            "font": {"color": style.color, "size": 12}, "bgcolor": colour("background", theme), "borderpad": 0,
            "x": x, "xanchor": "right" if right else "left", "xshift": -4 if right else 4,
            "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": _LABEL * row,
        })  # fmt: skip
    lay(figure, shapes=shapes, annotations=labels)


def _label_rows(known: Mapping[str, float], middle: float) -> list[tuple[str, float]]:
    """The lines from the lowest label to the highest, so that no label covers the line of a higher one.

    Labels right of the ``middle`` reach to the left of their lines, so the leftmost of them goes lowest; left of the
    middle it is the rightmost.
    """
    return sorted(known.items(), key=lambda item: (item[1] <= middle, abs(item[1] - middle)))


def _counts(accuracy: Mapping[str, Any]) -> str:
    """What a bar is over: "1,000 test samples", "3 seeds", or both."""
    samples, seeds = f"{accuracy['samples']:,} test samples", f"{len(accuracy['values'])} seeds"
    return {"samples": samples, "seeds": seeds, "both": f"{samples} and {seeds}"}[accuracy["of"]]


def _note(entries: Iterable[Entry], beyond: bool) -> str:
    """The meaning of the bars, or "" if there are none; and of the arrow of one that lies ``beyond`` the axis."""
    drawn = [accuracy for entry in entries if "low" in (accuracy := entry.get("accuracy") or {})]
    if not drawn:
        return ""
    samples = max(accuracy["samples"] for accuracy in drawn)
    seeds = {len(accuracy["values"]) for accuracy in drawn if accuracy["of"] != "samples"}
    n = [f"n = {samples:,} test samples"] if samples else []
    if seeds:
        counts = str(max(seeds)) if len(seeds) == 1 else f"{min(seeds)} to {max(seeds)}"
        n.append(f"{counts} seeds where a method is random")
    arrow = "; arrow: it lies further left" if beyond else ""
    return f"Bars: 95\u00a0% interval, {' and '.join(n)}{arrow}"


def _lay_out(figure: go.Figure, labels: Sequence[str], limits: tuple[float, float], note: str, theme: Theme) -> None:
    wide, narrow = noted("Test accuracy (%)", note)
    below, beneath = (_LABEL * max(text.count("<br>") - 1, 0) for text in (wide, narrow))
    figure.update_layout(
        showlegend=False,
        meta={
            **figure.layout.meta,
            "narrow": {"xaxis.title.text": narrow, "margin.b": BOTTOM + beneath},
        },
        margin={"l": 8, "r": 64, "t": TOP, "b": BOTTOM + below},
        xaxis={"title": {"text": wide}, "range": list(limits), "tickangle": 0},
        yaxis=row_axis(labels, theme),
    )
