"""Which settings of a spec can be varied: every number, choice and switch that a form shows, told by the models."""

import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, WithJsonSchema
from pydantic.fields import FieldInfo

from softmerge_core.errors import SettingsError
from softmerge_core.experiments import Spec, experiment
from softmerge_core.experiments.describe import field_label
from softmerge_core.numbers import decimal_text
from softmerge_core.settings import Frozen, SourceSpec, number_kind, parse

Value = bool | int | float | str
SEED = "seed"
APART = (SEED, "seeds", "kind")  # seeds come on top of every sweep
SKIPPED = (SourceSpec,)


class Varied(NamedTuple):
    """A setting that can be varied. ``path``: its place in the spec, such as "settings.penalty".

    ``now``: its value in the spec; ``choices``: all of its values, where it is no number.
    """

    path: str
    label: str
    field: FieldInfo
    now: Any
    number: type[int] | type[float] | None
    choices: tuple[Value, ...]


def varied_settings(spec: Spec) -> dict[str, Varied]:
    """Every setting of a spec that can be varied, by its path, in the order of its models."""
    return {found.path: found for found in _walk(spec, "")}


def seed_path(spec: Spec) -> str | None:
    """The place of the seed of a spec; None where it has none, as runs that repeat with several seeds by themselves."""
    return next((path for path, name in _places(spec, "") if name == SEED), None)


def can_be_swept(spec: Spec) -> bool:
    """Whether runs of this kind have one main outcome."""
    return experiment(spec.kind).outcome is not None


def changed(spec: Frozen, path: str, value: Value) -> Any:
    """The same model with another value at ``path``; raises SettingsError, which names setting and value."""
    name, _, rest = path.partition(".")
    if name not in type(spec).model_fields:
        raise SettingsError(f"expected a setting of {type(spec).__name__}, got {path[:80]!r}")
    inner = changed(getattr(spec, name), rest, value) if rest else value
    told = f"{label_of(type(spec).model_fields[name], name)} {value_text(value)}"
    return parse(type(spec), {**dict(spec), name: inner}, told)


def label_of(field: FieldInfo, name: str) -> str:
    """The name of a setting inside a sentence."""
    return field_label(field.title or name)


def _walk(model: BaseModel, prefix: str) -> Iterator[Varied]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel) and not isinstance(value, SKIPPED):
            yield from _walk(value, f"{prefix}{name}.")
        elif name not in APART and (number := number_kind(field.annotation)) is not None:
            yield Varied(prefix + name, label_of(field, name), field, value, number, ())
        elif name not in APART and len(choices := _choices(field.annotation)) > 1:
            yield Varied(prefix + name, label_of(field, name), field, value, None, choices)


def _places(model: BaseModel, prefix: str) -> Iterator[tuple[str, str]]:
    """(path, name) of all fields that hold no other model; those of the spec itself first."""
    inner = []
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel) and not isinstance(value, SKIPPED):
            inner.append((value, f"{prefix}{name}."))
        else:
            yield prefix + name, name
    for value, place in inner:
        yield from _places(value, place)


def _choices(annotation: Any) -> tuple[Value, ...]:
    """All values of a switch, of a choice, of names that a model knows, or of several of these together."""
    if annotation is bool:
        return (False, True)
    if get_origin(annotation) in (types.UnionType, typing.Union):
        parts = [_choices(part) for part in get_args(annotation)]
        return tuple(value for part in parts for value in part) if all(parts) else ()
    if get_origin(annotation) is Annotated:
        schemas = [each.json_schema for each in annotation.__metadata__ if isinstance(each, WithJsonSchema)]
        return tuple((schemas[0] or {}).get("enum", ())) if schemas else ()
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def value_text(value: Value | None) -> str:
    """A value as it stands in a sentence."""
    if isinstance(value, bool) or value is None:
        return {True: "on", False: "off", None: "not set"}[value]
    if isinstance(value, (int, float)):
        return decimal_text(value, 4 if isinstance(value, float) else 15)
    return value.replace("_", " ")
