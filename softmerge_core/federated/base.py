"""What every federated algorithm is: what clients add to their loss, and what the server makes of what they send.

All that the algorithms add to a client's loss has one form, ``<h, theta> + q/2 |theta - x|^2`` with x the server's
weights, so a client need not know which algorithm it takes part in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from softmerge_core.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

Memory = dict[str, "Tensor"]  # what an algorithm keeps from round to round, vectors [P] by name; empty at first


@dataclass(frozen=True)
class Terms:
    """``linear`` h [P] (None: zero) and ``quadratic`` q >= 0 of what a client adds to its loss."""

    linear: "Tensor | None" = None
    quadratic: float = 0.0


@dataclass(frozen=True)
class Round:
    """What the server knows at a round's end; weights are vectors [P].

    ``start``: x, what clients started from; ``sent``: y_i by client, of those it accepted; ``steps``: K by client;
    ``merged``: what the server's way of aggregation made of them; ``clients``: how many there are in all.
    """

    start: "Tensor"
    sent: "Mapping[int, Tensor]"
    steps: Mapping[int, int]
    merged: "Tensor"
    clients: int
    learning_rate: float


@dataclass(frozen=True)
class Algorithm:
    """``terms(memory, client, settings)``; ``finish(round, memory, settings)`` returns the server's new weights [P].

    ``finish`` updates ``memory`` in place; its values are replaced, never changed.
    """

    name: str
    title: str
    summary: str  # one sentence
    paper: str
    year: float
    settings: type[Settings]
    terms: Callable[[Memory, int, Any], Terms]
    finish: "Callable[[Round, Memory, Any], Tensor]"
