"""One step of gate training in slow motion: seven frames with a sentence, a formula with its numbers, and a picture.

Works on what ``explain_step`` tells, for one part and one source. Loads no torch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import log
from typing import Any

from softmerge_core.experiments.merge.step_words import Gate, open_texts, wishes
from softmerge_core.experiments.words import clipped, percent, plural
from softmerge_core.numbers import MINUS, number_text, percent_text

NATS = "\u00a0nats"


@dataclass(frozen=True)
class Frame:
    """One moment of a step: ``title``, one sentence, the ``formula`` with its numbers, and a ``picture`` as data.

    ``picture["kind"]``: "gates" and "shares" (bars 0-1 a source), "mix" (weights of each source and their sum),
    "samples" (bars 0-1), "losses" (two amounts in nats), "pushes" (amounts with a sign, by loss and by penalty), and
    "moves" (places before and after on the axis of log alpha).
    """

    title: str
    words: str
    formula: str
    picture: Mapping[str, Any]


def frames(step: Mapping[str, Any], part: str, source: int) -> list[Frame]:
    """The frames of a step for one gate; raises KeyError for a ``part`` and IndexError for a source that it has not."""
    gate = Gate(step, step["parts"][part], source)
    _ = step["sources"][source]
    made = (_sampled, _weighed, _mixed, _run_forward, _priced, _pushed, _updated)
    return [each(gate) for each in made]


def as_plain(found: Sequence[Frame]) -> list[dict[str, Any]]:
    """Frames as JSON values."""
    return [asdict(frame) for frame in found]


def _n(value: float) -> str:
    return number_text(value + 0.0, 3)  # which makes a zero of a minus zero


def _place(value: float) -> str:
    """A log alpha with four decimals, so that a small step is seen."""
    return f"{value:.4f}".replace("-", MINUS)


def _bars(gate: Gate, kind: str, name: str, label: str) -> dict[str, Any]:
    values = [float(value) for value in gate.part[name]]
    return {"kind": kind, "names": _names(gate), "values": values, "chosen": gate.at, "label": label}


def _names(gate: Gate) -> list[str]:
    return [clipped(name, 24) for name in gate.step["sources"]]


def _sampled(gate: Gate) -> Frame:
    (low, high), beta = gate.settings["stretch"], gate.settings["temperature"]
    value = gate["value"]
    end = {0.0: ", closed", 1.0: ", fully open"}.get(value, "")
    logit = f"logit {_n(gate['uniform'])} {_signed(gate['log_alpha'])}"
    formula = (
        f"z = clip({_n(high - low)} · σ(({logit}) / {_n(beta)}) {_signed(low)}, 0, 1) "
        f"= clip({_n(high - low)} · {_n(gate['concrete'])} {_signed(low)}, 0, 1) = {_n(value)}"
    )
    words = (
        f"Each gate is drawn: noise u = {_n(gate['uniform'])} and log α = {_n(gate['log_alpha'])} make a number "
        f"between 0 and 1, which is stretched to {_n(low)} to {_n(high)} and clipped: z = {_n(value)}{end}."
    )
    return Frame("Draw the gates", words, formula, _bars(gate, "gates", "value", "gate z of this draw (0 to 1)"))


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'} {_n(abs(value))}"


def _weighed(gate: Gate) -> Frame:
    factor = "" if gate.part["scale"] == 1 else f" · {_n(gate.part['scale'])}"
    picture = _bars(gate, "shares", "share", "share of each source (0 to 1)")
    if gate.part["closed"] and gate.settings["normalise"]:
        words = "Every gate was drawn closed, but there must be a network: for once log α itself says the shares."
        inner = ", ".join(_n(value) for value in gate.part["log_alpha"])
        return Frame("Make weights of them", words, f"w = softmax({inner}){factor} = {_n(gate['weight'])}", picture)
    if not gate.settings["normalise"]:
        words = f"The gates are not normalised, so each is the weight of its source: {_n(gate['weight'])}."
        return Frame("Make weights of them", words, f"w = z{factor} = {_n(gate['weight'])}", picture)
    total = " + ".join(_n(value) for value in gate.row)
    scaled = f", times {_n(gate.part['scale'])}, the part's learned factor" if factor else ""
    words = f"The gates are divided by their sum, so that the shares add up to 1: {gate.name} gets {_n(gate['share'])}"
    formula = f"w = {_n(gate['value'])} / ({total}){factor} = {_n(gate['weight'])}"
    return Frame("Make weights of them", f"{words}{scaled}.", formula, picture)


def _mixed(gate: Gate) -> Frame:
    weights, entries = gate.part["weight"], gate.part["entries"]
    first = entries[0]
    terms = [f"{_n(w)} · {_bracketed(theta)}" for w, theta in zip(weights, first["sources"], strict=True)]
    if first["base"] is not None:
        terms = [
            f"{_n(w)} · ({_n(theta)} {_signed(-first['base'])})"
            for w, theta in zip(weights, first["sources"], strict=True)
        ]
        terms.insert(0, _n(first["base"]))
    base = [entry["base"] or 0.0 for entry in entries]
    parts = [
        [w * (theta - start) for w, theta in zip(weights, entry["sources"], strict=True)]
        for entry, start in zip(entries, base, strict=True)
    ]
    words = (
        f"Every weight of this part is mixed from the sources' own weights; shown are {len(entries)} of "
        f"{first['of']:,} that share these gates."
    )
    picture = {
        "kind": "mix",
        "names": _names(gate),
        "rows": [f"weight {entry['number']:,}" for entry in entries],
        "parts": parts,
        "base": base,
        "totals": [entry["merged"] for entry in entries],
        "chosen": gate.at,
        "label": "what each source adds to a weight",
    }
    return Frame("Mix the weights", words, f"θ = {' + '.join(terms)} = {_n(first['merged'])}", picture)


def _bracketed(value: float) -> str:
    return f"({_n(value)})" if value < 0 else _n(value)


def _run_forward(gate: Gate) -> Frame:
    batch = gate.step["batch"]
    samples = batch["samples"]
    right = "classified right" if gate.settings["objective"] == "labels" else "classified as the sources do together"
    words = (
        f"The mixed network looks at a batch of {plural(batch['size'], 'training sample')}: {percent(batch['right'])} "
        f"are {right}, and the mean loss is {_n(batch['task'])}{NATS}."
    )
    first = " + ".join(_n(sample["probability"]) if sample else "" for sample in samples[:2])
    inner = first.replace(" + ", " − ln ")
    rest = " − …" if batch["size"] > 2 else ""
    formula = f"loss = (−ln {inner}{rest}) / {batch['size']:,} = {_n(batch['task'])}{NATS}"
    picture = {
        "kind": "samples",
        "names": [f"class {sample['label']}" for sample in samples],
        "values": [sample["probability"] for sample in samples],
        "marks": [
            "right" if sample["found"] == sample["label"] else f"taken for {sample['found']}" for sample in samples
        ],
        "label": "probability of the right class (0 to 1), first samples of the batch",
    }
    if gate.settings["objective"] != "labels":
        formula = f"loss = mean cross-entropy against the sources' joint prediction = {_n(batch['task'])}{NATS}"
    return Frame("Run it forward", words, formula, picture)


def _priced(gate: Gate) -> Frame:
    batch, price = gate.step["batch"], gate.settings["penalty"]
    total = batch["task"] + batch["penalty"]
    share = batch["penalty"] / total if total else 0.0
    beyond = "beyond the first of each part " if gate.settings["normalise"] else ""
    words = (
        f"A price is added for open gates: {_n(batch['paid'])} are expected to be open {beyond}over "
        f"{plural(batch['parts'], 'part')}, which makes {_n(batch['penalty'])}{NATS}, {_share(share)} of the sum."
    )
    formula = (
        f"{_n(batch['task'])} + {_n(price)} · {_n(batch['paid'])} / {batch['parts']:,} "
        f"= {_n(batch['task'])} + {_n(batch['penalty'])} = {_n(total)}{NATS}"
    )
    picture = {
        "kind": "losses",
        "task": batch["task"],
        "penalty": batch["penalty"],
        "label": "loss and penalty, in nats",
    }
    return Frame("Add the penalty", words, formula, picture)


def _share(share: float) -> str:
    return percent_text(share, 1) if share >= 0.001 or share == 0 else f"under {percent_text(0.001, 1)}"


def _pushed(gate: Gate) -> Frame:
    loss, penalty, gradient = gate["by_task"], gate["by_penalty"], gate["gradient"]
    words = f"How the sum would change with log α: {wishes(gate)}; together {_n(gradient)}{NATS} per unit of log α."
    formula = f"∂/∂log α = {_n(loss)} (loss) {_signed(penalty)} (penalty) = {_n(gradient)}{NATS}"
    if not gate.settings["normalise"]:
        formula = f"∂/∂log α = {_n(gate['weight_gradient'])} · {_n(gate['slope'])} {_signed(penalty)} = {_n(gradient)}"
    picture = {
        "kind": "pushes",
        "names": _names(gate),
        "loss": [-value for value in gate.part["by_task"]],  # down the gradient, as the gate is pushed
        "penalty": [-value for value in gate.part["by_penalty"]],
        "chosen": gate.at,
        "label": "push on log α, nats per unit: left closes, right opens",
    }
    return Frame("Ask for the gradient", words, formula, picture)


def _updated(gate: Gate) -> Frame:
    before, after, rate = gate["log_alpha"], gate["after"], gate.settings["rate"]
    clip = gate.step["clip"]["factor"]
    shorter = (
        f" (made {_n(1 / clip)} times shorter first, for the gradient of all gates was too long)" if clip < 1 else ""
    )
    if gate.settings["optimiser"] == "adam":
        first, second, epsilon = gate.settings["adam"]
        count = gate.step["count"]
        mean, size = gate["first_after"] / (1 - first**count), (gate["second_after"] / (1 - second**count)) ** 0.5
        words = f"Adam divides the mean of recent gradients{shorter} by their size, so that steps are of one length."
        formula = f"log α = {_place(before)} − {_n(rate)} · {_bracketed(mean)} / {_n(size + epsilon)} = {_place(after)}"
    else:
        words = f"The gate goes down the gradient{shorter}, by the learning rate."
        formula = f"log α = {_place(before)} − {_n(rate)} · {_bracketed(clip * gate['gradient'])} = {_place(after)}"
    opened = "P(open) goes from {} to {}".format(*open_texts(gate))
    low, high = gate.settings["stretch"]
    picture = {
        "kind": "moves",
        "names": _names(gate),
        "before": list(gate.part["log_alpha"]),
        "after": list(gate.part["after"]),
        "ends": [_end(-low / (high - low)), _end((1 - low) / (high - low))],
        "chosen": gate.at,
        "label": "log α (no unit)",
    }
    return Frame("Move the gates", f"{words} {opened}.", formula, picture)


def _end(share: float) -> float:
    """The log alpha at which sigmoid is ``share``: where a gate without noise becomes exactly 0, or 1."""
    return log(share / (1 - share))


TABLE = {  # name in what is told -> what it is, with its unit
    "log_alpha": "log α before (no unit)",
    "open": "P(open) before (0 to 1)",
    "uniform": "noise u (0 to 1)",
    "value": "drawn gate z (0 to 1)",
    "share": "share (0 to 1)",
    "weight": "weight w, with the part's factor",
    "weight_gradient": "∂ loss / ∂w (nats)",
    "slope": "dz / d log α",
    "by_task": "∂ loss / ∂ log α (nats)",
    "by_penalty": "∂ penalty / ∂ log α (nats)",
    "gradient": "their sum (nats)",
    "first": "Adam's first moment before (nats)",
    "first_after": "first moment after (nats)",
    "second": "Adam's second moment before (nats²)",
    "second_after": "second moment after (nats²)",
    "after": "log α after (no unit)",
    "open_after": "P(open) after (0 to 1)",
}


def numbers_table(step: Mapping[str, Any], part: str) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Head and rows of all numbers of a part, a column for each source."""
    adam = step["settings"]["optimiser"] == "adam"
    shown = {name: title for name, title in TABLE.items() if adam or not name.startswith(("first", "second"))}
    rows = [(title, *(_n(value) for value in step["parts"][part][name])) for name, title in shown.items()]
    return ("", *(clipped(name, 40) for name in step["sources"])), rows
