"""How far apart two measured accuracies may lie by chance."""

from math import sqrt


def standard_error(first: float, second: float, n: int) -> float:
    """Of the difference between two accuracies (0-1), each from ``n`` samples taken as independent draws.

    sqrt(p(1-p)/n + q(1-q)/n). On one test set the two go together, so the true error is smaller: this is the
    careful side.
    """
    return sqrt((first * (1 - first) + second * (1 - second)) / n)
