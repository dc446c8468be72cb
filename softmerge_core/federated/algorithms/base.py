"""The contract of a federated algorithm: a term in the clients' loss, and the server's step at the end of a round.

Every algorithm's term has the form ``<h, theta> + q/2 |theta - x|^2``, where x are the server's weights, so a client
need not know which algorithm it takes part in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from softmerge_core.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

Memory = dict[str, "Tensor"]  # vectors [P] that an algorithm keeps from round to round, by name; empty at first


@dataclass(frozen=True)
class Terms:
    """The term that a client adds to its loss: ``linear`` is h [P] (None: zero), ``quadratic`` is q >= 0."""

    linear: "Tensor | None" = None
    quadratic: float = 0.0


@dataclass(frozen=True)
class Round:
    """Everything the server knows at the end of a round; weights are vectors [P].

    ``start`` is x, the weights that clients started from. ``sent`` holds y_i and ``steps`` the number of local steps
    K, both by client; ``sent`` has only the accepted clients. ``merged`` is the server's aggregate of what was sent,
    and ``clients`` the number of all clients in the federation.
    """

    start: "Tensor"
    sent: "Mapping[int, Tensor]"
    steps: Mapping[int, int]
    merged: "Tensor"
    clients: int
    learning_rate: float


@dataclass(frozen=True)
class Algorithm:
    """A federated algorithm.

    ``terms(memory, client, settings)`` returns the term of one client's loss, and ``finish(round, memory, settings)``
    the server's new weights [P]. ``finish`` updates ``memory``: it replaces values and never changes one in place.
    """

    name: str
    title: str
    summary: str  # one sentence
    paper: str
    year: float
    settings: type[Settings]
    terms: Callable[[Memory, int, Any], Terms]
    finish: "Callable[[Round, Memory, Any], Tensor]"
