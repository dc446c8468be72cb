"""The spec of a sweep: a spec of any kind, the settings that vary in it, and the seeds; expanded by pure functions."""

import math
from itertools import product
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, SerializeAsAny, StrictBool, StrictFloat, StrictInt, StrictStr, field_validator
from pydantic import model_validator as checks_whole

from softmerge_core.errors import SettingsError, SoftMergeError
from softmerge_core.experiments import Spec, experiment, parse_spec
from softmerge_core.experiments.sweeping.varied import (
    Value,
    Varied,
    can_be_swept,
    changed,
    seed_path,
    value_text,
    varied_settings,
)
from softmerge_core.numbers import significant
from softmerge_core.settings import Frozen

MOST_AXES, MOST_VALUES, MOST_SEEDS = 4, 50, 20
MOST_RUNS = 200  # points times seeds
PlainValue = StrictBool | StrictInt | StrictFloat | StrictStr
Count = Annotated[int, Field(ge=2, le=MOST_VALUES)]


class Linear(Frozen):
    """``count`` values from ``first`` to ``last``, as far apart from each other."""

    spacing: Literal["linear"] = "linear"
    first: float
    last: float
    count: Count

    def values(self) -> tuple[float, ...]:
        """The values; those between the ends have four significant digits."""
        span = self.last - self.first
        inner = [significant(self.first + span * k / (self.count - 1), 4) for k in range(1, self.count - 1)]
        return self.first, *inner, self.last


class Log(Frozen):
    """``count`` values from ``first`` to ``last`` above 0, each as many times the one before."""

    spacing: Literal["log"] = "log"
    first: float = Field(gt=0)
    last: float = Field(gt=0)
    count: Count

    def values(self) -> tuple[float, ...]:
        """The values; those between the ends have three significant digits."""
        ratio = self.last / self.first
        inner = [significant(self.first * ratio ** (k / (self.count - 1)), 3) for k in range(1, self.count - 1)]
        return self.first, *inner, self.last


class Listed(Frozen):
    """The values themselves: numbers, choices, or on and off."""

    spacing: Literal["list"] = "list"
    listed: tuple[PlainValue, ...] = Field(min_length=1, max_length=MOST_VALUES)

    def values(self) -> tuple[Value, ...]:
        """The values, each once."""
        return tuple({(type(value), value): value for value in self.listed}.values())


Range = Annotated[Linear | Log | Listed, Field(discriminator="spacing")]


class Axis(Frozen):
    """A setting, by its path in the spec, and the values that it takes."""

    path: str = Field(max_length=200)
    range: Range


class Sweep(Frozen):
    """One experiment at every combination of values, each with every seed. ``base``: the settings that do not vary.

    ``with_base``: the values that the base has are among those of each axis, so that there is a point to compare with.
    """

    base: SerializeAsAny[Spec]
    axes: tuple[Axis, ...] = Field(min_length=1, max_length=MOST_AXES)
    seeds: tuple[Annotated[int, Field(ge=0, le=2**31 - 1)], ...] = Field((0, 1, 2), min_length=1, max_length=MOST_SEEDS)
    with_base: bool = True

    @field_validator("base", mode="before")
    @classmethod
    def _parsed(cls, value: Any) -> Any:
        try:
            return parse_spec(value) if isinstance(value, dict) else value
        except SoftMergeError as error:
            raise ValueError(str(error)) from error

    @checks_whole(mode="after")
    def _each_once(self) -> Self:
        for what, found in (("seeds", self.seeds), ("settings", [axis.path for axis in self.axes])):
            if len(set(found)) < len(found):
                raise ValueError(f"{what}: expected each one once")
        return self


class Point(NamedTuple):
    """One run of a sweep: the ``values`` of its axes, its seed, and the spec that they make."""

    values: tuple[Value, ...]
    seed: int
    spec: Spec


def axes_of(sweep: Sweep) -> list[Varied]:
    """The settings that vary; raises SettingsError for one that the base does not have, or that cannot be varied."""
    known = varied_settings(sweep.base)
    for axis in sweep.axes:
        if axis.path not in known:
            raise SettingsError(f"a sweep of {sweep.base.kind}: expected a number, choice or switch, got {axis.path!r}")
    return [known[axis.path] for axis in sweep.axes]


def values_of(sweep: Sweep) -> list[tuple[Value, ...]]:
    """The values of each axis, in order: numbers rise, choices stay as they were listed."""
    return [_values(axis, about, sweep.with_base) for axis, about in zip(sweep.axes, axes_of(sweep), strict=True)]


def _values(axis: Axis, about: Varied, with_base: bool) -> tuple[Value, ...]:
    found = list(axis.range.values())
    if with_base and about.now is not None and about.now not in found:
        found.append(about.now)
    if about.number is None:
        return tuple(found)
    if wrong := next((value for value in found if isinstance(value, (str, bool))), None):
        raise SettingsError(f"{about.label}: expected numbers, got {str(wrong)[:40]!r}")
    numbers = {about.number(round(value) if about.number is int else value) for value in found}  # type: ignore[arg-type]
    return tuple(sorted(numbers))


def base_values(sweep: Sweep) -> tuple[Value, ...]:
    """The values that the base has on each axis."""
    return tuple(about.now for about in axes_of(sweep))


def size(sweep: Sweep) -> tuple[int, int]:
    """(points, runs)."""
    points = math.prod(map(len, values_of(sweep)))
    return points, points * len(sweep.seeds)


def expand(sweep: Sweep) -> list[Point]:
    """Every run of a sweep: the last axis varies fastest, and all seeds of a point follow each other.

    Raises SettingsError or what the experiment's check raises, naming setting and value, before anything starts.
    """
    if not can_be_swept(sweep.base):
        raise SettingsError(f"expected an experiment with one main number, got {sweep.base.kind}")
    if len(sweep.seeds) > 1 and seed_path(sweep.base) is None:
        told = "for its runs repeat with several seeds by themselves"
        raise SettingsError(f"a sweep of {sweep.base.kind}: expected one seed, {told}, got {len(sweep.seeds)}")
    axes, values = axes_of(sweep), values_of(sweep)
    points, runs = size(sweep)
    if runs > MOST_RUNS:
        told = f"{points:,} points with {len(sweep.seeds)} seeds each"
        raise SettingsError(f"a sweep: expected at most {MOST_RUNS} runs, got {runs:,} ({told})")
    for about, own in zip(axes, values, strict=True):
        for value in own:
            _made(sweep.base, [about], [value])
    return [point for found in product(*values) for point in _seeded(sweep, axes, found)]


def _seeded(sweep: Sweep, axes: list[Varied], values: tuple[Value, ...]) -> list[Point]:
    """One point with each seed."""
    spec, place = _made(sweep.base, axes, values), seed_path(sweep.base)
    told = point_text(axes, values)
    if place is None:
        return [Point(values, sweep.seeds[0], _named(spec, told))]
    return [Point(values, seed, _named(changed(spec, place, seed), f"{told}, seed {seed}")) for seed in sweep.seeds]


def _named(spec: Spec, told: str) -> Spec:
    return spec.model_copy(update={"name": f"{told}: {spec.name}".removesuffix(": ")[:1000]})


def _made(base: Spec, axes: list[Varied], values: Any) -> Spec:
    """The base with other values, checked; errors name them."""
    spec = base
    for about, value in zip(axes, values, strict=True):
        spec = changed(spec, about.path, value)
    try:
        experiment(spec.kind).check(spec)
    except SoftMergeError as error:
        raise SettingsError(f"{point_text(axes, values)}: {error}") from error
    return spec


def point_text(axes: list[Varied], values: tuple[Value, ...]) -> str:
    """A point in words: "penalty 0.002, granularity layer"."""
    return ", ".join(f"{about.label} {value_text(value)}" for about, value in zip(axes, values, strict=True))
