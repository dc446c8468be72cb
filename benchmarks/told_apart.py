"""How often methods are told apart, equal ones and others, in simulated comparisons.

``python -m benchmarks.told_apart`` prints the table; a smaller one is among the tests.

Each simulated method gets a sample right or not by a threshold on how hard the sample is for it. That has a part all
methods share, a part of the method and a part of the seed, such that two networks with accuracies of 85 to 88 % differ
on 10 to 12 % of the samples, as the shipped families' merges do; seeds also have abler and less able networks.

The rule (``softmerge_core.statistics.variance.Chance``) was chosen among a dozen on seeds 101 to 402 of the simulation.
``--seed 20261``, used for none of them, gave (1,000 of each; the standard error of 5 % is .7 points, of 80 % 1.3):

| told apart, seeds with an SD of | one seed | three seeds | five seeds |
|---|---|---|---|
| equal methods, 0 points | 4.7 % | 1.8 % | 3.8 % |
| equal methods, .25 points | - | 2.0 % | 4.6 % |
| equal methods, 1 point | - | 2.5 % | 4.0 % |
| equal methods, 2 points | - | 3.2 % | 4.6 % |
| 3 points apart, 0 points | 85.1 % | 91.7 % | 99.5 % |
| 3 points apart, .25 points | - | 88.2 % | 98.8 % |
| 3 points apart, 1 point | - | 46.8 % | 83.3 % |
| 3 points apart, 2 points | - | 19.8 % | 42.7 % |

Of 19 equal methods none was ever called best; a given one was not among the best in 2.2 % (one seed) or at most .4 %
(three seeds, whatever their SD). Where seeds lie a point or two apart, three of them find a gap of three points in less
than half of all tries. One seed knows nothing of others: its 4.7 % are for the networks of that seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite, nan

import numpy as np
from scipy.stats import norm

from benchmarks.base import Benchmark
from benchmarks.tables import Table
from softmerge_core.statistics import Measured, among_best, difference, pack

SAMPLES = 1000
GAP = 0.03
SEEDS = (1, 3, 5)
SPREADS = (0.0, 0.25, 1.0, 2.0)  # SD in points of the true accuracies of a method's seeds


@dataclass(frozen=True)
class World:
    """``shared`` and ``own`` (of the method): shares of a sample's difficulty, the rest is the seed's own.

    ``seed_sd``: spread (0-1) of the true accuracies of a method's seeds; with what the
    samples add, seeds then lie as far apart as those of the shipped comparison (half a point).
    """

    shared: float = 0.83
    own: float = 0.085
    seed_sd: float = 0.0025

    def tested(self, truths: list[float], seeds: int, random: np.random.Generator, n: int = SAMPLES) -> list[Measured]:
        """One method for each true accuracy (0-1), each with so many seeds, on the same ``n`` new samples."""
        common, found = random.standard_normal(n) * self.shared**0.5, []
        rest = 1 - self.shared - (self.own if seeds > 1 else 0)
        for truth in truths:
            mine = random.standard_normal(n) * self.own**0.5 if seeds > 1 else 0.0
            luck = self.seed_sd * random.standard_normal(seeds) if seeds > 1 else np.zeros(1)
            ability = np.clip(truth + luck, 0.001, 0.999)
            hard = common + mine + random.standard_normal((seeds, n)) * rest**0.5
            right = hard < norm.ppf(ability)[:, None]
            packed = tuple(pack(row) for row in right)
            found.append(Measured(tuple(map(float, right.mean(1))), n, packed))
        return found


def apart(gap: float, seeds: int, tries: int, *, n: int = SAMPLES, seed: int = 0, world: World | None = None) -> float:
    """The share of ``tries`` in which two methods with true accuracies .88 and .88 - ``gap`` are told apart."""
    random, world = np.random.default_rng(seed), world or World()
    pairs = (world.tested([0.88, 0.88 - gap], seeds, random, n) for _ in range(tries))
    return sum(difference(*pair).told_apart for pair in pairs) / tries


def clearly_best(
    methods: int, seeds: int, tries: int, *, lead: float = 0.0, seed: int = 0, world: World | None = None
) -> tuple[float, float]:
    """(the share of ``tries`` in which one of many methods is called clearly best, in which the true best is left out).

    All have a true accuracy of .85 but the first, which is ``lead`` above.
    """
    random, world, alone, lost = np.random.default_rng(seed), world or World(), 0, 0
    for _ in range(tries):
        tested = world.tested([0.85 + lead] + [0.85] * (methods - 1), seeds, random)
        best = among_best({str(number): one for number, one in enumerate(tested)})
        alone += len(best) == 1
        lost += "0" not in best
    return alone / tries, lost / tries


def discordant(seeds: int, gap: float, seed: int = 0) -> float:
    """The share of samples on which just one of two simulated networks is right."""
    first, second = World().tested([0.88, 0.88 - gap], seeds, np.random.default_rng(seed), 100_000)
    one, other = (Measured(t.accuracies[:1], t.samples, t.correct[:1]).right for t in (first, second))
    assert one is not None
    assert other is not None
    return float(np.mean(one != other))


def tables(device: str, *, tries: int = 1000, seed: int = 1) -> Iterator[Table | str]:
    """Yield the table; ``seed`` is that of the simulation."""
    error = 100 * (0.05 * 0.95 / tries) ** 0.5
    yield (
        f"{tries:,} simulated comparisons of each kind, {SAMPLES:,} test samples, {discordant(1, GAP):.1%} discordant "
        f"(standard error of a share of 5 %: {error:.1f} points; of 80 %: {100 * (0.16 / tries) ** 0.5:.1f})."
    )
    yield Table(("", "one seed", "three seeds", "five seeds"), _rows(tries, seed))


def _rows(tries: int, seed: int) -> Iterator[list[str]]:
    for points in SPREADS:
        world = World(seed_sd=points / 100)
        for title, gap in (("two equal methods told apart", 0.0), ("a true gap of 3 points found", GAP)):
            shares = [apart(gap, s, tries, seed=seed, world=world) if _shown(s, points) else nan for s in SEEDS]
            yield _row(f"{title}, seeds {points:g} points apart", shares)
    for points in SPREADS:
        world = World(seed_sd=points / 100)
        found = [clearly_best(19, s, tries, seed=seed, world=world) if _shown(s, points) else (nan, nan) for s in SEEDS]
        apart_ = f"seeds {points:g} points apart"
        yield _row(f"19 equal methods: one called best, {apart_}", [one for one, _ in found])
        yield _row(f"19 equal methods: a given one not among the best, {apart_}", [lost for _, lost in found])
    led = [clearly_best(19, seeds, tries, lead=0.05, seed=seed) for seeds in SEEDS]
    yield _row("19 methods, one 5 points above: called best", [one for one, _ in led])


def _shown(seeds: int, points: float) -> bool:
    """One seed says nothing of how far seeds lie apart: it is simulated once."""
    return seeds > 1 or not points


def _row(title: str, shares: list[float]) -> list[str]:
    return [title, *(f"{share:.1%}" if isfinite(share) else "-" for share in shares)]


BENCHMARK = Benchmark(
    name="told_apart", title="How often methods are told apart, equal ones and others", minutes=15, tables=tables
)

if __name__ == "__main__":
    BENCHMARK.main()
