"""Everything a person can launch: one module a kind, each defining ``EXPERIMENT``."""

from functools import cache
from typing import Any

from softmerge_core.experiments.base import Context, Experiment, Result, Spec
from softmerge_core.registry import discover, lookup
from softmerge_core.settings import parse

__all__ = ["Context", "Experiment", "Result", "Spec", "check_result", "experiment", "experiments", "parse_spec"]


@cache
def experiments() -> dict[str, Experiment]:
    """Every experiment by its kind."""
    return discover("softmerge_core.experiments", "EXPERIMENT")


def experiment(kind: str) -> Experiment:
    """The experiment of this kind; raises NotFoundError."""
    found: Experiment = lookup(experiments(), kind, "experiment")
    return found


def parse_spec(values: dict[str, Any]) -> Spec:
    """The spec of any kind from plain values (``kind`` decides); raises NotFoundError or SettingsError."""
    spec: Spec = parse(experiment(str(values.get("kind"))[:80]).spec, values, "spec")
    return spec


def check_result(kind: str, values: dict[str, Any]) -> None:
    """Raise SettingsError unless ``values`` are what pages expect of the result of such an experiment."""
    parse(experiment(kind).result, values, "result")
