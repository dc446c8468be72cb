"""The form of an attack: its words, wherever a reader meets it, and its effect on numbers. Loads no torch."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Draw(Protocol):
    """Random choices that follow from the attack's seed."""

    def noise(self, value: "Tensor") -> "Tensor":
        """Return Gaussian noise of the shape and standard deviation of ``value``."""
        ...

    def replace_one(self, value: "Tensor", by: float) -> "Tensor":
        """Return ``value`` with one entry, drawn at random, replaced."""
        ...


@dataclass(frozen=True)
class Attack:
    """One way to spoil a copy of a network; exactly one of ``weights``, ``labels`` and ``head`` does it.

    ``weights(value, strength, draw)`` returns the spoiled value of a floating-point tensor, and ``labels(labels,
    classes)`` the labels on which the copy is trained further, for ``strength`` epochs. ``head(parameter, strength)``
    returns the spoiled value of the last layer's weight or bias, which have one row for each class.
    """

    name: str  # in specs and addresses
    title: str  # in menus: "Extreme values"
    mark: str  # behind a source's title: "extreme values"
    does: str  # to a copy, as a sentence
    sends: str  # "Each malicious source sends ..."
    past: str  # how the copy was made: "...; afterwards ..."; may name {strength:g}
    unit: str = ""  # of the strength; none for an attack that cannot be stronger or weaker
    usual: float = 1.0  # the usual strength
    strengths: tuple[float, ...] = ()  # further strengths, which show its reach
    random: bool = False  # another seed sends something else to a merge
    finite: bool = True  # its weights stay finite; a merge refuses or excludes others
    weights: "Callable[[Tensor, float, Draw], Tensor] | None" = None
    labels: "Callable[[Tensor, int], Tensor] | None" = None
    head: "Callable[[Tensor, float], Tensor] | None" = None

    @property
    def graded(self) -> bool:
        """True for an attack that can be stronger or weaker."""
        return bool(self.unit)
