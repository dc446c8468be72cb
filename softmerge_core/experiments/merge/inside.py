"""What a merged network does on single test samples and with each class, beside others, in words. Loads no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from softmerge_core.events import BEST
from softmerge_core.experiments.merge.predictions import Predictions
from softmerge_core.experiments.words import percent, plural, points, source_text
from softmerge_core.numbers import percent_text, points_text, range_text
from softmerge_core.statistics import Difference, Measured, difference, pack
from softmerge_core.statistics.calibration import Calibration

SOFT, AVERAGE, ENSEMBLE = "soft", "average", "ensemble"
CALLED = {SOFT: "the merged network", AVERAGE: "the plain average", BEST: "the best source", ENSEMBLE: "the ensemble"}
CALIBRATED = (SOFT, AVERAGE, BEST, ENSEMBLE)
LEAST_P = 0.001


@dataclass(frozen=True)
class Answer:
    """What a network says of one sample: ``network``: its key, ``title``: its name; ``sure``: 0-1, NaN if unknown."""

    network: str
    title: str
    said: str
    sure: float
    right: bool


@dataclass(frozen=True)
class Shown:
    """A test sample that is looked at: its ``place`` in the test set, its true class, and what networks say of it."""

    place: int
    truth: str
    own: Answer
    other: Answer
    sources: tuple[Answer, ...]


def called(network: str, sources: Sequence[str]) -> str:
    """A network as it is called inside a sentence, by its key."""
    place = network.removeprefix("source:")
    return CALLED[network] if network in CALLED else source_text(sources[int(place)])


def brief(network: str) -> str:
    """The same without a source's own name, for titles."""
    return CALLED.get(network, f"Source {int(network.removeprefix('source:')) + 1}" if ":" in network else network)


def class_titles(names: Sequence[str], classes: int) -> list[str]:
    """What classes are called: by their names, or else their numbers."""
    return list(names) if len(names) >= classes else [str(number) for number in range(classes)]


def class_count(found: Predictions, names: Sequence[str] = ()) -> int:
    """The number of classes, as far as answers and names tell it."""
    return max(len(names), 1 + max(int(values.max()) for values in (found.labels, *found.classes.values())))


def shown_samples(
    found: Predictions, places: Sequence[int], other: str, classes: Sequence[str], sources: Sequence[str]
) -> list[Shown]:
    """The test samples at ``places``, with what the merged network, ``other`` and every source say."""

    def answer(network: str, place: int) -> Answer:
        said = classes[int(found.answers(network)[place])]
        sure, right = float(found.sure(network)[place]), bool(found.right(network)[place])
        return Answer(network, called(network, sources), said, sure, right)

    keys = [f"source:{number}" for number in found.sources]
    return [
        Shown(
            place,
            classes[int(found.labels[place])],
            answer(SOFT, place),
            answer(other, place),
            tuple(answer(key, place) for key in keys),
        )
        for place in places
    ]


def paired(found: Predictions, other: str) -> Difference:
    """The merged network against ``other`` on the same samples, as pages compare all networks."""
    first, second = (_measured(found, network) for network in (SOFT, other))
    return difference(first, second)


def _measured(found: Predictions, network: str) -> Measured:
    right = found.right(network)
    return Measured((float(right.mean()),), found.count, (pack(right.tolist()),))


def changes_sentence(found: Predictions, other: str, sources: Sequence[str]) -> str:
    """How many samples the merged network gains and loses against ``other``, and whether that is more than chance."""
    gained, lost = len(found.gained(SOFT, other)), len(found.gained(other, SOFT))
    name, told = called(other, sources), paired(found, other)
    if told.same:
        return f"The merged network and {name} get exactly the same of {found.count:,} test samples right."
    net = gained - lost
    first = (
        f"Of {found.count:,} test samples the merged network gets {gained:,} right that {name} gets wrong, "
        f"and {lost:,} wrong that it gets right"
    )
    size = f"net {'+' if net > 0 else ''}{net:,}".replace("-", "\u2212")
    p = f"p\u00a0<\u00a0{LEAST_P}" if told.p < LEAST_P else f"p\u00a0=\u00a0{told.p:.3f}"
    chance = "more than chance gives" if told.told_apart else "which chance alone may give"
    reach = f"95\u00a0% interval {range_text(points(told.low), points(told.high))}"
    return f"{first}: {size}, {points(told.gap)} points ({reach}), {chance} (McNemar's test, {p})."


def page_sentence(total: int, start: int, shown: int, rule: str = "in the order of the test set") -> str:
    """Which of so many samples are shown, and that nobody picked them."""
    if total == shown:
        return f"All {total:,}, {rule}." if total > 1 else "The only one."
    return f"{start + 1:,} to {start + shown:,} of {total:,}, {rule}: none is picked out."


def confusion_sentence(
    counts: np.ndarray, network: str, classes: Sequence[str], groups: Sequence[tuple[str, int]], sources: Sequence[str]
) -> str:
    """The most frequent mistake, and how many mistakes stay within a group of classes."""
    name, wrong = called(network, sources), counts.copy()
    np.fill_diagonal(wrong, 0)
    mistakes = int(wrong.sum())
    if not mistakes:
        return f"{name[0].upper()}{name[1:]} makes no mistake on these samples."
    truth, answer = divmod(int(wrong.argmax()), len(counts))
    text = (
        f"{name[0].upper()}{name[1:]} is wrong on {plural(mistakes, 'sample')}; most often it takes "
        f"“{classes[truth]}” for “{classes[answer]}” ({int(wrong[truth, answer]):,} of {int(counts[truth].sum()):,}). "
        "Rows are true classes."
    )
    if len(groups) > 1:
        owner = np.repeat(range(len(groups)), [size for _, size in groups])
        inside = int(wrong[owner[:, None] == owner[None, :]].sum())
        text += f" {percent_text(inside / mistakes)} of its mistakes stay within one of {len(groups)} data sets."
    return text


def against_sentence(network: str, other: str, sources: Sequence[str]) -> str:
    """How the difference of two confusion matrices is to be read."""
    name, than = called(network, sources), called(other, sources)
    return (
        f"Blue: {name} gives that answer more often than {than}; red: less often. Blue on the diagonal is a gain, blue "
        "elsewhere a mistake that is made more often."
    )


def calibration_sentence(found: Mapping[str, Calibration], means: Mapping[str, tuple[float, float]]) -> str:
    """Whether the merged network is as often right as it says, and whose calibration error is the smallest.

    ``means``: by network, its mean confidence and the share it gets right (0-1).
    """
    own, (says, right) = found[SOFT], means[SOFT]
    if not own.samples:
        return "The merged network's confidences are not finite."
    verdict = _claims(says, right, own.error) if own.told else "a perfectly calibrated network may show as much"
    text = (
        f"The merged network says {percent(says)} on average and is right on {percent(right)}: calibration error "
        f"{points_text(own.error)} ({interval_text(own)}); {verdict}."
    )
    others = {name: each for name, each in found.items() if name != SOFT and each.samples}
    if others:
        name = min(others, key=lambda key: others[key].error)
        text += f" Of the others the lowest is {CALLED[name]}: {points_text(others[name].error)}"
        text += f" ({interval_text(others[name])})."
    return text


def _claims(says: float, right: float, error: float) -> str:
    """Whether a network says more than it should, less, or both at times: errors of one sign add up in the means."""
    if abs(says - right) < error / 2:
        return "it claims too much at some confidences and too little at others"
    return f"it claims too {'little' if says < right else 'much'}"


def legend_sentence(found: Predictions, other: str, sources: Sequence[str], glyphs: tuple[str, str]) -> str:
    """What stands under each picture; ``glyphs``: the marks of the merged network and of ``other``."""
    names = [f"{number} {source_text(sources[place])}" for number, place in enumerate(found.sources, 1)]
    own, beside = glyphs
    return (
        f"Under each: its true class; {own} the merged network and {beside} {called(other, sources)}, each with its "
        f"answer and confidence; then right or wrong of each source: {', '.join(names)}."
    )


def interval_text(found: Calibration) -> str:
    """The 95 % interval of a calibration error in words."""
    return f"95\u00a0% interval {range_text(f'{100 * found.low:.1f}', f'{100 * found.high:.1f}')}"


def samples_of(result: Mapping[str, Any], found: Predictions) -> str:
    """A note where answers of a part of the test samples alone were kept; else ""."""
    tested = int(result["samples"]["test"])
    return f" The first {found.count:,} of {tested:,} test samples were kept." if found.count < tested else ""
