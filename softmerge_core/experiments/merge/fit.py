"""What the weights of sources say before they are merged, in numbers and plain sentences. Loads no torch.

Networks that started from one ancestor keep directions in common; those that started apart have none. The median over
layers of |cosine| tells them apart: in the families that ship it is .49 to .98 where sources share a trunk (down to .17
beside noise of three standard deviations), and at most .10 where they were trained apart.
"""

from collections.abc import Callable, Sequence
from itertools import combinations
from math import sqrt
from statistics import median
from typing import NamedTuple

from softmerge_core.checkpoints.distances import FAR, Distances, Layer
from softmerge_core.experiments.words import clipped, listed, plural
from softmerge_core.numbers import MINUS, NO_BREAK, number_text, percent_text, range_text

KIN, APART = 0.3, 0.15  # medians of |cosine|: from the first on sources look akin, up to the second they do not
NAMED = 3  # layers, pairs or sources that one sentence names

Products = Sequence[Sequence[float]]


class Pair(NamedTuple):
    """Two sources by their places: relative L2 distance and cosine of all weights; ``kin``: the median of |cosine|."""

    first: int
    second: int
    distance: float
    cosine: float
    kin: float


class Extreme(NamedTuple):
    """A layer of one source whose largest |w| is ``times`` as large as the largest that the others have there."""

    layer: str
    source: int
    largest: float
    times: float


def pairs(found: Distances) -> list[Pair]:
    """Every two sources."""
    count = len(found.layers[0].products) if found.layers else 0
    each = range(count)
    whole = [[sum(layer.products[i][j] for layer in found.layers) for j in each] for i in each]
    return [_pair(found, whole, i, j) for i, j in combinations(each, 2)]


def _pair(found: Distances, whole: Products, first: int, second: int) -> Pair:
    cosines = [abs(cosine(layer.kin, first, second)) for layer in found.layers if layer.kin[first][first]]
    kin = median(cosines) if cosines else abs(cosine(whole, first, second))
    return Pair(first, second, distance(whole, first, second), cosine(whole, first, second), kin)


def distance(products: Products, first: int, second: int) -> float:
    """|a - b| over the mean of |a| and |b|; 0 where both are 0."""
    squares, product = (products[first][first], products[second][second]), products[first][second]
    mean = (sqrt(squares[0]) + sqrt(squares[1])) / 2
    return sqrt(max(sum(squares) - 2 * product, 0.0)) / mean if mean else 0.0


def cosine(products: Products, first: int, second: int) -> float:
    """The cosine of the angle between two sources, within [-1, 1]; 0 where one is 0."""
    norms = sqrt(products[first][first]) * sqrt(products[second][second])
    return min(max(products[first][second] / norms, -1.0), 1.0) if norms else 0.0


def extremes(found: Distances) -> list[Extreme]:
    """What is far beyond the others' largest weights in its layer, the farthest first; of two sources the larger."""
    told = [one for layer in found.layers for one in _beyond(layer)]
    return sorted(told, key=lambda one: -one.times)


def _beyond(layer: Layer) -> list[Extreme]:
    usual = sorted(layer.largest)[(len(layer.largest) - 1) // 2]  # the lower median: two odd ones of four are told
    cases = [(place, value, value / usual) for place, value in enumerate(layer.largest) if usual]
    return [Extreme(layer.name, place, value, times) for place, value, times in cases if times >= FAR]


def not_finite(found: Distances) -> list[tuple[str, int, int]]:
    """(layer, source, numbers) of what is NaN or Inf."""
    return [(layer.name, k, n) for layer in found.layers for k, n in enumerate(layer.not_finite) if n]


def fit_sentence(found: Distances, names: Sequence[str]) -> str:
    """The compact line: how far apart, whether they look akin, and what is odd."""
    told = [*_odd(found, names), _kin(pairs(found), names)]
    return " ".join(filter(None, told))


def _kin(found: Sequence[Pair], names: Sequence[str]) -> str:
    if not found:
        return ""
    apart = _range([pair.distance for pair in found], _distance_text)
    strange = [pair for pair in found if pair.kin < KIN]
    numbers = _range([pair.kin for pair in found], lambda value: f"{value:.2f}")
    basis = f"(|cosine| {numbers}, distance {apart})"
    if not strange:
        return f"The sources look as if they share an ancestor {basis}."
    if all(pair.kin <= APART for pair in found):
        return f"The sources look as if each started from weights of its own {basis}: finer gates may find no mixture."
    return f"{_strangers(strange, len(names), names)} {basis}."


def _strangers(strange: Sequence[Pair], count: int, names: Sequence[str]) -> str:
    """Who does not look akin: the sources that are in all these pairs, or how many pairs there are."""
    alone = [k for k in range(count) if sum(k in pair[:2] for pair in strange) == count - 1]
    if alone and count > 2:
        who = listed([clipped(names[k], 40) for k in alone[:NAMED]])
        return f"{who} {'looks' if len(alone) == 1 else 'look'} little akin to the others"
    return f"It is not clear whether the sources share an ancestor: {plural(len(strange), 'pair')} may not"


def _odd(found: Distances, names: Sequence[str]) -> list[str]:
    told = []
    if broken := not_finite(found):
        who = listed(list(dict.fromkeys(clipped(names[k], 40) for _, k, _ in broken))[:NAMED])
        told.append(f"NaN or Inf in {who} ({clipped(broken[0][0], 60)}).")
    if odd := extremes(found):
        who = listed(list(dict.fromkeys(clipped(names[one.source], 40) for one in odd))[:NAMED])
        times = f"{number_text(odd[0].times, 2)} times the usual largest weight"
        told.append(f"Extreme values in {who} ({clipped(odd[0].layer, 60)}: {times}).")
    return told


def _range(values: Sequence[float], text: Callable[[float], str]) -> str:
    return range_text(text(min(values)), text(max(values)))


def pair_rows(found: Distances, names: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """A row for each pair: its names, relative distance, cosine, and the median of |cosine| over layers."""
    return [
        (
            f"{clipped(names[pair.first], 30)}{NO_BREAK}– {clipped(names[pair.second], 30)}",
            _distance_text(pair.distance),
            _cosine_text(pair.cosine),
            f"{pair.kin:.2f}",
        )
        for pair in pairs(found)
    ]


def layer_rows(found: Distances) -> list[tuple[str, str, str, str]]:
    """A row for each layer: its name, the range of distances and of cosines over pairs, and its largest |w|."""
    return [_layer_row(layer) for layer in found.layers]


def _layer_row(layer: Layer) -> tuple[str, str, str, str]:
    both = list(combinations(range(len(layer.products)), 2))
    apart = _range([distance(layer.products, *pair) for pair in both], _distance_text)
    turned = [cosine(layer.products, *pair) for pair in both]
    ends = range_text(_cosine_text(min(turned)), _cosine_text(max(turned)))
    return layer.name, apart, ends, _size_text(max(layer.largest))


def _distance_text(value: float) -> str:
    """A relative distance in percent; small ones with a decimal, so that 0 is said only of what is the same."""
    return percent_text(value, 0 if value >= 0.1 or value == 0 else 1 if value >= 1e-3 else 3)


def _size_text(value: float) -> str:
    """The size of a weight with two decimals, as its neighbours in a column; very small or large ones otherwise."""
    return f"{value:.2f}" if 0.1 <= value < 1000 else number_text(value, 2)


def _cosine_text(value: float) -> str:
    return f"{value:.2f}".replace("-", MINUS)
