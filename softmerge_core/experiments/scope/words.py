"""Weight scope alignment in sentences, the same live and at the end. Plain text: a page escapes it. Loads no torch."""

from collections.abc import Sequence
from math import isfinite

from softmerge_core.events import Barrier, Evaluation, Event, Histogram, Scopes, WeightPath
from softmerge_core.experiments.scope.spec import ScopeSpec
from softmerge_core.experiments.scope.told import SIDES, Told, merged_accuracies, newest_histograms, newest_paths
from softmerge_core.experiments.words import letter, percent, signed
from softmerge_core.landscape.barriers import path_barrier
from softmerge_core.numbers import NO_BREAK, number_text, points_text, range_text

SMALL = 3.0  # points of error: a lower barrier is hardly one, a smaller difference hardly a difference
SKEWED, TAILED, CLOSE = 0.5, 1.0, 0.06  # beyond these skewness, excess kurtosis or gap, it is not close to Gaussian
MEANING = {  # of each target scope
    "initial": "All are pulled toward the mean and spread that each layer had before training.",
    "source": "All are pulled toward the scope that one source has after plain training, which is done first.",
    "fused": "All are pulled toward the sources' own scopes after plain training, fused into one; that is done first.",
    "dynamic": "The sources' scopes are fused again every few epochs, and all are pulled toward the result.",
}
STEP = "A step is an epoch of one side, plain or aligned."  # of those that the progress bar counts
NUMBERS = ("none", "one", "two", "three", "four", "five", "six")


def source_title(number: int, side: str) -> str:
    """A source's network on one side: "A, aligned"."""
    return f"{letter(number)}, {SIDES[side].lower()}"


def series_title(series: str) -> str:
    """The network behind a series of histograms: "A, aligned", or "Initial weights"."""
    side, _, number = series.partition(":")
    if side == "start":
        return "Initial weights" if number == "0" else f"Initial weights {letter(int(number))}"
    return source_title(int(number), side)


def layer_title(layer: str) -> str:
    """A layer as readers know it: without ".weight" at the end."""
    return layer.removesuffix(".weight")


def pull_sentence(spec: ScopeSpec) -> str:
    """The scope toward which the sources of a run are pulled, how strongly, where they start, and what a step is."""
    start = "the same initial weights" if spec.same_start else "initial weights of their own"
    stages = f" {spec.stages} stages, each from the network merged before it." if spec.stages > 1 else ""
    weight = number_text(spec.weight, 6)
    return f"{MEANING[spec.target]} KL weight {weight}; {len(spec.sources)} sources from {start}.{stages} {STEP}"


def in_points(value: float) -> str:
    """Percentage points with their unit, whole from ten on."""
    return f"{points_number(value)}{NO_BREAK}points" if isfinite(value) else "not a number of points"


def points_number(value: float) -> str:
    """Finite percentage points as a number, as every sentence and label has them: whole from ten on."""
    return signed(value, 0 if abs(round(value, 1)) >= 10 else 1).removeprefix("+")


def verdict(told: Told) -> str:
    """Barriers with and without alignment at the newest epoch that both sides have reached, and the cost of it."""
    step = told.both()
    if step == 0:
        return _alone(told)
    plain, aligned = (100 * told.barriers[side, step] for side in SIDES)
    when = f"After {step} of {told.epochs} epochs"
    if not (isfinite(plain) and isfinite(aligned)):
        return f"{when} the error of an average is not a number. One seed."
    return f"{when} {_judged(plain, aligned, told)}{_cost(told, step)}. One seed."


def _alone(told: Told) -> str:
    """The barrier while only the side without alignment is trained."""
    if told.step == 0:
        return "Waiting for the first epoch."
    barrier = in_points(100 * told.barriers.get(("plain", told.step), float("nan")))
    return (
        f"After {told.step} of {told.epochs} epochs the error barrier {_place(told)} is {barrier} without scope "
        "alignment; the training with it follows. One seed."
    )


def _judged(plain: float, aligned: float, told: Told) -> str:
    between, with_it, without = _place(told), in_points(aligned), in_points(plain)
    if max(plain, aligned) < SMALL:
        return f"there is hardly a barrier {between}: {with_it} with scope alignment, {without} without"
    if plain - aligned >= SMALL:
        return f"the error barrier {between} is {with_it} with scope alignment and {without} without"
    does = "raises" if aligned - plain >= SMALL else "does not lower"
    return f"scope alignment {does} the error barrier {between}: {with_it} with it, {without} without"


def _cost(told: Told, step: int) -> str:
    without, with_it = (told.accuracy(side, step) for side in SIDES)
    if without is None or with_it is None:
        return ""
    lost = 100 * (without - with_it)
    if abs(lost) < 0.05:
        text = "alignment costs no accuracy"
    else:
        text = f"alignment {'costs' if lost > 0 else 'gains'} {points_text(lost / 100)} of accuracy"
    return f"; {text} ({percent(with_it)} instead of {percent(without)})"


def _place(told: Told) -> str:
    """The network at which the barrier is measured: the average of all sources."""
    if told.sources == 2:
        return "half way between the two"
    return f"at the average of the {NUMBERS[told.sources] if told.sources < len(NUMBERS) else told.sources}"


def sources_sentence(events: Sequence[Event]) -> str:
    """Each source's newest accuracy on both sides."""
    newest = {e.series: e.accuracy for e in events if isinstance(e, Evaluation)}
    found = [name for name in newest if name.startswith("plain:") and name[6:].isdigit()]
    parts = [
        f"{letter(int(name[6:]))} {percent(newest.get(f'aligned:{name[6:]}'))} aligned and "
        f"{percent(newest[name])} plain"
        for name in sorted(found)
    ]
    return f"Accuracy on test data, one seed: {'; '.join(parts)}." if parts else "Waiting for the first epoch."


def path_sentence(events: Sequence[Event]) -> str:
    """The height of the barrier on the whole path, once it has been walked, and half way where that is another one."""
    paths = newest_paths(events)
    if not all(side in paths for side in SIDES):
        return "Error on the straight line from Source A to Source B, walked when the training ends."
    own = [paths[side] for side in SIDES]
    (without, with_it), (plain, aligned) = map(_height, own), map(_half_way, own)
    apart = (without, with_it) != (plain, aligned)
    text = f"{with_it} with alignment, {without} without"
    if apart:
        text = f"at its highest {text} (half way {aligned} and {plain})"
    permuted = [paths.get(f"{side}:permuted") for side in SIDES]
    if all(permuted):
        without, with_it = (_height(path) for path in permuted if path)
        text += f"; once units are put in one order, {with_it} with and {without} without"
    return f"On the straight line from A to B the barrier is {text}."


def _height(path: WeightPath) -> str:
    """The barrier where it is highest."""
    return in_points(100 * path_barrier(path, "error")[0])


def _half_way(path: WeightPath) -> str:
    """The barrier in the middle of the path, of which the verdict tells."""
    middle = path.test_error[len(path.t) // 2]
    return in_points(100 * (middle - (path.test_error[0] + path.test_error[-1]) / 2))


def distance_sentence(events: Sequence[Event]) -> str:
    """The summed distance of the scopes on both sides."""
    newest = {event.series: event for event in events if isinstance(event, Barrier)}
    sums = {side: sum(newest[side].distance) for side in SIDES if side in newest}
    if len(sums) < len(SIDES):
        return "Waiting for both sides."
    plain, aligned = (number_text(sums[side]) if isfinite(sums[side]) else "infinitely many" for side in SIDES)
    return f"Summed over layers, the sources' scopes are {aligned} nats apart with alignment and {plain} without."


def target_sentence(events: Sequence[Event]) -> str:
    """How far the spreads have moved from where they began."""
    scopes = [event for event in events if isinstance(event, Scopes)]
    grown = {side: _growth(scopes, side) for side in SIDES}
    if not all(grown.values()):
        return "Waiting for the first epoch."
    plain, aligned = (range_text(f"{min(v):.2f}", f"{max(v):.2f}") for v in (grown["plain"], grown["aligned"]))
    return f"The spreads are now {plain} times those at the start without alignment, {aligned} times with it."


def _growth(scopes: Sequence[Scopes], side: str) -> list[float]:
    """For every source and layer of a side, the spread now over that at the start, where there was one."""
    own = [event for event in scopes if event.series.partition(":")[0] == side and not event.series.endswith("target")]
    first: dict[str, Scopes] = {}
    for event in own:
        first.setdefault(event.series, event)
    last = {event.series: event for event in own}
    pairs = ((a, b) for name in last for a, b in zip(first[name].sigma, last[name].sigma, strict=True))
    return [after / before for before, after in pairs if before > 0]


def judged(histogram: Histogram) -> str:
    """The feature that most tells the weights of a layer from a Gaussian, or "close to Gaussian"."""
    found = []
    if histogram.kurtosis > TAILED:
        found.append("heavy tails")
    if histogram.kurtosis < -TAILED:
        found.append("flat, no tails")
    if abs(histogram.skewness) > SKEWED:
        found.append(f"longer tail on the {'right' if histogram.skewness > 0 else 'left'}")
    if found:
        return ", ".join(found)
    return "close to Gaussian" if histogram.gap <= CLOSE else "roughly Gaussian"


def normality_phrase(histogram: Histogram) -> str:
    """How Gaussian the weights of a layer are, in words and numbers."""
    skewness, kurtosis = (signed(value).removeprefix("+") for value in (histogram.skewness, histogram.kurtosis))
    return f"{judged(histogram)} (skewness {skewness}, excess kurtosis {kurtosis})"


def normality_sentence(events: Sequence[Event]) -> str:
    """How many layers of the trained sources are close to Gaussian, and the one that is the least so."""
    everything = newest_histograms(events)
    trained = {key: histogram for key, histogram in everything.items() if not key[0].startswith("start")}
    found = trained or everything
    if not found:
        return "Waiting for the initial weights."
    close = sum(judged(histogram) == "close to Gaussian" for histogram in found.values())
    (series, layer), worst = max(found.items(), key=lambda item: _strangeness(item[1]))
    among = "trained layers" if trained else "layers before training"
    whose = f" of {series_title(series)}" if trained else ""
    verb = "is" if close == 1 else "are"
    least = f"least so {layer_title(layer)}{whose} ({judged(worst)})"
    return f"{close} of {len(found)} {among} {verb} close to Gaussian; {least}."


def _strangeness(histogram: Histogram) -> tuple[bool, float]:
    """Sorts layers from most to least Gaussian: those with a feature of their own come last, then the gap counts."""
    return not judged(histogram).endswith("Gaussian"), histogram.gap


def normality_rows(events: Sequence[Event], layers: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Per layer with histograms: its name, and a line in words for each network, the initial weights first."""
    found = newest_histograms(events)
    order = ("start", *SIDES)
    series = sorted({name for name, _ in found}, key=lambda name: (order.index(name.partition(":")[0]), name))
    rows = []
    for layer in layers:
        known = [name for name in series if (name, layer) in found]
        lines = [f"{series_title(name)}: {normality_phrase(found[name, layer])}" for name in known]
        rows += [(layer_title(layer), lines)] if lines else []
    return rows


def stage_rows(events: Sequence[Event]) -> list[list[str]]:
    """Per stage: its number, and the test accuracy of the merged network on each side, without alignment first."""
    return [
        [str(number), *(percent(own.get(side)) for side in SIDES)]
        for number, own in enumerate(merged_accuracies(events), 1)
    ]
