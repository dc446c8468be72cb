"""What one step of gate training does to a gate, in plain sentences; of what ``explain_step`` tells. Loads no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from softmerge_core.experiments.merge.rows import part_title
from softmerge_core.experiments.words import clipped, listed, plural


@dataclass(frozen=True)
class Gate:
    """One gate of a step: its ``part``'s numbers, the position ``at`` of its source, and the whole ``step``."""

    step: Mapping[str, Any]
    part: Mapping[str, Any]
    at: int

    def __getitem__(self, name: str) -> float:
        return float(self.part[name][self.at])

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the formulas need besides the gates."""
        return self.step["settings"]  # type: ignore[no-any-return]

    @property
    def name(self) -> str:
        """The name of the source."""
        return clipped(self.step["sources"][self.at], 40)

    @property
    def row(self) -> list[float]:
        """The drawn gates of the part, 0-1."""
        return list(map(float, self.part["value"]))


def part_name(step: Mapping[str, Any], part: str) -> str:
    """A part as readers know it: "layer conv1", "conv1, channel 3", "the whole network"."""
    owner = dict(zip(step["names"], step["groups"], strict=True)).get(part, part)
    if part == "model":
        return "the whole network"
    title = part_title(part, owner)
    return f"layer {title}" if title == part and part == owner else title


def step_sentence(step: Mapping[str, Any], part: str, source: int) -> str:
    """What the step does to one gate, in a sentence or two of plain text that holds names which a user chose."""
    gate = Gate(step, step["parts"][part], source)
    where = f"the gate of {gate.name} in {part_name(step, part)}"
    before, after = open_texts(gate)
    if step["fixed"]:
        return f"In this step {where} is held at P(open) {before}: this stage trains only the factors of channels."
    moved = f"moves from P(open) {before} to {after}" if before != after else f"hardly moves: P(open) stays {after}"
    return f"In this step {where} {moved}: {wishes(gate)}.{_momentum(gate)}"


def probability_text(probability: float) -> str:
    """A probability with two decimals, which looks like 0 or 1 only where it is: 0.91, under 0.01."""
    if probability in (0, 1):
        return f"{probability:.0f}"
    return "under 0.01" if probability < 0.005 else "over 0.99" if probability >= 0.995 else f"{probability:.2f}"


def open_texts(gate: Gate) -> tuple[str, str]:
    """P(open) before and after the step, with as many decimals as tell them apart, four at most."""
    before, after = gate["open"], gate["open_after"]
    two = probability_text(before), probability_text(after)
    return two if two[0] != two[1] or before == after else (f"{before:.4f}", f"{after:.4f}")


def wishes(gate: Gate) -> str:
    """What loss and penalty would like."""
    loss, penalty = gate["by_task"], gate["by_penalty"]
    if loss == 0:
        why = f"its draw is exactly {gate['value']:.0f}" if gate["value"] in (0, 1) else "no other gate is open"
        return f"the loss has no say ({why}), and the penalty {_wish(penalty)}"
    same = (loss > 0) == (penalty > 0) and penalty != 0
    return f"the loss {_wish(loss)}, " + ("and so does the penalty" if same else f"the penalty {_wish(penalty)}")


def _wish(gradient: float) -> str:
    return "pushes it down" if gradient > 0 else "pushes it up" if gradient < 0 else "asks for nothing"


def _momentum(gate: Gate) -> str:
    """Whether the gate goes against what this batch asks for, as Adam remembers the ones before it."""
    move, gradient = gate["after"] - gate["log_alpha"], gate["gradient"]
    if gate.settings["optimiser"] != "adam" or move == 0 or move * gradient < 0:
        return ""
    way = "up" if move > 0 else "down"
    return f" It goes {way} nevertheless: Adam goes on with what earlier batches asked for."


def replay_note(step: Mapping[str, Any]) -> str:
    """How far the replay behind a step agrees with what the run has told."""
    if step["differs"] is not None:
        return (
            f"Gone through again here, the run takes another way than recorded from step {step['differs']:,} on, as on "
            "another processor, with another version, or beside other runs: these are the numbers of the replay."
        )
    if step["compared"]:
        moments = plural(step["compared"], "recorded moment")
        return f"Gone through again by the same trainer; it agrees with the run at {moments} on the way."
    return "Gone through again by the same trainer; the run told no gates near this step to compare with."


def others_sentence(step: Mapping[str, Any], part: str) -> str:
    """How many gates of the part open and close in this step."""
    numbers = step["parts"][part]
    pairs = list(zip(numbers["log_alpha"], numbers["after"], strict=True))
    up, down = sum(after > before for before, after in pairs), sum(after < before for before, after in pairs)
    told = [text for count, text in ((up, _go(up, "up")), (down, _go(down, "down"))) if count]
    return (
        f"Of the {plural(len(pairs), 'gate')} of this part {listed(told)}." if told else "No gate of this part moves."
    )


def _go(count: int, way: str) -> str:
    return f"{count} {'goes' if count == 1 else 'go'} {way}"
