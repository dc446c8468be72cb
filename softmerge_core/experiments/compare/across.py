"""Sources of several architectures in words: what can be done with them, and what came of it. Plain text, no torch."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from softmerge_core.events import BEST
from softmerge_core.experiments.admission import NO_AVERAGE
from softmerge_core.experiments.compare.spec import CompareSpec, chosen, fitting
from softmerge_core.experiments.compare.words import as_measured
from softmerge_core.experiments.differences import gap, resolution
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
STUDENTS = ("distillation", "distillation_anew")
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
    if not apart(spec.sources):
        return ""
    found = {str(row["method"]): as_measured(row) for row in rows if row.get("accuracy")}
    target = _target(spec)
    parts = [
        _stand(STUDENTS, found, "fine_tuned_source", _control(spec)),
        _stand(("transport",), found, target, "the source that it maps to"),
    ]
    told = " ".join(filter(None, parts))
    return f"Into the architecture of {_called(target, rows)}: {told}" if told else ""


def _stand(names: Sequence[str], found: Mapping[str, Measured], control: str, words: str) -> str:
    """Which ways are above their control or below it, and which cannot be told apart from it."""
    if control not in found:
        return ""
    each = {name: difference(found[name], found[control], same_seeds=True) for name in names if name in found}
    close = {find_method(name).title: one for name, one in each.items() if not one.told_apart}
    parts = [f"{find_method(name).title} is {gap(one, words)}." for name, one in each.items() if one.told_apart]
    if close:
        parts.append(f"{listed(list(close))} cannot be told apart from {words}{resolution(list(close.values()))}.")
    return " ".join(parts)


def _control(spec: CompareSpec) -> str:
    """The words for the control of distillation, which also tell where it had another training."""
    had = [
        [getattr(parse(find_method(choice.method).settings, choice.settings, "settings"), name) for name in TRAINING]
        for choice in chosen(spec)
        if choice.method in (*STUDENTS, "fine_tuned_source")
    ]
    return CONTROL if all(one == had[0] for one in had) else f"{CONTROL} (with another training)"


def _target(spec: CompareSpec) -> str:
    """The row of the source whose architecture the results have; repeated names get numbers, as in the run."""
    kinds = [network.rpartition("/")[2] for network in networks_of(spec.sources)]
    models = [source.model for source in spec.sources]
    names = [f"{model.rpartition('/')[2]} ({kind})" for model, kind in zip(models, kinds, strict=True)]
    if spec.target not in models:
        return BEST
    place = models.index(spec.target)
    number = names[: place + 1].count(names[place])
    return names[place] if number == 1 else f"{names[place]} ({number})"


def _called(target: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """The target by its name; the best source is the one that is right on the same samples."""
    if target != BEST:
        return source_text(target)
    right = next((row.get("correct") for row in rows if row["method"] == BEST), None)
    alike = [str(row["method"]) for row in rows if "title" not in row and right and row.get("correct") == right]
    names = [source_text(name) for name in alike if name != BEST]
    return f"the best source, {names[0]}" if len(names) == 1 else "the best source"
