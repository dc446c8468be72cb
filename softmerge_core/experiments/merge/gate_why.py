"""Why a gate closed, or did not: what its history tells, in plain sentences. Loads no torch.

Works on what ``explain_gates`` tells. The sentences are plain text and hold names that a user chose.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from softmerge_core.experiments.merge.step_words import part_name, probability_text
from softmerge_core.experiments.words import clipped, percent, plural, signed
from softmerge_core.numbers import percent_text

MUCH = 2.0  # times as much: the larger of two amounts is what moved the gate
AGREED = 0.6  # the share of the batches with a say that must agree before it is said that they do
DROPPED = -15.0  # a log alpha at which no gate learns its way to: an earlier stage has put it there


class Account(NamedTuple):
    """The history of one gate up to the step at which it closed for good (-1: it is open), or to its end.

    ``down``, ``up``: in so many of ``steps`` the loss pushed it there; ``loss``, ``penalty``: what moved log alpha.
    P(open): at the ``first``, at the end (``last``), and where the penalty ``alone`` would have taken it; ``alpha``:
    the first log alpha.
    """

    source: str
    part: str
    begin: int
    end: int
    step: int
    steps: int
    down: int
    up: int
    loss: float
    penalty: float
    first: float
    last: float
    alone: float
    alpha: float

    @property
    def closed(self) -> bool:
        """Whether the gate is closed at the end."""
        return self.step >= 0


def account(history: Mapping[str, Any], part: str, source: int) -> Account:
    """The account of one gate; raises KeyError for a ``part`` and IndexError for a ``source`` that is not there."""
    course, close = history["parts"][part]["course"], history["parts"][part]["close"]
    return Account(
        clipped(history["sources"][source], 40),
        part_name(history, part),
        history["steps"][0],
        history["steps"][-1],
        int(close["step"][source]),
        int(close["steps"][source]),
        int(close["down"][source]),
        int(close["up"][source]),
        close["moved_task"][source],
        close["moved_price"][source],
        course["open"][0][source],
        course["open"][-1][source],
        close["alone"][source],
        course["log_alpha"][0][source],
    )


def why_gate(
    history: Mapping[str, Any], part: str, source: int, accuracies: Mapping[str, float] | None = None
) -> list[str]:
    """The sentences about one gate; ``accuracies``: of each source alone (0-1), on validation data, as far as known."""
    told = account(history, part, source)
    if history["fixed"]:
        return [f"The gate of {told.source} in {told.part} was held: this stage trains only the factors of channels."]
    if told.closed and told.step <= told.begin:
        return [_from_the_start(told)]
    found = [_state(told), _votes(told), _moves(told), _alone(history, source, accuracies or {}), _verdict(told)]
    if history["differs"] is not None:
        found.append(
            f"Gone through again here, the run takes another way than recorded from step {history['differs']:,} on: "
            "these are the numbers of the replay."
        )
    return [text for text in found if text]


def _from_the_start(told: Account) -> str:
    where = f"The gate of {told.source} in {told.part} was closed when this stage began, at step {told.begin:,}"
    if told.alpha < DROPPED:
        return (
            f"{where}: coarser gates had closed this source everywhere, and alone it does worse than guessing, so it "
            "was left out of the later stages."
        )
    return f"{where}, for it begins where the stage before had left it; the reason lies in that stage."


def _state(told: Account) -> str:
    where = f"The gate of {told.source} in {told.part}"
    way = f"P(open) went from {probability_text(told.first)} to {probability_text(told.last)}"
    if told.closed:
        since = f"{plural(told.steps, 'step')} after this stage began"
        return f"{where} closed at step {told.step:,}, {since}; {way} by step {told.end:,}."
    return f"{where} is open at step {told.end:,}; since step {told.begin:,} {way}."


def _votes(told: Account) -> str:
    """In how many steps the loss pushed which way."""
    if not told.steps:
        return ""
    silent = told.steps - told.down - told.up
    said = (
        f"In {percent_text(told.down / told.steps)} of the {plural(told.steps, 'step')} the loss pushed it down, in "
        f"{percent_text(told.up / told.steps)} up"
    )
    if not silent:
        return f"{said}."
    return (
        f"{said}; in the other {percent_text(silent / told.steps)} it had no say: its draw was exactly 0 or 1, "
        "or no other gate was open."
    )


def _moves(told: Account) -> str:
    """What loss and penalty moved, and what the penalty alone would have done."""
    if not told.steps:
        return ""
    return (
        f"Of the way of log α the loss made {signed(told.loss, 2)} and the penalty {signed(told.penalty, 2)}: what the "
        f"penalty moved would by itself have taken P(open) from {probability_text(told.first)} to "
        f"{probability_text(told.alone)}."
    )


def _alone(history: Mapping[str, Any], source: int, accuracies: Mapping[str, float]) -> str:
    """What the source is worth alone, among the others."""
    known = [accuracies[name] for name in history["sources"] if name in accuracies]
    own = accuracies.get(history["sources"][source])
    if own is None or len(known) < 2:
        return ""
    place = "the lowest" if own <= min(known) else "the highest" if own >= max(known) else "neither best nor worst"
    even = min(known) == max(known)
    rank = "as are the others" if even else f"{place} of {len(known)}"
    return f"Alone, this source is right on {percent(own)} of the validation samples, {rank}."


def _verdict(told: Account) -> str:
    """What moved the gate, as far as the numbers say."""
    loss, penalty = abs(told.loss), abs(told.penalty)
    if not told.closed:
        return _verdict_open(told, loss, penalty)
    if told.loss < 0 and loss >= MUCH * penalty:
        return f"So it was the loss that closed it.{_agreement(told)}"
    if told.loss >= 0:
        return "So it was the penalty that closed it: the loss would rather have kept it open."
    if penalty >= MUCH * loss:
        return "So it was the penalty that closed it; the loss hardly minded."
    return "So loss and penalty closed it together."


def _verdict_open(told: Account, loss: float, penalty: float) -> str:
    if told.loss > 0 and loss > penalty:
        return f"So the loss keeps it open.{_agreement(told)}"
    if told.loss + told.penalty < 0:
        return "So it was on its way down when this ended."
    return "So nothing moved it far; why, these numbers do not say."


def _agreement(told: Account) -> str:
    """How far the batches agreed, and what that does not tell."""
    said = told.down + told.up
    most = told.down if told.loss < 0 else told.up
    if said and most / said >= AGREED:
        return (
            " What of this source the loss minds, the gate does not tell: it is judged by what it adds to the others."
        )
    return " The batches did not agree about it, so chance may have had a part."
