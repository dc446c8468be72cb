"""How much of what was measured may be chance: one room for every page, table and sentence.

``correctness`` writes down which test samples a network gets right; ``measured`` holds the accuracies of one method,
one a seed; ``pairs`` compares two methods on the same samples, ``best`` many, and ``bars`` gives one method its
interval.
Nothing here loads torch, and scipy is loaded on first use.
"""

from softmerge_core.statistics.bars import Bar, bar, interval
from softmerge_core.statistics.best import among_best, holm
from softmerge_core.statistics.correctness import pack, unpack
from softmerge_core.statistics.measured import Measured
from softmerge_core.statistics.pairs import LEVEL, Difference, difference, difference_of_values

__all__ = [
    "LEVEL",
    "Bar",
    "Difference",
    "Measured",
    "among_best",
    "bar",
    "difference",
    "difference_of_values",
    "holm",
    "interval",
    "pack",
    "unpack",
]
