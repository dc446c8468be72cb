"""What the Scope page says of layers: how Gaussian their weights are, how far apart scopes are, what stages came to."""

from collections.abc import Sequence
from math import isfinite

from pages.shared.show.text import plain
from softmerge_core.events import AnyEvent, Barrier, Evaluation, Histogram, Scopes, WeightPath
from softmerge_core.experiments.connectivity.words import barrier_of
from softmerge_core.experiments.scope.words import SIDES, letter, points
from softmerge_core.experiments.words import percent
from softmerge_core.figures.scope import SIDES as SIDE_TITLES
from softmerge_core.figures.scope import newest_paths
from softmerge_core.figures.scope_layers import layer_titles, newest_histograms
from softmerge_core.scope.normality import Normality, in_words, judged


def measured(histogram: Histogram) -> Normality:
    """The normality an event tells."""
    return Normality(histogram.skewness, histogram.kurtosis, histogram.gap)


def normality_sentence(events: Sequence[AnyEvent]) -> str:
    """How many layers of the trained sources are close to Gaussian, and which is the least so."""
    trained = {key: h for key, h in newest_histograms(events).items() if not key[0].startswith("start")}
    found = trained or newest_histograms(events)
    if not found:
        return "Waiting for the initial weights."
    close = sum(judged(measured(histogram)) == "close to Gaussian" for histogram in found.values())
    (series, layer), worst = max(found.items(), key=lambda item: _strangeness(item[1]))
    what = "trained layers" if trained else "layers before training"
    name = layer_titles([layer])[0]
    verb = "is" if close == 1 else "are"
    least = f"least so {name}{_whose(series)} ({judged(measured(worst))})"
    return f"{close} of {len(found)} {what} {verb} close to Gaussian; {least}."


def _strangeness(histogram: Histogram) -> tuple[bool, float]:
    """What sorts layers from most to least Gaussian: those with a word of their own last, then by the gap."""
    return not judged(measured(histogram)).endswith("Gaussian"), histogram.gap


def _whose(series: str) -> str:
    side, _, number = series.partition(":")
    return f" of {letter(int(number))} {SIDE_TITLES[side].lower()}" if side in SIDE_TITLES else ""


def normality_lines(events: Sequence[AnyEvent], layers: Sequence[str]) -> list[str]:
    """Per layer, as Markdown: its name, then what each series' weights look like in words."""
    found = newest_histograms(events)
    return [
        f"**{plain(layer.removesuffix('.weight'), 60)}**  \n"
        + "  \n".join(
            f"{series_title(name)}: {in_words(measured(found[name, layer]))}"
            for name in normality_series(events)
            if (name, layer) in found
        )
        for layer in layers
    ]


def normality_series(events: Sequence[AnyEvent]) -> list[str]:
    """The series that have histograms: initial weights first, then each side's sources."""
    known = {series for series, _ in newest_histograms(events)}
    return sorted(known, key=lambda name: (("start", *SIDES).index(name.partition(":")[0]), name))


def series_title(series: str) -> str:
    """Whose weights a series are."""
    side, _, number = series.partition(":")
    if side == "start":
        return "Initial weights" if number == "0" else f"Initial weights {letter(int(number))}"
    return f"{letter(int(number))} {SIDE_TITLES[side].lower()}"


def distance_sentence(events: Sequence[AnyEvent]) -> str:
    """The summed distance of the scopes on both sides."""
    newest = {event.series: event for event in events if isinstance(event, Barrier)}
    sums = {side: sum(newest[side].distance) for side in SIDES if side in newest}
    if len(sums) < len(SIDES):
        return "Waiting for both sides."
    plain, aligned = (f"{sums[side]:.3g}" if isfinite(sums[side]) else "infinitely many" for side in SIDES)
    return f"Summed over layers, the sources' scopes are {aligned} nats apart with alignment and {plain} without."


def target_sentence(events: Sequence[AnyEvent]) -> str:
    """How far the spreads have moved from where they began."""
    scopes = [event for event in events if isinstance(event, Scopes)]
    grown = {side: _growth(scopes, side) for side in SIDES}
    if not all(grown.values()):
        return "Waiting for the first epoch."
    plain, aligned = (f"{min(v):.2f} to {max(v):.2f}" for v in (grown["plain"], grown["aligned"]))
    return f"The spreads are now {plain} times those at the start without alignment, {aligned} times with it."


def _growth(scopes: Sequence[Scopes], side: str) -> list[float]:
    """Of every source's layers on a side: the spread now over that at the start, where there was one."""
    own = [event for event in scopes if event.series.partition(":")[0] == side and not event.series.endswith("target")]
    first: dict[str, Scopes] = {}
    for event in own:
        first.setdefault(event.series, event)
    last = {event.series: event for event in own}
    pairs = ((a, b) for name in last for a, b in zip(first[name].sigma, last[name].sigma, strict=True))
    return [after / before for before, after in pairs if before > 0]


def path_sentence(events: Sequence[AnyEvent]) -> str:
    """The height of the barrier on the whole path, when it has been walked."""
    paths = newest_paths(events)
    if not all(side in paths for side in SIDES):
        return "Error on the straight line from source A to source B, walked when the training ends."
    heights = [_height(paths[side]) for side in SIDES]
    text = f"On the straight line from A to B the barrier is {heights[1]} with alignment, {heights[0]} without"
    permuted = [paths.get(f"{side}:permuted") for side in SIDES]
    if all(permuted):
        low = [_height(path) for path in permuted if path]
        text += f"; once units are put in one order, {low[1]} with and {low[0]} without"
    return f"{text}."


def _height(path: WeightPath) -> str:
    return points(100 * barrier_of(path, "error")[0])


def sources_sentence(events: Sequence[AnyEvent]) -> str:
    """Each source's newest accuracy on both sides."""
    newest = {e.series: e.accuracy for e in events if isinstance(e, Evaluation)}
    found = [name for name in newest if name.startswith("plain:") and name[6:].isdigit()]
    parts = [
        f"{letter(int(name[6:]))} {percent(newest.get(f'aligned:{name[6:]}'))} with alignment and "
        f"{percent(newest[name])} without"
        for name in sorted(found)
    ]
    return f"Test accuracy: {'; '.join(parts)}." if parts else "Waiting for the first epoch."


def stage_rows(events: Sequence[AnyEvent]) -> list[list[str]]:
    """Per stage: its number, and the test accuracy of what each side merged, without first."""
    found: dict[int, dict[str, float]] = {}
    for event in events:
        if isinstance(event, Evaluation) and event.series.endswith(":merged"):
            found.setdefault(event.step, {})[event.series.partition(":")[0]] = event.accuracy
    return [
        [str(number), *(percent(own.get(side)) for side in SIDES)]
        for number, (_, own) in enumerate(sorted(found.items()), 1)
    ]
