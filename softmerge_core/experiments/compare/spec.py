"""The spec of a comparison: every way to merge the same sources, side by side. Light: loads no torch."""

import contextlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field

from softmerge_core.alignment.settings import How
from softmerge_core.errors import ArchitectureError, SettingsError, SoftMergeError, short
from softmerge_core.experiments.admission import NO_AVERAGE, check_sources, example_sources, small_sources
from softmerge_core.experiments.base import Spec, align_setting
from softmerge_core.experiments.kinds import apart, can_merge, first_two
from softmerge_core.experiments.samples import labelled_samples
from softmerge_core.methods import Method, available_methods, find_method
from softmerge_core.settings import DataSpec, Frozen, Place, SourceSpec, parse, setting
from softmerge_core.zoo import find_source

FEWEST = 20  # labelled samples: half of them are for validation, and fewer than ten tell nothing
Labels = Annotated[int, Field(ge=FEWEST, le=10_000_000)]


class MethodChoice(Frozen):
    """One method by its name, with its own settings."""

    method: str = setting("average", "Method", "The name of a way to merge.")
    settings: dict[str, Any] = setting({}, "Settings", "The method's own settings; defaults where none are given.")


class CompareSpec(Spec):
    """Which sources to merge, and in which ways; all ways if no methods are named."""

    kind: Literal["compare"] = setting("compare", "Kind", "Which experiment: a comparison of methods.")
    sources: tuple[SourceSpec, ...] = setting(
        (), "Sources", "Two or more trained networks, of one architecture, or of several that learned the same data."
    )
    data: DataSpec = setting(DataSpec(), "Data", "The samples methods may look at, and are tested on.")
    methods: tuple[MethodChoice, ...] = setting((), "Methods", "Ways to merge; none named means all that can.")
    target: Place = setting(
        "",
        "Into the architecture of",
        "The source whose architecture the result has, for sources of several, and whose weights distillation begins "
        "with; by default that of the lowest validation loss.",
        more=True,
    )
    base: Place = setting("", "Base model", "The sources' common ancestor; by default their family's.", more=True)
    align: How = align_setting()
    repair: bool = setting(
        False,
        "REPAIR",
        "Restore each channel's activation mean and spread to the sources', after methods that see no inputs.",
        more=True,
    )
    seeds: int = setting(3, "Seeds", "How often a method with random choices is repeated.", ge=1, le=20)
    labels: tuple[Labels, ...] = setting(
        (),
        "Numbers of labels",
        "How many labels does each method need? With numbers such as 20, 100, 400, every method that looks at labels "
        "also merges with only so many samples of the training and validation data, half of them for validation: the "
        "same for all methods, and others for each seed.",
        max_length=8,
        examples=[(20, 100, 400)],
    )
    non_finite: Literal["refuse", "exclude"] = setting(
        "refuse", "NaN or Inf weights", "Refuse sources that are not finite, or exclude them with a notice.", more=True
    )

    def settled(self) -> Self:
        """See Spec: every method that is compared, in the order of all methods, with its own changed settings."""
        named = {choice.method: choice for choice in chosen(self)}
        methods = tuple(_changed(named[name]) for name in available_methods() if name in named)
        return self.model_copy(update={"methods": methods, "labels": numbers(self)})


class Task(NamedTuple):
    """One merge of a comparison; ``labels``: with how many labelled samples, 0: with all."""

    choice: MethodChoice
    seed: int
    labels: int


def _changed(choice: MethodChoice) -> MethodChoice:
    """The choice without the settings that are the method's usual ones; as it is if they cannot be read."""
    try:
        model = find_method(choice.method).settings
        given = parse(model, choice.settings, "settings").model_dump(mode="json")
    except SoftMergeError:
        return choice
    usual = model().model_dump(mode="json")
    return MethodChoice(method=choice.method, settings={k: v for k, v in given.items() if v != usual[k]})


def example() -> CompareSpec:
    """Return a spec that runs."""
    sources, data = example_sources()
    return CompareSpec(name="Every way to merge four networks that share a trunk", sources=sources, data=data)


def small() -> CompareSpec:
    """Return a spec that runs in about a second."""
    sources, data = small_sources()
    methods = tuple(MethodChoice(method=name) for name in ("average", "regmean", "greedy_soup", "ensemble"))
    return CompareSpec(sources=sources, data=data, methods=methods, seeds=2, labels=(20, 60))


def check(spec: CompareSpec) -> None:
    """Raise SoftMergeError if the spec cannot run, as far as that is known before any work is done."""
    check_sources(spec.sources, spec.data, mixed=True)
    _check_mixed(spec)
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
    _check_labels(spec)


def _check_mixed(spec: CompareSpec) -> None:
    """Raise SoftMergeError where sources of several architectures meet what takes only sources of one."""
    if spec.target and spec.target not in [source.model for source in spec.sources]:
        raise SettingsError(f"target: expected one of the sources, got {short(spec.target)!r}")
    difference = apart(spec.sources)
    if not difference:
        return
    two = first_two(spec.sources)
    for choice in spec.methods:
        if not can_merge(find_method(choice.method), difference):
            raise ArchitectureError(f"{find_method(choice.method).title} cannot merge {two}. {NO_AVERAGE}")
    if spec.align != "none":
        raise ArchitectureError(f"sources cannot be aligned first: {two}")


def _check_labels(spec: CompareSpec) -> None:
    """Raise SettingsError unless a method looks at labels, and there are as many as are asked for."""
    if not spec.labels:
        return
    if not any(learns(choice.method) for choice in chosen(spec)):
        raise SettingsError("numbers of labels: expected a method that looks at labels, got none")
    there, most = labelled_samples(spec.data), max(spec.labels)
    if most > there:
        raise SettingsError(
            f"numbers of labels: expected at most the {there:,} training and validation samples, got {most:,}"
        )


def chosen(spec: CompareSpec) -> tuple[MethodChoice, ...]:
    """The methods to compare: those the spec names, or else every one that takes that many sources of these kinds."""
    if spec.methods:
        return spec.methods
    return tuple(MethodChoice(method=method.name) for method in fitting(spec.sources))


def fitting(sources: Sequence[SourceSpec]) -> list[Method]:
    """Every method that takes so many sources, which may be of several architectures."""
    difference = apart(sources)
    few = (m for m in available_methods().values() if m.sources is None or len(sources) <= m.sources)
    return [method for method in few if can_merge(method, difference)]


def numbers(spec: CompareSpec) -> tuple[int, ...]:
    """The numbers of labels, each once, from few to many."""
    return tuple(sorted(set(spec.labels)))


def learns(method: str) -> bool:
    """Whether a method looks at labels, so that their number matters to it."""
    return "labels" in find_method(method).needs


def plan(spec: CompareSpec) -> list[Task]:
    """Every merge, those with all labels first; every method has its first seed before any gets its second."""
    methods, seeds = chosen(spec), range(spec.seeds)
    whole = [Task(one, seed, 0) for seed in seeds for one in methods if seed == 0 or find_method(one.method).random]
    few = [Task(one, seed, n) for seed in seeds for n in numbers(spec) for one in methods if learns(one.method)]
    return whole + few


def planned(spec: CompareSpec) -> list[str]:
    """The names of the methods to compare, in the order of all methods and not in that of the spec."""
    names = {choice.method for choice in chosen(spec)}
    return [name for name in available_methods() if name in names]


def repairs(method: str) -> bool:
    """Whether REPAIR may follow: a network fitted to inputs no longer interpolates between the sources."""
    found = find_method(method)
    return "inputs" not in found.needs and not found.reference


def needs(spec: CompareSpec, method: str) -> list[str]:
    """Everything a method's row had to look at, also inputs for alignment, REPAIR or BatchNorm's statistics."""
    found = find_method(method)
    looked = spec.align == "activations" or (spec.repair and repairs(method))
    looked |= not found.reference and _has_statistics(spec)  # those of one network are estimated again
    chose = bool(found.across) and not found.reference and not spec.target  # its target by validation loss
    return sorted(found.needs | ({"inputs"} if looked else set()) | ({"inputs", "labels"} if chose else set()))


def _has_statistics(spec: CompareSpec) -> bool:
    """Whether the sources' network has BatchNorm layers, as far as manifests tell."""
    for source in spec.sources:
        with contextlib.suppress(SoftMergeError):  # a model may be gone by the time its run is looked at
            origin = find_source(source.model)
            if origin is not None:
                return any("BatchNorm" in layer.kind for layer in origin.layers)
    return False
