"""What every way to merge makes of the same sources: accuracy, loss, calibration and cost, side by side."""

import math
import statistics
import time
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from softmerge_core.alignment.settings import How
from softmerge_core.errors import SettingsError, SoftMergeError
from softmerge_core.events import Notice, Score
from softmerge_core.experiments.admission import check_sources, example_sources
from softmerge_core.experiments.aligning import align_to_best, best_of
from softmerge_core.experiments.base import Context, Spec, align_setting
from softmerge_core.experiments.loading import load_sources
from softmerge_core.experiments.tasks import do_tasks
from softmerge_core.settings import DataSpec, Frozen, SourceSpec, parse, setting

if TYPE_CHECKING:
    from torch import nn

    from softmerge_core.data import Data
    from softmerge_core.data.base import MergeData

BEST = "best_source"
NEEDS_BASE = "needs a base model, and none is known for these sources"
MEASURES = ("accuracy", "loss", "calibration", "validation", "took", "memory")


class MethodChoice(Frozen):
    """One method by its name, with its own settings."""

    method: str = setting("average", "Method", "The name of a way to merge.")
    settings: dict[str, Any] = setting({}, "Settings", "The method's own settings; defaults where none are given.")


class CompareSpec(Spec):
    """Which sources to merge in which ways; no methods named means all of them."""

    kind: Literal["compare"] = setting("compare", "Kind", "Which experiment: a comparison of methods.")
    sources: tuple[SourceSpec, ...] = setting((), "Sources", "Two or more trained networks of one architecture.")
    data: DataSpec = setting(DataSpec(), "Data", "The samples methods may look at, and are tested on.")
    methods: tuple[MethodChoice, ...] = setting((), "Methods", "Ways to merge; none named means all.")
    base: str = setting("", "Base model", "The sources' common ancestor; by default their family's.", more=True)
    align: How = align_setting()
    repair: bool = setting(
        False,
        "REPAIR",
        "Restore each channel's activation mean and spread to the sources', after methods that see no inputs.",
        more=True,
    )
    seeds: int = setting(3, "Seeds", "How often a method with random choices is repeated.", ge=1, le=20)
    non_finite: Literal["refuse", "exclude"] = setting(
        "refuse", "NaN or Inf weights", "Refuse sources that are not finite, or exclude them with a notice.", more=True
    )


def example() -> CompareSpec:
    """A spec that runs."""
    sources, data = example_sources()
    return CompareSpec(name="Every way to merge four networks that share a trunk", sources=sources, data=data)


def check(spec: CompareSpec) -> None:
    """Raise SoftMergeError for what is known to be wrong before any work; no torch is loaded."""
    from softmerge_core.methods import find_method
    from softmerge_core.zoo import find_source

    check_sources(spec.sources, spec.data)
    for choice in spec.methods:
        method = find_method(choice.method)
        parse(method.settings, choice.settings, f"settings of {method.title}")
        if method.sources is not None and len(spec.sources) > method.sources:
            raise SettingsError(f"{method.title} merges at most {method.sources} sources, got {len(spec.sources)}")
    names = [choice.method for choice in spec.methods]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SettingsError(f"method {min(twice)!r} is named twice: a comparison has one row a method")
    if spec.base:
        find_source(spec.base)


def chosen(spec: CompareSpec) -> tuple[MethodChoice, ...]:
    """The methods of a spec: those named, or every one that takes so many sources."""
    from softmerge_core.methods import available_methods

    if spec.methods:
        return spec.methods
    fitting = (m for m in available_methods().values() if m.sources is None or len(spec.sources) <= m.sources)
    return tuple(MethodChoice(method=method.name) for method in fitting)


def run(spec: CompareSpec, context: Context) -> dict[str, Any]:
    """Merge by each method, in parallel where there are workers; each row is told as soon as it is there."""
    begun = time.monotonic()
    references = sources_scores(spec)
    for text in references["notices"]:
        context.emit(Notice(step=0, text=text))
    rows = [Score(**row) for row in references["rows"]]
    for row in rows:
        context.emit(row)
    tasks = [(spec.model_dump_json(), choice.model_dump_json(), seed) for choice, seed in _plan(spec)]
    rows += [Score(**values) for values in do_tasks(context, row_of, tasks, lambda values: Score(**values))]
    return {**report(spec, rows), "source_names": references["names"], "seconds": time.monotonic() - begun}


def _plan(spec: CompareSpec) -> Iterable[tuple[MethodChoice, int]]:
    """The rows in an order in which one of each method comes before the second seed of any."""
    from softmerge_core.methods import find_method

    for seed in range(spec.seeds):
        for choice in chosen(spec):
            if seed == 0 or find_method(choice.method).random:
                yield choice, seed


@lru_cache(maxsize=4)
def _ready(
    sources: tuple[str, ...], data: str, align: How, non_finite: str
) -> "tuple[tuple[nn.Module, ...], tuple[str, ...], Data, tuple[str, ...]]":
    """The admitted sources, aligned when asked for; their names, the data, the notices."""
    from softmerge_core.checks import admit
    from softmerge_core.data import load_data

    samples = load_data(DataSpec.model_validate_json(data))
    loaded, names = load_sources([SourceSpec.model_validate_json(source) for source in sources])
    admitted, notices = admit(loaded, names, samples.validation_inputs, non_finite)
    modules = align_to_best([loaded[position] for position in admitted], samples, align)
    return tuple(modules), tuple(names[position] for position in admitted), samples, notices


def prepared(spec: CompareSpec) -> "tuple[tuple[nn.Module, ...], tuple[str, ...], Data, tuple[str, ...]]":
    """(sources that may take part, aligned when asked for; their names; data; notices), made once per process."""
    sources = tuple(source.model_dump_json() for source in spec.sources)
    return _ready(sources, spec.data.model_dump_json(), spec.align, spec.non_finite)


def sources_scores(spec: CompareSpec) -> dict[str, Any]:
    """Test scores of every source and of the best, which has the lowest validation loss; names and notices."""
    modules, names, data, notices = prepared(spec)
    rows = [{"step": 1, "series": name, **scores(module, data)} for name, module in zip(names, modules, strict=True)]
    best = rows[best_of(modules, data)]
    return {"rows": [*rows, {**best, "series": BEST}], "names": list(names), "notices": notices}


def scores(network: "nn.Module", data: "Data") -> dict[str, float]:
    """Test accuracy, loss and calibration error of a network, and its accuracy on validation data."""
    from softmerge_core.evaluation import calibration_error, evaluate, predict, score

    inputs, labels = data.split("test")
    logits = predict(network, inputs)
    accuracy, loss = score(logits, labels)
    validation = evaluate(network, *data.split("validation"))[0]
    return {
        "accuracy": accuracy,
        "loss": loss,
        "calibration": calibration_error(logits, labels),
        "validation": validation,
    }


def row_of(task: tuple[str, str, int]) -> dict[str, Any]:
    """One row, from (spec, method choice, seed): the method's scores and cost, or why there are none."""
    from softmerge_core.experiments.cost import Cost
    from softmerge_core.methods import merge

    spec, choice = CompareSpec.model_validate_json(task[0]), MethodChoice.model_validate_json(task[1])
    row = {"step": 1, "series": choice.method, "seed": task[2]}
    try:
        modules, names, data, _ = prepared(spec)
        with Cost() as cost:
            network = merge(
                choice.method,
                modules,
                merge_data(data),
                names=names,
                base=_base(spec, choice.method),
                seed=task[2],
                **choice.settings,
            )
            if spec.repair and repairs(choice.method):
                network = _repaired(network, modules, data)
        values = scores(network, data)
    except SoftMergeError as error:
        return {**row, "problem": str(error)}
    if not all(map(math.isfinite, values.values())):
        return {**row, "problem": "the merged network's outputs are not finite"}
    return {**row, **values, "took": cost.seconds, "memory": cost.memory}


def merge_data(data: "Data") -> "MergeData":
    """What a merge may look at: the training and validation samples, never the test samples."""
    from softmerge_core.data.base import MergeData

    return MergeData(data.train_inputs, data.train_labels, data.validation_inputs, data.validation_labels)


def _base(spec: CompareSpec, method: str) -> "nn.Module | None":
    """The common ancestor, for a method that needs one; aligned sources no longer descend from it."""
    from softmerge_core.errors import SourceError
    from softmerge_core.methods import find_method
    from softmerge_core.zoo import load_base, load_source

    found = find_method(method)
    if "base" not in found.needs | found.optional:
        return None
    if spec.base:
        return load_source(SourceSpec(model=spec.base)).module
    families = {source.model.partition("/")[0] for source in spec.sources}
    base = load_base(families.pop()) if len(families) == 1 else None
    if base is None and "base" in found.needs:
        raise SourceError(NEEDS_BASE)
    return base


def repairs(method: str) -> bool:
    """Whether REPAIR may follow: what has been fitted to inputs is not the sources' interpolation any more."""
    from softmerge_core.methods import find_method

    found = find_method(method)
    return "inputs" not in found.needs and not found.reference


def needs(spec: CompareSpec, method: str) -> list[str]:
    """What a row had to look at: the method's needs, and inputs where alignment or REPAIR looked at them."""
    from softmerge_core.methods import find_method

    looked = spec.align == "activations" or (spec.repair and repairs(method))
    return sorted(find_method(method).needs | ({"inputs"} if looked else set()))


def _repaired(network: "nn.Module", sources: "Sequence[nn.Module]", data: "Data") -> "nn.Module":
    from softmerge_core.alignment import repair

    return repair(network, sources, data.train_inputs)


def report(spec: CompareSpec, rows: Sequence[Score]) -> dict[str, Any]:
    """One entry a method, best first, with what it had to look at; and the comparison in one sentence."""
    by_method: dict[str, list[Score]] = {}
    for row in rows:
        by_method.setdefault(row.series, []).append(row)
    table = [_entry(spec, name, found) for name, found in by_method.items()]
    table.sort(key=lambda entry: (bool(entry["problem"]), -(entry.get("accuracy") or {"mean": 0})["mean"]))
    return {"rows": table, "align": spec.align, "reason": sentence(table)}


def _entry(spec: CompareSpec, name: str, rows: Sequence[Score]) -> dict[str, Any]:
    """What is known of one method: mean and 95 % interval over seeds of each measure."""
    from softmerge_core.methods import available_methods

    method = available_methods().get(name)
    about = {"title": method.title, "needs": needs(spec, name), "reference": method.reference} if method else {}
    sound = [row for row in rows if not row.problem]
    problem = next((row.problem for row in rows if row.problem), "")
    values = {key: interval([getattr(row, key) for row in sound]) for key in MEASURES} if sound else {}
    return {"method": name, **about, "problem": problem, **values}


def interval(values: Sequence[float]) -> dict[str, Any]:
    """Mean of ``values``, and the half width of its 95 % confidence interval by Student's t (None for one value)."""
    mean, half = statistics.fmean(values), None
    if len(values) > 1:
        from scipy.special import stdtrit

        half = float(stdtrit(len(values) - 1, 0.975)) * statistics.stdev(values) / math.sqrt(len(values))
    return {"mean": mean, "half": half, "values": list(values)}


def sentence(table: Sequence[dict[str, Any]]) -> str:
    """Which merge is best, and by how much above the plain average and the best source."""
    accuracy = {entry["method"]: entry["accuracy"]["mean"] for entry in table if entry.get("accuracy")}
    merges = [entry for entry in table if entry.get("accuracy") and "title" in entry and not entry["reference"]]
    if not merges:
        return "No method gave a network."
    best = merges[0]
    text = f"{best['title']} is best with {accuracy[best['method']]:.1%} on test data"
    for other, words in (("average", "the plain average"), (BEST, "the best source")):
        if other in accuracy and other != best["method"]:
            gain = 100 * (accuracy[best["method"]] - accuracy[other])
            text += f", {abs(gain):.1f} points {'above' if gain >= 0 else 'below'} {words}"
    return f"{text}."
