"""The network that a merge kept, found among the events of its run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, nan
from typing import Any

from softmerge_core.events import BEST, Evaluation, Event, Stage

AVERAGE = "average"


@dataclass(frozen=True)
class Kept:
    """The network that a merge kept, on the validation data.

    ``winner``: the key of the stage it comes from, "best_source" or "average"; ``title``: the same for readers;
    ``accuracy``: 0-1, NaN where it is not known; ``step``: that of the evaluation of these gates, None where there
    is none.
    """

    winner: str
    title: str
    accuracy: float = nan
    step: int | None = None

    @property
    def learned(self) -> bool:
        """Whether its gates were trained; else it is one of the networks that merging is compared with."""
        return self.winner not in (BEST, AVERAGE)


def kept_network(result: Mapping[str, Any] | None, events: Sequence[Event]) -> Kept | None:
    """The network that a run with a ``result`` kept; None before there is one, and where it does not say."""
    winner = (result or {}).get("winner")
    if not result or not winner:
        return None
    accuracy = _number((result.get("validation_accuracy") or {}).get("soft"))
    if winner == BEST:
        return Kept(winner, f"best source ({result.get('best_source', 'unknown')})", accuracy)
    if winner == AVERAGE:
        return Kept(winner, "plain average", accuracy)
    stage = next((event for event in events if isinstance(event, Stage) and event.stage == winner), None)
    loss = _number((result.get("validation_loss") or {}).get("soft"))
    return Kept(winner, stage.title if stage else f"{winner} gates", accuracy, _step(events, str(winner), loss))


def _step(events: Sequence[Event], winner: str, loss: float) -> int | None:
    """The step of the stage's evaluation with this loss, of equal ones the last: what is kept is one of them."""
    seen: list[Evaluation] = []
    stage = ""
    for event in events:
        stage = event.stage if isinstance(event, Stage) else stage
        if stage == winner and isinstance(event, Evaluation) and event.series == "soft" and isfinite(event.loss):
            seen.append(event)
    if not seen or not isfinite(loss):
        return None
    return min(reversed(seen), key=lambda event: abs(event.loss - loss)).step


def _number(value: float | None) -> float:
    return nan if value is None else float(value)
