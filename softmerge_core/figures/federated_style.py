"""The styles of overlaid federated runs: a colour for each algorithm, or way of aggregating, the same everywhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from softmerge_core.federated.algorithms import algorithms, find_algorithm
from softmerge_core.federated.settings import AGGREGATIONS, FederatedRun
from softmerge_core.figures.style import GLYPHS, HUES, MARKERS, MethodStyle, Theme, colour, method_style, preferred

# algorithm -> colour, marker; FedAvg is plain averaging, and looks like it. Others take what is free.
_PINNED = {
    "fedavg": ("average", "square"),
    "fedprox": ("extra1", "triangle-down"),
    "scaffold": ("extra3", "cross"),
    "feddyn": ("extra0", "pentagon"),
}
METHODS = {"mean": "average", "honest": "best_source"}  # aggregation -> the method it looks like; others are their own


@dataclass(frozen=True)
class RunStyle:
    """The look of one overlaid run: with scope alignment it has the same colour and marker, and another dash."""

    color: str
    dash: str
    marker: str
    glyph: str
    short: str


def run_styles(runs: Sequence[FederatedRun], theme: Theme) -> dict[str, RunStyle]:
    """Return styles by key. Runs of one algorithm have the colours of their aggregation, others of their algorithm."""
    single = len({run.algorithm for run in runs}) == 1
    by_aggregation = single and len({run.aggregation for run in runs}) > 1
    result = {}
    for run in runs:
        merged = method_style(METHODS.get(run.aggregation, run.aggregation), theme)
        own = merged if by_aggregation else _algorithm_style(run.algorithm, theme)
        marker = merged.marker if run.aggregation != "mean" else own.marker
        dash, drawn = ("dash", f"{marker}-open") if run.scope else ("solid", marker)
        short = short_title(run, algorithm=not by_aggregation)
        result[run.key] = RunStyle(own.color, dash, drawn, GLYPHS.get(marker, "●"), short)
    return result


def _algorithm_style(name: str, theme: Theme) -> MethodStyle:
    if name not in _looks():
        return method_style(name, theme)
    hue, marker = _looks()[name]
    return MethodStyle(colour(hue, theme), "solid", marker)


@cache
def _looks() -> dict[str, tuple[str, str]]:
    """Return the colour and marker of every algorithm: those that are pinned first, then those of each newcomer.

    No two share a colour while there are free ones, and none a marker while there are free ones.
    """
    looks = dict(_PINNED)
    for name in sorted(algorithms().keys() - _PINNED.keys()):
        hues, markers = zip(*looks.values(), strict=True)
        hue = _unused(name, [f"extra{number}" for number in range(HUES)], hues)
        looks[name] = (hue, _unused(name, MARKERS, markers))
    return looks


def _unused(name: str, options: Sequence[str], used: Sequence[str]) -> str:
    """Return the option that suits ``name`` best among those used least."""
    fewest = min(used.count(option) for option in options)
    places = [place for place, option in enumerate(options) if used.count(option) == fewest]
    return options[preferred(name, places)]


def short_title(run: FederatedRun, *, algorithm: bool = True) -> str:
    """Return a few letters such as "SCAFFOLD + scope" or "FedAvg, krum"; without the ``algorithm`` if all share it."""
    parts = [find_algorithm(run.algorithm).title] if algorithm else []
    if run.aggregation != "mean" or not parts:
        parts.append(AGGREGATIONS[run.aggregation].lower() if parts else AGGREGATIONS[run.aggregation])
    return ", ".join(parts) + (" + scope" if run.scope else "")
