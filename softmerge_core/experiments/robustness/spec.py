"""Which ways of merging survive malicious sources: accuracy against their number and against the attack's strength."""

import math
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from softmerge_core.attacks import Attack, find_attack
from softmerge_core.errors import SettingsError, SoftMergeError
from softmerge_core.events import Blame, Notice, Score
from softmerge_core.experiments.admission import check_sources, example_sources
from softmerge_core.experiments.aligning import best_of
from softmerge_core.experiments.base import Context, Spec
from softmerge_core.experiments.compare.spec import BEST, merge_data, scores
from softmerge_core.experiments.loading import load_sources
from softmerge_core.experiments.tasks import do_tasks
from softmerge_core.settings import (
    AttackKind,
    AttackSettings,
    DataSpec,
    SoftMergeSettings,
    SourceSpec,
    setting,
)

if TYPE_CHECKING:
    from torch import nn

    from softmerge_core.data import Data

METHODS = ("average", "median", "trimmed_mean", "krum", "greedy_soup", "soft")
COPY = Attack(
    name="copy",
    title="Copies of one source",
    mark="a copy",
    does="It is replaced by a copy of the first source.",
    sends="the first source's weights, so that these outweigh the others",
    past="it was replaced by a copy of the first source",
)


def attack_of(name: str) -> Attack:
    """The attack called ``name``, or COPY, which takes more than one source."""
    return COPY if name == COPY.name else find_attack(name)


class RobustnessSpec(Spec):
    """Which sources, how many of them are malicious, and what those do to their weights."""

    kind: Literal["robustness"] = setting("robustness", "Kind", "Which experiment: malicious sources.")
    sources: tuple[SourceSpec, ...] = setting((), "Sources", "Two or more honest networks of one architecture.")
    data: DataSpec = setting(DataSpec(), "Data", "The samples methods may look at, and are tested on.")
    attack: AttackKind | Literal["copy"] = setting(
        "extreme", "Attack", "What malicious sources do; copy: each sends the first honest source's weights."
    )
    strength: float | None = setting(None, "Strength", "Of the attack; none means what is usual for it.", ge=0, le=1e6)
    malicious: int = setting(1, "Malicious", "How many of the sources, the last ones, are malicious.", ge=0)
    methods: tuple[str, ...] = setting(METHODS, "Methods", "Ways to merge, by name.")
    seed: int = setting(0, "Seed", "Starts the attacks' noise and the methods' random choices.", ge=0, le=2**31 - 1)


class Case(NamedTuple):
    """So many sources are malicious, with this strength."""

    malicious: int
    strength: float

    @property
    def name(self) -> str:
        return f"{self.malicious} malicious, strength {self.strength:g}"


def example() -> RobustnessSpec:
    """A spec that runs."""
    sources, data = example_sources()
    return RobustnessSpec(name="Four networks that share a trunk, one of them malicious", sources=sources, data=data)


def check(spec: RobustnessSpec) -> None:
    """Raise SoftMergeError for what is known to be wrong before any work; no torch is loaded."""
    from softmerge_core.methods import find_method

    check_sources(spec.sources, spec.data)
    if spec.malicious >= len(spec.sources):
        raise SettingsError(
            f"malicious: expected fewer than the {len(spec.sources)} sources, so that one is honest, "
            f"got {spec.malicious}"
        )
    for name in spec.methods:
        if "base" in find_method(name).needs:
            raise SettingsError(f"method {name!r} needs a base model, which this experiment does not hand out")
    if not spec.methods:
        raise SettingsError("expected one method or more, got none")


def strength_of(spec: RobustnessSpec) -> float:
    """The strength chosen, or what is usual for the attack; 1 for an attack that is done or not."""
    attack = attack_of(spec.attack)
    return attack.usual if spec.strength is None or not attack.graded else spec.strength


def cases(spec: RobustnessSpec) -> list[Case]:
    """First every number of malicious sources at the strength chosen, then other strengths at the number chosen."""
    strength = strength_of(spec)
    by_number = [Case(number, strength) for number in range(len(spec.sources))]
    others = attack_of(spec.attack).strengths
    if not others or spec.malicious == 0:
        return by_number
    by_strength = [Case(spec.malicious, other) for other in others]
    return by_number + [case for case in by_strength if case not in by_number]


def run(spec: RobustnessSpec, context: Context) -> dict[str, Any]:
    """Attack, merge by each method, test; then say which gates closed on whom."""
    begun = time.monotonic()
    best = honest_best(spec)
    context.emit(Score(step=1, series=BEST, **best["scores"]))
    for text in notices(spec):
        context.emit(Notice(step=0, text=text))
    tasks = [(spec.model_dump_json(), *case, method) for case, method in _plan(spec)]
    rows = do_tasks(context, row_of, tasks, _event)
    return {
        "rows": [_plain(row) for row in rows if row["kind"] == "score"],
        "blame": next((row for row in rows if row["kind"] == "blame"), None),
        "best_honest": best,
        "reason": sentence(spec, rows, best["scores"]["accuracy"]),
        "seconds": time.monotonic() - begun,
    }


def _event(values: dict[str, Any]) -> Score | Blame:
    return Blame.model_validate(values) if values["kind"] == "blame" else Score.model_validate(values)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Without what was not measured: JSON knows no NaN."""
    return {key: value for key, value in row.items() if not isinstance(value, float) or math.isfinite(value)}


def _plan(spec: RobustnessSpec) -> Iterator[tuple[Case, str]]:
    """The chosen case first, then who is to blame in it, then the rest."""
    chosen = Case(spec.malicious, strength_of(spec))
    yield from ((chosen, method) for method in spec.methods)
    yield chosen, "blame"
    yield from ((case, method) for case in cases(spec) if case != chosen for method in spec.methods)


@lru_cache(maxsize=2)
def honest(spec: RobustnessSpec) -> "tuple[tuple[nn.Module, ...], tuple[str, ...], Data]":
    """The sources before any attack, their names, and the data; loaded once per process."""
    from softmerge_core.checks import check_architecture
    from softmerge_core.data import load_data

    modules, names = load_sources(spec.sources)
    check_architecture(modules, names)
    return tuple(modules), names, load_data(spec.data)


def honest_best(spec: RobustnessSpec) -> dict[str, Any]:
    """Name and test scores of the best source (lowest validation loss) that stays honest in the chosen case."""
    modules, names, data = honest(spec)
    best = best_of(modules[: len(modules) - spec.malicious], data)
    return {"name": names[best], "scores": scores(modules[best], data)}


@lru_cache(maxsize=2)
def attacked(spec: RobustnessSpec, case: Case) -> "tuple[tuple[nn.Module, ...], tuple[str, ...], tuple[bool, ...]]":
    """(networks, names, which are malicious): the last ones are spoiled copies, each with a seed of its own.

    All methods of a case follow each other, and an attack may be a training: it is done once for them.
    """
    from softmerge_core.zoo.spoiling import spoil_network

    modules, names, data = honest(spec)
    first = len(modules) - case.malicious
    sent = list(modules)
    for index in range(first, len(modules)):
        if spec.attack == COPY.name:
            sent[index] = modules[0]
        else:
            attack = AttackSettings(kind=spec.attack, strength=case.strength, seed=spec.seed + index)
            sent[index] = spoil_network(modules[index], attack, data)
    return tuple(sent), names, tuple(index >= first for index in range(len(modules)))


def _admitted(spec: RobustnessSpec, case: Case) -> "tuple[list[nn.Module], tuple[str, ...], list[int]]":
    """What is left when sources that are not finite are excluded: (networks, names, positions)."""
    from softmerge_core.checks import admit

    sent, names, _ = attacked(spec, case)
    admitted, _ = admit(sent, names, honest(spec)[2].validation_inputs, "exclude")
    return [sent[position] for position in admitted], tuple(names[p] for p in admitted), list(admitted)


def notices(spec: RobustnessSpec) -> tuple[str, ...]:
    """Which sources are excluded in the chosen case, and why."""
    from softmerge_core.checks import admit

    sent, names, _ = attacked(spec, Case(spec.malicious, strength_of(spec)))
    return admit(sent, names, honest(spec)[2].validation_inputs, "exclude")[1]


def row_of(task: tuple[str, int, float, str]) -> dict[str, Any]:
    """One event's values, from (spec, malicious, strength, method); method "blame" asks who is to blame."""
    spec, case, method = RobustnessSpec.model_validate_json(task[0]), Case(task[1], task[2]), task[3]
    if method == "blame":
        return blame(spec, case).model_dump(mode="json")
    row = Score(step=1, series=method, case=case.name, malicious=case.malicious, strength=case.strength, seed=spec.seed)
    try:
        values = _merged_scores(spec, case, method)
    except SoftMergeError as error:
        return row.model_copy(update={"problem": str(error)}).model_dump(mode="json")
    if not all(map(math.isfinite, values.values())):
        return row.model_copy(update={"problem": "the merged network's outputs are not finite"}).model_dump(mode="json")
    return row.model_copy(update=values).model_dump(mode="json")


def _merged_scores(spec: RobustnessSpec, case: Case, method: str) -> dict[str, float]:
    """Scores of what a method makes of the admitted sources; of one that is left alone there is nothing to merge."""
    from softmerge_core.experiments.cost import Cost
    from softmerge_core.methods import merge

    modules, names, _ = _admitted(spec, case)
    data = honest(spec)[2]
    with Cost() as cost:
        network = modules[0]
        if len(modules) > 1:
            network = merge(method, modules, merge_data(data), names=names, seed=spec.seed)
    return {**scores(network, data), "took": cost.seconds, "memory": cost.memory}


def blame(spec: RobustnessSpec, case: Case) -> Blame:
    """Each source's mean gate in a soft merge, beside what leaving it out of the plain average gains (0-1).

    A source that is excluded has gate 0; its gain is that of leaving out what cannot be averaged: all of it.
    """
    from softmerge_core.merging.soft import soft_merge

    modules, names, positions = _admitted(spec, case)
    data = honest(spec)[2]
    _, every, malicious = attacked(spec, case)
    gates, gains = [0.0] * len(every), [0.0] * len(every)
    if len(modules) == 1:
        gates[positions[0]] = 1.0
    else:
        table = soft_merge(modules, merge_data(data), SoftMergeSettings(seed=spec.seed), names=names).gates
        means = [sum(row[k] for row in table.value) / len(table.value) for k in range(len(table.sources))]
        by_name = dict(zip(table.sources, means, strict=True))
        for position, name, gain in zip(positions, names, leave_one_out(modules, data), strict=True):
            gates[position], gains[position] = by_name.get(name, 0.0), gain
    return Blame(step=1, case=case.name, sources=every, malicious=malicious, gates=tuple(gates), gains=tuple(gains))


def leave_one_out(modules: "Sequence[nn.Module]", data: "Data") -> list[float]:
    """Per source: validation accuracy of the average of the others minus that of the average of all (0-1)."""
    from softmerge_core.evaluation import evaluate
    from softmerge_core.experiments.merge.run import average

    def accuracy(chosen: "Sequence[nn.Module]") -> float:
        return evaluate(average(chosen, data), *data.split("validation"))[0]

    everyone = accuracy(modules)
    return [accuracy([m for j, m in enumerate(modules) if j != k]) - everyone for k in range(len(modules))]


def sentence(spec: RobustnessSpec, rows: Sequence[dict[str, Any]], honest_accuracy: float) -> str:
    """Which methods stay within a point of the best honest source in the chosen case."""
    from softmerge_core.methods import find_method

    name = Case(spec.malicious, strength_of(spec)).name
    found = {row["series"]: row.get("accuracy", 0.0) for row in rows if row["kind"] == "score" and row["case"] == name}
    survive = [find_method(key).title for key, accuracy in found.items() if accuracy >= honest_accuracy - 0.01]
    of = f"With {spec.malicious} of {len(spec.sources)} sources malicious"
    if not survive:
        return f"{of} no method comes within a point of the best honest source ({honest_accuracy:.1%})."
    reach = f"{len(survive)} of {len(found)} methods come within a point of the best honest source"
    return f"{of}, {reach} ({honest_accuracy:.1%}) or pass it: {', '.join(survive)}."
