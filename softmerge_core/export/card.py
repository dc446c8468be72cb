"""The model card of a merged network: everything in it is from the run's spec, result and lineage. Loads no torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from softmerge_core.attacks import find_attack
from softmerge_core.events import BEST
from softmerge_core.experiments.merge.branch import told_changes
from softmerge_core.experiments.merge.kept import AVERAGE
from softmerge_core.experiments.merge.lineage import Lineage, NetworkOrigin
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.merge.why import why_sentence
from softmerge_core.experiments.merge.words import gain_sentence
from softmerge_core.experiments.words import percent, sentence, source_text
from softmerge_core.export.formulas import formulas, symbols
from softmerge_core.export.markdown import code, front_matter, page, said, table, told
from softmerge_core.export.scaling import Scaling
from softmerge_core.numbers import decimal_text, percent_text, range_text, usual_spaces
from softmerge_core.settings import AttackSettings, Settings
from softmerge_core.statistics import Measured, bar

PAPER = "[Soft merging, arXiv 2309.12259](https://arxiv.org/abs/2309.12259)"
NETWORKS = {
    "soft": "Merged network (this one)",
    "average": "Plain average of the sources",
    "best_source": "Best single source",
    "ensemble": "Ensemble of the sources",
    "best_source_rescaled": "Best single source, rescaled",
    "average_rescaled": "Plain average, rescaled",
}
TENSORS = "SHA-256 of the tensors (name, type, shape and bytes of each, by name)"
NAMED, CHANNELS = 60, 4  # names of classes, and numbers of a scale, in the card; the script has them all
MANY = 60  # layers in the card's table; the table of gates has them all


@dataclass(frozen=True)
class Told:
    """What a card is written from. ``recorded``: whether the lineage was written down when the network was made."""

    run_id: str
    spec: MergeSpec
    result: Mapping[str, Any]
    lineage: Lineage
    recorded: bool
    tensors_sha256: str
    batch_norm: bool
    scaling: Scaling = field(default_factory=Scaling)


def card(it: Told, files: Sequence[tuple[str, str]]) -> str:
    """The card as Markdown. ``files``: name and meaning of those that it comes with."""
    title = it.spec.name or "A merged network"
    head = [("library_name", "pytorch"), ("model_name", title), ("tags", ["model-merging", "soft-merging"])]
    return page(
        front_matter(head),
        f"# {said(title)}",
        _summary(it),
        "## Use\n\n" + use("load_merged.py", files),
        "## How good it is\n\n" + _accuracies(it),
        "## What it is made of\n\n" + _sources(it),
        _formulas(it),
        "## How it was made\n\n" + _settings(it),
        "## Data\n\n" + _data(it),
        "## What this does not show\n\n" + _limits(it),
        "## Where it comes from\n\n" + _origin(it),
    )


def _summary(it: Told) -> str:
    count, kind = len(it.spec.sources), it.lineage
    shape = " x ".join(map(str, kind.input_shape))
    made = f"One network merged from {count} trained ones by gates over their weights ({PAPER})."
    takes = f"It is a {code(kind.network)} for inputs of {shape} and tells {kind.classes} classes apart."
    return f"{made} {takes} {_trained(it)}"


def _trained(it: Told) -> str:
    """What was learned of the network, in one sentence."""
    if it.result.get("winner") == BEST:
        return "No mixture did better on the validation samples: it is the best source, unchanged."
    if it.result.get("winner") == AVERAGE:
        return "No trained gates did better on the validation samples: it is the plain average of its sources."
    if it.spec.settings.rescale:
        return "Its sources were frozen: gates were trained, and a factor for each channel."
    return "Its sources were frozen: only gates were trained, never a weight."


def use(script: str, files: Sequence[tuple[str, str]]) -> str:
    """How to load the network, and what each file is."""
    listed = "\n".join(f"- {code(name)}: {what}" for name, what in files)
    return f"`python {script} sample.npy` classifies a sample; it needs nothing of the tool that made this.\n\n{listed}"


def _accuracies(it: Told) -> str:
    tested, result = it.lineage.data.tested_on, it.result
    n = int(result["samples"]["test"])
    seen = result["samples"].get("validation")
    rows = [row for key, title in NETWORKS.items() if (row := _row(it, key, title, n))]
    rows += [_source_row(it, place, n) for place in range(len(result["source_names"]))]
    validation = f"Validation accuracy{f' ({seen} samples)' if seen else ''}"
    head = ("Network", f"Accuracy on {n} {tested} samples", "95\u00a0% interval", validation)
    text = told(usual_spaces(gain_sentence(result, n)))
    why = " ".join(filter(None, (sentence(str(result.get("reason") or "")), why_sentence(result))))
    return page(text, table(head, rows), f"Why this one was kept: {told(source_text(usual_spaces(why)))}")


def _row(it: Told, key: str, title: str, n: int) -> list[str] | None:
    accuracy, correct = it.result["accuracy"].get(key), (it.result.get("correct") or {}).get(key)
    if accuracy is None:
        return None
    if key == "best_source":
        title += f" ({said(source_text(str(it.result.get('best_source', ''))))})"
    validation = (it.result.get("validation_accuracy") or {}).get(key)
    return [title, *measured(accuracy, correct, n), _share(validation)]


def _source_row(it: Told, place: int, n: int) -> list[str]:
    correct = ((it.result.get("correct") or {}).get("sources") or [None] * (place + 1))[place]
    validation = ((it.result.get("validation_accuracy") or {}).get("sources") or [None] * (place + 1))[place]
    name = f"{symbols(len(it.spec.sources))[place]}: {said(source_text(it.result['source_names'][place]))}"
    return [name, *measured(it.result["accuracy"]["sources"][place], correct, n), _share(validation)]


def measured(accuracy: float | None, correct: str | None, n: int) -> tuple[str, str]:
    """(an accuracy, its interval) as text."""
    if accuracy is None:
        return "unknown", ""
    found = bar(Measured((accuracy,), n, (correct or "",)))
    span = range_text(percent_text(found.low, 1), percent_text(found.high, 1)) if found else ""
    return _share(accuracy), usual_spaces(span)


def _share(share: float | None) -> str:
    return "" if share is None else usual_spaces(percent(share))


def _sources(it: Told) -> str:
    excluded = set(it.result.get("excluded") or ())
    rows = []
    for name, origin, source, told_as in zip(
        symbols(len(it.spec.sources)), it.lineage.sources, it.spec.sources, it.result["source_names"], strict=True
    ):
        notes = [_poison(source.attack)] if source.attack else []
        notes += ["left out: it holds NaN or Inf"] if told_as in excluded else []
        hashed = f"{code(origin.sha256)} ({origin.of})"
        rows.append([name, said(origin.title), said(origin.model), hashed, "; ".join(notes) or "as it came"])
    base = it.lineage.base
    rows += [["base", said(base.title), said(base.model), f"{code(base.sha256)} ({base.of})", ""]] if base else []
    return table(("", "Title", "Name", "SHA-256", "What was done to it"), rows)


def _poison(done: AttackSettings) -> str:
    """What was done to a copy of a source on purpose; its hash is that of the source itself."""
    attack = find_attack(done.kind)
    strength = f", strength {decimal_text(done.strength)}" if attack.graded else ""
    return f"{attack.title.lower()} (poisoned on purpose{strength}, seed {done.seed}; the hash is from before)"


def _formulas(it: Told) -> str:
    gates = it.result.get("gates")
    if not gates or not gates["parts"]:
        return ""
    found = formulas(gates, it.spec.settings)
    rows = [[code(each.layer), each.text, str(each.parts)] for each in found[:MANY]]
    left = f" The first {MANY} of {len(found)} layers are listed." if len(found) > MANY else ""
    aligned = "" if it.spec.align == "none" else " The sources' channels were matched to those of the best one before."
    norm = " BatchNorm's statistics were then estimated again on training inputs." if it.batch_norm else ""
    note = "Each part of a layer has its own weights; of several, these are the means, and `gates.csv` has each."
    return page(table(("Layer", "Merged weights", "Parts"), rows), note + left + aligned + norm)


def _settings(it: Told) -> str:
    rows = [["Align first", said(it.spec.align)], *settings_rows(it.spec.settings)]
    rows += [[f"From step {step:,}", said(words)] for step, words in told_changes(it.spec)]
    return page(
        "Soft merging with these settings; the seed fixes every random choice.", table(("Setting", "Value"), rows)
    )


def settings_rows(settings: Settings) -> list[list[str]]:
    values = settings.model_dump(mode="json")
    titles = {name: field.title or name for name, field in type(settings).model_fields.items()}
    return [[said(titles[name]), said(_value(value), 2000)] for name, value in values.items()]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return decimal_text(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_value, value)) or "not set"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {choice}" for name, choice in value.items()) or "not set"
    return str(value)


def _data(it: Told) -> str:
    data, samples, wanted = it.lineage.data, it.result["samples"], it.spec.data
    limits = {"train": wanted.train_samples, "validation": wanted.validation_samples}
    counts = ", ".join(
        f"{count} {split}" + (f" (at most {limits[split]} were asked for)" if limits.get(split) else "")
        for split, count in samples.items()
    )
    rows = [
        ["Data set", said(data.title)],
        ["Name", said(data.dataset)],
        [f"SHA-256 of the {data.of}", code(data.sha256)],
        ["Samples", counts],
        *scaling_rows(it.scaling),
    ]
    return table(("", ""), rows)


def scaling_rows(scaling: Scaling) -> list[list[str]]:
    """Rows of a card's table of data: what the classes are called, and how raw samples become inputs."""
    rows = []
    if names := scaling.names:
        rest = f" and {len(names) - NAMED} more, which the script names" if len(names) > NAMED else ""
        rows.append(["Classes, from 0 on", said(", ".join(names[:NAMED]), 2000) + rest])
    if scaling.known:
        mean, sd = (_numbers(values) for values in (scaling.mean, scaling.sd))
        by = f"(raw - {mean}) / {sd}" if mean and sd else "(raw - mean) / sd, with the numbers in the script"
        rows.append(["Inputs", by + (f"; raw: {scaling.raw}" if scaling.raw else "")])
    return rows


def _numbers(values: Any) -> str:
    """A number, or one for each of a few channels; "" where they are many."""
    found = np.ravel(values).tolist()
    texts = [decimal_text(value) for value in found[: CHANNELS + 1]]
    return "" if len(found) > CHANNELS else texts[0] if len(texts) == 1 else f"({', '.join(texts)})"


def _limits(it: Told) -> str:
    data, samples = it.lineage.data, it.result["samples"]
    points = [
        "It was trained and measured on one data set. How it does on other data is not known.",
        f"The validation samples{_count(samples, 'validation')} were used to choose this network among others, so its "
        "validation accuracy is likely too high.",
        "The intervals tell what other test samples might have given. They do not tell what another seed, other "
        "sources or other training samples would have given: this is one run with one seed.",
    ]
    if data.tested_on == "validation":
        points.append("The data have no test samples: the accuracies above are on the samples it was chosen by.")
    if any(source.attack for source in it.spec.sources):
        points.append("Some sources were poisoned on purpose, to see what merging makes of them.")
    points.append("No licence is stated here: those of the sources and of the data hold.")
    return "\n".join(f"- {point}" for point in points)


def _count(samples: Mapping[str, Any], split: str) -> str:
    return f" ({samples[split]})" if samples.get(split) else ""


def _origin(it: Told) -> str:
    made = "when it was made" if it.recorded else "of this export; those of the run were not written down"
    numbers = ", ".join(f"{name} {number}" for name, number in it.lineage.versions.items())
    rows = [
        ["Run", code(it.run_id)],
        ["Seed", str(it.spec.settings.seed)],
        [f"Versions {made}", said(numbers)],
        [TENSORS, code(it.tensors_sha256)],
    ]
    rows += network_rows(it.lineage.registered)
    if not it.recorded:
        rows.append(["Hashes of sources and data", "as they are now; the run did not write them down"])
    return table(("", ""), rows)


def network_rows(found: NetworkOrigin | None) -> list[list[str]]:
    """The rows of a table that tell which file registered the architecture; none for one that ships."""
    if found is None:
        return []
    hashed = f", SHA-256 {code(found.sha256)}" if found.sha256 else ""
    return [["Architecture registered in", f"{said(found.file)}{hashed}"]]
