"""The work of an attack: some of the sources are spoiled, each method merges them all, and the result is tested."""

import math
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from torch import nn

from softmerge_core.checks import admit, check_architecture
from softmerge_core.data import Data, load_data
from softmerge_core.errors import SoftMergeError
from softmerge_core.evaluation import best_source, evaluate
from softmerge_core.events import BEST, Blame, Notice, Score
from softmerge_core.experiments.base import Context
from softmerge_core.experiments.cost import Cost
from softmerge_core.experiments.loading import load_sources
from softmerge_core.experiments.made import Keeper, handed_on, made_like
from softmerge_core.experiments.robustness.spec import COPY, Case, RobustnessSpec, cases, chosen_case, repeats, seed_of
from softmerge_core.experiments.robustness.words import about, sentence
from softmerge_core.experiments.scoring import NOT_FINITE, all_finite, scores_of
from softmerge_core.experiments.tasks import do_tasks
from softmerge_core.experiments.words import listed, source_text
from softmerge_core.flat import plain_average
from softmerge_core.merging.soft import soft_merge
from softmerge_core.methods import find_method, merge
from softmerge_core.settings import AttackSettings, SoftMergeSettings
from softmerge_core.zoo.spoiling import spoil_network

BLAME = "blame"  # in place of a method's name: the task that asks who is to blame


def run(spec: RobustnessSpec, context: Context) -> dict[str, Any]:
    """Attack, merge by each method and test; then find out on which sources the gates closed."""
    begun = time.monotonic()
    best = honest_best(spec)
    honest_score = Score(step=1, series=BEST, **best["scores"])
    context.emit(honest_score)
    for text in notices(spec):
        context.emit(Notice(step=0, text=text))
    tasks = [(spec.model_dump_json(), *case, method, repeat) for case, method, repeat in _plan(spec)]
    keeper = Keeper(context, len(spec.methods), lambda values: float(values["validation"]))
    rows = do_tasks(context, row_of, tasks, _event, keeper)
    return {
        "rows": [_measured(row) for row in rows if row["kind"] == "score"],
        "blame": next((row for row in rows if row["kind"] == "blame"), None),
        "best_honest": best,
        "reason": sentence(spec, map(_event, rows), honest_score),
        "seconds": time.monotonic() - begun,
    }


def _event(values: dict[str, Any]) -> Score | Blame:
    return Blame.model_validate(values) if values["kind"] == "blame" else Score.model_validate(values)


def _measured(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the numbers that were not measured, for JSON has no NaN."""
    return {key: value for key, value in row.items() if not isinstance(value, float) or math.isfinite(value)}


def _plan(spec: RobustnessSpec) -> Iterator[tuple[Case, str, int]]:
    """The chosen case first, then who is to blame in it, then its other seeds, then the other cases."""
    chosen = chosen_case(spec)
    yield from ((chosen, method, 0) for method in spec.methods)
    yield chosen, BLAME, 0
    yield from (task for task in _repeated(spec, chosen) if task[2])
    yield from (task for case in cases(spec) if case != chosen for task in _repeated(spec, case))


def _repeated(spec: RobustnessSpec, case: Case) -> Iterator[tuple[Case, str, int]]:
    """All methods with the same attack follow each other, so that it is done once for all of them."""
    for repeat in range(spec.seeds):
        yield from ((case, method, repeat) for method in spec.methods if repeat < repeats(spec, case, method))


@lru_cache(maxsize=2)
def honest(spec: RobustnessSpec) -> tuple[tuple[nn.Module, ...], tuple[str, ...], Data]:
    """The sources before any attack, their names, and the data; loaded once per process."""
    modules, names = load_sources(spec.sources)
    check_architecture(modules, names)
    return tuple(modules), names, load_data(spec.data)


def honest_best(spec: RobustnessSpec) -> dict[str, Any]:
    """Name and test scores of the best source (lowest validation loss) that stays honest in the chosen case."""
    modules, names, data = honest(spec)
    best = best_source(modules[: len(modules) - spec.malicious], *data.split("validation"))
    return {"name": names[best], "scores": scores_of(modules[best], data)}


@lru_cache(maxsize=2)
def attacked(
    spec: RobustnessSpec, case: Case, repeat: int = 0
) -> tuple[tuple[nn.Module, ...], tuple[str, ...], tuple[bool, ...]]:
    """(networks, names, whether each is malicious): the last ones are spoiled copies, each with a seed of its own.

    An attack may be a training.
    """
    modules, names, data = honest(spec)
    first = len(modules) - case.malicious
    sent = list(modules)
    for index in range(first, len(modules)):
        if spec.attack == COPY.name:
            sent[index] = modules[0]
        else:
            attack = AttackSettings(kind=spec.attack, strength=case.strength, seed=seed_of(spec, repeat) + index)
            sent[index] = spoil_network(modules[index], attack, data)
    return tuple(sent), names, tuple(index >= first for index in range(len(modules)))


def _admitted(spec: RobustnessSpec, case: Case, repeat: int = 0) -> tuple[list[nn.Module], tuple[str, ...], list[int]]:
    """(networks, names, positions) of the sources that are left once those that are not finite are excluded."""
    sent, names, _ = attacked(spec, case, repeat)
    admitted, _ = admit(sent, names, honest(spec)[2].validation_inputs, "exclude")
    return [sent[position] for position in admitted], tuple(names[p] for p in admitted), list(admitted)


def notices(spec: RobustnessSpec) -> tuple[str, ...]:
    """One sentence for each source that is excluded in the chosen case."""
    sent, names, _ = attacked(spec, chosen_case(spec))
    return admit(sent, names, honest(spec)[2].validation_inputs, "exclude")[1]


def row_of(task: tuple[str, int, float, str, int]) -> dict[str, Any]:
    """The event of one task (spec, malicious, strength, method or BLAME, repetition) as plain values."""
    spec, case, method = RobustnessSpec.model_validate_json(task[0]), Case(task[1], task[2]), task[3]
    if method == BLAME:
        return blame(spec, case).model_dump(mode="json")
    score, kept = _score(spec, case, method, task[4])
    return {**score.model_dump(mode="json"), **kept}


def _score(spec: RobustnessSpec, case: Case, method: str, repeat: int) -> tuple[Score, dict[str, Any]]:
    """The score of a method in a case, or the reason why there is none; and its network, if it is to be kept."""
    seed = seed_of(spec, repeat)
    row = Score(step=1, series=method, case=case.name, malicious=case.malicious, strength=case.strength, seed=seed)
    try:
        values, kept = _merged_scores(spec, case, method, repeat)
    except SoftMergeError as error:
        return row.model_copy(update={"problem": str(error)}), {}
    if not all_finite(values):
        return row.model_copy(update={"problem": NOT_FINITE}), {}
    return row.model_copy(update=values), kept


def _merged_scores(spec: RobustnessSpec, case: Case, method: str, repeat: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Scores of the network that a method makes of the admitted sources, and itself where it is to be kept.

    A single source is left as it is.
    """
    modules, names, _ = _admitted(spec, case, repeat)
    data = honest(spec)[2]
    with Cost() as cost:
        network = modules[0]
        if len(modules) > 1:
            network = merge(method, modules, data.for_merging(), names=names, seed=seed_of(spec, repeat))
    scores = {**scores_of(network, data), "took": cost.seconds, "memory": cost.memory}
    return scores, _handed(spec, method, network) if (case, repeat) == (chosen_case(spec), 0) else {}


def _handed(spec: RobustnessSpec, method: str, network: nn.Module) -> dict[str, Any]:
    """The network that a method makes in the chosen case, to be kept."""
    (module, *_), names, _ = honest(spec)
    title = find_method(method).title
    how = f"{title} of {listed([source_text(name) for name in names])} under attack: {about(spec)}"
    named = f"{title}, attacked: {spec.name}" if spec.name else f"{title}, attacked"
    return handed_on(made_like(spec.sources[0].model, named, how), network, module)


def blame(spec: RobustnessSpec, case: Case) -> Blame:
    """Return each source's mean gate in a soft merge, and what leaving it out of the plain average gains (0-1).

    An excluded source has no part in either: its gate and its gain are 0.
    """
    modules, names, positions = _admitted(spec, case)
    data = honest(spec)[2]
    _, every, malicious = attacked(spec, case)
    gates, gains = [0.0] * len(every), [0.0] * len(every)
    if len(modules) == 1:
        gates[positions[0]] = 1.0
    else:
        table = soft_merge(modules, data.for_merging(), SoftMergeSettings(seed=spec.seed), names=names).gates
        means = [sum(row[k] for row in table.value) / len(table.value) for k in range(len(table.sources))]
        by_name = dict(zip(table.sources, means, strict=True))
        for position, name, gain in zip(positions, names, leave_one_out(modules, data), strict=True):
            gates[position], gains[position] = by_name.get(name, 0.0), gain
    return Blame(step=1, case=case.name, sources=every, malicious=malicious, gates=tuple(gates), gains=tuple(gains))


def leave_one_out(modules: Sequence[nn.Module], data: Data) -> list[float]:
    """Per source: validation accuracy of the average of the others minus that of the average of all (0-1)."""

    def accuracy(chosen: Sequence[nn.Module]) -> float:
        return evaluate(plain_average(chosen, data.train_inputs), *data.split("validation"))[0]

    everyone = accuracy(modules)
    return [accuracy([m for j, m in enumerate(modules) if j != k]) - everyone for k in range(len(modules))]
