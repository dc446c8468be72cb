"""What made a run, and how two runs differ, in words built from their specs: settings go by their fields' titles."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel

from softmerge_core.attacks import attacks
from softmerge_core.data import datasets
from softmerge_core.experiments.base import Spec
from softmerge_core.experiments.words import clipped, letter, listed, plural
from softmerge_core.federated.algorithms import algorithms
from softmerge_core.merging.forced import told as told_start
from softmerge_core.methods import available_methods
from softmerge_core.networks import networks
from softmerge_core.numbers import number_text
from softmerge_core.settings import AttackSettings, SourceSpec
from softmerge_core.zoo import BASE, FamilyInfo, LibraryModel, card_title, families, library

MOST = 6  # facts in one line; the others are counted
OWN = "networks of your own"
FEW = 2  # so many members that came or went are named, more are counted
# not as plain fields
APART = ("kind", "name", "sources", "methods", "runs", "overlays", "parts", "dataset", "network")
CAME = ("changes", "branch", "start")  # neither: what came on the way, or from another run
SAMPLES = {"train_samples": "training samples", "validation_samples": "validation samples"}
GROUPS = {"sources": "source", "methods": "method", "runs": "run", "overlays": "path"}  # of which a spec has several


class Fact(NamedTuple):
    """One thing that is set. ``usual``: it goes without saying; ``absent``: what is said of a spec without it."""

    words: str
    value: str
    usual: bool = False
    absent: str = ""


def what_made(spec: Spec) -> str:
    """The networks and data of a run and the settings that are not the usual ones, in one line of plain text."""
    origin = [f"branched from run {spec.parent[0]} at step {spec.parent[1]:,}"] if spec.parent else []
    spec = spec.settled()
    own = [fact.words for fact in facts_of(spec).values() if not fact.usual]
    return "; ".join([*_head(spec), *shortened(own), *origin])


def difference(spec: Spec, other: Spec) -> str:
    """How ``spec`` differs from ``other`` (of one kind), in one line of plain text; "" where they lead to one run.

    Its own values come first: "penalty 0.05 instead of 0.002". Names of runs are no difference.
    """
    return ", ".join(shortened(differences(spec, other)))


def differences(spec: Spec, other: Spec) -> list[str]:
    """The same, a phrase for each difference."""
    spec, other = spec.settled(), other.settled()
    if spec == other.model_copy(update={"name": spec.name}):
        return []
    found = _groups(spec, other)
    mine, theirs = facts_of(spec), facts_of(other)
    for key, fact in {**theirs, **mine}.items():
        if key not in mine:
            found.append(fact.absent or f"without {fact.words}")
        elif key not in theirs:
            found.append(fact.words)
        elif fact.value != theirs[key].value:
            found.append(f"{fact.words} instead of {theirs[key].value}")
    return found or ["another order"]


def shortened(phrases: Sequence[str]) -> list[str]:
    """The first phrases, and how many more there are."""
    left = len(phrases) - MOST
    return list(phrases) if left <= 1 else [*phrases[:MOST], f"and {left} more"]


def _head(spec: Spec) -> list[str]:
    """The networks of a run and how many of what it has."""
    values = dict(spec)
    trained = f"{_network_title(values['network'])} on {_data_title(_dataset(spec))}" if "network" in values else ""
    first = [trained or " with ".join(_families(spec))]
    groups = [plural(len(values[name]), word) for name, word in GROUPS.items() if values.get(name)]
    return [text for text in (*first, *groups) if text]


def _groups(spec: Spec, other: Spec) -> list[str]:
    """Which networks, sources, methods, runs and paths one spec has and the other has not."""
    found = []
    mine, theirs = _families(spec), _families(other)
    if [name for name in mine if name != OWN] != [name for name in theirs if name != OWN]:
        found.append(f"{_quoted(mine)} instead of {_quoted(theirs)}")
    for name, word in GROUPS.items():
        if name in dict(spec) and not (name == "sources" and found and len(spec.sources) == len(other.sources)):  # type: ignore[attr-defined]
            found += _changes(_members(spec, name), _members(other, name), word, named=not found)
    return found


def _changes(mine: Sequence[str], theirs: Sequence[str], word: str, *, named: bool) -> list[str]:
    came, went = [name for name in mine if name not in theirs], [name for name in theirs if name not in mine]
    if named and 0 < len(came) + len(went) <= FEW:
        return [f"with {name}" for name in came] + [f"without {name}" for name in went]
    if len(mine) != len(theirs):
        return [f"{plural(len(mine), word)} instead of {len(theirs)}"]
    return [f"other {word}s: {listed([clipped(name, 40) for name in came])}"] if came else []


def _quoted(titles: Sequence[str]) -> str:
    return " with ".join(f"“{title}”" for title in titles) or "no networks"


def _members(spec: Spec, group: str) -> list[str]:
    """The names of a spec's sources, methods, runs or paths."""
    members = dict(spec)[group]
    if group == "sources":
        return [
            model_title(member.model) if isinstance(member, SourceSpec) else _trained(place)
            for place, member in enumerate(members)
        ]
    if group == "methods":
        return [_method_title(getattr(member, "method", member)) for member in members]
    return [_run_title(member) if group == "runs" else _choice(member) for member in members]


def facts_of(spec: Spec) -> dict[str, Fact]:
    """Return everything that is set in a spec, by a key that is the same in every spec of its kind."""
    found, values = {**_data_fact(spec), **dict(_fields(spec, ""))}, dict(spec)
    for change in values.get("changes", ()):
        since = f"from step {change.step:,} on"
        own = _own(since, type(change), change.model_dump(exclude={"step"}, exclude_none=True))
        for key, fact in own.items():
            found[key] = fact._replace(absent=f"{fact.words.removesuffix(fact.value)}as before")
    if start := values.get("start"):
        told = told_start(start, [model_title(source.model) for source in values["sources"]])
        found["start"] = Fact(told, told, absent="fresh gates")
    for place, source in enumerate(values.get("sources", ())):
        if not isinstance(source, SourceSpec):
            found |= _training(place, source)
        elif source.attack:
            found[f"poison:{source.model}"] = _poison(source.model, source.attack)
    for choice in values.get("methods", ()):
        if method := available_methods().get(getattr(choice, "method", "")):
            found |= _own(method.title, method.settings, choice.settings)
    for run in values.get("runs", ()):
        if algorithm := algorithms().get(run.algorithm):
            found |= _own(_run_title(run), algorithm.settings, run.settings)
    return found


def _fields(model: BaseModel, prefix: str) -> Iterator[tuple[str, Fact]]:
    """The plain fields of a spec and of the settings in it."""
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if name == "parts":
            for part, choice in value.items():
                yield f"part:{part}", Fact(f"{part} {_part(choice)}", _part(choice), absent=f"{part} gated")
        elif name in APART or name in CAME:
            continue
        elif name in SAMPLES:
            number = "all" if value is None else f"{value:,}"
            yield f"{prefix}{name}", Fact(f"{number} {SAMPLES[name]}", number, value is None)
        elif isinstance(value, BaseModel) and not isinstance(value, SourceSpec):
            yield from _fields(value, f"{prefix}{name}.")
        else:
            label, shown = field_label(field.title or name), _shown(name, value)
            usual = value in (field.default, _usual_strength(model) if name == "strength" else field.default)
            yield f"{prefix}{name}", Fact(f"{label} {shown}", shown, usual)


def _usual_strength(model: BaseModel) -> float | None:
    """The strength that is usual for the attack beside it."""
    attack = attacks().get(getattr(model, "attack", ""))
    return attack.usual if attack and attack.graded else None


def _own(title: str, model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Fact]:
    """The settings that only one method or algorithm has."""
    found = {}
    for name, field in model.model_fields.items():
        if name in values:
            label, shown = f"{title}: {field_label(field.title or name)}", _shown(name, values[name])
            usual = shown == _shown(name, field.default)
            found[f"{title}:{name}"] = Fact(f"{label} {shown}", shown, usual, f"{label} {_shown(name, field.default)}")
    return found


def _training(place: int, source: BaseModel) -> dict[str, Fact]:
    """How one source is trained, but for its seed as long as every source has one of its own."""
    found = _own(_trained(place), type(source), source.model_dump())
    seed = found.pop(f"{_trained(place)}:seed", None)
    return found | ({f"{_trained(place)}:seed": seed._replace(usual=True)} if seed else {})


def _poison(model: str, attack: AttackSettings) -> Fact:
    known = attacks()[attack.kind]
    how = field_label(known.title)
    told = known.graded and attack.strength != known.usual
    strength = f", strength {number_text(attack.strength, 6)}" if told else ""
    seed = f", seed {attack.seed}" if attack.seed else ""
    value = f"{how}{strength}{seed}"
    return Fact(f"{model_title(model)} poisoned by {value}", value, absent=f"{model_title(model)} not poisoned")


def _data_fact(spec: Spec) -> dict[str, Fact]:
    """The data set where it is not the one that the networks were trained on."""
    values, title = dict(spec), _data_title(_dataset(spec))
    if "network" in values:
        network = _network_title(values["network"])
        return {"network": Fact(f"network {network}", network, True), "dataset": Fact(f"data {title}", title, True)}
    origins = [_origin(source.model) for source in values.get("sources", ())]
    if {origin.dataset for origin in origins if origin} == {_dataset(spec)}:
        return {}
    return {"dataset": Fact(f"data {title}", title, absent="the data of the family")}


def _dataset(spec: Spec) -> str:
    values = dict(spec)
    return str(values["data"].dataset if "data" in values else values.get("dataset", ""))


def _network_title(name: str) -> str:
    known = networks().get(name)
    return known.title if known else clipped(name, 60)


def _data_title(dataset: str) -> str:
    known = datasets().get(dataset)
    return known.title if known else clipped(Path(dataset).name, 60)


def _origin(model: str) -> FamilyInfo | LibraryModel | None:
    family, _, name = model.partition("/")
    return library().get(name) if family == "library" else families().get(family)


def _families(spec: Spec) -> list[str]:
    """Where the sources come from, each once."""
    models = [source.model for source in dict(spec).get("sources", ()) if isinstance(source, SourceSpec)]
    origins = {model: _origin(model) for model in models}
    return list(dict.fromkeys(o.title if isinstance(o := origins[model], FamilyInfo) else OWN for model in models))


def model_title(model: str) -> str:
    """A source as readers know it, inside a sentence: "Source 2", or "the trunk all started from"."""
    title = clipped(card_title(model), 60)
    return field_label(title) if model.partition("/")[2] == BASE else title


def field_label(title: str) -> str:
    """A title inside a sentence: "Penalty" becomes "penalty", "KL weight" and "NaN" stay."""
    text = title.replace("_", " ")
    return text if sum(map(str.isupper, text)) > 1 else text[:1].lower() + text[1:]


def _method_title(name: str) -> str:
    method = available_methods().get(name)
    return method.title if method else name


def _run_title(run: Any) -> str:
    algorithm = algorithms().get(run.algorithm)
    scope, server = " with scope alignment" if run.scope else "", _choice(run.aggregation)
    return f"{algorithm.title if algorithm else run.algorithm}{scope}{'' if server == 'mean' else f' ({server})'}"


def _trained(place: int) -> str:
    return f"Source {letter(place)}"


def _part(choice: str) -> str:
    kept = choice.removeprefix("keep:")
    return f"kept from Source {int(kept) + 1}" if kept.isdigit() else {"average": "averaged"}.get(choice, choice)


def _choice(value: str) -> str:
    return value.replace("_", " ")


def _shown(name: str, value: Any) -> str:
    """A value as it stands in a sentence."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if name == "target_source":
        return chr(ord("A") + value)
    if isinstance(value, (int, float)):
        return str(value) if name == "seed" else f"{value:,}" if isinstance(value, int) else number_text(value, 4)
    if isinstance(value, (tuple, list)):
        return ", ".join(_shown(name, item) for item in value) or "none"
    return _named(name, value)


def _named(name: str, value: Any) -> str:
    if isinstance(value, SourceSpec):
        return model_title(value.model)
    if name == "attack" and value in attacks():
        return field_label(attacks()[value].title)
    if name == "base":
        return model_title(value) if value else "the family's own"
    return "the usual" if value is None else clipped(_choice(str(value)), 60)
