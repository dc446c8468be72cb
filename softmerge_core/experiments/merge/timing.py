"""How long a merge will take: its multiply-adds times what this machine has needed for one before. Loads no torch."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import log, sqrt
from pathlib import Path
from statistics import median

from softmerge_core.data import data_labels, datasets
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.kinds import yardstick_models
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.words import span_text
from softmerge_core.home import home, write_atomic
from softmerge_core.merging.budget import Budget, Range, stage_budget, stages_of_auto
from softmerge_core.registry import lookup
from softmerge_core.settings import DataSpec
from softmerge_core.zoo import find_source
from softmerge_core.zoo.work import Kind, keep_work, known_work

# Of one machine with two cores: seconds of a multiply-add, of one layer in one pass, and of a byte of the sources'
# matrix; what another machine needs more or less is learnt from its own merges.
EACH, LAYER, BYTE = 4e-11, 8e-5, 4e-10
BACKWARD = 3  # a pass forward and back takes about so many multiply-adds as one forward
RENEWED = 2048  # training samples at most that BatchNorm's statistics are taken from at each evaluation
BEGIN, OPEN = 1.0, 2e-8  # seconds before anything is computed, and of each byte of a source that is read and checked
UNSURE, SURER = 2.0, 1.2  # the estimate may be so many times too long or too short: at first, after such a merge
KEPT = 50  # kinds of networks whose pace is remembered


@dataclass(frozen=True)
class Facts:
    """What decides how long a merge takes. ``parts``: of the model, its modules, layers and channels.

    ``scored``: the networks that are scored when it is done.
    """

    kind: Kind
    work: int
    parameters: int
    sources: int
    parts: tuple[int, int, int, int]
    samples: tuple[int, int, int]
    batch: int
    scored: int


def facts_of(spec: MergeSpec) -> Facts | None:
    """What is known of a merge before it starts; None where a source's network or work is not known."""
    try:
        origin = find_source(spec.sources[0].model) if spec.sources else None
        if origin is None or not origin.layers:
            return None
        kind = (origin.network, origin.input_shape, origin.classes)
        samples = _samples(spec.data)
    except SoftMergeError:
        return None
    work = known_work(kind)
    if work is None:
        return None
    layers = origin.layers
    parts = (1, len({layer.block for layer in layers}), len(layers), sum(layer.channels for layer in layers))
    parameters = sum(layer.parameters for layer in layers)
    batch = min(spec.settings.batch_size, samples[0])
    return Facts(kind, work, parameters, len(spec.sources), parts, samples, batch, scored_networks(spec))


def scored_networks(spec: MergeSpec) -> int:
    """How many networks are scored when a merge is done: it, the average, sources, controls and yardsticks."""
    return len(spec.sources) + 2 + _controls(spec) + len(yardstick_models(spec.sources, spec.data.dataset))


def _controls(spec: MergeSpec) -> int:
    """The best source and the plain average, where they are rescaled alone to compare with."""
    return 2 * (spec.settings.rescale and spec.settings.granularity in ("auto", "channel"))


def _samples(data: DataSpec) -> tuple[int, int, int]:
    """How many samples are trained, validated and tested on."""
    if data.dataset.endswith(".npz"):
        labels = data_labels(data.dataset)
        train, validation = len(labels["train_labels"]), len(labels["validation_labels"])
        test = len(labels.get("test_labels", labels["validation_labels"]))
    else:
        train, validation, test = lookup(datasets(), data.dataset, "data set").samples
    limits = (data.train_samples, data.validation_samples)
    pairs = zip((train, validation), limits, strict=True)
    train, validation = (count if most is None else min(count, most) for count, most in pairs)
    return train, validation, test


def budget_of(spec: MergeSpec, facts: Facts) -> Range:
    """The steps and evaluations of all stages, at least and at most."""
    settings = spec.settings
    auto = settings.granularity == "auto"
    stages = stages_of_auto(facts.parts) if auto else 1
    found = Range()
    for stage in range(stages + (auto and settings.relative) + _controls(spec)):
        needless = auto and stage == stages - 1
        found = found.plus(stage_budget(settings.steps, settings.evaluate_every, patient=auto, needless=needless))
    return found


def seconds_of(facts: Facts, budget: Budget) -> float:
    """How long so many steps and evaluations take, with what comes before and after them, as far as can be counted."""
    train, validation, test = facts.samples
    layers, matrix = facts.parts[2], 4 * facts.parameters * facts.sources
    step = BACKWARD * (facts.batch * facts.work * EACH + layers * LAYER) + 2 * matrix * BYTE
    evaluation = (min(train, RENEWED) + validation) * facts.work * EACH + 2 * layers * LAYER + matrix * BYTE
    ends = (facts.sources * validation + facts.scored * (validation + test)) * facts.work * EACH
    return budget.steps * step + budget.evaluations * evaluation + ends + BEGIN + OPEN * matrix


def estimate(spec: MergeSpec) -> tuple[float, float] | None:
    """Seconds that a merge will take, at least and at most; None where its work is not known."""
    facts = facts_of(spec)
    if facts is None:
        return None
    ratio, doubt = _ratio(facts.kind)
    budget = budget_of(spec, facts)
    return seconds_of(facts, budget.least) * ratio / sqrt(doubt), seconds_of(facts, budget.most) * ratio * sqrt(doubt)


def time_sentence(spec: MergeSpec) -> str:
    """How long a merge will take, in words; "" where nobody knows."""
    found = estimate(spec)
    if found is None:
        return ""
    text = span_text(*found)
    told = text if text.startswith(("about", "up")) else f"between {text.replace(' to ', ' and ')}"
    return f"It takes {told} on a machine that does nothing else."


def remember(spec: MergeSpec, steps: int, evaluations: int, seconds: float) -> None:
    """Learn from a merge that was done to its end, in so many steps and evaluations, what this machine needs.

    Counts what a network computes where nobody has yet, for which torch must be there.
    """
    origin = find_source(spec.sources[0].model)
    if origin is not None:
        keep_work((origin.network, origin.input_shape, origin.classes))
    facts = facts_of(spec)
    if facts is None or seconds <= 0:
        return
    ratios = dict(list(_known().items())[-KEPT:])
    name = _sign(facts.kind)
    ratios.pop(name, None)  # so that the newest is the last
    ratios[name] = seconds / seconds_of(facts, Budget(steps, evaluations))
    try:
        _place().parent.mkdir(parents=True, exist_ok=True)
        write_atomic(_place(), json.dumps(ratios).encode(), durable=False)
    except OSError:
        return


def _ratio(kind: Kind) -> tuple[float, float]:
    """(what a merge takes over what is counted, how far off that may be), of this kind or else of all others."""
    known = _known()
    if (own := known.get(_sign(kind))) is not None:
        return own, SURER**2
    return (median(known.values()) if known else 1.0), UNSURE**2


def _known() -> Mapping[str, float]:
    try:
        found = json.loads(_place().read_bytes())
        return {str(kind): float(ratio) for kind, ratio in found.items() if abs(log(float(ratio))) < log(1e4)}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _sign(kind: Kind) -> str:
    return hashlib.sha256(json.dumps(kind).encode()).hexdigest()[:16]


def _place() -> Path:
    return home() / "measured" / "pace.json"
