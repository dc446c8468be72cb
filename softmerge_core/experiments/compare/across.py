"""Sources of several architectures in words: what can be done with them, and what came of it. Plain text, no torch."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from softmerge_core.events import BEST
from softmerge_core.experiments.admission import NO_AVERAGE
from softmerge_core.experiments.compare.spec import CompareSpec, chosen, fitting
from softmerge_core.experiments.compare.words import as_measured
from softmerge_core.experiments.differences import compared
from softmerge_core.experiments.kinds import apart, networks_of
from softmerge_core.experiments.words import listed, source_text
from softmerge_core.methods import available_methods, find_method
from softmerge_core.settings import SourceSpec, parse
from softmerge_core.statistics import Measured, difference

TRAINING = ("steps", "learning_rate", "batch_size")
CAN = {
    "widths": "They have the same layers, of other widths: optimal transport maps these to one of the widths and "
    "averages, and distillation trains one network by what all of them predict.",
    "architectures": f"{NO_AVERAGE}, and optimal transport bridges only widths; distillation can learn from all of "
    "them: it trains one network by what they predict.",
}
COST = "That takes labels, and the time and memory of training: about four times the network's size."
CONTROL = "the same source fine-tuned without the others"


def possible(sources: Sequence[SourceSpec]) -> str:
    """What can be done with sources of several architectures, and how many ways can; "" for those of one."""
    between = apart(sources)
    if not between:
        return ""
    ways = f"{len(fitting(sources))} of {len(available_methods())} ways to merge"
    return f"{_kinds(sources)}. {CAN[between]} {COST} So only {ways} can run."


def _kinds(sources: Sequence[SourceSpec]) -> str:
    """How many sources are of which architecture: "The sources are 3 vgg and 1 vit"."""
    counts = Counter(name.rpartition("/")[2] for name in networks_of(sources) if name)
    return f"The sources are {listed([f'{count} {name}' for name, count in counts.items()])}"


def gained(spec: CompareSpec, rows: Sequence[Mapping[str, Any]]) -> str:
    """How each way across architectures stands to its control; "" for sources of one, and before there is any.

    Distillation, from a source's own weights and from random ones, is compared with that source trained as long on
    the same labels; optimal transport with that source as it is.
    """
    found = {str(row["method"]): as_measured(row) for row in rows if row.get("accuracy")}
    if not apart(spec.sources):
        return ""
    parts = [
        _stands(name, found, "fine_tuned_source", _control(spec)) for name in ("distillation", "distillation_anew")
    ]
    parts.append(_stands("transport", found, _target(spec), "the source that it maps to"))
    told = " ".join(filter(None, parts))
    return f"Into the architecture of {_into(spec)}: {told}" if told else ""


def _stands(name: str, found: Mapping[str, Measured], other: str, words: str) -> str:
    if name not in found or other not in found:
        return ""
    return compared(find_method(name).title, {words: difference(found[name], found[other], same_seeds=True)})


def _control(spec: CompareSpec) -> str:
    """The words for the control of distillation, which also tell where it had another training."""
    had = [
        [getattr(parse(find_method(choice.method).settings, choice.settings, "settings"), name) for name in TRAINING]
        for choice in chosen(spec)
        if choice.method in ("distillation", "distillation_anew", "fine_tuned_source")
    ]
    return CONTROL if all(one == had[0] for one in had) else f"{CONTROL} (with another training)"


def _target(spec: CompareSpec) -> str:
    """The row of the source whose architecture the results have."""
    place = next((n for n, source in enumerate(spec.sources) if source.model == spec.target), None)
    if place is None:
        return BEST
    return f"{spec.target.rpartition('/')[2]} ({networks_of(spec.sources)[place].rpartition('/')[2]})"


def _into(spec: CompareSpec) -> str:
    name = _target(spec)
    return "the best source" if name == BEST else source_text(name)
