"""The work of a comparison: each method merges the same sources, and the result is tested."""

import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from torch import nn

from softmerge_core.alignment import repair
from softmerge_core.alignment.settings import How
from softmerge_core.checks import admit
from softmerge_core.data import Data, load_data
from softmerge_core.data.base import MergeData
from softmerge_core.errors import SoftMergeError, SourceError
from softmerge_core.evaluation import BATCHNORM_SAMPLES, best_source, has_batchnorm, reestimate_batchnorm
from softmerge_core.events import BEST, Notice, Score
from softmerge_core.experiments.aligning import align_to_best
from softmerge_core.experiments.base import Context
from softmerge_core.experiments.compare.across import gained
from softmerge_core.experiments.compare.drawing import drawn
from softmerge_core.experiments.compare.labels import report as by_labels
from softmerge_core.experiments.compare.spec import CompareSpec, MethodChoice, numbers, plan, planned, repairs
from softmerge_core.experiments.compare.words import report
from softmerge_core.experiments.cost import Cost
from softmerge_core.experiments.loading import base_of, load_sources
from softmerge_core.experiments.made import NETWORK, Keeper, handed_on, made_like
from softmerge_core.experiments.scoring import NOT_FINITE, all_finite, scores_of
from softmerge_core.experiments.tasks import do_tasks
from softmerge_core.experiments.words import listed, source_text
from softmerge_core.methods import available_methods, find_method, merge
from softmerge_core.settings import DataSpec, SourceSpec

NEEDS_BASE = "needs a base model, and none is known for these sources"


class Ready(NamedTuple):
    """The sources that may take part, aligned if the spec says so, with their names; the data; and notices.

    ``models``: what the spec calls each source.
    """

    modules: tuple[nn.Module, ...]
    names: tuple[str, ...]
    data: Data
    notices: tuple[str, ...]
    models: tuple[str, ...]


def run(spec: CompareSpec, context: Context) -> dict[str, Any]:
    """Merge by each method, in parallel if there are workers, and tell each score as soon as it is there."""
    begun = time.monotonic()
    ready = prepared(spec)
    for text in ready.notices:
        context.emit(Notice(step=0, text=text))
    rows = source_scores(ready)
    rows += best_with_few(spec, ready, rows)
    for row in rows:
        context.emit(row)
    tasks = [(spec.model_dump_json(), one.choice.model_dump_json(), one.seed, one.labels) for one in plan(spec)]
    keeper = Keeper(context, len(spec.methods) or len(planned(spec)), lambda values: float(values["validation"]))
    rows += [_score(values) for values in do_tasks(context, row_of, tasks, _score, keeper)]
    told = {**report(spec, rows), **by_labels(spec, rows)}
    told["reason"] = f"{told['reason']} {gained(spec, told['rows'])}".strip()
    return {**told, "source_names": list(ready.names), "seconds": time.monotonic() - begun}


def _score(values: dict[str, Any]) -> Score:
    return Score(**values)


def prepared(spec: CompareSpec) -> Ready:
    """Load the sources and the data once per process, whatever else the spec says."""
    sources = tuple(source.model_dump_json() for source in spec.sources)
    return _ready(sources, spec.data.model_dump_json(), spec.align, spec.non_finite)


@lru_cache(maxsize=4)
def _ready(sources: tuple[str, ...], data: str, align: How, non_finite: str) -> Ready:
    samples = load_data(DataSpec.model_validate_json(data))
    specs = [SourceSpec.model_validate_json(source) for source in sources]
    # a source has a row of its own even where it is named like a method
    loaded, names = load_sources(specs, taken=available_methods())
    admitted, notices = admit(loaded, names, samples.validation_inputs, non_finite)
    modules = align_to_best([loaded[position] for position in admitted], samples, align)
    kept, models = ([each[position] for position in admitted] for each in (names, [s.model for s in specs]))
    return Ready(tuple(modules), tuple(kept), samples, notices, tuple(models))


def source_scores(ready: Ready) -> list[Score]:
    """Scores of every source, and again of the best one (lowest validation loss) as the series BEST."""
    modules, names, data = ready.modules, ready.names, ready.data
    rows = [Score(step=1, series=name, **scores_of(m, data)) for name, m in zip(names, modules, strict=True)]
    best = rows[best_source(modules, *data.split("validation"))]
    return [*rows, best.model_copy(update={"series": BEST})]


def best_with_few(spec: CompareSpec, ready: Ready, rows: Sequence[Score]) -> list[Score]:
    """For each number of labels and seed, the row of the source that is best on its validation half, as BEST."""
    found = []
    for seed in range(spec.seeds):
        for n in numbers(spec):
            data = drawn(ready.data, n, seed)
            best = rows[best_source(ready.modules, data.validation_inputs, data.validation_labels)]
            found.append(best.model_copy(update={"series": BEST, "seed": seed, "labels": n}))
    return found


def row_of(task: tuple[str, str, int, int]) -> dict[str, Any]:
    """The score of one task (spec, method choice, seed, labels) as plain values, or the reason why there is none."""
    spec, choice = CompareSpec.model_validate_json(task[0]), MethodChoice.model_validate_json(task[1])
    row = {"step": 1, "series": choice.method, "seed": task[2], "labels": task[3]}
    try:
        values = _merged_scores(spec, choice, task[2], task[3])
    except SoftMergeError as error:
        return {**row, "problem": str(error)}
    if not all_finite({key: value for key, value in values.items() if key != NETWORK}):
        return {**row, "problem": NOT_FINITE}
    return {**row, **values}


def _merged_scores(spec: CompareSpec, choice: MethodChoice, seed: int, n: int) -> dict[str, Any]:
    """Test scores of the network that a method makes with ``n`` labelled samples (0: all), and what making it cost.

    The network of the first seed and all labels comes with them.
    """
    ready = prepared(spec)
    modules, names, data = ready.modules, ready.names, ready.data
    given = drawn(data, n, seed) if n else data.for_merging()
    with Cost() as cost:
        base, target = _base(spec, choice.method), _target(spec, choice.method, ready, given)
        also: dict[str, Any] = {"names": names, "base": base, "seed": seed, "target": target}
        network = merge(choice.method, modules, given, **also, **choice.settings)
        if n and has_batchnorm(network):  # needs no labels, and a few samples would tell little
            reestimate_batchnorm(network, data.train_inputs[:BATCHNORM_SAMPLES])
        if spec.repair and repairs(choice.method):
            network = repair(network, modules, data.train_inputs)
    scores = {**scores_of(network, data), "took": cost.seconds, "memory": cost.memory}
    return scores if n or seed else scores | _handed(spec, choice.method, ready, network, target or 0)


def _handed(spec: CompareSpec, method: str, ready: Ready, network: nn.Module, like: int) -> dict[str, Any]:
    """The network of a method's first seed, to be kept."""
    title = find_method(method).title
    how = f"{title} of {listed([source_text(name) for name in ready.names])}, in a comparison (seed 0)"
    made = made_like(ready.models[like], f"{title}: {spec.name}" if spec.name else title, how)
    return handed_on(made, network, ready.modules[like])


def _target(spec: CompareSpec, method: str, ready: Ready, given: MergeData) -> int | None:
    """The source whose architecture the result has, where the method asks: the spec's, or else the best one."""
    if not find_method(method).across:
        return None
    if not spec.target:
        return best_source(ready.modules, given.validation_inputs, given.validation_labels)
    if spec.target not in ready.models:
        raise SourceError(f"target: {spec.target!r} is left out")
    return ready.models.index(spec.target)


def _base(spec: CompareSpec, method: str) -> nn.Module | None:
    """The common ancestor, for a method that can use one: the spec's own, or else the sources' family's."""
    found = find_method(method)
    if "base" not in found.needs | found.optional:
        return None
    base = base_of(spec.sources, spec.base)
    if base is None and "base" in found.needs:
        raise SourceError(NEEDS_BASE)
    return base
