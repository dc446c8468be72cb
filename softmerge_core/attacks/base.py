"""What an attack is: how it is called wherever a reader meets it, and what it does to numbers. Loads no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Draw(Protocol):
    """Random choices from the attack's seed."""

    def noise(self, value: "Tensor") -> "Tensor":
        """Gaussian noise of the shape and standard deviation of ``value``."""
        ...

    def replace_one(self, value: "Tensor", by: float) -> "Tensor":
        """``value`` with one entry, drawn at random, replaced."""
        ...


@dataclass(frozen=True)
class Attack:
    """One way to spoil a copy of a network. Exactly one of ``weights``, ``labels`` and ``head`` says how.

    ``weights(value, strength, draw)``: the spoiled value of each floating-point tensor; ``labels(labels, classes)``:
    the labels on which the copy is trained further, for ``strength`` epochs; ``head(parameter, strength)``: the
    spoiled value of the last layer's weight and bias, one row a class.
    """

    name: str  # in specs and addresses
    title: str  # in menus: "Extreme values"
    mark: str  # behind a source's title: "extreme values"
    does: str  # to a copy, as a sentence
    sends: str  # "Each malicious source sends ..."
    past: str  # how the copy was made: "...; afterwards ..."; may name {strength:g}
    unit: str = ""  # of the strength; none: the attack is done or not, but not more or less
    usual: float = 1.0  # strength
    strengths: tuple[float, ...] = ()  # others that tell its reach
    finite: bool = True  # whether what it leaves are numbers; a merge refuses or excludes what are none
    weights: "Callable[[Tensor, float, Draw], Tensor] | None" = None
    labels: "Callable[[Tensor, int], Tensor] | None" = None
    head: "Callable[[Tensor, float], Tensor] | None" = None

    @property
    def graded(self) -> bool:
        """Whether it can be stronger or weaker."""
        return bool(self.unit)
